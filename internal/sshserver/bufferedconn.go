package sshserver

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// largeRead is from what size on a read is one within a large packet, behind
	// which more of its kind are to come.
	largeRead = 16 << 10
	// roomSize is how much is read ahead then, and gathered before it is written.
	roomSize = 256 << 10
	// heldFor is how long something gathered may wait at most: a channel whose
	// window is full waits for a client that may not have all it was sent.
	heldFor = time.Millisecond
)

// bufferedConn is the connection below SSH, which makes two system calls of each
// packet of 32 KiB. While it is held, it gathers what is written; within a large
// packet it reads ahead. Its large buffers are given back when they are empty.
//
// One goroutine reads. Any may write.
type bufferedConn struct {
	net.Conn
	rooms *writeBuffers

	// ahead is set with the login: it reads ahead then, which anybody could make the
	// server do otherwise, and no more than the backlog has room for.
	ahead    atomic.Bool
	ctx      context.Context // ends with the connection
	backlog  backlog
	in       *[roomSize]byte // nil: nothing was read ahead
	from, to int

	mu   sync.Mutex
	out  *[roomSize]byte // nil: nothing is gathered
	have int
	held int
	late *time.Timer
	err  error // of a write that had no caller to hear of it
}

// writeBuffers are where the large buffers come from. The zero value is ready.
type writeBuffers struct{ pool sync.Pool }

func (r *writeBuffers) get() *[roomSize]byte {
	if room, ok := r.pool.Get().(*[roomSize]byte); ok {
		return room
	}
	return new([roomSize]byte)
}

// newBufferedConn makes one whose waiting ends with ctx.
func newBufferedConn(ctx context.Context, nc net.Conn, rooms *writeBuffers) *bufferedConn {
	return &bufferedConn{Conn: nc, rooms: rooms, ctx: ctx}
}

// Read implements net.Conn.
func (w *bufferedConn) Read(p []byte) (int, error) {
	if w.in == nil {
		ahead := w.ahead.Load()
		if ahead {
			w.backlog.wait(w.ctx)
		}
		if len(p) < largeRead || !ahead {
			return w.read(p) // who waits for the next packet may wait for long
		}
		w.in = w.rooms.get()
		n, err := w.read(w.in[:])
		w.from, w.to = 0, n
		if n == 0 {
			w.readAll()
			return 0, err // and otherwise it comes again
		}
	}
	n := copy(p, w.in[w.from:w.to])
	if w.from += n; w.from == w.to {
		w.readAll()
	}
	return n, nil
}

// read reads from the connection.
func (w *bufferedConn) read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if w.ahead.Load() {
		w.backlog.came(n)
	}
	return n, err
}

func (w *bufferedConn) readAll() {
	w.rooms.pool.Put(w.in)
	w.in = nil
}

// Write implements net.Conn.
func (w *bufferedConn) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return 0, w.err
	}
	if w.held == 0 || w.have+len(p) > roomSize {
		if err := w.flush(); err != nil {
			return 0, err
		}
	}
	if w.held == 0 || len(p) > roomSize {
		return w.send(p)
	}
	if w.out == nil {
		w.out = w.rooms.get()
		w.expect()
	}
	w.have += copy(w.out[w.have:], p)
	return len(p), nil
}

// send writes to the connection.
func (w *bufferedConn) send(p []byte) (int, error) {
	w.backlog.change(func() { w.backlog.sending++ })
	defer w.backlog.change(func() { w.backlog.sending-- })
	return w.Conn.Write(p)
}

// hold begins to gather. Each call needs one of release.
func (w *bufferedConn) hold() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held++
}

// release writes what was gathered, unless somebody else still holds it.
func (w *bufferedConn) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.held--; w.held > 0 {
		return
	}
	if err := w.flush(); err != nil {
		w.err = err
	}
}

// expect sees to it that what is gathered goes out in time.
func (w *bufferedConn) expect() {
	if w.late == nil {
		w.late = time.AfterFunc(heldFor, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			if err := w.flush(); err != nil {
				w.err = err
			}
		})
		return
	}
	w.late.Reset(heldFor)
}

// flush writes what is gathered.
func (w *bufferedConn) flush() error {
	if w.out == nil {
		return nil
	}
	w.late.Stop()
	_, err := w.send(w.out[:w.have])
	w.rooms.pool.Put(w.out)
	w.out, w.have = nil, 0
	return err
}
