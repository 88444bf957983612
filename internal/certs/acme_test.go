package certs_test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	stdlog "log"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"

	"ferry/internal/certs"
)

// pebble is a real ACME server on loopback. It finds every name at one
// loopback address, which no other test has.
type pebble struct {
	directory, rootCA string
	host              string
	httpPort, tlsPort string
	roots             *x509.CertPool // of the certificates it hands out
}

// lifetime of pebble's certificates: so short that each is due for renewal as
// soon as somebody looks.
const lifetime = 5 * time.Minute

func newPebble(t *testing.T, accountKey []byte) *pebble {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	t.Setenv("PEBBLE_AUTHZREUSE", "0") // each order must be earned
	p := &pebble{host: net.IPv4(127, random(t), random(t), 2+random(t)%250).String()}
	p.httpPort, p.tlsPort = freePort(t, p.host), freePort(t, p.host)

	log := stdlog.New(io.Discard, "", 0)
	store := db.NewMemoryStore()
	if accountKey != nil {
		if err := store.AddExternalAccountKeyByID("kid", base64.RawURLEncoding.EncodeToString(accountKey)); err != nil {
			t.Fatal(err)
		}
	}
	authority := ca.New(log, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {ValidityPeriod: uint64(lifetime.Seconds())}})
	validator := va.New(log, number(t, p.httpPort), number(t, p.tlsPort), true, nameServer(t, p.host), store)
	front := wfe.New(log, store, validator, authority, []string{"pebble.example"}, true, accountKey != nil, 1, 1)
	server := httptest.NewTLSServer(front.Handler())
	t.Cleanup(server.Close)

	p.directory, p.rootCA = server.URL+wfe.DirectoryPath, filepath.Join(t.TempDir(), "acme-root.pem")
	replace(t, p.rootCA, certPEM(server.Certificate()))
	p.roots = x509.NewCertPool()
	p.roots.AddCert(authority.GetRootCert(0).Cert)
	return p
}

func random(t *testing.T) byte {
	t.Helper()
	b := make([]byte, 1)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return b[0]
}

func freePort(t *testing.T, host string) string {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func number(t *testing.T, port string) int {
	t.Helper()
	n, err := net.LookupPort("tcp", port)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// nameServer answers that every name is at host.
func nameServer(t *testing.T, host string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &dns.Server{Listener: l, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		answer := new(dns.Msg).SetReply(q)
		if q.Question[0].Qtype == dns.TypeA {
			header := dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET}
			answer.Answer = append(answer.Answer, &dns.A{Hdr: header, A: net.ParseIP(host)})
		}
		_ = w.WriteMsg(answer)
	})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.ActivateAndServe()
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l.Addr().String()
}

// config asks pebble for the names, in no way yet.
func (p *pebble) config(t *testing.T, names ...string) (certs.Config, *lines) {
	t.Helper()
	log, logger := newLog()
	return certs.Config{Log: logger, ACME: &certs.ACME{
		Directory: p.directory, RootCA: p.rootCA, Email: "admin@ferry.example", Names: names,
		Storage: filepath.Join(t.TempDir(), "acme"), HTTPAddr: "off", TLSAddr: "off",
	}}, log
}

func (p *pebble) http() string { return net.JoinHostPort(p.host, p.httpPort) }
func (p *pebble) tls() string  { return net.JoinHostPort(p.host, p.tlsPort) }

// client trusts pebble's authority.
func (p *pebble) client(name string) *tls.Config {
	return &tls.Config{RootCAs: p.roots, ServerName: name}
}

// work runs Watch until its certificates are there.
func work(t *testing.T, source *certs.Source, log *lines, n int) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		source.Watch(ctx)
	}()
	log.wait(t, "is in use", n)
	return func() {
		cancel()
		<-done
	}
}

