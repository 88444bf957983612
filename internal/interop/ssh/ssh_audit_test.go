package ssh

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"ferry/internal/interop/harness"
)

// TestThreat14SSHAudit scans with ssh-audit of Debian 12. What it calls fail or
// warn among the expected:
//
//   - the curves of NIST, for the exchange of keys and of the host: who made
//     them is what it does not like. JSch up to 0.1.55, with which most of
//     Java speaks SSH, has no other exchange without SHA-1, and no other host
//     key; FIPS knows no others either. Better ones come first.
//   - HMAC-SHA-2 that encrypts and does not authenticate the ciphertext: JSch,
//     and libssh2 before 1.11 (curl in Debian 12), know nothing newer.
//   - what it does not know: it is older than ML-KEM and than strict key
//     exchange, the answer to Terrapin.
func TestThreat14SSHAudit(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{Config: harness.Scanned})
	o := harness.Program{Limit: 3 * time.Minute}.Run(t, "ssh-audit", "-n", "-b", "-p", v.sshPort, "127.0.0.1")
	ours := regexp.MustCompile(`^(Starting audit|\(fin\)|\(nfo\)|!!!)`) // of this key, and advice to people
	var found []string
	for line := range strings.Lines(o.Out) {
		line = strings.Join(strings.Fields(line), " ")
		if line != "" && !ours.MatchString(line) {
			found = append(found, line)
		}
	}
	harness.Scan(t, "ssh-audit.txt", found)
	seen := harness.Program{}.Must(t, "ssh", append([]string{"-vvv"}, v.byKey("bob@127.0.0.1", "true")...)...)
	if !strings.Contains(seen.Err, "strict KEX") {
		t.Errorf("OpenSSH does not use strict key exchange:\n%s", seen.Err)
	}
}

// TestSSHOfOldLibraries: what JSch 0.1.54 offers, and what libssh2 1.10 does,
// is enough; what only a legacy network may use is not.
func TestSSHOfOldLibraries(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{Config: harness.CheapLogins + "[limits]\nban_after = 0\n"})
	for _, c := range []struct {
		kex, key, cipher, mac string
		in                    bool
	}{
		{"ecdh-sha2-nistp256,diffie-hellman-group14-sha1", "ecdsa-sha2-nistp256", "aes128-ctr,aes128-cbc", "hmac-sha1,hmac-sha2-256", true},
		{"curve25519-sha256,diffie-hellman-group14-sha256", "ecdsa-sha2-nistp256", "aes128-ctr,aes256-ctr", "hmac-sha2-256,hmac-sha2-512", true},
		{"diffie-hellman-group14-sha256", "rsa-sha2-256", "aes256-ctr", "hmac-sha2-512", true},
		{"diffie-hellman-group14-sha1", "ecdsa-sha2-nistp256", "aes128-ctr", "hmac-sha2-256", false},
		{"curve25519-sha256", "ssh-rsa", "aes128-ctr", "hmac-sha2-256", false},
		{"curve25519-sha256", "ssh-ed25519", "aes128-cbc", "hmac-sha2-256", false},
		{"curve25519-sha256", "ssh-ed25519", "aes128-ctr", "hmac-sha1", false},
	} {
		v.wantSSH(t, c.in, "bob", "", "-oKexAlgorithms="+c.kex, "-oHostKeyAlgorithms="+c.key, "-oCiphers="+c.cipher, "-oMACs="+c.mac,
			"-oUserKnownHostsFile=/dev/null", "-oIdentityFile="+v.key)
	}
}
