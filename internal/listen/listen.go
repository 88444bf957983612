package listen

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path"
	"strings"
	"syscall"
)

// Listen opens a listener as net.Listen does. Connections that it accepts
// deliver urgent data in line (SO_OOBINLINE), as the Telnet Synch signal of an
// FTP control connection needs it (RFC 959 §4.1.3, RFC 1123 §4.1.2.10): where
// it is taken out of line, the byte after which ABOR stands is lost.
//
// The error is a sentence for the person who chose addr, and matches the
// system's own by errors.Is. Where ctx has ended there is never a listener:
// package net notices that by chance only, as looking an address up may be
// faster.
func Listen(ctx context.Context, network, addr string) (net.Listener, error) {
	lc := net.ListenConfig{Control: inlineUrgent}
	// Multipath TCP sockets refuse SO_OOBINLINE, and bring FTP nothing.
	lc.SetMultipathTCP(false)
	l, err := lc.Listen(ctx, network, addr)
	if ended := ctx.Err(); ended != nil {
		if err == nil {
			_ = l.Close() // nobody has seen it
		}
		err = ended
	}
	if err != nil {
		return nil, &listenError{addr: addr, why: explain(addr, err), err: err}
	}
	return l, nil
}

// listenError reads as a sentence and unwraps to what the system said.
type listenError struct {
	addr, why string
	err       error
}

func (e *listenError) Error() string { return fmt.Sprintf("cannot listen on %q: %s", e.addr, e.why) }
func (e *listenError) Unwrap() error { return e.err }

// explain says what is wrong with addr and what to do.
func explain(addr string, err error) string {
	var (
		dns   *net.DNSError
		parse *net.AddrError
	)
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "the program was to stop, or to wait no longer, before it was done"
	case errors.Is(err, syscall.EADDRINUSE):
		return "another program uses this port; stop it, or choose another port"
	case errors.Is(err, syscall.EACCES):
		return "not allowed; for ports below 1024 give the program CAP_NET_BIND_SERVICE " +
			"(setcap cap_net_bind_service=+ep FILE, or AmbientCapabilities= in its systemd unit), or choose a higher port"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "this machine does not have the address; choose one that it has, or only :PORT for all of them"
	case errors.Is(err, syscall.EAFNOSUPPORT):
		return "this machine does not speak that family of addresses; choose one of the other"
	case errors.As(err, &parse) && parse.Err == "invalid port":
		return "a port is a number from 0 to 65535, where 0 lets the system choose"
	case errors.As(err, &parse) || strings.HasPrefix(addr, "/"):
		return "not an address; write HOST:PORT, such as :2121, 192.0.2.7:21 or [2001:db8::7]:21"
	case errors.As(err, &dns):
		return fmt.Sprintf("%s is unknown; write HOST:PORT with a name or address of this machine, and a port from 0 to 65535", quoteWhat(dns))
	}
	return err.Error()
}

// quoteWhat names the half of an address that could not be looked up.
func quoteWhat(err *net.DNSError) string {
	if err.Err == "unknown port" {
		return fmt.Sprintf("the port %q", path.Base(err.Name)) // "tcp/name"
	}
	return fmt.Sprintf("the host %q", err.Name)
}
