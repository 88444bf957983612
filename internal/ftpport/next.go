// Package ftpport answers the commands by which a client says how its next data
// connection comes about: PORT and PASV (RFC 959 §4.1.2), EPRT and EPSV (RFC 2428),
// LPRT and LPSV (RFC 1639), and PRET. What a client may ask for is the Policy of the
// server (RFC 2577 §3: a server that connects anywhere is a tool for others).
//
// The connections themselves, and the ports that they are awaited at, are ftpdata's.
package ftpport

import (
	"log/slog"
	"net/netip"
	"strings"

	"ferry/internal/ftpdata"
	"ferry/internal/ftpreply"
)

// Client is who asks.
type Client struct {
	Session  ftpdata.Session // of its control connection; changes with its login
	Peer     netip.AddrPort  // the client's end of the control connection
	Penalize func(reason string)
}

// Next is how the next data connection of one client comes about. One goroutine
// owns it.
type Next struct {
	data    *ftpdata.Service
	policy  *Policy
	client  Client
	at      ftpdata.Endpoint
	epsvAll bool // EPSV ALL was given (RFC 2428 §4)
}

// For is the Next of a client that has said nothing yet. The policy is one that
// Checked returned.
func For(client Client, data *ftpdata.Service, policy *Policy) *Next {
	return &Next{data: data, policy: policy, client: client}
}

// LogTo names the session in the log as it is now.
func (n *Next) LogTo(log func() *slog.Logger) { n.client.Session.Log = log }

// Party is the session as its data connections know it.
func (n *Next) Party() ftpdata.Session { return n.client.Session }

// Endpoint is what has been prepared, and stays so.
func (n *Next) Endpoint() ftpdata.Endpoint { return n.at }

// Take hands the endpoint over to a transfer: one PASV or PORT, one transfer.
func (n *Next) Take() ftpdata.Endpoint {
	e := n.at
	n.at = ftpdata.Endpoint{}
	return e
}

// Close forgets how the next data connection was to come about.
func (n *Next) Close() {
	n.at.Close()
	n.at = ftpdata.Endpoint{}
}

// Reset is Close, and the end of EPSV ALL.
func (n *Next) Reset() {
	n.Close()
	n.epsvAll = false
}

func (n *Next) peer() netip.Addr { return n.client.Peer.Addr() }

// reached is the address that the client knows the server by.
func (n *Next) reached() netip.Addr { return n.client.Session.Reached.Addr() }

// Pret is PRET, which tells what the data connection will be for (DrFTPD's
// extension); nothing here depends on it.
func Pret(arg string) ftpreply.Reply {
	verb, _, _ := strings.Cut(arg, " ")
	switch strings.ToUpper(verb) {
	case "RETR", "STOR", "APPE", "STOU", "LIST", "NLST", "MLSD":
		return ftpreply.Say(200, "Ok.")
	}
	return ftpreply.Say(501, "PRET takes a command that uses a data connection.")
}

func afterEPSVAll(verb string) ftpreply.Reply {
	return ftpreply.Say(503, verb+" is not allowed after EPSV ALL.")
}

// protocolOf is the number that RFC 2428 §2 gives a kind of address.
func protocolOf(a netip.Addr) string {
	if a.Is6() {
		return "2"
	}
	return "1"
}

// wrongProtocol refuses an address of a kind that the control connection has not
// (RFC 2428 §2).
func wrongProtocol(use string) ftpreply.Reply {
	return ftpreply.Say(522, "Network protocol not supported, use ("+use+")")
}
