package fdcopy

import (
	"testing"
	"testing/synctest"
	"time"

	"ferry"
)

// A handle that an operation still uses is handed over when that has ended,
// and not before.
func TestHandleIsReleasedAfterTheLastOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := NewGuard()
		if err := u.Begin(nil); err != nil {
			t.Fatal(err)
		}
		released := false
		if !u.Stop(ferry.ErrTakenOver, func() { released = true }) || released {
			t.Fatal("released under an operation")
		}
		if err := u.Begin(nil); err != ferry.ErrTakenOver {
			t.Errorf("a late operation hears %v", err)
		}
		if u.Stop(ferry.ErrClosed, func() {}) {
			t.Error("stopped twice")
		}
		go func() {
			time.Sleep(time.Minute)
			u.Done(nil)
		}()
		if err := u.Drain(t.Context()); err != nil || !released {
			t.Errorf("drained: %v, released %v", err, released)
		}
	})
}
