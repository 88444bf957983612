package main

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ferry/internal/account"
	"ferry/internal/config"
)

// TestNewerDatabaseIsLeftAlone: a database that a newer version has changed is
// not understood halfway, and not touched.
func TestNewerDatabaseIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	conf, err := stateFlags{State: &dir}.load()
	if err != nil {
		t.Fatal(err)
	}
	if err := withAccounts(conf, func(context.Context, *account.Accounts) error { return nil }); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, config.DatabaseFile)
	setVersion(t, file, 1000)
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	err = withAccounts(conf, func(context.Context, *account.Accounts) error { t.Error("opened"); return nil })
	if err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "newer version") || strings.Contains(err.Error(), "\n") {
		t.Errorf("want one sentence about a newer version, got %v", err)
	}
	if after, err := os.ReadFile(file); err != nil || string(after) != string(before) {
		t.Errorf("the database was changed (%v)", err)
	}
}

func setVersion(t *testing.T, file string, version int) {
	t.Helper()
	db, err := sql.Open("sqlite", file) // the driver that package store brings
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("UPDATE schema_version SET version = ?", version); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
