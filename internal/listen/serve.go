package listen

import (
	"errors"
	"net"
	"syscall"
	"time"
)

// How long Serve rests after an accept that failed: the first time, and at
// most.
const (
	firstRest   = 5 * time.Millisecond
	longestRest = time.Second
)

// Serve accepts connections and calls handle for each in a goroutine of its
// own, until l is closed, which is no error. The connection is closed when
// handle returns.
//
// Where the machine is short of files or memory, or a client was gone before
// it was accepted, it rests a moment and goes on.
func Serve(l net.Listener, handle func(net.Conn)) error {
	var rest time.Duration
	for {
		c, err := l.Accept()
		switch {
		case err == nil:
			rest = 0
			go func() {
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
