//go:build !unix

package listen

import "syscall"

// inlineUrgent does nothing: here urgent data stays out of line, and an ABOR
// is found without its signal.
func inlineUrgent(network, address string, c syscall.RawConn) error { return nil }
