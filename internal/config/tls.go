package config

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"

	"ferry/internal/certs"
	"ferry/internal/setting"
)

// tlsConfig is [tls].
type tlsConfig struct {
	Enabled         bool
	Cert, Key       string
	More            []certs.Pair
	StrictSNI       bool
	Hosts           []string
	Require         string // "auto": config.require says what it means
	RequireNetworks []setting.Assignment
	RequireUsers    []setting.Assignment
	Binding         string
	CCC             bool
	UncleanNetworks setting.Networks
	UncleanUsers    []string
	LegacyNetworks  setting.Networks
	LegacyCharset   string
	LegacyDOSList   bool

	ClientCerts         string
	ClientCA, ClientCRL string
	ClientFactor        string
	ClientMatch         string
	ClientFingerprints  []setting.Assignment

	ACMENames         []string
	ACMEEmail         string
	ACMEDirectory     string
	ACMEHTTP, ACMETLS string
	ACMERootCA        string
}

// certPairs is further certificates: "CERT:KEY", or "FILE" with both in it.
type certPairs []certs.Pair

func (p *certPairs) Set(v any) error {
	return setting.Fill((*[]certs.Pair)(p), v, func(item string) (certs.Pair, error) {
		cert, key, given := strings.Cut(item, ":")
		if !filepath.IsAbs(cert) || given && !filepath.IsAbs(key) {
			return certs.Pair{}, fmt.Errorf("must hold absolute paths, \"/etc/ferry/b.crt:/etc/ferry/b.key\", not %q", item)
		}
		return certs.Pair{Cert: cert, Key: key}, nil
	})
}

func (p *certPairs) Toml() string {
	var items []string
	for _, one := range *p {
		items = append(items, strings.TrimSuffix(one.Cert+":"+one.Key, ":"))
	}
	return setting.QuoteList(items)
}

func (p *certPairs) Kind() string { return "list of files" }

// require is what tls.require means here.
func (c *Config) require() string {
	switch {
	case !c.TLS.Enabled:
		return "off"
	case c.TLS.Require != "auto":
		return c.TLS.Require
	case c.File == "":
		return "off"
	}
	return "login"
}

// RequireAt is what must be protected on a listener, where nothing more
// particular is said of the client: implicit is the one of [ftps].
func (c *Config) RequireAt(implicit bool) string {
	own := c.FTP.Require
	if implicit {
		own = c.FTPS.Require
	}
	if own == "default" {
		return c.require()
	}
	return own
}

// AnyLegacy tells whether the legacy profile is anybody's.
func (c *Config) AnyLegacy() bool {
	return c.FTP.Legacy || c.FTPS.Legacy || len(c.TLS.LegacyNetworks) > 0
}

