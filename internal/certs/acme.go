package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3/acme"
	"go.uber.org/zap"

	"ferry"
)

// ACME says who hands out certificates, and how it finds out that the names
// are ours (RFC 8555). To configure it is to agree to the terms of that
// authority.
type ACME struct {
	// Directory is the URL of the ACME server; "": Let's Encrypt.
	Directory string
	// Email is where the authority writes to when something is wrong; may be "".
	Email string
	// Names are host names, or addresses where the authority does those
	// (RFC 8738). Each gets a certificate of its own.
	Names []string
	// Storage is the directory for the account's key and the certificates; it
	// is made with mode 0700. Nodes that share it share the certificates.
	Storage string
	// HTTPAddr is where HTTP-01 is answered, "HOST:PORT": the authority
	// connects to port 80 of each name, which must lead here. The port is open
	// only while a certificate is asked for. "off": not offered.
	HTTPAddr string
	// TLSAddr is the same for TLS-ALPN-01 and port 443 (RFC 8737). Where a
	// listener with a configuration of Source.Server has the port already, it
	// answers, unless it requires client certificates. "off": not offered.
	TLSAddr string
	// RootCA is a PEM file of who vouches for the ACME server itself, for
	// private ones; "": who the system trusts.
	RootCA string
	// KeyID and MACKey (base64url) bind the account to one at the authority
	// (RFC 8555 §7.3.4), where it wants that; "": no binding.
	KeyID, MACKey string
}

// offered says whether a challenge may be used.
func offered(addr string) bool { return addr != "" && addr != "off" }

// check finds what is wrong with a without speaking to anybody.
func (a *ACME) check() error {
	switch {
	case len(a.Names) == 0:
		return errors.New("ACME has no names to get certificates for")
	case a.Storage == "":
		return errors.New("ACME has no directory to keep its account and the certificates in")
	case !offered(a.HTTPAddr) && !offered(a.TLSAddr):
		return errors.New("ACME needs a way to show that the names are ours: an address for HTTP-01 (\":80\"), one for TLS-ALPN-01 (\":443\"), or both")
	case (a.KeyID == "") != (a.MACKey == ""):
		return errors.New("the binding of the ACME account needs both the key's id and the key")
	}
	if err := checkHosts(a.Names); err != nil {
		return err
	}
	if dir, err := url.Parse(a.Directory); a.Directory != "" && (err != nil || dir.Scheme != "https" || dir.Host == "") {
		return fmt.Errorf("the ACME directory must be an https URL, not %q", a.Directory)
	}
	if _, _, _, err := a.listeners(); err != nil {
		return err
	}
	_, err := a.roots()
	return err
}

// listeners are the host and the ports where challenges are answered; 0 where
// one is not offered.
func (a *ACME) listeners() (host string, httpPort, tlsPort int, err error) {
	var hosts []string
	parse := func(addr string) int {
		if err != nil || !offered(addr) {
			return 0
		}
		h, p, split := net.SplitHostPort(addr)
		port, number := strconv.ParseUint(p, 10, 16)
		if split != nil || number != nil || port == 0 {
			err = fmt.Errorf("ACME cannot listen on %q: write HOST:PORT, such as :80 or 192.0.2.7:80", addr)
		}
		hosts = append(hosts, h)
		return int(port)
	}
	httpPort, tlsPort = parse(a.HTTPAddr), parse(a.TLSAddr)
	if err != nil {
		return "", 0, 0, err
	}
	if len(slices.Compact(hosts)) > 1 {
		return "", 0, 0, fmt.Errorf("ACME must answer both challenges on the same host, not %q and %q", a.HTTPAddr, a.TLSAddr)
	}
	return hosts[0], httpPort, tlsPort, nil
}

// roots is nil where the system's are meant.
func (a *ACME) roots() (*x509.CertPool, error) {
	if a.RootCA == "" {
		return nil, nil
	}
	data, err := readFile("ACME root CA", a.RootCA)
	if err != nil {
		return nil, err
	}
	certs, err := parseCertificates(a.RootCA, data)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	for _, cert := range certs {
		pool.AddCert(cert)
	}
	return pool, nil
}

