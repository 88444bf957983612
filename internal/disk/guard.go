package disk

import (
	"context"
	"sync"

	"ferry"
)

// opGuard counts the operations that are at work on a handle, so that its file
// descriptor is closed after the last of them and no other begins.
type opGuard struct {
	mu      sync.Mutex
	n       int
	conn    *ferry.DataConn // that SendTo or ReceiveFrom may be waiting for
	end     error           // what an operation is told that comes too late; nil: go on
	release func()          // called once, when end is set and n is 0
	idle    chan struct{}   // closed after that
}

// begin lets an operation in that may wait for conn, or for none if nil. Every
// begin without an error needs a done.
func (u *opGuard) begin(conn *ferry.DataConn) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.end != nil {
		return u.end
	}
	u.n++
	if conn != nil {
		u.conn = conn
	}
	return nil
}

// done says that an operation has ended. It is told conn as begin was.
func (u *opGuard) done(conn *ferry.DataConn) {
	u.mu.Lock()
	if conn != nil {
		u.conn = nil
	}
	u.n--
	last := u.n == 0 && u.end != nil
	u.mu.Unlock()
	if last {
		u.finish()
	}
}

// stop lets no further operation in: they are told end, and so is what waits for a
// connection. Release is called when the last one at work is done. False: somebody
// else has stopped it before.
func (u *opGuard) stop(end error, release func()) bool {
	u.mu.Lock()
	if u.end != nil {
		u.mu.Unlock()
		return false
	}
	u.end, u.release = end, release
	if u.conn != nil {
		u.conn.Interrupt(end)
	}
	last := u.n == 0
	u.mu.Unlock()
	if last {
		u.finish()
	}
	return true
}

func (u *opGuard) finish() {
	u.release()
	close(u.idle)
}

// ended is what begin would answer.
func (u *opGuard) ended() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.end
}

// drain waits until release has been called, which is after stop.
func (u *opGuard) drain(ctx context.Context) error {
	select {
	case <-u.idle:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
