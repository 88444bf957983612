package ftpserver

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestLateWakeUp: a job wakes the loop after it has given its reply. Where a
// command of the client let the loop see the reply earlier, the wake-up ends
// the next read, and must not be taken for a client that was idle for long.
func TestLateWakeUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.begin()
		defer w.end()
		c := w.dial()
		steps := func(lines ...string) {
			t.Helper()
			for _, line := range lines {
				if err := w.step(line); err != nil {
					t.Fatalf("%s: %v", line, err)
				}
			}
		}
		steps("login", "C: NOOP", "S reply 200")
		synctest.Wait() // the loop reads
		// What a wake-up does, at the server's end of the wire.
		c.conn.Out.Change(func() { c.conn.Out.ReadBy = time.Unix(1, 0) })
		steps("S nothing", "C: NOOP", "S reply 200")
	})
}
