package ftpserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"

	"ferry/internal/ftpdata"
	"ferry/internal/ftpreply"
	"ferry/internal/ftptls"
	"ferry/internal/ftpwire"
	"ferry/internal/gate"
)

// acmeChallenge is what TLS agrees on with an ACME server that asks whether
// this is the host of a name (RFC 8737 §4).
const acmeChallenge = "acme-tls/1"

var errHandshake = errors.New("the TLS handshake failed")

// protection is the TLS of a control connection.
type protection struct {
	session *ftptls.Session
	base    *tls.Config // of data connections too: the same certificate, the same ticket keys
	state   tls.ConnectionState
	pbsz    bool
	private bool // PROT P
	assumed bool // private without a word about it: AUTH SSL, and TLS from the start
}

// covered tells whether the control connection is encrypted now.
func (c *conn) covered() bool { return c.ctl.Encrypted() }

// AUTH (RFC 2228 §3, RFC 4217 §4). What came in clear before the handshake,
// and behind AUTH, is dropped: none of it may be taken for something said
// under TLS.
func (c *conn) auth(arg string) ftpreply.Reply {
	switch strings.ToUpper(arg) {
	case "TLS", "TLS-C", "SSL", "TLS-P":
	default:
		return ftpreply.Say(504, "Unknown security mechanism; TLS is known.")
	}
	base := c.tlsConfig()
	switch {
	case base == nil:
		return ftpreply.Say(431, "TLS is not configured on this server.")
	case c.tls != nil:
		return ftpreply.Say(503, "TLS is in use already.")
	}
	c.send(ftpreply.Say(234, "Ready for the TLS handshake."))
	c.flush()
	if bytes, commands := c.forgetUnheard(); bytes > 0 || commands > 0 {
		c.log().Warn("bytes sent in clear behind AUTH were dropped", "bytes", bytes, "commands", commands)
	}
	private := strings.EqualFold(arg, "SSL") || strings.EqualFold(arg, "TLS-P")
	if !c.closing && c.startTLS(base) {
		c.logout() // RFC 2228 §3: who was logged in has to log in again
		c.userName = ""
		c.resetParameters()
		// TLS-P and the old SSL mean private data connections from the start
		// (the drafts before RFC 4217).
		c.tls.private, c.tls.assumed = private, private
	}
	return ftpreply.Reply{}
}

// forgetUnheard drops what the client has said and nobody has acted upon: bytes
// that are no line yet, and commands that waited for the end of a transfer.
func (c *conn) forgetUnheard() (bytes, commands int) {
	bytes, commands = c.ctl.DropUnread(), len(c.queue)
	c.queue, c.queueSize = nil, 0
	c.quitSoon = false
	return bytes, commands
}

// startTLS makes the handshake on the control connection. If it fails the
// session ends without another word (RFC 4217 §4.1).
func (c *conn) startTLS(base *tls.Config) bool {
	p := &protection{session: ftptls.NewSession(c.peer.Addr()), base: base}
	var from ftptls.ShownTicket
	var offer string
	// Whoever controls the session is its client. A client may show the ticket
	// on another's data connection before this handshake has ended here.
	grant := func(resumed bool) ftptls.Owner {
		if resumed {
			p.session.Presumed = c.srv.tlsSessions.HolderOf(from.Owner, p.session.Peer)
		}
		c.srv.tlsSessions.Add(p.session)
		return ftptls.Owner{Session: p.session.Id, User: p.session.Presumed}
	}
	state, err := c.ctl.StartTLS(ftptls.Offered(p.session.Config(base, &from, grant), &offer))
	if err != nil {
		c.srv.tlsSessions.Remove(p.session)
		if ctx := c.ctx(); ctx.Err() != nil {
			c.closing, c.cause = true, context.Cause(ctx)
			return false
		}
		c.gateConn.HandshakeFailed(ftptls.Failed("TLS handshake", err, offer), blameFor(err, offer))
		c.closing, c.cause = true, errHandshake // the log has the rest already
		return false
	}
	p.state = state
	if state.NegotiatedProtocol == acmeChallenge {
		c.srv.tlsSessions.Remove(p.session)
		c.closing = true // the certificate was the answer; no protocol follows
		return false
	}
	if state.DidResume {
		p.session.Resumed = from.Session
	}
	if ftptls.Dated(state) {
		c.noteLegacy(tls.VersionName(state.Version) + " with " + tls.CipherSuiteName(state.CipherSuite))
	}
	c.srv.tlsSessions.Add(p.session)
	c.tls = p
	c.gateConn.Speaks("ftps")
	return true
}

// blameFor says what a handshake of TLS that failed counts as; offer is what the client has
// offered, as far as it came.
func blameFor(err error, offer string) gate.Blame {
	if text := (tls.RecordHeaderError{}); errors.As(err, &text) {
		return gate.Offence // it is no TLS
	}
	if offer == "" {
		return gate.Blameless
	}
	return gate.Clumsy
}

// startImplicit makes the handshake of a connection that begins with TLS.
func (c *conn) startImplicit() {
	base := c.tlsConfig()
	if base == nil {
		c.closing, c.cause = true, errHandshake
		return
	}
	if c.startTLS(base) {
		c.tls.private, c.tls.assumed = true, true
	}
}

