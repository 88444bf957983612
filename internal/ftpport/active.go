package ftpport

import (
	"errors"
	"net/netip"

	"ferry/internal/ftpdata"
	"ferry/internal/ftpreply"
	"ferry/internal/ftpwire"
)

// Port is PORT (RFC 959 §4.1.2).
func (n *Next) Port(arg string) ftpreply.Reply {
	to, err := ftpwire.ParsePORT(arg)
	return n.prepareActive("PORT", to, err)
}

// Eprt is EPRT (RFC 2428 §2).
func (n *Next) Eprt(arg string) ftpreply.Reply {
	to, err := ftpwire.ParseEPRT(arg)
	if errors.Is(err, ftpwire.ErrProtocolFamily) && !n.epsvAll {
		return wrongProtocol("1,2")
	}
	return n.prepareActive("EPRT", to, err)
}

// Lprt is LPRT (RFC 1639).
func (n *Next) Lprt(arg string) ftpreply.Reply {
	to, err := ftpwire.ParseLPRT(arg)
	if errors.Is(err, ftpwire.ErrProtocolFamily) && !n.epsvAll {
		return ftpreply.Say(521, "Supported address families are (4,6)")
	}
	return n.prepareActive("LPRT", to, err)
}

// prepareActive prepares an active connection. Only the client's own address will
// do, and no privileged port: a server that connects anywhere is a tool for
// scanning and worse (RFC 2577 §3).
func (n *Next) prepareActive(verb string, to netip.AddrPort, err error) ftpreply.Reply {
	switch {
	case err != nil && !errors.Is(err, ftpwire.ErrProtocolFamily):
		return ftpreply.Say(501, "Syntax error in the address of "+verb+".")
	case n.epsvAll:
		return afterEPSVAll(verb)
	case n.policy.NoActive:
		return ftpreply.Say(502, "Active mode is switched off; use PASV or EPSV.")
	}
	addr := n.meant(to.Addr().Unmap())
	if addr.Is4() != n.reached().Is4() {
		return wrongProtocol(protocolOf(n.reached()))
	}
	if to.Port() < 1024 {
		n.client.Penalize(verb + " to a privileged port")
		return ftpreply.Say(504, verb+" to ports below 1024 is refused.")
	}
	if addr != n.peer() && !n.policy.Foreign {
		n.client.Penalize(verb + " to a foreign address")
		return ftpreply.Say(504, verb+" is allowed to your own address only.")
	}
	n.Close()
	n.at = ftpdata.ConnectTo(netip.AddrPortFrom(addr, to.Port()))
	return ftpreply.Say(200, verb+" ok.")
}

// meant is the client's own address where that is what it says.
func (n *Next) meant(said netip.Addr) netip.Addr {
	if said == n.peer().WithZone("") {
		return n.peer() // a link-local address keeps its zone
	}
	if said == netip.IPv6Unspecified() && n.peer().Is6() {
		return n.peer() // lftp says "::" for its own
	}
	return said
}
