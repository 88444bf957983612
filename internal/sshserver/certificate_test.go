package sshserver

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"

	"ferry"
	"ferry/internal/sftpwire"
)

// certified is a harbour that trusts an authority.
type certified struct {
	*harbour
	authority ssh.Signer
}

func newCertified(t *testing.T) *certified {
	c := &certified{newHarbour(t), newKey(t)}
	c.cfg.Authority = func(key ssh.PublicKey) bool {
		return ssh.FingerprintSHA256(key) == ssh.FingerprintSHA256(c.authority.PublicKey())
	}
	return c
}

// issue signs a certificate of alice's, as it is when change has changed it,
// and gives what a client signs with.
func issue(t *testing.T, authority, key ssh.Signer, change func(*ssh.Certificate)) ssh.Signer {
	t.Helper()
	cert := &ssh.Certificate{Key: key.PublicKey(), Serial: 7, CertType: ssh.UserCert, KeyId: "laptop of alice",
		ValidPrincipals: []string{"alice"}, ValidAfter: uint64(time.Now().Add(-time.Hour).Unix()), ValidBefore: uint64(time.Now().Add(time.Hour).Unix())}
	cert.CriticalOptions, cert.Extensions = map[string]string{}, map[string]string{"permit-pty": ""}
	if change != nil {
		change(cert)
	}
	if err := cert.SignCert(rand.Reader, authority); err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewCertSigner(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func option(name, value string) func(*ssh.Certificate) {
	return func(c *ssh.Certificate) { c.CriticalOptions[name] = value }
}

// TestCertificates: what PROTOCOL.certkeys has a server look at. A certificate
// that is refused is told of with the reason, and the client hears
// nothing but no. The client is at 192.0.2.7.
func TestCertificates(t *testing.T) {
	hour := func(n int) uint64 { return uint64(time.Now().Add(time.Duration(n) * time.Hour).Unix()) }
	tests := []struct {
		name   string
		user   string
		change func(*ssh.Certificate)
		reason string // that is told; "": it is taken
	}{
		{"good", "alice", nil, ""},
		{"one of several principals", "alice", func(c *ssh.Certificate) { c.ValidPrincipals = []string{"bob", "alice"} }, ""},
		{"without an end", "alice", func(c *ssh.Certificate) { c.ValidAfter, c.ValidBefore = 0, ssh.CertTimeInfinity }, ""},
		{"of this address", "alice", option("source-address", "192.0.2.7"), ""},
		{"of this network", "alice", option("source-address", "10.0.0.0/8,2001:db8::/32,192.0.2.0/24"), ""},
		{"for SFTP", "alice", option("force-command", "internal-sftp"), ""},
		{"unknown extension", "alice", func(c *ssh.Certificate) { c.Extensions["x@example.com"] = "y" }, ""},
		{"principal of the account", "robot", func(c *ssh.Certificate) { c.ValidPrincipals = []string{"staff", "ci"} }, ""},
		{"name of an account that has principals", "robot", func(c *ssh.Certificate) { c.ValidPrincipals = []string{"robot"} }, "not for the account"},
		{"another's name", "bob", nil, `not for the account, but for the principals ["alice"]`},
		{"no such user", "zoe", func(c *ssh.Certificate) { c.ValidPrincipals = []string{"zoe"} }, "login incorrect"},
		{"name in other letters", "alice", func(c *ssh.Certificate) { c.ValidPrincipals = []string{"Alice", "alice ", "*"} }, "not for the account"},
		{"no principals", "alice", func(c *ssh.Certificate) { c.ValidPrincipals = nil }, "names no principal"},
		{"empty principal", "", func(c *ssh.Certificate) { c.ValidPrincipals = []string{""} }, "login incorrect"},
		{"not yet valid", "alice", func(c *ssh.Certificate) { c.ValidAfter = hour(1) }, "not yet valid"},
		{"expired", "alice", func(c *ssh.Certificate) { c.ValidBefore = hour(-1) }, "has expired"},
		{"times beyond the calendar", "alice", func(c *ssh.Certificate) { c.ValidAfter = 1 << 63 }, "not yet valid"},
		{"of a host", "alice", func(c *ssh.Certificate) { c.CertType = ssh.HostCert }, "no certificate of a user"},
		{"of no type", "alice", func(c *ssh.Certificate) { c.CertType = 0 }, "no certificate of a user"},
		{"of another address", "alice", option("source-address", "192.0.2.8"), "for clients from 192.0.2.8 only"},
		{"of another network", "alice", option("source-address", "198.51.100.0/24,2001:db8::/32"), "for clients from"},
		{"of no address", "alice", option("source-address", ""), "cannot be read"},
		{"of half an address", "alice", option("source-address", "192.0.2.7,192.0.2"), "cannot be read"},
		{"of a host name", "alice", option("source-address", "*"), "cannot be read"},
		{"for a command", "alice", option("force-command", "/bin/sh"), `for the command "/bin/sh"`},
		{"for SFTP, read only", "alice", option("force-command", "internal-sftp -R"), "internal-sftp is the only one"},
		{"for no command", "alice", option("force-command", ""), "for the command"},
		{"with a PIN", "alice", option("verify-required", ""), `unsupported critical option "verify-required"`},
		{"unknown option", "alice", option("x@example.com", "y"), "unsupported critical option"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newCertified(t)
			h.users["bob"], h.users["robot"] = holder{}, holder{named: []string{"ci", "deploy"}}
			h.Open()
			key := newKey(t)
			_, err := h.knock(test.user, ssh.PublicKeys(issue(t, h.authority, key, test.change)))
			if (err == nil) != (test.reason == "") {
				t.Errorf("%v, want in: %v", err, test.reason == "")
			}
			logins := h.events(ferry.EventLogin)
			if test.reason != "" {
				if !strings.Contains(h.refusals(), test.reason) || len(logins) > 0 {
					t.Errorf("logins %v; told is\n%s", logins, h.refusals())
				}
				if n := len(h.events(ferry.EventLoginFailed)); n > 0 {
					t.Errorf("a certificate that was only offered counts as %d failures", n)
				}
				return
			}
			want := `certificate "laptop of alice" (serial 7) of the authority ` + ssh.FingerprintSHA256(h.authority.PublicKey()) +
				", for the key " + ssh.FingerprintSHA256(key.PublicKey())
			if len(logins) != 1 || logins[0].User != test.user || logins[0].By != want {
				t.Errorf("logins: %+v", logins)
			}
		})
	}
}

// weak signs as old authorities do, with SHA-1.
type weak struct{ ssh.AlgorithmSigner }

func (w weak) Sign(random io.Reader, data []byte) (*ssh.Signature, error) {
	return w.SignWithAlgorithm(random, data, ssh.KeyAlgoRSA)
}

func (w weak) SignWithAlgorithm(random io.Reader, data []byte, _ string) (*ssh.Signature, error) {
	return w.AlgorithmSigner.SignWithAlgorithm(random, data, ssh.KeyAlgoRSA)
}

func TestWhoSignsCertificates(t *testing.T) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	strong, err := ssh.NewSignerWithAlgorithms(key.(ssh.AlgorithmSigner), []string{ssh.KeyAlgoRSASHA512})
	if err != nil {
		t.Fatal(err)
	}
	old := weak{key.(ssh.AlgorithmSigner)}
	stranger := newKey(t)
	tests := []struct {
		name           string
		trusted, signs ssh.Signer
		reason         string
	}{
		{"RSA with SHA-2", strong, strong, ""},
		{"RSA with SHA-1", old, old, "too weak"},
		{"somebody", strong, stranger, "no authority of sftp.user_ca has signed it"},
	}
	for _, test := range tests {
		h := newCertified(t)
		h.authority = test.trusted
		h.Open()
		_, err := h.knock("alice", ssh.PublicKeys(issue(t, test.signs, newKey(t), nil)))
		if (err == nil) != (test.reason == "") || !strings.Contains(h.refusals(), test.reason) {
			t.Errorf("%s: %v\n%s", test.name, err, h.refusals())
		}
	}
	h := newHarbour(t).Open() // which trusts nobody
	if _, err := h.knock("alice", ssh.PublicKeys(issue(t, stranger, newKey(t), nil))); err == nil {
		t.Error("a certificate is taken where there is no authority")
	}
	// The key of a certificate is no key of alice's, and neither is the
	// certificate, whatever stands among her keys.
	cert := issue(t, stranger, newKey(t), nil)
	h.users["alice"] = holder{keys: []string{ssh.FingerprintSHA256(cert.PublicKey())}}
	if _, err := h.knock("alice", ssh.PublicKeys(cert)); err == nil {
		t.Error("a certificate is taken as a key")
	}
}

