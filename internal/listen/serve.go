package listen

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"
)

// How long Serve rests after an accept that failed: the first time, and at
// most.
const (
	firstRest   = 5 * time.Millisecond
	longestRest = time.Second
)

// Acceptor accepts connections and knows how many are still handled. The zero
// value is ready to use, for several listeners at once.
type Acceptor struct {
	mu      sync.Mutex
	running int
	idle    chan struct{} // closed when running becomes 0; nil: nobody waits
}

// Serve accepts connections and calls handle for each in a goroutine of its
// own, until l is closed, which is no error. The connection is closed when
// handle returns.
//
// Where the machine is short of files or memory, or a client was gone before
// it was accepted, it rests a moment and goes on.
func (a *Acceptor) Serve(l net.Listener, handle func(net.Conn)) error {
	var rest time.Duration
	for {
		c, err := l.Accept()
		switch {
		case err == nil:
			rest = 0
			a.start()
			go func() {
				defer a.done()
				defer func() { _ = c.Close() }()
				handle(c)
			}()
		case errors.Is(err, net.ErrClosed):
			return nil
		case passes(err):
			rest = min(max(2*rest, firstRest), longestRest)
			time.Sleep(rest)
		default:
			return err
		}
	}
}

// Drain waits until no connection is handled any more, or gives the cause of
// ctx's end. Listeners are to be closed before.
func (a *Acceptor) Drain(ctx context.Context) error {
	select {
	case <-a.whenIdle():
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (a *Acceptor) whenIdle() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.idle == nil {
		a.idle = make(chan struct{})
	}
	idle := a.idle
	a.tellIdle()
	return idle
}

func (a *Acceptor) start() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.running++
}

func (a *Acceptor) done() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.running--
	a.tellIdle()
}

// tellIdle wakes those who wait, if it is time.
func (a *Acceptor) tellIdle() {
	if a.running == 0 && a.idle != nil {
		close(a.idle)
		a.idle = nil
	}
}

// passes tells whether an accept that failed with err is worth another try:
// whatever the system says about one connection or a shortage, but not that
// the listener itself is none.
func passes(err error) bool {
	var number syscall.Errno
	if !errors.As(err, &number) {
		return false
	}
	switch number {
	case syscall.EBADF, syscall.EINVAL, syscall.ENOTSOCK:
		return false
	}
	return true
}
