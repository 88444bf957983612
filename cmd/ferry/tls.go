package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"ferry/internal/certs"
	"ferry/internal/ftpserver"
)

// tlsConfig is [tls].
type tlsConfig struct {
	Enabled         bool
	Cert, Key       string
	More            []certs.Pair
	StrictSNI       bool
	Hosts           []string
	Require         string // "auto": config.require says what it means
	RequireNetworks []assignment
	RequireUsers    []assignment
	Binding         string
	CCC             bool
	UncleanNetworks networks
	UncleanUsers    []string
	LegacyNetworks  networks
	LegacyCharset   string
	LegacyDOSList   bool

	ClientCerts         string
	ClientCA, ClientCRL string
	ClientFactor        string
	ClientMatch         string
	ClientFingerprints  []assignment

	ACMENames         []string
	ACMEEmail         string
	ACMEDirectory     string
	ACMEHTTP, ACMETLS string
	ACMERootCA        string
}

// certPairs is further certificates: "CERT:KEY", or "FILE" with both in it.
type certPairs []certs.Pair

func (p *certPairs) set(v any) error {
	items, err := items(v)
	if err != nil {
		return err
	}
	var all certPairs
	for _, item := range items {
		cert, key, given := strings.Cut(item, ":")
		if !filepath.IsAbs(cert) || given && !filepath.IsAbs(key) {
			return fmt.Errorf("must hold absolute paths, \"/etc/ferry/b.crt:/etc/ferry/b.key\", not %q", item)
		}
		all = append(all, certs.Pair{Cert: cert, Key: key})
	}
	*p = all
	return nil
}

func (p *certPairs) toml() string {
	var items []string
	for _, one := range *p {
		items = append(items, strings.TrimSuffix(one.Cert+":"+one.Key, ":"))
	}
	return quoteList(items)
}

func (p *certPairs) kind() string { return "list of files" }

// require is what tls.require means here.
func (c *config) require() string {
	switch {
	case !c.TLS.Enabled:
		return "off"
	case c.TLS.Require != "auto":
		return c.TLS.Require
	case c.file == "":
		return "off"
	}
	return "login"
}

// requireAt is what must be protected on a listener, where nothing more
// particular is said of the client: implicit is the one of [ftps].
func (c *config) requireAt(implicit bool) string {
	own := c.FTP.Require
	if implicit {
		own = c.FTPS.Require
	}
	if own == "default" {
		return c.require()
	}
	return own
}

// legacyFor tells whether a client gets the legacy profile.
func (c *config) legacyFor(who ftpserver.Client) bool {
	at := c.FTP.Legacy
	if who.Implicit {
		at = c.FTPS.Legacy
	}
	return at || within(c.TLS.LegacyNetworks, who.Peer)
}

// anyLegacy tells whether the legacy profile is anybody's.
func (c *config) anyLegacy() bool {
	return c.FTP.Legacy || c.FTPS.Legacy || len(c.TLS.LegacyNetworks) > 0
}

// checkTLS finds contradictions in [tls]; it looks at no file.
func (c *config) checkTLS() error {
	t := c.TLS
	switch {
	case !t.Enabled:
		return c.checkNoTLS()
	case t.LegacyCharset != "" && !c.anyLegacy():
		return c.wrong("tls.legacy_charset", "is for the devices of tls.legacy_networks, and none is named there")
	case t.LegacyDOSList && !c.anyLegacy():
		return c.wrong("tls.legacy_dos_list", "is for the devices of tls.legacy_networks, and none is named there")
	case c.FTPS.Address == "off" && c.FTPS.Require != "default":
		return c.wrong("ftps.require", "is for a listener that is off: set ftps.address (--ftps) too")
	case c.FTPS.Address == "off" && c.FTPS.Legacy:
		return c.wrong("ftps.legacy", "is for a listener that is off: set ftps.address (--ftps) too")
	case t.Key != "" && t.Cert == "":
		return c.wrong("tls.key", "belongs to no certificate: name that too (tls.cert, --cert)")
	case t.ClientCerts == "off" && t.ClientCA != "":
		return c.wrong("tls.client_ca", `vouches for certificates that no client is asked for: set tls.client_certs to "ask" or "require"`)
	case t.ClientCerts != "off" && t.ClientCA == "":
		return c.wrong("tls.client_certs", "needs the authority that vouches for them: set tls.client_ca")
	case t.ClientCRL != "" && t.ClientCA == "":
		return c.wrong("tls.client_crl", "is of no authority: set tls.client_ca")
	case t.ClientCerts == "off" && t.ClientFactor != "password":
		return c.wrong("tls.client_factor", `needs certificates that no client is asked for: set tls.client_certs to "ask" or "require"`)
	case t.ClientMatch == "fingerprint" && len(t.ClientFingerprints) == 0:
		return c.wrong("tls.client_match", "goes by fingerprints, and none is given: set tls.client_fingerprints")
	case t.ClientMatch != "fingerprint" && len(t.ClientFingerprints) > 0:
		return c.wrong("tls.client_fingerprints", `is not looked at: set tls.client_match to "fingerprint"`)
	}
	return c.checkACME()
}

// checkNoTLS finds what makes no sense without TLS.
func (c *config) checkNoTLS() error {
	if c.TLS.Require != "auto" && c.TLS.Require != "off" {
		return c.wrong("tls.require", "wants what tls.enabled = false forbids: leave one of them out")
	}
	if c.FTPS.Address != "off" {
		return c.wrong("ftps.address", "needs TLS, and tls.enabled is false: leave one of them out")
	}
	for _, k := range keys() {
		if needsTLS(k.name) && c.changed(k) {
			return c.wrong(k.name, "is set, and tls.enabled is false: leave one of them out")
		}
	}
	return nil
}

