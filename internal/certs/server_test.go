package certs_test

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"testing"

	"ferry/internal/certs"
)

// pairOf opens a source with one certificate, RSA or ECDSA, for ftp.example.com.
func pairOf(t *testing.T, rsa bool) (*certs.Source, *authority) {
	t.Helper()
	ca, key := newAuthority(t, "CA"), ecKey(t)
	if rsa {
		key = rsaKey(t)
	}
	l := ca.issue(t, key, nil, "ftp.example.com")
	return open(t, certs.Config{Pairs: []certs.Pair{l.save(t, t.TempDir(), "server")}}), ca
}

func TestVersionsAndSuites(t *testing.T) {
	ecdsa, _ := pairOf(t, false)
	rsa, _ := pairOf(t, true)
	for _, test := range []struct {
		name           string
		source         *certs.Source
		version        uint16
		suite          uint16
		modern, legacy bool // shake hands
	}{
		{"TLS 1.3", ecdsa, tls.VersionTLS13, 0, true, true},
		{"TLS 1.2 ECDSA GCM", ecdsa, tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, true, true},
		{"TLS 1.2 ECDSA ChaCha", ecdsa, tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, true, true},
		{"TLS 1.2 RSA GCM", rsa, tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, true, true},
		{"TLS 1.2 CBC", rsa, tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, false, true},
		{"TLS 1.2 CBC, ECDSA", ecdsa, tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, false, true},
		{"TLS 1.2 RSA key exchange", rsa, tls.VersionTLS12, tls.TLS_RSA_WITH_AES_256_GCM_SHA384, false, true},
		{"TLS 1.2 RC4", rsa, tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA, false, false},
		{"TLS 1.1", rsa, tls.VersionTLS11, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, false, true},
		{"TLS 1.0", rsa, tls.VersionTLS10, tls.TLS_RSA_WITH_AES_128_CBC_SHA, false, true},
	} {
		client := &tls.Config{InsecureSkipVerify: true, MinVersion: test.version, MaxVersion: test.version}
		if test.suite != 0 {
			client.CipherSuites = []uint16{test.suite}
		}
		for legacy, want := range map[bool]bool{false: test.modern, true: test.legacy} {
			m := meet(test.source.Server(certs.Options{Legacy: legacy}), client)
			if m.ok() != want {
				t.Errorf("%s, legacy %v: client says %v, server says %v", test.name, legacy, m.clientErr, m.serverErr)
			}
			if m.ok() && (m.server.Version != test.version || test.suite != 0 && m.server.CipherSuite != test.suite) {
				t.Errorf("%s, legacy %v: %x %x", test.name, legacy, m.server.Version, m.server.CipherSuite)
			}
		}
	}
}

// TestEnvironmentChangesNothing: what Go once allowed by GODEBUG is ours to
// decide.
func TestEnvironmentChangesNothing(t *testing.T) {
	t.Setenv("GODEBUG", "tls10server=1,tlsrsakex=1,tls3des=1")
	source, _ := pairOf(t, true)
	for _, client := range []*tls.Config{
		{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11},
		{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}},
		{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA}},
	} {
		client.InsecureSkipVerify = true
		if m := meet(source.Server(certs.Options{}), client); m.ok() {
			t.Errorf("shook hands with version %x, suite %x", m.server.Version, m.server.CipherSuite)
		}
	}
}

// TestThreat11ALPN: a client that says it speaks something else than FTP is led
// here by an attacker (ALPACA) and gets no session; the many that say nothing
// do.
func TestThreat11ALPN(t *testing.T) {
	source, ca := pairOf(t, false)
	for _, test := range []struct {
		name   string
		server []string // Options.ALPN
		client []string
		ok     bool
		agreed string
	}{
		{"says nothing", nil, nil, true, ""},
		{"ftp", nil, []string{"ftp"}, true, "ftp"},
		{"ftp among others", nil, []string{"h2", "ftp"}, true, "ftp"},
		{"a browser", nil, []string{"h2", "http/1.1"}, false, ""},
		{"a mailer", nil, []string{"smtp"}, false, ""},
		{"an ACME server, and there is no ACME", nil, []string{"acme-tls/1"}, false, ""},
		{"nearly", nil, []string{"FTP", "ftp/1"}, false, ""},
		{"another choice", []string{"ftp", "x-ferry"}, []string{"x-ferry"}, true, "x-ferry"},
		{"another choice, a browser", []string{"x-ferry"}, []string{"http/1.1"}, false, ""},
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			m := meet(source.Server(certs.Options{ALPN: test.server}), &tls.Config{
				RootCAs: ca.pool(), ServerName: "ftp.example.com", NextProtos: test.client, MaxVersion: version,
			})
			if m.ok() != test.ok || m.server.NegotiatedProtocol != test.agreed {
				t.Errorf("%s, %s: agreed on %q, client says %v, server says %v",
					test.name, tls.VersionName(version), m.server.NegotiatedProtocol, m.clientErr, m.serverErr)
			}
		}
	}
}

