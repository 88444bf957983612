package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// signatory signs certificates as its operators do, with ssh-keygen.
type signatory struct {
	key     string // file
	revoked string // file
	config  string // of a server that trusts it
}

func newSignatory(t testing.TB, kind string, more ...string) signatory {
	t.Helper()
	a := signatory{key: newSSHKey(t, kind, more...)}
	a.revoked = filepath.Join(filepath.Dir(a.key), "revoked")
	writeFile(t, a.revoked, nil)
	a.config = "[sftp]\nuser_ca = [\"" + a.key + ".pub\"]\nrevoked_keys = \"" + a.revoked + "\"\n" +
		cheapLogins + "[limits]\nfail_delay = \"0s\"\nban_after = 0\n"
	return a
}

// sign makes a certificate for a new key, and gives the file of the key: OpenSSH
// finds the certificate beside it.
func (a signatory) sign(t testing.TB, options ...string) string {
	t.Helper()
	return a.signKey(t, newSSHKey(t, "ed25519"), options...)
}

func (a signatory) signKey(t testing.TB, key string, options ...string) string {
	t.Helper()
	program{}.must(t, "ssh-keygen", slices.Concat([]string{"-q", "-s", a.key, "-I", "test"}, options, []string{key + ".pub"})...)
	return key
}

// revoke puts a new list in the place of the old one.
func (a signatory) revoke(t testing.TB, lines ...string) {
	t.Helper()
	list := a.revoked + ".new"
	program{stdin: strings.Join(lines, "\n") + "\n"}.must(t, "ssh-keygen", "-q", "-k", "-f", list, "-s", a.key+".pub", "-")
	if err := os.Rename(list, a.revoked); err != nil {
		t.Fatal(err)
	}
}

// wantCertified logs in as name by the certificate of key, and wants it to work
// or not.
func (v *secure) wantCertified(t testing.TB, in bool, name, key string) {
	t.Helper()
	v.wantSSH(t, in, name, "", "-oIdentityFile="+key, "-oPreferredAuthentications=publickey")
}

// TestSSHCertificates: what ssh-keygen signs is taken where sshd would take it,
// and nowhere else.
func TestSSHCertificates(t *testing.T) {
	t.Parallel()
	a := newSignatory(t, "ed25519")
	v := startSSH(t, setup{config: a.config})
	for _, c := range []struct {
		what    string
		name    string
		options []string
		in      bool
	}{
		{"good", user, []string{"-n", user}, true},
		{"several principals", "bob", []string{"-n", "x," + user + ",bob"}, true},
		{"valid now", user, []string{"-n", user, "-V", "-1h:+1h"}, true},
		{"from here", user, []string{"-n", user, "-O", "source-address=127.0.0.0/8,::1/128"}, true},
		{"without terminal", user, []string{"-n", user, "-O", "clear"}, true},
		{"wrong principal", "bob", []string{"-n", user}, false},
		{"no principal", user, nil, false},
		{"no such user", "nobody", []string{"-n", "nobody"}, false},
		{"expired", user, []string{"-n", user, "-V", "-2h:-1h"}, false},
		{"not yet valid", user, []string{"-n", user, "-V", "+1h:+2h"}, false},
		{"from elsewhere", user, []string{"-n", user, "-O", "source-address=192.0.2.0/24"}, false},
		{"of a host", user, []string{"-h", "-n", user}, false},
		{"for a command", user, []string{"-n", user, "-O", "force-command=/bin/sh"}, false},
		{"with a PIN", user, []string{"-n", user, "-O", "verify-required"}, false},
		{"unknown critical option", user, []string{"-n", user, "-O", "critical:x@example.com=y"}, false},
		{"unknown extension", user, []string{"-n", user, "-O", "extension:x@example.com=y"}, true},
	} {
		t.Log(c.what)
		v.wantCertified(t, c.in, c.name, a.sign(t, c.options...))
	}
	stranger := newSignatory(t, "ed25519")
	v.wantCertified(t, false, user, stranger.sign(t, "-n", user))
	for _, kind := range []string{"rsa", "ecdsa"} {
		v.wantCertified(t, true, user, a.signKey(t, newSSHKey(t, kind), "-n", user))
	}
	v.log.wait(t, `by="certificate`, v.ended)
}

