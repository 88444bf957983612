package ssh

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"ferry/internal/interop/harness"
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
	harness.WriteFile(t, a.revoked, nil)
	a.config = "[sftp]\nuser_ca = [\"" + a.key + ".pub\"]\nrevoked_keys = \"" + a.revoked + "\"\n" +
		harness.CheapLogins + "[limits]\nfail_delay = \"0s\"\nban_after = 0\n"
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
	harness.Program{}.Must(t, "ssh-keygen", slices.Concat([]string{"-q", "-s", a.key, "-I", "test"}, options, []string{key + ".pub"})...)
	return key
}

// revoke puts a new list in the place of the old one.
func (a signatory) revoke(t testing.TB, lines ...string) {
	t.Helper()
	list := a.revoked + ".new"
	harness.Program{Stdin: strings.Join(lines, "\n") + "\n"}.Must(t, "ssh-keygen", "-q", "-k", "-f", list, "-s", a.key+".pub", "-")
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
	v := startSSH(t, harness.Setup{Config: a.config})
	for _, c := range []struct {
		what    string
		name    string
		options []string
		in      bool
	}{
		{"good", harness.User, []string{"-n", harness.User}, true},
		{"several principals", "bob", []string{"-n", "x," + harness.User + ",bob"}, true},
		{"valid now", harness.User, []string{"-n", harness.User, "-V", "-1h:+1h"}, true},
		{"from here", harness.User, []string{"-n", harness.User, "-O", "source-address=127.0.0.0/8,::1/128"}, true},
		{"without terminal", harness.User, []string{"-n", harness.User, "-O", "clear"}, true},
		{"wrong principal", "bob", []string{"-n", harness.User}, false},
		{"no principal", harness.User, nil, false},
		{"no such user", "nobody", []string{"-n", "nobody"}, false},
		{"expired", harness.User, []string{"-n", harness.User, "-V", "-2h:-1h"}, false},
		{"not yet valid", harness.User, []string{"-n", harness.User, "-V", "+1h:+2h"}, false},
		{"from elsewhere", harness.User, []string{"-n", harness.User, "-O", "source-address=192.0.2.0/24"}, false},
		{"of a host", harness.User, []string{"-h", "-n", harness.User}, false},
		{"for a command", harness.User, []string{"-n", harness.User, "-O", "force-command=/bin/sh"}, false},
		{"with a PIN", harness.User, []string{"-n", harness.User, "-O", "verify-required"}, false},
		{"unknown critical option", harness.User, []string{"-n", harness.User, "-O", "critical:x@example.com=y"}, false},
		{"unknown extension", harness.User, []string{"-n", harness.User, "-O", "extension:x@example.com=y"}, true},
	} {
		t.Log(c.what)
		v.wantCertified(t, c.in, c.name, a.sign(t, c.options...))
	}
	stranger := newSignatory(t, "ed25519")
	v.wantCertified(t, false, harness.User, stranger.sign(t, "-n", harness.User))
	for _, kind := range []string{"rsa", "ecdsa"} {
		v.wantCertified(t, true, harness.User, a.signKey(t, newSSHKey(t, kind), "-n", harness.User))
	}
	v.Log.Wait(t, `by="certificate`, v.Ended)
}

// TestSSHAuthorities: authorities of every kind; one that signs with SHA-1 is
// none.
func TestSSHAuthorities(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"rsa", "ecdsa"} {
		a := newSignatory(t, kind)
		v := startSSH(t, harness.Setup{Config: a.config})
		v.wantCertified(t, true, harness.User, a.sign(t, "-n", harness.User))
		if kind == "rsa" {
			v.wantCertified(t, false, harness.User, a.sign(t, "-n", harness.User, "-t", "ssh-rsa"))
		}
	}
}

