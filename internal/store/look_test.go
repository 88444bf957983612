package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"ferry"
)

// TestLook: what Open would find, and nothing made: no database, no file beside one.
func TestLook(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ferry.db")
	if _, err := Look(t.Context(), path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a database: %v", err)
	}
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Add(t.Context(), Account{User: ferry.User{Name: "alice"}}); err != nil {
		t.Fatal(err)
	}
	// While the server has it open, and what was added is in the log beside it only.
	if all, err := Look(t.Context(), path); err != nil || len(all) != 1 || all[0].Name != "alice" {
		t.Errorf("beside a server: %v, %v", all, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if all, err := Look(t.Context(), path); err != nil || len(all) != 1 {
		t.Errorf("without one: %v, %v", all, err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("the directory holds %v, %v", entries, err)
	}
	for content, want := range map[string]error{"": ErrOlder, "This is no database at all, and longer than the header of one would be: so it is damaged.": ErrDamaged} {
		other := filepath.Join(t.TempDir(), "ferry.db")
		if err := os.WriteFile(other, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Look(t.Context(), other); !errors.Is(err, want) {
			t.Errorf("%.10q: %v, want %v", content, err, want)
		}
	}
}
