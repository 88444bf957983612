package fdcopy

import (
	"context"
	"sync"

	"ferry"
)

// Guard counts the operations that are at work on an open file, so that its
// descriptor is closed after the last of them and no other begins. Make it with
// NewGuard.
type Guard struct {
	mu      sync.Mutex
	n       int
	conn    *ferry.DataConn // that SendTo or ReceiveFrom may be waiting for
	end     error           // what an operation is told that comes too late; nil: go on
	release func()          // called once, when end is set and n is 0
	idle    chan struct{}   // closed after that
}

// NewGuard lets operations in.
func NewGuard() Guard { return Guard{idle: make(chan struct{})} }

// Begin lets an operation in that may wait for conn, or for none if nil. Every
// Begin without an error needs a Done.
func (u *Guard) Begin(conn *ferry.DataConn) error {
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

// Done says that an operation has ended. It is told conn as Begin was.
func (u *Guard) Done(conn *ferry.DataConn) {
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

// Stop lets no further operation in: they are told end, and so is what waits for a
// connection. release is called when the last one at work is done. False: somebody
// else has stopped it before.
func (u *Guard) Stop(end error, release func()) bool {
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

func (u *Guard) finish() {
	u.release()
	close(u.idle)
}

// Ended is what Begin would answer.
func (u *Guard) Ended() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.end
}

// Drain waits until release has been called, which is after Stop.
func (u *Guard) Drain(ctx context.Context) error {
	select {
	case <-u.idle:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
