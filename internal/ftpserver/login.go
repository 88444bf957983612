package ftpserver

import (
	"errors"
	"net/netip"
	"strings"
	"time"

	"ferry"
	"ferry/internal/ftpreply"
	"ferry/internal/ftptree"
	"ferry/internal/ftpwire"
)

// USER (RFC 959 §4.1.1) may be given at any time: it ends the login there is
// and keeps the transfer parameters. The answer is the same for every name, so
// that nobody learns which exist (RFC 2577 §7).
func (c *conn) user(arg string) ftpreply.Reply {
	c.logout()
	c.userName = c.account(arg)
	switch {
	case !c.covered() && c.requires(RequireLogin):
		// Said before the password is sent, which is the point.
		c.gateConn.Refused(c.userName, "", errNeedsTLS)
		c.userName = ""
		return ftpreply.Say(530, "TLS is required: give AUTH TLS first.")
	case c.policy().CertFactor == CertEnough && c.certified(c.userName):
		return c.byCertificate()
	}
	return ftpreply.Say(331, "Password required.")
}

// errNeedsTLS: what was asked for is for connections with TLS.
var errNeedsTLS = errors.New("TLS is required, and the connection has none")

// byCertificate logs in without a password, unless the account wants one.
func (c *conn) byCertificate() ftpreply.Reply {
	claim := ferry.Claim{Name: c.userName, Host: c.virtualHost(), Certified: true}
	if !c.gateConn.Offer(c.ctx(), claim) {
		return ftpreply.Say(331, "Password required.")
	}
	return c.login(claim, 232)
}

// account is the name of the account that a name means on the host that the
// client asked for.
func (c *conn) account(name string) string {
	if c.srv.cfg.Account == nil {
		return name
	}
	return c.srv.cfg.Account(c.virtualHost(), name)
}

// PASS (RFC 959 §4.1.1).
func (c *conn) pass(arg string) ftpreply.Reply {
	if c.sess != nil {
		return ftpreply.Say(202, "Already logged in.")
	}
	if c.userName == "" {
		return ftpreply.Say(503, "Give USER first.")
	}
	claim := ferry.Claim{Name: c.userName, Password: arg}
	switch factor := c.policy().CertFactor; {
	case factor != CertNothing && c.certified(claim.Name):
		claim.Certified, claim.Both = true, true
	case factor == CertToo:
		claim.Denied = "a client certificate for the account is wanted, too"
	}
	return c.login(claim, 230)
}

// login lets the client in as claim says; code is the reply's when it works.
func (c *conn) login(claim ferry.Claim, code int) ftpreply.Reply {
	claim.Host = c.virtualHost()
	sess, err := c.gateConn.Login(c.ctx(), claim)
	if errors.Is(err, ferry.ErrPartial) {
		return ftpreply.Say(331, "Password required.")
	}
	c.userName = ""
	if err != nil {
		return c.loginFailed(err)
	}
	c.sess = sess
	c.nameLog()
	if c.tls != nil {
		c.srv.tlsSessions.Login(c.tls.session, sess.User())
	}
	c.files = ftptree.Of(sess, c.report, c.srv.hashing)
	if !c.params.UTF8 {
		c.useCharset(c.accountCharset())
	}
	return ftpreply.Say(code, "Logged in.")
}

// accountCharset is the charset of names before OPTS UTF8 says otherwise.
func (c *conn) accountCharset() string {
	if charset := c.sess.User().Charset; charset != "" {
		return charset
	}
	charset := c.legacy().Charset
	if charset != "" {
		c.noteLegacy("charset " + charset)
	}
	return charset
}

func (c *conn) loginFailed(err error) ftpreply.Reply {
	switch {
	case errors.Is(err, ferry.ErrLogin):
		return ftpreply.Say(530, "Login incorrect.")
	case errors.Is(err, ferry.ErrTooManyLogins), errors.Is(err, ferry.ErrBanned), errors.Is(err, ferry.ErrUserFull):
		c.close(ftpreply.Say(421, ftpreply.Sentence(err)), err)
		return ftpreply.Reply{}
	case errors.Is(err, ferry.ErrNoHome):
		return ftpreply.Say(530, ftpreply.Sentence(err))
	case c.ctx().Err() != nil:
		return ftpreply.Reply{} // the loop says why the session ends
	}
	return ftpreply.Say(451, "The login cannot be checked at the moment; try again later.")
}