// forged shows a certificate whose signature is of another one.
func TestForgedCertificate(t *testing.T) {
	h := newCertified(t)
	h.Open()
	key := newKey(t)
	cert := issue(t, h.authority, key, func(c *ssh.Certificate) { c.ValidPrincipals = []string{"mallory"} }).PublicKey().(*ssh.Certificate)
	cert.ValidPrincipals = []string{"alice"}
	signer, err := ssh.NewCertSigner(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.knock("alice", ssh.PublicKeys(signer)); err == nil || !strings.Contains(h.refusals(), "signature does not verify") {
		t.Errorf("%v\n%s", err, h.refusals())
	}
}

// TestThreat15CertificateIsProved: whoever shows a certificate and signs with
// another key is not in, and a certificate that was offered first leaves
// nothing behind for the key that is proved then.
func TestThreat15CertificateIsProved(t *testing.T) {
	h := newCertified(t)
	own := newKey(t)
	h.users["anna"] = holder{keys: []string{ssh.FingerprintSHA256(own.PublicKey())}, rights: ferry.RightsRead}
	h.Open()
	cert := issue(t, h.authority, newKey(t), func(c *ssh.Certificate) { c.ValidPrincipals = []string{"alice", "anna"} })
	if _, err := h.knock("alice", ssh.PublicKeys(lying{own, cert.PublicKey()})); err == nil {
		t.Error("alice's certificate was shown, anna's key signed, and somebody is in")
	}
	if _, err := h.knock("alice", ssh.PublicKeys(lying{own, cert.PublicKey()}, own)); err == nil {
		t.Error("alice is in by anna's key")
	}
	if logins := h.events(ferry.EventLogin); len(logins) > 0 {
		t.Errorf("logins: %v", logins)
	}
	// A certificate for SFTP only is offered and refused, then anna's own key is
	// taken: what the one allows and forbids is not the other's.
	refused := issue(t, h.authority, newKey(t), func(c *ssh.Certificate) {
		c.CriticalOptions["force-command"] = "internal-sftp"
		c.ValidPrincipals = []string{"alice"}
	})
	client, err := h.knock("anna", ssh.PublicKeys(refused, own))
	if err != nil {
		t.Fatal(err)
	}
	if out, _, err := run(t, client, "pwd", ""); err != nil || out != "/\n" {
		t.Errorf("pwd: %q, %v", out, err)
	}
	if logins := h.events(ferry.EventLogin); len(logins) != 1 || logins[0].By != "key "+ssh.FingerprintSHA256(own.PublicKey()) {
		t.Errorf("logins: %v", logins)
	}
}

// TestCertificateForSFTPOnly: force-command=internal-sftp leaves SFTP and
// nothing else.
func TestCertificateForSFTPOnly(t *testing.T) {
	h := newCertified(t)
	h.Open()
	client, err := h.knock("alice", ssh.PublicKeys(issue(t, h.authority, newKey(t), option("force-command", "internal-sftp"))))
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"pwd", "scp -t /f", "md5sum"} {
		var exit *ssh.ExitError
		out, said, err := run(t, client, command, "")
		if !errors.As(err, &exit) || exit.ExitStatus() != 127 || out != "" || said != "The certificate allows sftp only.\n" {
			t.Errorf("%s was run: %v, %q, %q", command, err, out, said)
		}
	}
	s, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	in, inErr := s.StdinPipe()
	out, outErr := s.StdoutPipe()
	if err := errors.Join(inErr, outErr, s.RequestSubsystem("sftp")); err != nil {
		t.Fatal(err)
	}
	send(t, in, string(sftpwire.AppendInit(nil, sftpwire.Hello{Version: 3})))
	if _, err := io.ReadFull(out, make([]byte, 9)); err != nil {
		t.Errorf("no SFTP: %v", err)
	}
}

