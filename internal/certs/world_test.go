package certs_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ferry/internal/certs"
)

// authority signs certificates and lists for the tests.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{key: ecKey(t)}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage:  x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(1000 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *authority) pem() []byte { return certPEM(a.cert) }

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// leaf is a certificate and its key.
type leaf struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// issue signs a certificate for the names, good for server and client, as edit
// (may be nil) wants it.
func (a *authority) issue(t *testing.T, key crypto.Signer, edit func(*x509.Certificate), names ...string) leaf {
	t.Helper()
	template := &x509.Certificate{
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(900 * time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames:    names,
	}
	if len(names) > 0 {
		template.Subject.CommonName = names[0]
	}
	if edit != nil {
		edit(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return leaf{cert, key}
}

func (l leaf) certPEM() []byte { return certPEM(l.cert) }

func (l leaf) keyPEM(t *testing.T) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(l.key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func (l leaf) tls() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{l.cert.Raw}, PrivateKey: l.key}
}

// save writes the pair into dir, under its own names, by renaming.
func (l leaf) save(t *testing.T, dir, name string) certs.Pair {
	t.Helper()
	p := certs.Pair{Cert: filepath.Join(dir, name+".crt"), Key: filepath.Join(dir, name+".key")}
	replace(t, p.Cert, l.certPEM())
	replace(t, p.Key, l.keyPEM(t))
	return p
}

// revoke signs a list of what is revoked, current until ends.
func (a *authority) revoke(t *testing.T, ends time.Time, extra []pkix.Extension, revoked ...leaf) []byte {
	t.Helper()
	list := &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: time.Now().Add(-48 * time.Hour), NextUpdate: ends, ExtraExtensions: extra,
	}
	for _, l := range revoked {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: l.cert.SerialNumber, RevocationTime: time.Now()})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, a.cert, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})
}

func ecKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func rsaKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func certPEM(cert *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
}

// replace puts data at path as careful programs do: beside it, then renamed.
func replace(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, cfg certs.Config) *certs.Source {
	t.Helper()
	s, err := certs.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// met is how a handshake went on both sides.
type met struct {
	client, server       tls.ConnectionState
	clientErr, serverErr error
}

func (m met) ok() bool { return m.clientErr == nil && m.serverErr == nil }

// meet lets a client and a server shake hands over a pipe, and the client take
// one byte, with which the tickets of TLS 1.3 have come.
func meet(server, client *tls.Config) met {
	var m met
	clientSide, serverSide := pipe()
	c, s := tls.Client(clientSide, client), tls.Server(serverSide, server)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer serverSide.Close()
		if m.serverErr = s.Handshake(); m.serverErr == nil {
			m.server = s.ConnectionState()
			_, m.serverErr = s.Write([]byte("2"))
		}
	}()
	if m.clientErr = c.Handshake(); m.clientErr == nil {
		_, m.clientErr = io.ReadFull(c, make([]byte, 1))
		m.client = c.ConnectionState()
	}
	clientSide.Close()
	<-done
	return m
}

// shown is the fingerprint-worthy part of what a client sees: the serial
// number of the certificate that the server shows it.
func shown(t *testing.T, server *tls.Config, client *tls.Config) string {
	t.Helper()
	m := meet(server, client)
	if !m.ok() {
		t.Fatalf("handshake: client says %v, server says %v", m.clientErr, m.serverErr)
	}
	return m.client.PeerCertificates[0].SerialNumber.String()
}

func serial(l leaf) string { return l.cert.SerialNumber.String() }

// lines is a log that tests can look at and wait for.
type lines struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	news chan struct{} // closed and replaced at each line
}

func newLog() (*lines, *slog.Logger) {
	l := &lines{news: make(chan struct{})}
	return l, slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.news)
	l.news = make(chan struct{})
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *lines) count(text string) int { return strings.Count(l.String(), text) }

// wait returns when text has been logged n times.
func (l *lines) wait(t *testing.T, text string, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		l.mu.Lock()
		news, now := l.news, strings.Count(l.buf.String(), text)
		l.mu.Unlock()
		if now >= n {
			return
		}
		select {
		case <-news:
		case <-ctx.Done():
			t.Fatalf("waited for %q in the log, which is:\n%s", text, l.String())
		}
	}
}
