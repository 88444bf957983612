package ftpserver

import (
	"crypto/tls"
	"net/netip"

	"ferry/internal/ftptls"
)

// Require says what must be protected by TLS.
type Require uint8

const (
	RequireOff   Require = iota // nothing
	RequireLogin                // the password of everybody but anonymous (else 530)
	RequireData                 // that, and their data connections (else 521)
	RequireAll                  // the same for anonymous, and the control connection to its end: no CCC
)

// CertFactor says what a client certificate that stands for a user is good for.
type CertFactor uint8

const (
	CertNothing CertFactor = iota // only the password counts
	CertEnough                    // the user needs no password: 232 (RFC 2228, RFC 4217 §4)
	CertToo                       // the user needs the certificate and the password
)

// Policy is how TLS is used with a client.
type Policy struct {
	Require Require
	Binding ftptls.Binding
	// CCC allows to go on in clear after the login, for networks whose
	// equipment has to read along.
	CCC bool
	// UncleanClose publishes uploads whose TLS ended without close_notify:
	// for devices that never send it. Such an end may be an attacker's.
	UncleanClose bool
	// CertFactor is what a client certificate does.
	CertFactor CertFactor
	// Legacy is for devices with old manners; nil: none.
	Legacy *Legacy
}

// Legacy is what is done for devices that cannot be changed any more. Each use
// is in the log, once a session.
type Legacy struct {
	// Charset is that of names where the account has none; "": UTF-8.
	Charset string
	// DOSList makes LIST look as on Windows servers.
	DOSList bool
	// LooseTypes answers SIZE in TYPE A with the size on disk, and allows REST
	// there, counted in bytes of the file: devices that never send TYPE I.
	LooseTypes bool
}

// Client is whom a policy is for.
type Client struct {
	Peer     netip.Addr
	Implicit bool   // it came where TLS is there from the start
	User     string // the account that USER named, or that is logged in; "" before
}

// Security is how connections are protected. The zero value: not at all.
type Security struct {
	// TLS gives the configuration for a client; nil, or a nil result: there
	// is no TLS.
	TLS func(Client) *tls.Config
	// Policy gives the policy for a client; nil: the zero Policy.
	Policy func(Client) Policy
	// Certified tells whether a client's certificate stands for the user of
	// that name; nil: none does. The configurations that TLS gives fail the
	// handshake of a certificate that does not verify.
	Certified func(cs tls.ConnectionState, user string) bool
}

// policy is what holds for this client now.
func (c *conn) policy() Policy {
	if c.srv.cfg.Security.Policy == nil {
		return Policy{}
	}
	return c.srv.cfg.Security.Policy(c.whom())
}

// whom is the client as policies know it.
func (c *conn) whom() Client {
	name := c.userName
	if c.sess != nil {
		name = c.sess.User().Name
	}
	return Client{Peer: c.peer.Addr(), Implicit: c.implicit, User: name}
}

// legacy is what is done for a device with old manners; the zero Legacy for
// everybody else.
func (c *conn) legacy() Legacy {
	if l := c.policy().Legacy; l != nil {
		return *l
	}
	return Legacy{}
}

// looseTypes tells whether a device with old manners may do what TYPE A forbids, and
// notes that it did.
func (c *conn) looseTypes(what string) bool {
	if !c.legacy().LooseTypes {
		return false
	}
	c.noteLegacy(what)
	return true
}

// noteLegacy says in the log, once a session, that leniency was used.
func (c *conn) noteLegacy(what string) {
	if c.noted[what] {
		return
	}
	if c.noted == nil {
		c.noted = map[string]bool{}
	}
	c.noted[what] = true
	c.srv.lenient.Add(1)
	c.log().Warn("legacy profile in use", "for", what, "client", c.client, "so_far", c.srv.lenient.Load())
}

// tlsConfig is the configuration for this client; nil: TLS is not to be had.
func (c *conn) tlsConfig() *tls.Config {
	if c.srv.cfg.Security.TLS == nil {
		return nil
	}
	return c.srv.cfg.Security.TLS(c.whom())
}

// certified tells whether the client has shown a certificate that stands for name.
func (c *conn) certified(name string) bool {
	if c.tls == nil || c.srv.cfg.Security.Certified == nil || len(c.tls.state.PeerCertificates) == 0 {
		return false
	}
	return c.srv.cfg.Security.Certified(c.tls.state, name)
}
