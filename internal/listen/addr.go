package listen

import (
	"net"
	"net/netip"
)

// AddrPort is the address and port of a, an IPv4 address as such even where the
// socket says it in IPv6's form. What is no address (a pipe has none) is the zero
// one.
func AddrPort(a net.Addr) netip.AddrPort {
	if t, ok := a.(*net.TCPAddr); ok {
		ap := t.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
