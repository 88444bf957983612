package certs_test

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/internal/certs"
)

// TestBadInputIsNamed: whoever reads the error knows which file, what is wrong
// and what to do, and `config check` says the same as the start.
func TestBadInputIsNamed(t *testing.T) {
	dir := t.TempDir()
	ca, stranger := newAuthority(t, "Our CA"), newAuthority(t, "Another CA")
	good := ca.issue(t, ecKey(t), nil, "ftp.example.com")
	other := ca.issue(t, ecKey(t), nil, "other.example.com")
	ended := time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)
	old := ca.issue(t, good.key, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = ended.AddDate(-1, 0, 0), ended }, "ftp.example.com")
	early := ca.issue(t, good.key, func(c *x509.Certificate) {
		c.NotBefore = time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
		c.NotAfter = c.NotBefore.AddDate(1, 0, 0)
	})
	locked := pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("x")})
	locked1 := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED"}, Bytes: []byte("x")})
	later := time.Now().Add(time.Hour)

	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	goodCert, goodKey := file("good.crt", good.certPEM()), file("good.key", good.keyPEM(t))
	caFile := file("ca.pem", ca.pem())
	pair := func(cert, key string) certs.Config { return certs.Config{Pairs: []certs.Pair{{Cert: cert, Key: key}}} }
	clients := func(ca, crl string) certs.Config {
		cfg := pair(goodCert, goodKey)
		cfg.ClientCA, cfg.ClientCRL = ca, crl
		return cfg
	}
	acme := func(edit func(*certs.ACME)) certs.Config {
		a := &certs.ACME{Names: []string{"ftp.example.com"}, Storage: filepath.Join(dir, "acme"), HTTPAddr: ":80", TLSAddr: ":443"}
		edit(a)
		return certs.Config{ACME: a}
	}
	damaged := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("not DER")})
	damagedKey := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("not DER")})
	damagedCRL := pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: []byte("not DER")})
	delta := []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 27}, Critical: true, Value: []byte{2, 1, 1}}}

	for _, test := range []struct {
		name string
		cfg  certs.Config
		want []string // all in the error
	}{
		{"nothing", certs.Config{}, []string{"no certificate", "self-signed", "ACME"}},
		{"certificate missing", pair(dir+"/no.crt", goodKey), []string{`certificate "` + dir + `/no.crt"`, "no such file"}},
		{"key missing", pair(goodCert, dir+"/no.key"), []string{`key "` + dir + `/no.key"`, "no such file"}},
		{"a directory", pair(dir, goodKey), []string{`certificate "` + dir + `"`, "is a directory"}},
		{"not PEM", pair(file("der.crt", good.cert.Raw), goodKey), []string{"der.crt", "not PEM", "openssl x509"}},
		{"empty", pair(file("empty.crt", nil), goodKey), []string{"empty.crt", "not PEM"}},
		{"key not PEM", pair(goodCert, file("der.key", []byte{0x30})), []string{"der.key", "not PEM", "openssl pkey"}},
		{"swapped", pair(goodKey, goodCert), []string{"good.key", "PRIVATE KEY", "swapped"}},
		{"certificate as key", pair(goodCert, caFile), []string{"ca.pem", "no private key", "swapped"}},
		{"key in the certificate's file missing", pair(goodCert, ""), []string{"good.crt", "no private key"}},
		{"damaged", pair(file("damaged.crt", damaged), goodKey), []string{"damaged.crt", "damaged"}},
		{"key damaged", pair(goodCert, file("damaged.key", damagedKey)), []string{"damaged.key", "good.crt", "parse"}},
		{"another's key", pair(goodCert, file("other.key", other.keyPEM(t))), []string{"other.key", "good.crt", "another certificate"}},
		{"chain upside down", pair(file("chain.crt", slices.Concat(ca.pem(), good.certPEM())), goodKey), []string{"chain.crt", "number 2", "first"}},
		{"passphrase", pair(goodCert, file("locked.key", locked)), []string{"locked.key", "passphrase", "openssl pkey"}},
		{"passphrase, as it was", pair(goodCert, file("locked1.key", locked1)), []string{"locked1.key", "passphrase"}},
		{"expired", pair(file("old.crt", old.certPEM()), goodKey), []string{"old.crt", "expired on 2020-02-03 04:05 UTC", "renew"}},
		{"not yet valid", pair(file("early.crt", early.certPEM()), goodKey), []string{"early.crt", "not valid before 2099-01-01", "clock"}},
		{"the second is bad", certs.Config{Pairs: []certs.Pair{{Cert: goodCert, Key: goodKey}, {Cert: dir + "/no2.crt"}}}, []string{"no2.crt"}},

		{"list without authority", clients("", caFile), []string{"revocation list", "authority"}},
		{"authority missing", clients(dir+"/no.pem", ""), []string{"client CA", "no.pem"}},
		{"authority is none", clients(goodCert, ""), []string{"good.crt", "ftp.example.com", "not that of an authority"}},
		{"list missing", clients(caFile, dir+"/no.crl"), []string{"revocation list", "no.crl"}},
		{"list not PEM", clients(caFile, file("der.crl", []byte{0x30})), []string{"der.crl", "PEM", "openssl crl"}},
		{"list damaged", clients(caFile, file("damaged.crl", damagedCRL)), []string{"damaged.crl", "damaged"}},
		{"another's list", clients(caFile, file("other.crl", stranger.revoke(t, later, nil))), []string{"other.crl", "Another CA", "signed"}},
		{"list of changes", clients(caFile, file("delta.crl", ca.revoke(t, later, delta))), []string{"delta.crl", "complete"}},
		{"list expired", clients(caFile, file("old.crl", ca.revoke(t, time.Now().Add(-time.Hour), nil))), []string{"old.crl", "expired"}},

		{"host with a port", certs.Config{Dir: dir, Hosts: []string{"ftp.example.com:21"}}, []string{`"ftp.example.com:21"`, "port"}},
		{"host in another script", certs.Config{Dir: dir, Hosts: []string{"müller.example"}}, []string{"müller.example", "xn--"}},
		{"host too long", certs.Config{Dir: dir, Hosts: []string{strings.Repeat("a.", 127) + "com"}}, []string{"host name"}},

		{"no names", acme(func(a *certs.ACME) { a.Names = nil }), []string{"names"}},
		{"a bad name", acme(func(a *certs.ACME) { a.Names = []string{"a b"} }), []string{`"a b"`}},
		{"no storage", acme(func(a *certs.ACME) { a.Storage = "" }), []string{"directory"}},
		{"no challenge", acme(func(a *certs.ACME) { a.HTTPAddr, a.TLSAddr = "off", "" }), []string{"HTTP-01", ":80"}},
		{"no port", acme(func(a *certs.ACME) { a.HTTPAddr = "localhost" }), []string{`"localhost"`, "HOST:PORT"}},
		{"port 0", acme(func(a *certs.ACME) { a.TLSAddr = ":0" }), []string{`":0"`, "HOST:PORT"}},
		{"two hosts", acme(func(a *certs.ACME) { a.TLSAddr = "192.0.2.1:443" }), []string{"same host"}},
		{"no https", acme(func(a *certs.ACME) { a.Directory = "http://acme.example/dir" }), []string{"https", "http://acme.example/dir"}},
		{"root missing", acme(func(a *certs.ACME) { a.RootCA = dir + "/no.root" }), []string{"ACME root CA", "no.root"}},
		{"half a binding", acme(func(a *certs.ACME) { a.KeyID = "kid" }), []string{"binding"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := certs.Open(t.Context(), test.cfg)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("%q is more than a sentence", err)
			}
			if check := certs.Check(test.cfg); check == nil || check.Error() != err.Error() {
				t.Errorf("Check says %v, Open %v", check, err)
			}
		})
	}
	if _, err := certs.Open(t.Context(), pair(dir+"/no.crt", goodKey)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v is not fs.ErrNotExist", err)
	}
}

func TestSelfSignedIsMadeOnceAndKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state", "tls")
	cfg := certs.Config{Dir: dir, Hosts: []string{"ftp.example.com", "192.0.2.7", "localhost"}}
	if err := certs.Check(cfg); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("Check has made the directory (%v)", err)
	}
	first := open(t, cfg)
	if again := open(t, cfg); again.Fingerprint() != first.Fingerprint() || first.Fingerprint() == "" {
		t.Errorf("the second start has %q, the first had %q", again.Fingerprint(), first.Fingerprint())
	}
	if err := certs.Check(cfg); err != nil {
		t.Error(err)
	}
	modes(t, map[string]fs.FileMode{dir: 0o700, filepath.Join(dir, "self-signed.pem"): 0o600})

	data, err := os.ReadFile(filepath.Join(dir, "self-signed.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(data)
	machine, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"localhost", machine, "127.0.0.1", "::1", "ftp.example.com", "192.0.2.7"} {
		if m := meet(first.Server(certs.Options{}), &tls.Config{RootCAs: pool, ServerName: host}); !m.ok() {
			t.Errorf("as %s: client says %v, server says %v", host, m.clientErr, m.serverErr)
		}
	}
	m := meet(first.Server(certs.Options{}), &tls.Config{RootCAs: pool, ServerName: "localhost"})
	if got, want := first.Fingerprint(), opensslFingerprint(m.client.PeerCertificates[0].Raw); got != want {
		t.Errorf("fingerprint %s, want %s", got, want)
	}
	names := first.Names()
	if len(names) != 1 || names[0].Issuer != "itself" || names[0].Warning != "" || !slices.Contains(names[0].Names, "ftp.example.com") {
		t.Errorf("names are %+v", names)
	}
	if until := time.Until(names[0].Expires); until < 9*365*24*time.Hour {
		t.Errorf("it lasts %v only: users would have to trust another one soon", until)
	}

	replace(t, filepath.Join(dir, "self-signed.pem"), data[:len(data)/2])
	if _, err := certs.Open(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "self-signed.pem") {
		t.Errorf("damaged: %v", err)
	}
}

