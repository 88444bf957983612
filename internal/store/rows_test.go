package store_test

import (
	"errors"
	"strings"
	"testing"

	"ferry"
	"ferry/internal/store"
)

// TestThreat31RowsAreReadStrictly: a value that means nothing is an error that
// names the account, and never an account with some default in that place.
func TestThreat31RowsAreReadStrictly(t *testing.T) {
	tests := []struct{ name, statement string }{
		{"right", "UPDATE user_rules SET rights = 'read,everything'"},
		{"no right", "UPDATE user_rules SET rights = ''"},
		{"prefix", "UPDATE user_rules SET prefix = '/in/..' WHERE prefix = '/in'"},
		{"limit that is no number", "UPDATE users SET upload_rate = 'much'"},
		{"limit that is no whole number", "UPDATE users SET upload_rate = 1.5"},
		{"sessions beyond 64 bits", "UPDATE users SET max_sessions = 99999999999999999999"},
		{"truth", "PRAGMA ignore_check_constraints = 1; UPDATE users SET disabled = 2"},
		{"truth that is a text", "PRAGMA ignore_check_constraints = 1; UPDATE users SET disabled = 'no'"},
		{"negative limit", "PRAGMA ignore_check_constraints = 1; UPDATE users SET download_rate = -1"},
		{"time", "UPDATE users SET expires = 'tomorrow'"},
		{"time that is a number", "UPDATE users SET expires = x'00'"},
		{"name", "PRAGMA foreign_keys = 0; UPDATE users SET name = 'alice' || char(10) || 'root' WHERE name = 'alice'"},
		{"way to log in", "UPDATE users SET login = 'sometimes'"},
		{"no way to log in", "UPDATE users SET login = ''"},
		{"principals", "UPDATE users SET principals = 'a,,b'"},
		{"home", "UPDATE users SET home = 'srv'"},
		{"charset", "UPDATE users SET charset = 'klingon'"},
		{"key", "UPDATE user_keys SET line = 'ssh-ed25519 AAAA'"},
		{"fingerprint", "UPDATE user_keys SET fingerprint = 'SHA256:x'"},
		{"time of a key", "UPDATE user_keys SET added = '2026-13-01'"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := newPath(t)
			s := open(t, path)
			if err := s.Add(t.Context(), full()); err != nil {
				t.Fatal(err)
			}
			execute(t, path, test.statement)
			for a, err := range s.Accounts(t.Context()) {
				if !errors.Is(err, store.ErrDamaged) || !strings.Contains(err.Error(), "alice") {
					t.Errorf("account %+v, error %v; want ErrDamaged with the name", a, err)
				}
			}
		})
	}
}

// TestThreat24NamesAreParameters: a name that would be SQL if it were pasted
// into a statement is a name like any other, or no name at all.
func TestThreat24NamesAreParameters(t *testing.T) {
	hostile := []string{
		"alice' OR '1'='1", "alice'; DROP TABLE users; --", `alice" OR ""="`, "alice\x00", "al%", "_lice", "alice\\", "?", "$1", ":name",
		"' UNION SELECT 'root',1,'','/',0,0,'','',0,0,0,0,'','' --",
	}
	s := open(t, newPath(t))
	add(t, s, "alice")
	for _, name := range hostile {
		if a, err := s.Account(t.Context(), name); !errors.Is(err, store.ErrNoUser) {
			t.Errorf("Account(%q): %+v, %v", name, a, err)
		}
		if err := s.Remove(t.Context(), name); !errors.Is(err, store.ErrNoUser) {
			t.Errorf("Remove(%q): %v", name, err)
		}
		if err := s.RemoveKey(t.Context(), "alice", name); !errors.Is(err, store.ErrNoKey) {
			t.Errorf("RemoveKey(%q): %v", name, err)
		}
		err := s.Update(t.Context(), "alice", func(a *store.Account) error {
			a.Rules = []ferry.Rule{{Prefix: ferry.Name("/" + strings.ReplaceAll(name, "\x00", ""))}}
			a.Hash = strings.ReplaceAll(name, "\x00", "")
			return nil
		})
		if err != nil {
			t.Errorf("Update to %q: %v", name, err)
		}
	}
	if got := names(t, s); len(got) != 1 {
		t.Errorf("accounts %q, want alice alone", got)
	}
}
