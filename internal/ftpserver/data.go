package ftpserver

import (
	"errors"
	"net/netip"
	"strings"

	"ferry/internal/ftpdata"
	"ferry/internal/ftpreply"
	"ferry/internal/ftpwire"
)

// closeData forgets how the next data connection was to come about.
func (c *conn) closeData() {
	c.data.Close()
	c.data = ftpdata.Endpoint{}
}

// takeData hands the endpoint over to a transfer: one PASV or PORT, one transfer.
func (c *conn) takeData() ftpdata.Endpoint {
	e := c.data
	c.data = ftpdata.Endpoint{}
	return e
}

// party is the session as its data connections know it.
func (c *conn) party() ftpdata.Session {
	return ftpdata.Session{ID: c.gateConn.ID(), Local: c.local, Log: c.report.Log}
}

// PASV (RFC 959 §4.1.2).
func (c *conn) pasv(string) ftpreply.Reply {
	if c.epsvAll {
		return afterEPSVAll("PASV")
	}
	if c.local.Addr().Is6() {
		return ftpreply.Say(425, "PASV cannot tell an IPv6 address; use EPSV.")
	}
	host, err := c.srv.data.Advertised(c.ctx(), c.peer.Addr(), c.local.Addr())
	if err != nil {
		c.log().Error("passive address unknown", "err", err)
		return ftpreply.Say(425, "The server's passive address cannot be found; use EPSV, or tell the operator.")
	}
	port, r := c.listen()
	if port == 0 {
		return r
	}
	text := append([]byte("Entering Passive Mode ("), ftpwire.AppendPASV(nil, netip.AddrPortFrom(host, port))...)
	return ftpreply.Say(227, string(text)+").")
}

// LPSV (RFC 1639).
func (c *conn) lpsv(string) ftpreply.Reply {
	if c.epsvAll {
		return afterEPSVAll("LPSV")
	}
	port, r := c.listen()
	if port == 0 {
		return r
	}
	text := append([]byte("Entering Long Passive Mode ("), ftpwire.AppendLPSV(nil, netip.AddrPortFrom(c.local.Addr().WithZone(""), port))...)
	return ftpreply.Say(228, string(text)+").")
}

// EPSV (RFC 2428 §3).
func (c *conn) epsv(arg string) ftpreply.Reply {
	family := "1"
	if c.local.Addr().Is6() {
		family = "2"
	}
	switch {
	case c.epsvRefused():
		return ftpreply.Say(502, "EPSV is switched off for your address; use PASV.")
	case strings.EqualFold(arg, "ALL"):
		c.epsvAll = true
		c.closeData()
		return ftpreply.Say(200, "EPSV ALL ok: only EPSV from now on.")
	case arg == "1" || arg == "2":
		if arg != family {
			return ftpreply.Say(522, "Network protocol not supported, use ("+family+")")
		}
	case arg != "":
		if !allDigits(arg) {
			return ftpreply.Say(501, "EPSV takes 1, 2 or ALL.")
		}
		return ftpreply.Say(522, "Network protocol not supported, use ("+family+")")
	}
	port, r := c.listen()
	if port == 0 {
		return r
	}
	return ftpreply.Say(229, "Entering Extended Passive Mode "+string(ftpwire.AppendEPSV(nil, port)))
}

func (c *conn) epsvRefused() bool {
	for _, n := range c.srv.cfg.NoEPSV {
		if n.Contains(c.peer.Addr().WithZone("")) { // a prefix never holds an address with one
			return true
		}
	}
	return false
}

func afterEPSVAll(verb string) ftpreply.Reply {
	return ftpreply.Say(503, verb+" is not allowed after EPSV ALL.")
}

