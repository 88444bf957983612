package ssh

import (
	"strings"
	"testing"

	"ferry/internal/interop/harness"
)

// TestSSHLegacyNetworks: OpenSSH's client as an old device would be, from a
// network where that is allowed and from another.
func TestSSHLegacyNetworks(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{Config: harness.CheapLogins + "[sftp]\nlegacy_networks = [\"127.0.0.2/32\"]\n"})
	rsa := newSSHKey(t, "rsa")
	harness.MustManage(t, v.Server, "", "key", "add", "bob", rsa+".pub")
	old := []string{"-oKexAlgorithms=diffie-hellman-group14-sha1", "-oCiphers=aes128-cbc", "-oMACs=hmac-sha1", "-oHostKeyAlgorithms=ssh-rsa",
		"-oPubkeyAcceptedAlgorithms=ssh-rsa", "-oIdentityFile=" + rsa, "-oPreferredAuthentications=publickey"}
	for _, c := range []struct {
		from string
		in   bool
	}{{"127.0.0.2", true}, {"127.0.0.3", false}} {
		v.wantSSH(t, c.in, "bob", "", append(old, "-oBindAddress="+c.from, "-oUserKnownHostsFile=/dev/null")...)
	}
	v.wantSSH(t, true, "bob", "", "-oBindAddress=127.0.0.2", "-oIdentityFile="+v.key)

	text := v.Log.String()
	if n := harness.Lines(text, `msg="legacy profile in use"`); n != 2 { // the transport, and the signature
		t.Errorf("%d uses are in the log, want 2", n)
	}
	for _, words := range [][]string{
		{`msg="legacy profile in use"`, `for="diffie-hellman-group14-sha1, ssh-rsa, aes128-cbc, hmac-sha1"`, "peer=127.0.0.2:",
			"kex=diffie-hellman-group14-sha1 host_key=ssh-rsa cipher=aes128-cbc mac=hmac-sha1", "so_far=1"},
		{`msg="legacy profile in use"`, "for=ssh-rsa ", "user=bob", "so_far=2"},
		{"no algorithm in common with the client", "peer=127.0.0.3:", "sftp.legacy_networks"},
	} {
		if harness.Lines(text, words...) != 1 {
			t.Errorf("no line of the log has all of %s", strings.Join(words, ", "))
		}
	}
}
