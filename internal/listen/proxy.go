package listen

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"github.com/pires/go-proxyproto"
)

// Proxy makes l read the PROXY header of connections that come from a trusted
// network; RemoteAddr and LocalAddr are then those of the client's own
// connection to the proxy. From there the header must come: a connection
// without one fails at its first read or write. From everywhere else a header
// is no header, but the first line that a client says.
//
// The header is waited for, 10 s at most, by the first call of RemoteAddr,
// LocalAddr, Read or Write: in the connection's own goroutine, never in Accept.
func Proxy(l net.Listener, trusted []netip.Prefix) net.Listener {
	if len(trusted) == 0 {
		return l
	}
	return proxyListener{&proxyproto.Listener{
		Listener: l,
		ConnPolicy: func(o proxyproto.ConnPolicyOptions) (proxyproto.Policy, error) {
			if trusts(trusted, o.Upstream) {
				return proxyproto.REQUIRE, nil
			}
			return proxyproto.SKIP, nil
		},
		ValidateHeader: onlyTCP,
	}}
}

// proxyListener gives connections that can be asked for their socket.
type proxyListener struct{ *proxyproto.Listener }

func (l proxyListener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if p, ok := nc.(*proxyproto.Conn); ok {
		return proxied{p}, err
	}
	return nc, err
}

// proxied is a connection behind a PROXY header, and a syscall.Conn as those
// without one are: that a client has been killed is something only the kernel
// can tell in time (see ftpcontrol.Fate).
type proxied struct{ *proxyproto.Conn }

// Here is this machine's end of the connection that nc is, be it behind a PROXY header
// or not: LocalAddr is what the client has reached then, an address of the proxy.
func Here(nc net.Conn) netip.AddrPort {
	if p, ok := nc.(proxied); ok {
		nc = p.Raw()
	}
	return AddrPort(nc.LocalAddr())
}

// IsProxied tells whether nc is behind a PROXY header, which may not have come yet.
func IsProxied(nc net.Conn) bool {
	_, ok := nc.(proxied)
	return ok
}

func (p proxied) SyscallConn() (syscall.RawConn, error) {
	sc, ok := p.Raw().(syscall.Conn)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	return sc.SyscallConn()
}

// Read fails, where there was no good header, with an error that names the one
// who can do something about it.
func (p proxied) Read(b []byte) (int, error) {
	n, err := p.Conn.Read(b)
	return n, p.explain(err)
}

// Write is explained as Read is: it, too, waits for the header.
func (p proxied) Write(b []byte) (int, error) {
	n, err := p.Conn.Write(b)
	return n, p.explain(err)
}

func (p proxied) explain(err error) error {
	if err == nil || p.ProxyHeader() != nil {
		return err
	}
	return fmt.Errorf("no good PROXY header came from the load balancer: %w", err)
}

func trusts(trusted []netip.Prefix, peer net.Addr) bool {
	tcp, ok := peer.(*net.TCPAddr)
	if !ok {
		return false
	}
	a := tcp.AddrPort().Addr().Unmap().WithZone("")
	return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(a) })
}

// onlyTCP refuses a header that speaks of anything else: limits, bans and data
// connections go by the client's IP address. A proxy that connects for itself
// (LOCAL, a health check) has none to tell.
func onlyTCP(h *proxyproto.Header) error {
	if h.Command.IsLocal() {
		return nil
	}
	for _, a := range []net.Addr{h.SourceAddr, h.DestinationAddr} {
		if _, ok := a.(*net.TCPAddr); !ok {
			return fmt.Errorf("PROXY header: transport %v instead of TCP over IPv4 or IPv6; set the proxy to TCP mode", h.TransportProtocol)
		}
	}
	return nil
}