// TestSSHAuthorities: authorities of every kind; one that signs with SHA-1 is
// none.
func TestSSHAuthorities(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"rsa", "ecdsa"} {
		a := newSignatory(t, kind)
		v := startSSH(t, setup{config: a.config})
		v.wantCertified(t, true, user, a.sign(t, "-n", user))
		if kind == "rsa" {
			v.wantCertified(t, false, user, a.sign(t, "-n", user, "-t", "ssh-rsa"))
		}
	}
}

// TestSSHRevoked: lists that ssh-keygen -k makes count from the next login on,
// and so do plain ones.
func TestSSHRevoked(t *testing.T) {
	t.Parallel()
	a := newSignatory(t, "ed25519")
	v := startSSH(t, setup{config: a.config})
	key := a.sign(t, "-n", user, "-z", "4711")
	other := a.sign(t, "-n", user, "-z", "4713", "-I", "other")
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	authority, err := os.ReadFile(a.key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	v.wantCertified(t, true, user, key)
	for _, line := range []string{"serial: 4711", "serial: 4000-4712", "id: test", "key: " + string(public), "sha1: " + string(public), "sha256: " + string(public)} {
		a.revoke(t, line)
		v.wantCertified(t, false, user, key)
		v.wantCertified(t, true, user, other)
		a.revoke(t, "serial: 1")
		v.wantCertified(t, true, user, key)
	}
	writeFile(t, a.revoked, public)
	v.wantCertified(t, false, user, key)
	v.wantCertified(t, true, user, other)
	writeFile(t, a.revoked, authority)
	v.wantCertified(t, false, user, other)

	// A plain key of an account is revoked like any other.
	v.wantSSH(t, true, "bob", "", "-oIdentityFile="+v.key)
	bob, err := os.ReadFile(v.key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, a.revoked, bob)
	v.wantSSH(t, false, "bob", "", "-oIdentityFile="+v.key, "-oPreferredAuthentications=publickey")
}

// TestSSHCertificateForSFTP: force-command=internal-sftp, as authorities give
// it to those who shall move files, leaves SFTP and nothing else.
func TestSSHCertificateForSFTP(t *testing.T) {
	t.Parallel()
	a := newSignatory(t, "ed25519")
	v := startSSH(t, setup{config: a.config})
	v.key = a.sign(t, "-n", "bob", "-O", "force-command=internal-sftp")
	here := t.TempDir()
	writeFile(t, filepath.Join(here, "f"), noise(1, 1000))
	fine(t, v.sftp(t, here, "put f by-sftp"))
	fine(t, v.scp(t, here, "f", "there:by-scp"))
	wantFile(t, v.path("by-scp"), noise(1, 1000))
	if o := v.scp(t, here, "-O", "f", "there:old"); o.code == 0 {
		t.Error("scp -O has copied a file")
	}
	wantNoFile(t, v.path("old"))
	v.wantCertified(t, false, "bob", v.key)
}

// TestSSHKeyAndPassword: OpenSSH's client and paramiko, for an account that
// needs both.
func TestSSHKeyAndPassword(t *testing.T) {
	t.Parallel()
	a := newSignatory(t, "ed25519")
	v := startSSH(t, setup{config: a.config})
	mustManage(t, v.server, "", "set", "bob", "--login", "key+password")
	key := "-oIdentityFile=" + v.key
	stranger := "-oIdentityFile=" + newSSHKey(t, "ed25519")
	once := "-oNumberOfPasswordPrompts=1"
	v.wantSSH(t, true, "bob", password, key, once)
	v.wantSSH(t, true, "bob", password, key, once, "-oPreferredAuthentications=publickey,password")
	v.wantSSH(t, true, "bob", password, key, once, "-oPreferredAuthentications=publickey,keyboard-interactive")
	v.wantSSH(t, false, "bob", "wrong", key, once)
	v.wantSSH(t, false, "bob", password, stranger, once)
	v.wantSSH(t, false, "bob", password, key, "-oPreferredAuthentications=publickey")
	v.wantSSH(t, false, "bob", password, key, once, "-oPreferredAuthentications=password")
	v.wantSSH(t, true, "bob", password, "-oIdentityFile="+a.sign(t, "-n", "bob"), once)
	wantLogin(t, v.server, "bob", password, false) // by FTP

	script, err := filepath.Abs("testdata/paramiko_factors.py")
	if err != nil {
		t.Fatal(err)
	}
	program{env: []string{"PYTHONDONTWRITEBYTECODE=1", "PYTHONWARNINGS=ignore"}}.must(t, "/usr/bin/python3",
		script, v.sshPort, "bob", v.key, password, user)
	v.log.wait(t, "asked for the login service twice", v.ended)

	mustManage(t, v.server, "", "set", "bob", "--login", "key")
	v.wantSSH(t, true, "bob", "", key)
	v.wantSSH(t, false, "bob", password, stranger, once)
	mustManage(t, v.server, "", "set", "bob", "--login", "password")
	v.wantSSH(t, true, "bob", password, key, once)
	v.wantSSH(t, false, "bob", password, key, "-oPreferredAuthentications=publickey")
}

// TestSSHSourceBehindProxy: source-address is about the client, and not about
// the load balancer that it comes by.
func TestSSHSourceBehindProxy(t *testing.T) {
	t.Parallel()
	a := newSignatory(t, "ed25519")
	v := startSSH(t, setup{config: strings.Replace(a.config, "[sftp]\n", "[sftp]\nproxy_from = [\"127.0.0.1\"]\n", 1)})
	for network, in := range map[string]bool{"192.0.2.0/24": true, "127.0.0.0/8": false} {
		key := a.sign(t, "-n", user, "-O", "source-address="+network)
		for _, header := range []string{proxyText("192.0.2.7"), proxyBinary("192.0.2.7")} {
			conn, err := via("127.0.0.1:"+v.sshPort, header)
			if err != nil {
				t.Fatal(err)
			}
			_, _, _, err = ssh.NewClientConn(conn, "", &ssh.ClientConfig{User: user,
				Auth: []ssh.AuthMethod{ssh.PublicKeys(certificateOf(t, key))}, HostKeyCallback: ssh.InsecureIgnoreHostKey()})
			if (err == nil) != in {
				t.Errorf("from 192.0.2.7 by a certificate for %s: %v", network, err)
			}
			conn.Close()
		}
	}
}

// certificateOf signs with key, and shows the certificate beside it.
func certificateOf(t testing.TB, key string) ssh.Signer {
	t.Helper()
	private, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.ParsePrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	line, err := os.ReadFile(key + "-cert.pub")
	if err != nil {
		t.Fatal(err)
	}
	cert, _, _, _, err := ssh.ParseAuthorizedKey(line)
	if err != nil {
		t.Fatal(err)
	}
	signer, err = ssh.NewCertSigner(cert.(*ssh.Certificate), signer)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// TestSSHHostCertificates: a client that trusts the authority knows the server
// without ever having seen it; one that does not goes by the key.
func TestSSHHostCertificates(t *testing.T) {
	t.Parallel()
	a := newSignatory(t, "ed25519")
	for _, kind := range []string{"ed25519", "rsa", "ecdsa"} {
		host := a.signKey(t, newSSHKey(t, kind), "-h", "-n", "127.0.0.1")
		v := startSSH(t, setup{config: fmt.Sprintf("[sftp]\nhost_keys = [%q]\nhost_certificates = [%q]\n", host, host+"-cert.pub")})
		public, err := os.ReadFile(a.key + ".pub")
		if err != nil {
			t.Fatal(err)
		}
		known := filepath.Join(t.TempDir(), "known")
		writeFile(t, known, slices.Concat([]byte("@cert-authority [127.0.0.1]:"+v.sshPort+" "), public))
		v.wantSSH(t, true, "bob", "", "-oIdentityFile="+v.key, "-oUserKnownHostsFile="+known, "-oStrictHostKeyChecking=yes")
		v.wantSSH(t, true, "bob", "", "-oIdentityFile="+v.key)
		other := newSSHKey(t, "ed25519")
		if public, err = os.ReadFile(other + ".pub"); err != nil {
			t.Fatal(err)
		}
		writeFile(t, known, slices.Concat([]byte("@cert-authority * "), public))
		v.wantSSH(t, false, "bob", "", "-oIdentityFile="+v.key, "-oUserKnownHostsFile="+known, "-oStrictHostKeyChecking=yes")
	}
}
