package daemon

import (
	"context"
	"crypto/tls"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"ferry/internal/certs"
	"ferry/internal/config"
	"ferry/internal/ftpserver"
	"ferry/internal/setting"
)

// legacyFor tells whether a client gets the legacy profile.
func legacyFor(c *config.Config, who ftpserver.Client) bool {
	at := c.FTP.Legacy
	if who.Implicit {
		at = c.FTPS.Legacy
	}
	return at || setting.Within(c.TLS.LegacyNetworks, who.Peer)
}

// Encryption is what TLS is made of; the fields are nil where it is off.
type Encryption struct {
	source  *certs.Source
	tickets *certs.Tickets
	log     *slog.Logger
	// configs are those that were made, each once: the tickets keep them for good.
	configs map[tlsOptions]*tls.Config
}

// tlsOptions is what a TLS configuration is made of, beside what files say.
type tlsOptions struct {
	legacy, strictSNI bool
	clientCerts       certs.ClientCerts
}

// openEncryption loads the certificates, or makes one, and the keys of
// session tickets, and tells the log what clients will see.
func openEncryption(ctx context.Context, conf *config.Config, log *slog.Logger) (Encryption, error) {
	e := Encryption{log: log, configs: map[tlsOptions]*tls.Config{}}
	if !conf.TLS.Enabled {
		return e, nil
	}
	var err error
	if e.source, err = certs.Open(ctx, conf.Certificates(log)); err != nil {
		return e, err
	}
	if e.tickets, err = certs.OpenTickets(filepath.Join(conf.Server.State, "tickets")); err != nil {
		return e, err
	}
	for _, name := range e.source.Names() {
		log.Info("certificate", "names", name.Names, "issuer", name.Issuer, "expires", name.Expires, "fingerprint", name.Fingerprint)
	}
	if len(e.source.Names()) == 0 {
		log.Warn("there is no certificate yet: TLS works when the ACME server has handed one out")
	}
	return e, nil
}

// watch keeps certificates and ticket keys current until ctx ends.
func (e Encryption) watch(ctx context.Context) {
	if e.source == nil {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { e.source.Watch(ctx) })
	both.Go(func() { e.tickets.Watch(ctx, e.log) })
	both.Wait()
}

// prepare reads the files that conf names, and gives what brings them to the handshakes
// that begin afterwards.
func (e Encryption) prepare(conf *config.Config) (use func(), err error) {
	if e.source == nil {
		return func() {}, nil
	}
	return e.source.Prepare(conf.Certificates(e.log))
}

// On tells whether there is TLS.
func (e Encryption) On() bool { return e.source != nil }

// Fingerprint is the SHA-256 of the certificate that most clients see; "":
// there is none.
func (e Encryption) Fingerprint() string {
	if e.source == nil {
		return ""
	}
	return strings.TrimPrefix(e.source.Fingerprint(), "SHA256:")
}

// SelfSigned says that no client can check the certificate by itself.
func (e Encryption) SelfSigned() bool {
	if e.source == nil {
		return false
	}
	names := e.source.Names()
	return len(names) > 0 && names[0].Issuer == "itself"
}

// security is TLS as the FTP service wants it.
func (e Encryption) security(conf *config.Config) ftpserver.Security {
	if e.source == nil {
		return ftpserver.Security{}
	}
	normal := e.config(conf, false)
	legacy := normal
	if conf.AnyLegacy() {
		legacy = e.config(conf, true)
	}
	return ftpserver.Security{
		TLS: func(who ftpserver.Client) *tls.Config {
			if legacyFor(conf, who) {
				return legacy
			}
			return normal
		},
		Policy:    newPolicies(conf).of,
		Certified: func(cs tls.ConnectionState, user string) bool { return e.certified(conf, cs, user) },
	}
}

// config is a TLS configuration that lives as long as the server. Not for several
// goroutines at once.
func (e Encryption) config(conf *config.Config, legacy bool) *tls.Config {
	asked := map[string]certs.ClientCerts{"off": certs.ClientCertsOff, "ask": certs.ClientCertsAsk, "require": certs.ClientCertsRequire}
	o := tlsOptions{legacy: legacy, strictSNI: conf.TLS.StrictSNI, clientCerts: asked[conf.TLS.ClientCerts]}
	cfg := e.configs[o]
	if cfg == nil {
		cfg = e.source.Server(certs.Options{Legacy: o.legacy, ClientCerts: o.clientCerts, StrictSNI: o.strictSNI})
		e.tickets.Apply(cfg)
		e.configs[o] = cfg
	}
	return cfg
}

// certified tells whether the certificate that the client has shown stands for user.
func (e Encryption) certified(conf *config.Config, cs tls.ConnectionState, user string) bool {
	id, ok := e.source.Identity(cs)
	return ok && standsFor(conf, id, user)
}

func standsFor(conf *config.Config, id certs.Identity, user string) bool {
	switch conf.TLS.ClientMatch {
	case "fingerprint":
		return user != "" && setting.Assigned(conf.TLS.ClientFingerprints, id.Fingerprint) == user
	case "san":
		return slices.Contains(slices.Concat(id.DNSNames, id.Emails, id.URIs), user)
	}
	return user != "" && id.CommonName == user
}