func TestACME(t *testing.T) {
	key := []byte("a key that binds the account, 32")
	for _, test := range []struct {
		name  string
		names []string // nil: pebble's address
		bound bool
		ways  func(p *pebble, a *certs.ACME)
	}{
		{"HTTP-01", []string{"ftp.ferry.example", "Files.Ferry.example"}, false, func(p *pebble, a *certs.ACME) { a.HTTPAddr = p.http() }},
		{"HTTP-01 for an address", nil, false, func(p *pebble, a *certs.ACME) { a.HTTPAddr = p.http() }},
		{"TLS-ALPN-01", []string{"ftp.ferry.example"}, false, func(p *pebble, a *certs.ACME) { a.TLSAddr = p.tls() }},
		{"a bound account", []string{"ftp.ferry.example"}, true, func(p *pebble, a *certs.ACME) {
			a.HTTPAddr, a.TLSAddr = p.http(), p.tls()
			a.KeyID, a.MACKey = "kid", base64.RawURLEncoding.EncodeToString(key)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var accountKey []byte
			if test.bound {
				accountKey = key
			}
			p := newPebble(t, accountKey)
			if test.names == nil {
				test.names = []string{p.host}
			}
			cfg, log := p.config(t, test.names...)
			test.ways(p, cfg.ACME)
			if err := certs.Check(cfg); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(cfg.ACME.Storage); !errors.Is(err, os.ErrNotExist) {
				t.Fatalf("Check has made something: %v", err)
			}
			source := open(t, cfg)
			server := source.Server(certs.Options{})
			if m := meet(server, p.client(test.names[0])); m.ok() || source.Fingerprint() != "" || len(source.Names()) != 0 {
				t.Errorf("before anything was asked for there is a certificate: %+v", source.Names())
			}
			stop := work(t, source, log, len(test.names))
			defer stop()
			for _, name := range test.names {
				if m := meet(server, p.client(name)); !m.ok() {
					t.Errorf("%s: client says %v, server says %v", name, m.clientErr, m.serverErr)
				}
			}
			if got := source.Names(); len(got) != len(test.names) || got[0].Names[0] != test.names[0] || got[0].Fingerprint != source.Fingerprint() {
				t.Errorf("names are %+v", got)
			}
			private(t, cfg.ACME.Storage)
			if log.count("level=ERROR")+log.count("level=WARN") != 0 {
				t.Errorf("the log says:\n%s", log)
			}
			closed(t, p.http())
			closed(t, p.tls())
		})
	}
}

// private wants what an ACME account keeps to be for its owner only.
func private(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// closed: a port is open only while a certificate is asked for.
func closed(t *testing.T, addr string) {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Errorf("the port stayed open: %v", err)
		return
	}
	l.Close()
}

// TestACMEByAnFTPSListener: a listener of ours that has the port answers
// TLS-ALPN-01 by its configuration, is told that it was a challenge, and gives
// other clients who come by that name nothing.
func TestACMEByAnFTPSListener(t *testing.T) {
	p := newPebble(t, nil)
	cfg, log := p.config(t, "ftp.ferry.example")
	cfg.ACME.TLSAddr = p.tls()
	source := open(t, cfg)
	server := source.Server(certs.Options{})
	l, err := net.Listen("tcp", p.tls())
	if err != nil {
		t.Fatal(err)
	}
	var challenges, others atomic.Int64
	served := make(chan struct{})
	go func() {
		defer close(served)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s := tls.Server(c, server)
			switch err := s.Handshake(); {
			case err == nil && certs.Challenge(s.ConnectionState()):
				challenges.Add(1)
			case err == nil:
				others.Add(1)
			}
			c.Close()
		}
	}()
	defer func() {
		l.Close()
		<-served
	}()
	defer work(t, source, log, 1)()
	if challenges.Load() == 0 || others.Load() != 0 {
		t.Errorf("%d challenges and %d others came", challenges.Load(), others.Load())
	}

	openTickets(t, "").Apply(server)
	stranger := p.client("ftp.ferry.example")
	for _, protocols := range [][]string{{"acme-tls/1"}, {"acme-tls/1", "h2"}} {
		stranger.NextProtos = protocols
		if m := meet(server, stranger); m.ok() {
			t.Errorf("%v without a challenge: the handshake is good", protocols)
		}
	}
	stranger.NextProtos, stranger.ClientSessionCache = nil, tls.NewLRUClientSessionCache(1)
	resumes(t, server, stranger)
	stranger.NextProtos = []string{"acme-tls/1"}
	if m := meet(server, stranger); m.serverErr == nil {
		t.Error("a ticket brought a client past the challenge")
	}
	stranger.NextProtos, stranger.ClientSessionCache = []string{"acme-tls/1", "ftp"}, nil
	if m := meet(server, stranger); !m.ok() || certs.Challenge(m.server) {
		t.Errorf("a client of FTP that knows the name: %v, %v", m.clientErr, m.serverErr)
	}
}

