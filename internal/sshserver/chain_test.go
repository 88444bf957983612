package sshserver

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"

	"ferry"
)

// chained is a harbour in which anna needs her key and her password.
func chained(t *testing.T, key ssh.Signer) *harbour {
	h := newHarbour(t)
	h.users["anna"] = holder{password: "s3cret", keys: []string{ssh.FingerprintSHA256(key.PublicKey())}, login: ferry.LoginKeyAndPassword}
	return h
}

func answering(password string) ssh.AuthMethod {
	return ssh.KeyboardInteractive(func(_, _ string, questions []string, _ []bool) ([]string, error) {
		return slices.Repeat([]string{password}, len(questions)), nil
	})
}

// TestThreat29KeyAndPassword: RFC 4252 §5.1's partial success, key first.
func TestThreat29KeyAndPassword(t *testing.T) {
	key, wrong := newKey(t), newKey(t)
	tests := []struct {
		name        string
		noPasswords bool
		auth        []ssh.AuthMethod
		in          bool
		fails       int
	}{
		{"key, then password", false, []ssh.AuthMethod{ssh.PublicKeys(key), ssh.Password("s3cret")}, true, 0},
		{"key, then question", false, []ssh.AuthMethod{ssh.PublicKeys(key), answering("s3cret")}, true, 0},
		{"wrong keys before", false, []ssh.AuthMethod{ssh.PublicKeys(wrong, key), ssh.Password("s3cret")}, true, 0},
		{"where passwords alone are not taken", true, []ssh.AuthMethod{ssh.PublicKeys(key), ssh.Password("s3cret")}, true, 0},
		{"key alone", false, []ssh.AuthMethod{ssh.PublicKeys(key)}, false, 0},
		{"password alone", false, []ssh.AuthMethod{ssh.Password("s3cret")}, false, 1},
		{"question alone", false, []ssh.AuthMethod{answering("s3cret")}, false, 1},
		{"key, then wrong password", false, []ssh.AuthMethod{ssh.PublicKeys(key), ssh.Password("wrong")}, false, 1},
		{"key, then empty password", false, []ssh.AuthMethod{ssh.PublicKeys(key), ssh.Password("")}, false, 1},
		{"wrong key and password", false, []ssh.AuthMethod{ssh.PublicKeys(wrong), ssh.Password("s3cret")}, false, 1},
		{"key shown and not held", false, []ssh.AuthMethod{ssh.PublicKeys(lying{wrong, key.PublicKey()}), ssh.Password("s3cret")}, false, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := chained(t, key)
			h.cfg.NoPasswords = test.noPasswords
			_, err := h.Open().knock("anna", test.auth...)
			if (err == nil) != test.in {
				t.Errorf("%v, want in: %v", err, test.in)
			}
			if logins := h.events(ferry.EventLogin); (len(logins) == 1) != test.in {
				t.Errorf("logins: %v", logins)
			}
			if n := len(h.events(ferry.EventLoginFailed)); n != test.fails {
				t.Errorf("%d failures were counted, want %d", n, test.fails)
			}
		})
	}
}

// TestThreat30SecondFactorIsSlow: a wrong password behind a right key costs
// what any wrong one costs, and the connection ends with the third.
func TestThreat30SecondFactorIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := newKey(t)
		h := chained(t, key)
		h.limits.FailDelay = 5 * time.Second
		h.Open()
		begin := time.Now()
		_, err := h.knock("anna", ssh.PublicKeys(key), ssh.RetryableAuthMethod(ssh.Password("wrong"), 10))
		if err == nil {
			t.Fatal("in with a wrong password")
		}
		if d := time.Since(begin); d != 15*time.Second {
			t.Errorf("three attempts took %v, want 15 s", d)
		}
		if n := len(h.events(ferry.EventLoginFailed)); n != 3 {
			t.Errorf("%d failures, want 3", n)
		}
	})
}

// TestThreat30MethodsTellNothing: the methods that are offered before a key is
// proved are the same for everybody: for who needs both, for who has only a
// password, and for nobody.
func TestThreat30MethodsTellNothing(t *testing.T) {
	key := newKey(t)
	h := chained(t, key)
	h.users["kim"] = holder{keys: []string{ssh.FingerprintSHA256(newKey(t).PublicKey())}, login: ferry.LoginKey}
	h.users["paul"] = holder{password: "other", login: ferry.LoginPassword}
	h.limits.MaxFails, h.limits.BanAfter = 100, -1
	h.Open()
	told := map[string]string{}
	for _, name := range []string{"anna", "kim", "paul", "alice", "zoe"} {
		_, err := h.knock(name, ssh.PublicKeys(newKey(t)), ssh.Password("wrong"))
		if err == nil {
			t.Fatalf("%s is in", name)
		}
		told[err.Error()] = name
	}
	if len(told) != 1 {
		t.Errorf("clients are told different things: %q", told)
	}
}

// TestThreat15FactorsDoNotChangeHands: with the key of one account proved, a
// client goes on with the name and the password of another.
func TestThreat15FactorsDoNotChangeHands(t *testing.T) {
	key := newKey(t)
	h := chained(t, key)
	other := newKey(t)
	h.users["bert"] = holder{password: "bert's", keys: []string{ssh.FingerprintSHA256(other.PublicKey())}, login: ferry.LoginKeyAndPassword}
	h.Open()
	for _, password := range []string{"s3cret", "bert's"} {
		// The password of anna or bert, for bert, by anna's key.
		if _, err := h.knock("bert", ssh.PublicKeys(key), ssh.Password(password)); err == nil {
			t.Errorf("bert is in by anna's key and %q", password)
		}
	}
	if n := len(h.events(ferry.EventLogin)); n != 0 {
		t.Errorf("%d logins", n)
	}
}

// TestKeyTakenAwayMeanwhile: the first factor is looked at again with the
// second.
func TestKeyTakenAwayMeanwhile(t *testing.T) {
	key := newKey(t)
	h := chained(t, key)
	h.Open()
	_, err := h.knock("anna", ssh.PublicKeys(key), ssh.PasswordCallback(func() (string, error) {
		h.users["anna"] = holder{password: "s3cret", login: ferry.LoginKeyAndPassword}
		return "s3cret", nil
	}))
	if err == nil || !strings.Contains(err.Error(), "unable to authenticate") {
		t.Errorf("in by a key that is no longer there: %v", err)
	}
}