// PBSZ (RFC 2228 §3; RFC 4217 §8: 0 is the only size there is).
func (c *conn) pbsz(arg string) ftpreply.Reply {
	switch {
	case !ftpwire.AllDigits(arg) || len(arg) > 10:
		return ftpreply.Say(501, "PBSZ takes a number.")
	case !c.covered():
		return ftpreply.Say(503, "Give AUTH TLS first.")
	}
	c.tls.pbsz = true
	return ftpreply.Say(200, "PBSZ=0")
}

// PROT (RFC 2228 §3, RFC 4217 §9).
func (c *conn) prot(arg string) ftpreply.Reply {
	switch strings.ToUpper(arg) {
	case "S", "E":
		return ftpreply.Say(536, "Only C and P are supported.")
	case "C", "P":
	default:
		return ftpreply.Say(504, "Unknown protection level.")
	}
	private := strings.EqualFold(arg, "P")
	switch {
	case !c.covered():
		return ftpreply.Say(503, "Give AUTH TLS and PBSZ first.")
	case !c.tls.pbsz && !c.implicit:
		return ftpreply.Say(503, "Give PBSZ first.")
	case !private && c.requires(RequireData):
		// Who never said P, and asks for C now, may go on in clear all the
		// same, as curl does: better a 521 than two who wait for each other.
		if c.tls.assumed {
			c.tls.private = false
		}
		return ftpreply.Say(534, "Data connections must be private here.")
	}
	c.tls.private, c.tls.assumed = private, false
	if private {
		return ftpreply.Say(200, "Data connections are private.")
	}
	return ftpreply.Say(200, "Data connections are in clear.")
}

// CCC (RFC 2228 §3, RFC 4217 §12.3): the control connection goes on in clear;
// what was agreed on about data connections stays.
func (c *conn) ccc(string) ftpreply.Reply {
	switch {
	case !c.covered():
		return ftpreply.Say(533, "The connection is not protected.")
	case !c.policy().CCC || c.policy().Require == RequireAll:
		return ftpreply.Say(534, "The control connection stays protected here.")
	case c.sess == nil:
		return ftpreply.Say(530, "Log in first: the password stays protected.")
	}
	c.send(ftpreply.Say(200, "Going on in clear."))
	c.flush()
	if err := c.ctl.EndTLS(); err != nil {
		c.closing, c.cause = true, fmt.Errorf("TLS did not end after CCC: %w", err)
		return ftpreply.Reply{}
	}
	c.gateConn.Speaks("ftp")
	return ftpreply.Reply{}
}

// dropTLS is what REIN does to TLS: its reply goes out under TLS, and then the
// session is as it was at its beginning (RFC 4217 §13). Where TLS came with the
// connection, it stays.
func (c *conn) dropTLS(r ftpreply.Reply) ftpreply.Reply {
	switch {
	case c.tls == nil:
		return r
	case c.implicit:
		c.tls.pbsz, c.tls.private, c.tls.assumed = false, true, true
		return r
	}
	c.srv.tlsSessions.Remove(c.tls.session)
	if c.covered() {
		c.send(r)
		c.flush()
		if err := c.ctl.EndTLS(); err != nil {
			c.closing, c.cause = true, fmt.Errorf("TLS did not end after REIN: %w", err)
		}
		r = ftpreply.Reply{}
	}
	c.tls = nil
	c.gateConn.Speaks("ftp")
	return r
}

// requires tells whether the policy asks for at least want of this client.
func (c *conn) requires(want Require) bool {
	have := c.policy().Require
	if have < want {
		return false
	}
	return have == RequireAll || !c.anonymous()
}

func (c *conn) anonymous() bool {
	if c.sess != nil {
		return c.sess.User().Anonymous
	}
	return strings.EqualFold(c.userName, "anonymous") || strings.EqualFold(c.userName, "ftp")
}

// dataReady tells whether a command that uses a data connection may go ahead;
// otherwise r says why not, before any 1yz (RFC 4217 §9).
func (c *conn) dataReady() (r ftpreply.Reply, ok bool) {
	private := c.tls != nil && c.tls.private
	switch {
	case !private && c.requires(RequireData):
		return ftpreply.Say(521, "Data connections must be private: give PROT P."), false
	case !c.next.Endpoint().Prepared():
		return ftpreply.Say(425, "Use PASV, EPSV, PORT or EPRT first."), false
	}
	return ftpreply.Reply{}, true
}

// form is how bytes look on the session's data connections now.
func (c *conn) form() ftpdata.Form {
	f := c.params.Form()
	f.TLS = c.shield()
	return f
}

// shield is that of the session's data connections now; nil: they are in clear.
func (c *conn) shield() *ftpdata.DataTLS {
	if c.tls == nil || !c.tls.private {
		return nil
	}
	p := c.policy()
	return &ftpdata.DataTLS{Session: c.tls.session, Base: c.tls.base, Binding: p.Binding, Lenient: p.UncleanClose, Client: c.client}
}