// needsTLS tells which keys are of TLS alone.
func needsTLS(name string) bool {
	switch name {
	case "tls.enabled", "tls.require":
		return false
	case "ftp.require", "ftp.legacy", "ftps.require", "ftps.legacy":
		return true
	}
	return strings.HasPrefix(name, "tls.")
}

func (c *config) checkACME() error {
	if len(c.TLS.ACMENames) == 0 {
		for _, k := range tlsKeys() {
			if strings.HasPrefix(k.name, "tls.acme_") && c.changed(k) {
				return c.wrong(k.name, "is set, and there is no name to ask a certificate for: set tls.acme_names")
			}
		}
		return nil
	}
	acme := c.acme()
	acme.Storage, acme.RootCA = "unused", "" // files are looked at later
	if err := certs.Check(certs.Config{ACME: acme}); err != nil {
		return c.wrong("tls.acme_names", "cannot get their certificates: %w", err)
	}
	return nil
}

// acme is [tls] acme_* as certs wants it; nil: no ACME.
func (c *config) acme() *certs.ACME {
	t := c.TLS
	if len(t.ACMENames) == 0 {
		return nil
	}
	return &certs.ACME{
		Directory: t.ACMEDirectory,
		Email:     t.ACMEEmail,
		Names:     t.ACMENames,
		Storage:   filepath.Join(c.Server.State, "acme"),
		HTTPAddr:  t.ACMEHTTP,
		TLSAddr:   t.ACMETLS,
		RootCA:    t.ACMERootCA,
	}
}

// certificates is where certificates come from.
func (c *config) certificates(log *slog.Logger) certs.Config {
	t := c.TLS
	var pairs []certs.Pair
	if t.Cert != "" {
		pairs = append(pairs, certs.Pair{Cert: t.Cert, Key: t.Key})
	}
	return certs.Config{
		Pairs:     append(pairs, t.More...),
		Dir:       filepath.Join(c.Server.State, "tls"),
		Hosts:     t.Hosts,
		ACME:      c.acme(),
		ClientCA:  t.ClientCA,
		ClientCRL: t.ClientCRL,
		Log:       log,
	}
}

// checkCertificates looks at the files that TLS needs, and makes none.
func (c *config) checkCertificates() error {
	if !c.TLS.Enabled {
		return nil
	}
	return certs.Check(c.certificates(nil))
}

// encryption is what TLS is made of; the fields are nil where it is off.
type encryption struct {
	source  *certs.Source
	tickets *certs.Tickets
	log     *slog.Logger
}

// openEncryption loads the certificates, or makes one, and the keys of
// session tickets, and tells the log what clients will see.
func openEncryption(ctx context.Context, conf *config, log *slog.Logger) (encryption, error) {
	e := encryption{log: log}
	if !conf.TLS.Enabled {
		return e, nil
	}
	var err error
	if e.source, err = certs.Open(ctx, conf.certificates(log)); err != nil {
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
func (e encryption) watch(ctx context.Context) {
	if e.source == nil {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { e.source.Watch(ctx) })
	both.Go(func() { e.tickets.Watch(ctx, e.log) })
	both.Wait()
}

// reload is for SIGHUP. Where the new files are bad, the old certificates stay.
func (e encryption) reload() {
	if e.source == nil {
		return
	}
	if err := e.source.Reload(); err == nil { // else it has logged why
		e.log.Info("certificates read again")
	}
}

// fingerprint is the SHA-256 of the certificate that most clients see; "":
// there is none.
func (e encryption) fingerprint() string {
	if e.source == nil {
		return ""
	}
	return strings.TrimPrefix(e.source.Fingerprint(), "SHA256:")
}

// selfSigned says that no client can check the certificate by itself.
func (e encryption) selfSigned() bool {
	if e.source == nil {
		return false
	}
	names := e.source.Names()
	return len(names) > 0 && names[0].Issuer == "itself"
}

// security is TLS as the FTP service wants it.
func (e encryption) security(conf *config) ftpserver.Security {
	if e.source == nil {
		return ftpserver.Security{}
	}
	normal := e.config(conf, false)
	legacy := normal
	if conf.anyLegacy() {
		legacy = e.config(conf, true)
	}
	return ftpserver.Security{
		TLS: func(who ftpserver.Client) *tls.Config {
			if conf.legacyFor(who) {
				return legacy
			}
			return normal
		},
		Policy:    newPolicies(conf).of,
		Certified: func(cs tls.ConnectionState, user string) bool { return e.certified(conf, cs, user) },
	}
}

// config is a TLS configuration that lives as long as the server.
func (e encryption) config(conf *config, legacy bool) *tls.Config {
	asked := map[string]certs.ClientCerts{"off": certs.ClientCertsOff, "ask": certs.ClientCertsAsk, "require": certs.ClientCertsRequire}
	cfg := e.source.Server(certs.Options{Legacy: legacy, ClientCerts: asked[conf.TLS.ClientCerts], StrictSNI: conf.TLS.StrictSNI})
	e.tickets.Apply(cfg)
	return cfg
}

// certified tells whether the certificate that the client has shown stands for user.
func (e encryption) certified(conf *config, cs tls.ConnectionState, user string) bool {
	id, ok := e.source.Identity(cs)
	return ok && standsFor(conf, id, user)
}

func standsFor(conf *config, id certs.Identity, user string) bool {
	switch conf.TLS.ClientMatch {
	case "fingerprint":
		return user != "" && assigned(conf.TLS.ClientFingerprints, id.Fingerprint) == user
	case "san":
		return slices.Contains(slices.Concat(id.DNSNames, id.Emails, id.URIs), user)
	}
	return user != "" && id.CommonName == user
}