// issuer is certmagic, set up without anything of its package-wide defaults.
// It renews a certificate when a third of its life is left, or when the
// authority says so (RFC 9773).
type issuer struct {
	names  []string
	alpn   bool // TLS-ALPN-01 is offered
	cache  *certmagic.Cache
	config *certmagic.Config
	log    *slog.Logger
}

// openIssuer loads what was handed out before. ctx is how long it lives.
func openIssuer(ctx context.Context, a ACME, log *slog.Logger) (*issuer, error) {
	if err := os.MkdirAll(a.Storage, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the directory %q for ACME: %w", a.Storage, ferry.WithoutPath(err))
	}
	template, err := a.template()
	if err != nil {
		return nil, err
	}
	i := &issuer{names: normal(a.Names), alpn: offered(a.TLSAddr), log: log}
	template.Logger = zap.New(bridge{log: log})
	i.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return i.config, nil },
		Logger:           template.Logger,
	})
	context.AfterFunc(ctx, i.cache.Stop)
	config := certmagic.Config{
		Storage: &certmagic.FileStorage{Path: a.Storage},
		Logger:  template.Logger,
		OnEvent: i.hear,
	}
	// The issuer needs a configuration, and the configuration its issuer.
	i.config = certmagic.New(i.cache, config)
	i.config.Issuers = []certmagic.Issuer{certmagic.NewACMEIssuer(i.config, template)}
	for _, name := range i.names {
		if _, err := i.config.CacheManagedCertificate(ctx, name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("cannot load the ACME certificate of %q from %q: %w", name, a.Storage, ferry.WithoutPath(err))
		}
	}
	return i, nil
}

// normal is how certmagic keeps names.
func normal(names []string) []string {
	var all []string
	for _, name := range names {
		all = append(all, strings.ToLower(name))
	}
	return all
}

// template is a in the words of certmagic.
func (a *ACME) template() (certmagic.ACMEIssuer, error) {
	host, httpPort, tlsPort, err := a.listeners()
	if err != nil {
		return certmagic.ACMEIssuer{}, err
	}
	roots, err := a.roots()
	if err != nil {
		return certmagic.ACMEIssuer{}, err
	}
	t := certmagic.ACMEIssuer{
		CA:                      a.Directory,
		Email:                   a.Email,
		Agreed:                  true,
		TrustedRoots:            roots,
		ListenHost:              host,
		AltHTTPPort:             httpPort,
		AltTLSALPNPort:          tlsPort,
		DisableHTTPChallenge:    httpPort == 0,
		DisableTLSALPNChallenge: tlsPort == 0,
	}
	if a.KeyID != "" {
		t.ExternalAccount = &acme.EAB{KeyID: a.KeyID, MACKey: a.MACKey}
	}
	return t, nil
}

// manage asks for what is missing, in the background, and again when that
// fails, until ctx ends. It does not wait for the first round of maintenance
// to look at what was loaded, which may be long expired.
func (i *issuer) manage(ctx context.Context) {
	if err := i.config.ManageAsync(ctx, i.names); err != nil {
		i.log.Error("ACME cannot begin", "error", err)
	}
	go func() {
		if err := i.cache.RenewManagedCertificates(ctx); err != nil {
			i.log.Error("ACME cannot begin to renew", "error", err)
		}
	}()
}

// hear logs what an operator wants to know.
func (i *issuer) hear(_ context.Context, event string, data map[string]any) error {
	switch event {
	case "cached_managed_cert":
		i.log.Info("a certificate from the ACME server is in use", "names", data["sans"])
	case "cert_obtained":
		i.log.Info("the ACME server has handed out a certificate", "name", data["identifier"], "renewal", data["renewal"])
	case "cert_failed":
		i.log.Error("the ACME server has handed out no certificate; it is asked again later",
			"name", data["identifier"], "renewal", data["renewal"], "error", data["error"])
	case "cert_ocsp_revoked":
		i.log.Error("the authority has revoked the certificate; another one is asked for", "names", data["subjects"])
	}
	return nil
}

// current is what has been handed out, in the order of the names.
func (i *issuer) current() []*tls.Certificate {
	var all []*tls.Certificate
	for _, name := range i.names {
		for _, cert := range i.cache.AllMatchingCertificates(name) {
			all = append(all, &cert.Certificate)
		}
	}
	return all
}