// TestRevoked: a revoked key gets nobody in, nor does a certificate; one that
// is revoked between offer and proof, or between its proof and the password, is
// a failed login like any other.
func TestRevoked(t *testing.T) {
	key := newKey(t)
	for _, what := range []string{"key", "certificate"} {
		for _, login := range []ferry.Login{ferry.LoginAny, ferry.LoginKeyAndPassword} {
			h := newCertified(t)
			asked, good := 0, 1<<30
			h.cfg.Revoked = func(ssh.PublicKey) bool { asked++; return asked > good }
			h.users["alice"] = holder{password: "s3cret", keys: []string{ssh.FingerprintSHA256(key.PublicKey())}, login: login}
			h.Open()
			signer := key
			if what == "certificate" {
				signer = issue(t, h.authority, key, nil)
			}
			if _, err := h.knock("alice", ssh.PublicKeys(signer), ssh.Password("s3cret")); err != nil {
				t.Fatalf("%s, %v: %v", what, login, err)
			}
			looks := asked // at the offer, the proof, the password
			for good = range looks {
				asked = 0
				before := len(h.events(ferry.EventLoginFailed))
				_, err := h.knock("alice", ssh.PublicKeys(signer), ssh.Password("wrong"))
				if err == nil {
					t.Errorf("%s, %v: in, though it was revoked after %d looks", what, login, good)
				}
				password := 1
				if login == ferry.LoginKeyAndPassword && good == looks-1 {
					password = 0 // its failure is this one
				}
				if n := len(h.events(ferry.EventLoginFailed)) - before; n != min(good, 1)+password {
					t.Errorf("%s, %v, revoked after %d looks: %d failures", what, login, good, n)
				}
			}
		}
	}
}