func modes(t *testing.T, want map[string]fs.FileMode) {
	t.Helper()
	for path, mode := range want {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != mode {
			t.Errorf("%s has mode %v, want %v", path, info.Mode().Perm(), mode)
		}
	}
}

// opensslFingerprint writes SHA-256 as openssl x509 -fingerprint does.
func opensslFingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	var pairs []string
	for _, b := range sum {
		pairs = append(pairs, strings.ToUpper(hex.EncodeToString([]byte{b})))
	}
	return "SHA256:" + strings.Join(pairs, ":")
}

func TestSelfSignedCannotBeKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := certs.Open(t.Context(), certs.Config{Dir: filepath.Join(file, "tls")})
	if err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("%v", err)
	}
}

func TestKeyInTheCertificatesFile(t *testing.T) {
	ca := newAuthority(t, "CA")
	l := ca.issue(t, ecKey(t), nil, "ftp.example.com")
	for name, data := range map[string][]byte{
		"key last":  slices.Concat(l.certPEM(), ca.pem(), l.keyPEM(t)),
		"key first": slices.Concat(l.keyPEM(t), l.certPEM(), ca.pem()),
	} {
		path := filepath.Join(t.TempDir(), "both.pem")
		replace(t, path, data)
		s := open(t, certs.Config{Pairs: []certs.Pair{{Cert: path}}})
		if got := shown(t, s.Server(certs.Options{}), &tls.Config{RootCAs: ca.pool(), ServerName: "ftp.example.com"}); got != serial(l) {
			t.Errorf("%s: another certificate", name)
		}
	}
}

func TestNamesWarnOfTheEnd(t *testing.T) {
	ca, dir := newAuthority(t, "Our CA"), t.TempDir()
	for i, test := range []struct {
		life, left int // days
		warned     bool
	}{
		{365, 1, true},
		{365, 13, true},
		{365, 15, false},
		{90, 13, true},
		{90, 15, false},
		{6, 2, false}, // it has just been time to renew
		{1, 0, true},
	} {
		ends := time.Now().Add(time.Duration(test.left)*24*time.Hour + time.Hour)
		pair := ca.issue(t, ecKey(t), func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = ends.AddDate(0, 0, -test.life), ends
		}, "ftp.example.com").save(t, dir, fmt.Sprint(i))
		name := open(t, certs.Config{Pairs: []certs.Pair{pair}}).Names()[0]
		if (name.Warning != "") != test.warned || name.Issuer != "CN=Our CA" {
			t.Errorf("%+v: %+v", test, name)
		}
		if test.warned && !(strings.Contains(name.Warning, "ftp.example.com") && strings.Contains(name.Warning, ends.UTC().Format("2006-01-02"))) {
			t.Errorf("warning is %q", name.Warning)
		}
	}
}
