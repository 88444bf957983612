package ftpcontrol

import (
	"context"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Finish sends what waits, and the end of TLS, where there is TLS. It is the last that
// a session does with its connection.
func (c *Conn) Finish() {
	if err := c.Flush(); err == nil && c.tls != nil {
		_ = c.tls.CloseWrite()
	}
}

// Settle says that the end of the connection no longer matters for what runs or will:
// the client has said QUIT.
func (c *Conn) Settle() {
	if !c.isSettled {
		c.isSettled = true
		close(c.settledChan())
	}
}

// settledChan is closed when the end of the connection no longer matters. An idle
// session has none.
func (c *Conn) settledChan() chan struct{} {
	if c.settled == nil {
		c.settled = make(chan struct{})
	}
	return c.settled
}

// Fate is what may be asked of a control connection beside its session. It is a value
// that nobody changes.
type Fate struct {
	raw     net.Conn
	settled <-chan struct{}
}

// Fate is that of c.
func (c *Conn) Fate() Fate { return Fate{c.raw, c.settledChan()} }

// Holds tells an upload that has all its data whether it may be published: was the
// control connection still there? A client that dies closes both, and to the data
// connection that looks like the end of the file (RFC 959 §3.4: in stream mode the
// end of the file is the close).
//
// The kernel says whether the client's end has been closed. If so, the session will
// read that end too, in a moment, and decides: after a QUIT the upload counts (Settle),
// otherwise it ends ctx. Before the connection is taken to hold, the session has the
// time of wait to hear of its end.
func (f Fate) Holds(ctx context.Context, wait time.Duration) error {
	var heard <-chan time.Time // nil: for as long as it takes
	if unread(f.raw) {
		wait = max(wait, time.Millisecond) // the end may lie behind what the session is about to read
	}
	if !peerClosed(f.raw) {
		if wait < time.Millisecond {
			return context.Cause(ctx)
		}
		timer := time.NewTimer(wait)
		defer timer.Stop()
		heard = timer.C
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-f.settled:
		return nil
	case <-heard:
		return f.Holds(ctx, 0) // once more, as it stands now
	}
}

// unread tells whether bytes of a TCP connection wait to be read.
func unread(nc net.Conn) bool {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return false
	}
	n := 0
	err = raw.Control(func(fd uintptr) { n, _ = unix.IoctlGetInt(int(fd), unix.SIOCINQ) })
	return err == nil && n > 0
}

// peerClosed tells whether the other end of a TCP connection has been closed
// or reset, though data may still wait to be read.
func peerClosed(nc net.Conn) bool {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return true
	}
	var info *unix.TCPInfo
	err = raw.Control(func(fd uintptr) {
		info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	})
	const established = 1 // TCP_ESTABLISHED of linux/tcp.h
	return err != nil || info == nil || info.State != established
}
