package ftpport

import (
	"context"
	"errors"
	"net/netip"
	"strings"

	"ferry/internal/ftpdata"
	"ferry/internal/ftpreply"
	"ferry/internal/ftpwire"
)

// Pasv is PASV (RFC 959 §4.1.2).
func (n *Next) Pasv(ctx context.Context) ftpreply.Reply {
	if n.epsvAll {
		return afterEPSVAll("PASV")
	}
	if n.reached().Is6() {
		return ftpreply.Say(425, "PASV cannot tell an IPv6 address; use EPSV.")
	}
	host, err := n.data.Advertised(ctx, n.peer(), n.client.Session)
	if err != nil {
		n.client.Session.Log().Error("passive address unknown", "error", err)
		return ftpreply.Say(425, "The server's passive address cannot be found; use EPSV, or tell the operator.")
	}
	port, r := n.listen()
	if port == 0 {
		return r
	}
	text := append([]byte("Entering Passive Mode ("), ftpwire.AppendPASV(nil, netip.AddrPortFrom(host, port))...)
	return ftpreply.Say(227, string(text)+").")
}

// Lpsv is LPSV (RFC 1639).
func (n *Next) Lpsv(string) ftpreply.Reply {
	if n.epsvAll {
		return afterEPSVAll("LPSV")
	}
	port, r := n.listen()
	if port == 0 {
		return r
	}
	text := append([]byte("Entering Long Passive Mode ("), ftpwire.AppendLPSV(nil, netip.AddrPortFrom(n.reached().WithZone(""), port))...)
	return ftpreply.Say(228, string(text)+").")
}

// Epsv is EPSV (RFC 2428 §3).
func (n *Next) Epsv(arg string) ftpreply.Reply {
	family := protocolOf(n.reached())
	switch {
	case n.policy.refusesEPSV(n.peer()):
		return ftpreply.Say(502, "EPSV is switched off for your address; use PASV.")
	case strings.EqualFold(arg, "ALL"):
		n.epsvAll = true
		n.Close()
		return ftpreply.Say(200, "EPSV ALL ok: only EPSV from now on.")
	case arg == "1" || arg == "2":
		if arg != family {
			return wrongProtocol(family)
		}
	case arg != "":
		if !ftpwire.AllDigits(arg) {
			return ftpreply.Say(501, "EPSV takes 1, 2 or ALL.")
		}
		return wrongProtocol(family)
	}
	port, r := n.listen()
	if port == 0 {
		return r
	}
	return ftpreply.Say(229, "Entering Extended Passive Mode "+string(ftpwire.AppendEPSV(nil, port)))
}

// listen prepares a passive connection; port 0 means it could not, and r says why.
func (n *Next) listen() (port uint16, r ftpreply.Reply) {
	n.Close() // a second PASV closes the first one's port
	from := n.peer()
	if n.policy.Foreign {
		from = netip.Addr{}
	}
	at, err := n.data.Expect(n.client.Session, from)
	if errors.Is(err, ftpdata.ErrNoPort) {
		n.client.Session.Log().Warn("passive ports exhausted", "error", err)
		return 0, ftpreply.Say(425, "All passive ports are in use by your address: end a transfer, or ask the operator to widen the range of passive ports.")
	}
	if err != nil {
		n.client.Session.Log().Error("cannot listen for a data connection", "error", err)
		return 0, ftpreply.Say(425, "Cannot open a passive port; try again later.")
	}
	n.at = at
	return at.Port(), ftpreply.Reply{}
}
