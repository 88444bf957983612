package harness

import (
	"testing"
	"time"
)

// Eventually asks until holds says yes, for what tells nobody when it comes
// about: a file that grows, a process that ends.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ask := time.NewTicker(5 * time.Millisecond)
	defer ask.Stop()
	late := time.After(Patience)
	for !holds() {
		select {
		case <-ask.C:
		case <-late:
			t.Fatalf("not within %v: %s", Patience, what)
		}
	}
}