func TestServerNames(t *testing.T) {
	ca, dir := newAuthority(t, "CA"), t.TempDir()
	first := ca.issue(t, ecKey(t), nil, "ftp.example.com")
	second := ca.issue(t, ecKey(t), nil, "files.example.org", "*.example.net")
	source := open(t, certs.Config{Pairs: []certs.Pair{first.save(t, dir, "first"), second.save(t, dir, "second")}})
	for _, test := range []struct {
		name string // asked for; "": not at all
		want leaf
		ok   bool // also with StrictSNI
	}{
		{"", first, true},
		{"ftp.example.com", first, true},
		{"files.example.org", second, true},
		{"FILES.example.org", second, true},
		{"a.example.net", second, true},
		{"a.b.example.net", first, false},
		{"nobody.example", first, false},
	} {
		client := &tls.Config{InsecureSkipVerify: true, ServerName: test.name}
		if got := shown(t, source.Server(certs.Options{}), client); got != serial(test.want) {
			t.Errorf("for %q the wrong certificate", test.name)
		}
		if m := meet(source.Server(certs.Options{StrictSNI: true}), client); m.ok() != test.ok {
			t.Errorf("strict, for %q: client says %v, server says %v", test.name, m.clientErr, m.serverErr)
		}
	}
	if names := source.Names(); len(names) != 2 || names[0].Names[0] != "ftp.example.com" || names[1].Names[0] != "files.example.org" {
		t.Errorf("names are %+v", names)
	}
}

// TestOneNameTwoKeys: a client that cannot verify ECDSA gets the certificate
// with RSA, whatever name it asks for.
func TestOneNameTwoKeys(t *testing.T) {
	ca, dir := newAuthority(t, "CA"), t.TempDir()
	ec := ca.issue(t, ecKey(t), nil, "ftp.example.com")
	rsa := ca.issue(t, rsaKey(t), nil, "ftp.example.com")
	source := open(t, certs.Config{Pairs: []certs.Pair{ec.save(t, dir, "ec"), rsa.save(t, dir, "rsa")}})
	old := []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
	for _, name := range []string{"ftp.example.com", "unknown.example", ""} {
		client := &tls.Config{InsecureSkipVerify: true, ServerName: name, MaxVersion: tls.VersionTLS12}
		if got := shown(t, source.Server(certs.Options{}), client); got != serial(ec) {
			t.Errorf("as %q: not the first certificate", name)
		}
		client.CipherSuites = old
		if got := shown(t, source.Server(certs.Options{}), client); got != serial(rsa) {
			t.Errorf("as %q, RSA only: not the certificate with RSA", name)
		}
	}
}

// TestFullRecords: a data connection sends 16 KiB records from the first byte
// on, a control connection begins with what fits into a packet.
func TestFullRecords(t *testing.T) {
	source, _ := pairOf(t, false)
	if got := firstRecord(t, source.Server(certs.Options{})); got > 1500 {
		t.Errorf("the first record has %d bytes, more than a packet", got)
	}
	if got := firstRecord(t, source.Server(certs.Options{FullRecords: true})); got < 16<<10 {
		t.Errorf("the first record of a data connection has %d bytes", got)
	}
}

// firstRecord is the size of the first record of a long write after the
// handshake.
func firstRecord(t *testing.T, server *tls.Config) int {
	t.Helper()
	clientSide, serverSide := pipe()
	wire := &recorder{Conn: serverSide}
	c, s := tls.Client(clientSide, &tls.Config{InsecureSkipVerify: true}), tls.Server(wire, server)
	go func() {
		defer clientSide.Close()
		_, _ = io.CopyN(io.Discard, c, 64<<10)
	}()
	if err := s.Handshake(); err != nil {
		t.Fatal(err)
	}
	wire.sent.Reset()
	if _, err := s.Write(make([]byte, 64<<10)); err != nil {
		t.Fatal(err)
	}
	return int(binary.BigEndian.Uint16(wire.sent.Bytes()[3:]))
}

// recorder keeps what is written.
type recorder struct {
	net.Conn
	sent bytes.Buffer
}

func (r *recorder) Write(p []byte) (int, error) {
	r.sent.Write(p)
	return r.Conn.Write(p)
}