// TestCertificateEndsMeanwhile: one that expires while its holder looks for the
// password lets nobody in.
func TestCertificateEndsMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newCertified(t)
		h.users["alice"] = holder{password: "s3cret", login: ferry.LoginKeyAndPassword}
		h.cfg.LoginTimeout = 3 * time.Hour
		h.Open()
		cert := issue(t, h.authority, newKey(t), nil)
		for _, late := range []bool{false, true} {
			_, err := h.knock("alice", ssh.PublicKeys(cert), ssh.PasswordCallback(func() (string, error) {
				if late {
					time.Sleep(2 * time.Hour)
				}
				return "s3cret", nil
			}))
			if (err == nil) == late {
				t.Errorf("late %v: %v", late, err)
			}
		}
		if e := h.events(ferry.EventLogin); len(e) != 1 || !strings.HasSuffix(e[0].By, " and password") {
			t.Errorf("logins: %+v", e)
		}
	})
}

func TestSourceIsThePeer(t *testing.T) {
	for _, test := range []struct {
		networks, peer string
		in             bool
	}{
		{"2001:db8::/32", "2001:db8::7", true},
		{"fe80::/10", "fe80::1%eth0", true},
		{"0.0.0.0/0", "2001:db8::7", false},
		{"::/0", "192.0.2.7", false},
		{"192.0.2.7/32", "192.0.2.7", true},
		{"192.0.2.7/33", "192.0.2.7", false},
		{"192.0.2.7, 10.0.0.0/8", "192.0.2.7", false},
		{"!192.0.2.8", "192.0.2.7", false},
	} {
		if err := checkSource(test.networks, netip.MustParseAddr(test.peer)); (err == nil) != test.in {
			t.Errorf("%s from %s: %v", test.networks, test.peer, err)
		}
	}
}