// logout ends the login, if there is one, and what belongs to it.
func (c *conn) logout() {
	if c.sess != nil {
		c.sess.End()
		c.sess, c.files = nil, nil
		c.nameLog()
		c.loginBy = time.Now().Add(c.srv.cfg.LoginTimeout)
	}
	c.next.Close()
	c.useCharset("")
}

// useCharset sets the encoding of names for the session.
func (c *conn) useCharset(name string) {
	if err := c.ctl.UseCharset(name); err != nil {
		c.log().Error("the user's charset is unknown; UTF-8 is used", "charset", name)
	}
}

// ACCT (RFC 959 §4.1.1): nothing needs an account.
func (c *conn) acct(string) ftpreply.Reply {
	if c.userName == "" && c.sess == nil {
		return ftpreply.Say(503, "Give USER first.")
	}
	return ftpreply.Say(202, "No account is needed.")
}

// REIN (RFC 959 §4.1.1).
func (c *conn) rein(string) ftpreply.Reply {
	c.logout()
	c.userName = ""
	c.resetParameters()
	return c.dropTLS(ftpreply.Say(220, c.greeting()))
}

// QUIT (RFC 959 §4.1.1). A transfer that runs ends first: QUIT waits in the
// queue meanwhile.
func (c *conn) quit(string) ftpreply.Reply {
	c.close(ftpreply.Say(221, "Goodbye."), nil)
	return ftpreply.Reply{}
}

// HOST (RFC 7151 §3).
func (c *conn) host(arg string) ftpreply.Reply {
	if c.sess != nil {
		return ftpreply.Say(503, "HOST must come before the login.")
	}
	name, err := ftpwire.ParseHost(arg)
	switch {
	case errors.Is(err, ftpwire.ErrHostLiteral):
		return ftpreply.Say(501, "Not an IPv6 address in brackets.")
	case errors.Is(err, ftpwire.ErrHostPort):
		return ftpreply.Say(501, "HOST takes a name without a port, IPv6 addresses in brackets.")
	case err != nil:
		return ftpreply.Say(501, "Not a host name.")
	}
	if !c.knowsHost(name) || !c.agreesWithSNI(name) {
		return ftpreply.Say(504, "Host is not served here.")
	}
	c.userName = ""
	c.hostName = name
	return ftpreply.Say(220, c.greeting())
}

// agreesWithSNI tells whether name is the one that TLS was asked for, if it
// was asked for one (RFC 7151 §3.1).
func (c *conn) agreesWithSNI(name string) bool {
	return c.tls == nil || c.tls.state.ServerName == "" || strings.EqualFold(name, c.tls.state.ServerName)
}

// virtualHost is the one of the configured hosts that the client asked for by
// HOST, or by the server name in TLS; "": none.
func (c *conn) virtualHost() string {
	name := c.hostName
	if name == "" && c.tls != nil {
		name = c.tls.state.ServerName
	}
	name = strings.TrimSuffix(name, ".")
	for host := range c.srv.cfg.Hosts {
		if strings.EqualFold(name, host) {
			return host
		}
	}
	return ""
}

// greeting is the host's, where it has one.
func (c *conn) greeting() string {
	if g := c.srv.cfg.Hosts[c.virtualHost()]; g != "" {
		return g
	}
	return c.srv.cfg.Greeting
}

func (c *conn) knowsHost(name string) bool {
	if addr, err := netip.ParseAddr(name); err == nil {
		return addr == c.local.Addr().WithZone("")
	}
	name = strings.TrimSuffix(name, ".")
	for known := range c.srv.cfg.Hosts {
		if strings.EqualFold(name, known) {
			return true
		}
	}
	return false
}

// LANG (RFC 2640 §4): English is what there is.
func lang(arg string) ftpreply.Reply {
	tag := strings.ToLower(arg)
	switch {
	case tag == "" || tag == "en" || strings.HasPrefix(tag, "en-"):
		return ftpreply.Say(200, "Language is English.")
	case strings.Trim(tag, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || tag[0] == '-':
		return ftpreply.Say(501, "Not a language tag.")
	}
	return ftpreply.Say(504, "Only EN is available.")
}

// CLNT: the client says what it is.
func (c *conn) clnt(arg string) ftpreply.Reply {
	c.client = arg
	return ftpreply.Say(200, "Noted.")
}

// CSID: the client says what it is, and is told what we are.
func (c *conn) csid(arg string) ftpreply.Reply {
	c.client = arg
	return ftpreply.Say(200, "Name=Ferry;Version=1;OS=Unix;CaseSensitive=1;DirSep=/;")
}
