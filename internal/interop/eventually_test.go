package interop

import (
	"testing"
	"time"
)

// eventually asks until holds says yes, for what tells nobody when it comes
// about: a file that grows, a process that ends.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ask := time.NewTicker(5 * time.Millisecond)
	defer ask.Stop()
	late := time.After(patience)
	for !holds() {
		select {
		case <-ask.C:
		case <-late:
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}
