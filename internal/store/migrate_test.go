package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"ferry"
	"ferry/internal/store"
)

// TestAccountsOfTheFirstTables: an account from before accounts could say what
// they want to be shown is let in by any way, as it was.
func TestAccountsOfTheFirstTables(t *testing.T) {
	first, err := os.ReadFile("migrations/0001_users.sql")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ferry.db")
	execute(t, path, string(first)+`
		CREATE TABLE schema_version (version BIGINT NOT NULL);
		INSERT INTO schema_version VALUES (1);
		INSERT INTO users VALUES ('alice', 1, 'hash', '/srv', 0, 0, '', '', 0, 0, 0, 0, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z')`)
	s := open(t, path)
	if a := account(t, s, "alice"); a.Login != ferry.LoginAny || a.Home != "/srv" {
		t.Errorf("%+v", a)
	}
	err = s.Update(t.Context(), "alice", func(a *store.Account) error { a.Login = ferry.LoginKey; return nil })
	if a := account(t, s, "alice"); err != nil || a.Login != ferry.LoginKey {
		t.Errorf("%+v, %v", a, err)
	}
}
