package gate

import "net/netip"

// origin is what seats and bans go by: an IPv4 address, or the /64 of an IPv6
// one, since a single host has all of that. An address that is not valid (a
// pipe has none) is an origin of its own.
func origin(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := 64
	if a.Is4() {
		bits = 32
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// originName is a's origin as it stands in the name of a seat.
func originName(a netip.Addr) string {
	p := origin(a)
	switch {
	case !p.IsValid():
		return "unknown"
	case p.Addr().Is4():
		return p.Addr().String()
	}
	return p.String()
}

// unmap makes the IPv4 address that a socket of both families reports as
// ::ffff:192.0.2.7 into plain 192.0.2.7.
func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
