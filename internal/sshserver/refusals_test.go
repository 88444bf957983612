package sshserver

import (
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"ferry"
)

// TestRefusedLoginsSayWhy: whoever is not let in is in the log with the name, what was
// shown, and why not, though nothing was counted as a failed login.
func TestRefusedLoginsSayWhy(t *testing.T) {
	key, revoked := newKey(t), newKey(t)
	print := ssh.FingerprintSHA256(key.PublicKey())
	tests := []struct {
		what        string
		noPasswords bool
		auth        []ssh.AuthMethod
		want        string
	}{
		{"a key of nobody's", false, []ssh.AuthMethod{ssh.PublicKeys(key)}, "user=alice by=key " + print + ": login incorrect"},
		{"a revoked key", false, []ssh.AuthMethod{ssh.PublicKeys(revoked)}, "by=key " + ssh.FingerprintSHA256(revoked.PublicKey()) + ": the key is revoked"},
		{"a password where none is taken", true, []ssh.AuthMethod{ssh.Password("s3cret")}, "user=alice by=: the client has shown no key and no password"},
		{"nothing", false, nil, "user=alice by=: the client has shown no key and no password"},
		{"another's signature", false, []ssh.AuthMethod{ssh.PublicKeys(lying{newKey(t), key.PublicKey()})}, "user=alice by=: ssh: signature"},
	}
	for _, test := range tests {
		h := newHarbour(t)
		h.cfg.NoPasswords = test.noPasswords
		h.cfg.Revoked = func(k ssh.PublicKey) bool { return string(k.Marshal()) == string(revoked.PublicKey().Marshal()) }
		if test.what == "another's signature" {
			h.users["alice"] = holder{keys: []string{print}}
		}
		h.Open()
		if _, err := h.knock("alice", test.auth...); err == nil {
			t.Errorf("%s: in", test.what)
		}
		if told := h.refusals(); !strings.Contains(told, test.want) || strings.Count(told, "\n") != 1 {
			t.Errorf("%s: told is %q, want %q", test.what, told, test.want)
		}
	}
	// Agents offer all keys that they hold: one that is right makes the others no news.
	h := newHarbour(t)
	right := newKey(t)
	h.users["alice"] = holder{keys: []string{ssh.FingerprintSHA256(right.PublicKey())}}
	h.Open()
	client, err := h.knock("alice", ssh.PublicKeys(key, right))
	if err != nil {
		t.Fatal(err)
	}
	_ = client.Close()
	if told := h.events(ferry.EventLoginRefused); len(told) > 0 {
		t.Errorf("told is %+v", told)
	}
}