// TestACMERenewsUnderLiveSessions: the next handshake sees the new certificate,
// the session that runs goes on; a restart needs no ACME server.
func TestACMERenewsUnderLiveSessions(t *testing.T) {
	p := newPebble(t, nil)
	cfg, log := p.config(t, "ftp.ferry.example")
	cfg.ACME.HTTPAddr = p.http()
	source := open(t, cfg)
	server := source.Server(certs.Options{})
	stop := work(t, source, log, 1)
	first := shown(t, server, p.client("ftp.ferry.example"))

	near, far := pipe()
	running, echo := tls.Client(near, p.client("ftp.ferry.example")), tls.Server(far, server)
	defer near.Close()
	go func() { _, _ = io.Copy(echo, echo) }()
	say(t, running)
	stop()

	// Whoever begins to watch looks at once whether something is due.
	stop = work(t, source, log, 1)
	log.wait(t, "replaced certificate in cache", 1)
	stop()
	second := shown(t, server, p.client("ftp.ferry.example"))
	if second == first {
		t.Error("the next handshake sees the old certificate")
	}
	if len(source.Names()) != 1 {
		t.Errorf("names are %+v", source.Names())
	}
	if log.count("renewal=true") != 1 || !strings.Contains(log.String(), "level=INFO msg=\"the ACME server has handed out a certificate\" name=ftp.ferry.example renewal=true") {
		t.Errorf("the log says:\n%s", log)
	}
	say(t, running)

	again := open(t, cfg)
	if got := shown(t, again.Server(certs.Options{}), p.client("ftp.ferry.example")); got != second {
		t.Error("after a restart it is not the newest certificate")
	}
}

// TestACMEServerAway: the server starts, the log says what is wrong, and the
// files' certificates do their work meanwhile.
func TestACMEServerAway(t *testing.T) {
	p := newPebble(t, nil)
	cfg, log := p.config(t, "ftp.ferry.example")
	cfg.ACME.HTTPAddr, cfg.ACME.Directory = p.http(), "https://"+p.tls()+"/dir"
	authority := newAuthority(t, "CA")
	l := authority.issue(t, ecKey(t), nil, "old.example")
	cfg.Pairs = []certs.Pair{l.save(t, t.TempDir(), "server")}
	source := open(t, cfg)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		source.Watch(ctx)
	}()
	log.wait(t, "handed out no certificate", 1)
	if log.count("level=ERROR") != 1 || !strings.Contains(log.String(), "connection refused") || !strings.Contains(log.String(), "name=ftp.ferry.example") {
		t.Errorf("the log says:\n%s", log)
	}
	if got := shown(t, source.Server(certs.Options{}), &tls.Config{RootCAs: authority.pool(), ServerName: "old.example"}); got != serial(l) {
		t.Error("the certificate from the files is not in use")
	}
	cancel()
	<-done
}

// TestACMEStorageDamaged: what was handed out before and cannot be read is
// named at the start.
func TestACMEStorageDamaged(t *testing.T) {
	p := newPebble(t, nil)
	cfg, log := p.config(t, "ftp.ferry.example")
	cfg.ACME.HTTPAddr = p.http()
	work(t, open(t, cfg), log, 1)()
	err := filepath.WalkDir(cfg.ACME.Storage, func(path string, d os.DirEntry, err error) error {
		if strings.HasSuffix(path, ".crt") {
			return os.WriteFile(path, []byte("rubbish"), 0o600)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := certs.Open(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), cfg.ACME.Storage) || !strings.Contains(err.Error(), "ftp.ferry.example") {
		t.Errorf("%v", err)
	}
}
