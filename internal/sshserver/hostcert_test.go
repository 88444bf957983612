package sshserver

import (
	"crypto/rand"
	"crypto/rsa"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

func hostCertificate(t *testing.T, authority, key ssh.Signer) *ssh.Certificate {
	t.Helper()
	return issue(t, authority, key, func(c *ssh.Certificate) {
		c.CertType, c.ValidPrincipals = ssh.HostCert, []string{"server.example"}
	}).PublicKey().(*ssh.Certificate)
}

// TestHostCerts: a client that knows the authority needs to know no key,
// and one that knows nothing of certificates goes on as before. RSA's are
// signed with SHA-2.
func TestHostCertificates(t *testing.T) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	authority := newKey(t)
	for _, key := range []ssh.Signer{newKey(t), rsaKey} {
		h := newHarbour(t)
		h.cfg.HostKeys = []ssh.Signer{key}
		h.cfg.HostCerts = []*ssh.Certificate{hostCertificate(t, authority, key)}
		h.Open()
		trusting := ssh.CertChecker{IsHostAuthority: func(k ssh.PublicKey, _ string) bool {
			return ssh.FingerprintSHA256(k) == ssh.FingerprintSHA256(authority.PublicKey())
		}}
		plain := []string{ssh.KeyAlgoED25519, ssh.KeyAlgoRSASHA256}
		certs := []string{ssh.CertAlgoED25519v01, ssh.CertAlgoRSASHA512v01, ssh.CertAlgoRSASHA256v01}
		for _, c := range []struct {
			algorithms []string
			check      ssh.HostKeyCallback
			in         bool
		}{
			{certs, trusting.CheckHostKey, true},
			{plain, ssh.FixedHostKey(key.PublicKey()), true},
			{plain, trusting.CheckHostKey, false},
			{[]string{ssh.CertAlgoRSAv01}, ssh.InsecureIgnoreHostKey(), false},
		} {
			near, far := newWire()
			go h.srv.Handle(far)
			conn, _, _, err := ssh.NewClientConn(near, "server.example:22", &ssh.ClientConfig{User: "alice",
				Auth: []ssh.AuthMethod{ssh.Password("s3cret")}, HostKeyAlgorithms: c.algorithms, HostKeyCallback: c.check})
			if (err == nil) != c.in {
				t.Errorf("%s, %v: %v, want in: %v", key.PublicKey().Type(), c.algorithms, err, c.in)
			}
			if err == nil {
				conn.Close()
			}
			near.Close()
		}
	}
}

func TestBadHostCertificates(t *testing.T) {
	key, authority := newKey(t), newKey(t)
	file := filepath.Join(t.TempDir(), "cert.pub")
	for says, content := range map[string]string{
		"is none: name the file":           string(ssh.MarshalAuthorizedKey(key.PublicKey())),
		"is one of a user":                 string(ssh.MarshalAuthorizedKey(issue(t, authority, key, nil).PublicKey())),
		"cert.pub is none":                 "x",
		"cannot read the host certificate": "",
	} {
		if content == "" {
			os.Remove(file)
		} else if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadHostCertificate(file); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", content, err, says)
		}
	}
	cert := hostCertificate(t, authority, key)
	for says, cfg := range map[string]Config{
		"which is no host key": {HostKeys: []ssh.Signer{newKey(t)}, HostCerts: []*ssh.Certificate{cert}},
		"two certificates":     {HostKeys: []ssh.Signer{key}, HostCerts: []*ssh.Certificate{cert, hostCertificate(t, authority, key)}},
	} {
		if err := cfg.checkHostCertificates(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
}