// listen prepares a passive connection; port 0 means it could not, and r says why.
func (c *conn) listen() (port uint16, r ftpreply.Reply) {
	c.closeData() // a second PASV closes the first one's port
	from := c.peer.Addr()
	if c.srv.cfg.ForeignData {
		from = netip.Addr{}
	}
	at, err := c.srv.data.Expect(c.party(), from)
	if errors.Is(err, ftpdata.ErrNoPort) {
		c.log().Warn("passive ports exhausted", "err", err)
		return 0, ftpreply.Say(425, "All passive ports are in use by your address: end a transfer, or ask the operator to widen the range of passive ports.")
	}
	if err != nil {
		c.log().Error("cannot listen for a data connection", "err", err)
		return 0, ftpreply.Say(425, "Cannot open a passive port; try again later.")
	}
	c.data = at
	return at.Port(), ftpreply.Reply{}
}

// PORT (RFC 959 §4.1.2).
func (c *conn) port(arg string) ftpreply.Reply {
	to, err := ftpwire.ParsePORT(arg)
	return c.prepareActive("PORT", to, err)
}

// EPRT (RFC 2428 §2).
func (c *conn) eprt(arg string) ftpreply.Reply {
	to, err := ftpwire.ParseEPRT(arg)
	if errors.Is(err, ftpwire.ErrProtocolFamily) && !c.epsvAll {
		return ftpreply.Say(522, "Network protocol not supported, use (1,2)")
	}
	return c.prepareActive("EPRT", to, err)
}

// LPRT (RFC 1639).
func (c *conn) lprt(arg string) ftpreply.Reply {
	to, err := ftpwire.ParseLPRT(arg)
	if errors.Is(err, ftpwire.ErrProtocolFamily) && !c.epsvAll {
		return ftpreply.Say(521, "Supported address families are (4,6)")
	}
	return c.prepareActive("LPRT", to, err)
}

// prepareActive prepares an active connection. Only the client's own address will
// do, and no privileged port: a server that connects anywhere is a tool for
// scanning and worse (RFC 2577 §3).
func (c *conn) prepareActive(verb string, to netip.AddrPort, err error) ftpreply.Reply {
	switch {
	case err != nil && !errors.Is(err, ftpwire.ErrProtocolFamily):
		return ftpreply.Say(501, "Syntax error in the address of "+verb+".")
	case c.epsvAll:
		return afterEPSVAll(verb)
	case c.srv.cfg.NoActive:
		return ftpreply.Say(502, "Active mode is switched off; use PASV or EPSV.")
	}
	addr := to.Addr().Unmap()
	if addr == c.peer.Addr().WithZone("") {
		addr = c.peer.Addr() // a link-local address keeps its zone
	}
	if addr == netip.IPv6Unspecified() && c.peer.Addr().Is6() {
		addr = c.peer.Addr() // lftp says "::" for its own
	}
	if addr.Is4() != c.local.Addr().Is4() {
		return ftpreply.Say(522, "Network protocol not supported, use ("+map[bool]string{true: "1", false: "2"}[c.local.Addr().Is4()]+")")
	}
	if to.Port() < 1024 {
		c.gateConn.Penalize(verb + " to a privileged port")
		return ftpreply.Say(504, verb+" to ports below 1024 is refused.")
	}
	if addr != c.peer.Addr() && !c.srv.cfg.ForeignData {
		c.gateConn.Penalize(verb + " to a foreign address")
		return ftpreply.Say(504, verb+" is allowed to your own address only.")
	}
	c.closeData()
	c.data = ftpdata.ConnectTo(netip.AddrPortFrom(addr, to.Port()))
	return ftpreply.Say(200, verb+" ok.")
}

// PRET tells what the data connection will be for (DrFTPD's extension);
// nothing here depends on it.
func (c *conn) pret(arg string) ftpreply.Reply {
	verb, _, _ := strings.Cut(arg, " ")
	switch strings.ToUpper(verb) {
	case "RETR", "STOR", "APPE", "STOU", "LIST", "NLST", "MLSD":
		return ftpreply.Say(200, "Ok.")
	}
	return ftpreply.Say(501, "PRET takes a command that uses a data connection.")
}

func allDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