// TestSSHRevoked: lists that ssh-keygen -k makes count from the next login on,
// and so do plain ones.
func TestSSHRevoked(t *testing.T) {
	t.Parallel()
	a := newSignatory(t, "ed25519")
	v := startSSH(t, harness.Setup{Config: a.config})
	key := a.sign(t, "-n", harness.User, "-z", "4711")
	other := a.sign(t, "-n", harness.User, "-z", "4713", "-I", "other")
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	authority, err := os.ReadFile(a.key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	v.wantCertified(t, true, harness.User, key)
	for _, line := range []string{"serial: 4711", "serial: 4000-4712", "id: test", "key: " + string(public), "sha1: " + string(public), "sha256: " + string(public)} {
		a.revoke(t, line)
		v.wantCertified(t, false, harness.User, key)
		v.wantCertified(t, true, harness.User, other)
		a.revoke(t, "serial: 1")
		v.wantCertified(t, true, harness.User, key)
	}
	harness.WriteFile(t, a.revoked, public)
	v.wantCertified(t, false, harness.User, key)
	v.wantCertified(t, true, harness.User, other)
	harness.WriteFile(t, a.revoked, authority)
	v.wantCertified(t, false, harness.User, other)

	// A plain key of an account is revoked like any other.
	v.wantSSH(t, true, "bob", "", "-oIdentityFile="+v.key)
	bob, err := os.ReadFile(v.key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	harness.WriteFile(t, a.revoked, bob)
	v.wantSSH(t, false, "bob", "", "-oIdentityFile="+v.key, "-oPreferredAuthentications=publickey")
}

// TestSSHCertificateForSFTP: force-command=internal-sftp, as authorities give
// it to those who shall move files, leaves SFTP and nothing else.
func TestSSHCertificateForSFTP(t *testing.T) {
	t.Parallel()
	a := newSignatory(t, "ed25519")
	v := startSSH(t, harness.Setup{Config: a.config})
	v.key = a.sign(t, "-n", "bob", "-O", "force-command=internal-sftp")
	here := t.TempDir()
	harness.WriteFile(t, filepath.Join(here, "f"), harness.Noise(1, 1000))
	fine(t, v.sftp(t, here, "put f by-sftp"))
	fine(t, v.scp(t, here, "f", "there:by-scp"))
	harness.WantFile(t, v.Path("by-scp"), harness.Noise(1, 1000))
	if o := v.scp(t, here, "-O", "f", "there:old"); o.Code == 0 {
		t.Error("scp -O has copied a file")
	}
	harness.WantNoFile(t, v.Path("old"))
	v.wantCertified(t, false, "bob", v.key)
}

// TestSSHKeyAndPassword: OpenSSH's client and paramiko, for an account that
// needs both.
func TestSSHKeyAndPassword(t *testing.T) {
	t.Parallel()
	a := newSignatory(t, "ed25519")
	v := startSSH(t, harness.Setup{Config: a.config})
	harness.MustManage(t, v.Server, "", "set", "bob", "--login", "key+password")
	key := "-oIdentityFile=" + v.key
	stranger := "-oIdentityFile=" + newSSHKey(t, "ed25519")
	once := "-oNumberOfPasswordPrompts=1"
	v.wantSSH(t, true, "bob", harness.Password, key, once)
	v.wantSSH(t, true, "bob", harness.Password, key, once, "-oPreferredAuthentications=publickey,password")
	v.wantSSH(t, true, "bob", harness.Password, key, once, "-oPreferredAuthentications=publickey,keyboard-interactive")
	v.wantSSH(t, false, "bob", "wrong", key, once)
	v.wantSSH(t, false, "bob", harness.Password, stranger, once)
	v.wantSSH(t, false, "bob", harness.Password, key, "-oPreferredAuthentications=publickey")
	v.wantSSH(t, false, "bob", harness.Password, key, once, "-oPreferredAuthentications=password")
	v.wantSSH(t, true, "bob", harness.Password, "-oIdentityFile="+a.sign(t, "-n", "bob"), once)
	harness.WantLogin(t, v.Server, "bob", harness.Password, false) // by FTP

	script, err := filepath.Abs("testdata/paramiko_factors.py")
	if err != nil {
		t.Fatal(err)
	}
	harness.Program{Env: []string{"PYTHONDONTWRITEBYTECODE=1", "PYTHONWARNINGS=ignore"}}.Must(t, "/usr/bin/python3",
		script, v.sshPort, "bob", v.key, harness.Password, harness.User)
	v.Log.Wait(t, "asked for the login service twice", v.Ended)

	harness.MustManage(t, v.Server, "", "set", "bob", "--login", "key")
	v.wantSSH(t, true, "bob", "", key)
	v.wantSSH(t, false, "bob", harness.Password, stranger, once)
	harness.MustManage(t, v.Server, "", "set", "bob", "--login", "password")
	v.wantSSH(t, true, "bob", harness.Password, key, once)
	v.wantSSH(t, false, "bob", harness.Password, key, "-oPreferredAuthentications=publickey")
}

// TestSSHSourceBehindProxy: source-address is about the client, and not about
// the load balancer that it comes by.
func TestSSHSourceBehindProxy(t *testing.T) {
	t.Parallel()
	a := newSignatory(t, "ed25519")
	v := startSSH(t, harness.Setup{Config: strings.Replace(a.config, "[sftp]\n", "[sftp]\nproxy_from = [\"127.0.0.1\"]\n", 1)})
	for network, in := range map[string]bool{"192.0.2.0/24": true, "127.0.0.0/8": false} {
		key := a.sign(t, "-n", harness.User, "-O", "source-address="+network)
		for _, header := range []string{proxyText("192.0.2.7"), proxyBinary("192.0.2.7")} {
			conn, err := via("127.0.0.1:"+v.sshPort, header)
			if err != nil {
				t.Fatal(err)
			}
			_, _, _, err = ssh.NewClientConn(conn, "", &ssh.ClientConfig{User: harness.User,
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
		v := startSSH(t, harness.Setup{Config: fmt.Sprintf("[sftp]\nhost_keys = [%q]\nhost_certificates = [%q]\n", host, host+"-cert.pub")})
		public, err := os.ReadFile(a.key + ".pub")
		if err != nil {
			t.Fatal(err)
		}
		known := filepath.Join(t.TempDir(), "known")
		harness.WriteFile(t, known, slices.Concat([]byte("@cert-authority [127.0.0.1]:"+v.sshPort+" "), public))
		v.wantSSH(t, true, "bob", "", "-oIdentityFile="+v.key, "-oUserKnownHostsFile="+known, "-oStrictHostKeyChecking=yes")
		v.wantSSH(t, true, "bob", "", "-oIdentityFile="+v.key)
		other := newSSHKey(t, "ed25519")
		if public, err = os.ReadFile(other + ".pub"); err != nil {
			t.Fatal(err)
		}
		harness.WriteFile(t, known, slices.Concat([]byte("@cert-authority * "), public))
		v.wantSSH(t, false, "bob", "", "-oIdentityFile="+v.key, "-oUserKnownHostsFile="+known, "-oStrictHostKeyChecking=yes")
	}
}
