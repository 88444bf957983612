package ftptls

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// Cork holds small segments back until the socket is closed or full: sendfile
// over a connection with TCP_NODELAY, which Go sets on all, sends a short
// segment at each end of a pipe buffer and takes half the throughput.
func Cork(nc net.Conn) { switchOn(nc, unix.TCP_CORK) }

// Reset makes the close of nc a reset, so that a client cannot take what it
// got for the whole file.
func Reset(nc net.Conn) {
	if tcp, ok := nc.(interface{ SetLinger(seconds int) error }); ok {
		_ = tcp.SetLinger(0)
	}
}

// switchOn sets an option of TCP, where nc is TCP.
func switchOn(nc net.Conn, option int) {
	tc, ok := nc.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := tc.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), unix.IPPROTO_TCP, option, 1) })
}

// acknowledge lets the kernel acknowledge what comes next without waiting for
// something to send along with it. It forgets that when something is sent.
func acknowledge(nc net.Conn) { switchOn(nc, unix.TCP_QUICKACK) }