// tlsChecks find contradictions in [tls]; they look at no file.
func tlsChecks() []Check {
	noLegacy := func(c *Config) bool { return !c.AnyLegacy() }
	noFTPS := func(c *Config) bool { return c.FTPS.Address == "off" }
	notAsked := func(c *Config) bool { return c.TLS.ClientCerts == "off" }
	const (
		forDevices = "is for the devices of tls.legacy_networks, and none is named there"
		forFTPS    = "is for a listener that is off: set ftps.address (--ftps) too"
		askThem    = `set tls.client_certs to "ask" or "require"`
	)
	legacy, client := []string{"tls.legacy_networks", "ftp.legacy", "ftps.legacy"}, []string{"tls.client_certs", "tls.client_ca", "tls.client_match", "tls.client_fingerprints"}
	rows := []Check{
		wrongIf("tls.legacy_charset", legacy, func(c *Config) bool { return c.TLS.LegacyCharset != "" && noLegacy(c) }, forDevices),
		wrongIf("tls.legacy_dos_list", legacy, func(c *Config) bool { return c.TLS.LegacyDOSList && noLegacy(c) }, forDevices),
		wrongIf("ftps.require", []string{"ftps.address"}, func(c *Config) bool { return noFTPS(c) && c.FTPS.Require != "default" }, forFTPS),
		wrongIf("ftps.legacy", []string{"ftps.address"}, func(c *Config) bool { return noFTPS(c) && c.FTPS.Legacy }, forFTPS),
		wrongIf("tls.key", []string{"tls.cert"}, func(c *Config) bool { return c.TLS.Key != "" && c.TLS.Cert == "" }, "belongs to no certificate: name that too (tls.cert, --cert)"),
		wrongIf("tls.client_ca", client, func(c *Config) bool { return notAsked(c) && c.TLS.ClientCA != "" }, "vouches for certificates that no client is asked for: "+askThem),
		wrongIf("tls.client_certs", client, func(c *Config) bool { return !notAsked(c) && c.TLS.ClientCA == "" }, "needs the authority that vouches for them: set tls.client_ca"),
		wrongIf("tls.client_crl", client, func(c *Config) bool { return c.TLS.ClientCRL != "" && c.TLS.ClientCA == "" }, "is of no authority: set tls.client_ca"),
		wrongIf("tls.client_factor", client, func(c *Config) bool { return notAsked(c) && c.TLS.ClientFactor != "password" }, "needs certificates that no client is asked for: "+askThem),
		wrongIf("tls.client_match", client, func(c *Config) bool { return c.TLS.ClientMatch == "fingerprint" && len(c.TLS.ClientFingerprints) == 0 },
			"goes by fingerprints, and none is given: set tls.client_fingerprints"),
		wrongIf("tls.client_fingerprints", client, func(c *Config) bool { return c.TLS.ClientMatch != "fingerprint" && len(c.TLS.ClientFingerprints) > 0 },
			`is not looked at: set tls.client_match to "fingerprint"`),
		{[]string{"tls.acme_names", "tls.acme_directory", "tls.acme_http", "tls.acme_tls"}, (*Config).checkACME},
	}
	for i, row := range rows { // without TLS, noTLS has the one thing to say
		find := row.Find
		rows[i].Keys = append(row.Keys, "tls.enabled")
		rows[i].Find = func(c *Config) error {
			if !c.TLS.Enabled {
				return nil
			}
			return find(c)
		}
	}
	return append(rows, Check{[]string{"tls.enabled", "tls.require", "ftps.address"}, (*Config).checkNoTLS})
}

// checkNoTLS finds what makes no sense without TLS.
func (c *Config) checkNoTLS() error {
	if c.TLS.Enabled {
		return nil
	}
	var found []error
	if c.TLS.Require != "auto" && c.TLS.Require != "off" {
		found = append(found, c.Wrong("tls.require", "wants what tls.enabled = false forbids: leave one of them out"))
	}
	if c.FTPS.Address != "off" {
		found = append(found, c.Wrong("ftps.address", "needs TLS, and tls.enabled is false: leave one of them out"))
	}
	for _, k := range Keys() {
		if needsTLS(k.Name) && c.changed(k) {
			found = append(found, c.Wrong(k.Name, "is set, and tls.enabled is false: leave one of them out"))
		}
	}
	return errors.Join(found...)
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

func (c *Config) checkACME() error {
	if len(c.TLS.ACMENames) == 0 {
		var found []error
		for _, k := range tlsKeys() {
			if strings.HasPrefix(k.Name, "tls.acme_") && c.changed(k) {
				found = append(found, c.Wrong(k.Name, "is set, and there is no name to ask a certificate for: set tls.acme_names"))
			}
		}
		return errors.Join(found...)
	}
	acme := c.acme()
	acme.Storage, acme.RootCA = "unused", "" // files are looked at later
	if err := certs.Check(certs.Config{ACME: acme}); err != nil {
		return c.Wrong("tls.acme_names", "cannot get their certificates: %w", err)
	}
	return nil
}

// acme is [tls] acme_* as certs wants it; nil: no ACME.
func (c *Config) acme() *certs.ACME {
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

// Certificates is where certificates come from.
func (c *Config) Certificates(log *slog.Logger) certs.Config {
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
