//go:build unix

package listen

import "syscall"

// inlineUrgent sets SO_OOBINLINE on a socket before it listens; the sockets it
// accepts inherit that.
func inlineUrgent(network, address string, c syscall.RawConn) error {
	var failed error
	err := c.Control(func(fd uintptr) {
		failed = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_OOBINLINE, 1)
	})
	if err != nil {
		return err
	}
	return failed
}
