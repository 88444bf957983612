package daemon

import (
	"path/filepath"
	"slices"
	"testing"

	"ferry"
	"ferry/internal/store"
)

// TestAllHomes: an account whose home cannot be told does not keep those behind it
// from being swept.
func TestAllHomes(t *testing.T) {
	base := t.TempDir()
	conf := written(t, "[server]\nstate = \""+base+"\"\n[users]\nanonymous = true\nanonymous_root = \""+base+"\"\n", nil)
	db, err := store.Open(t.Context(), conf.Database())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	there := t.TempDir()
	for name, home := range map[string]string{"a": "", "b": "file://" + there, "c": filepath.Join(base, "never-made"), "d": there} {
		if err := db.Add(t.Context(), store.Account{User: ferry.User{Name: name, Home: home}}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := allHomes(t.Context(), conf, db)
	want := []string{base, there}
	slices.Sort(want)
	if err == nil || !slices.Equal(got, want) {
		t.Errorf("homes %q, %v; want %q, and an error about the account without one", got, err, want)
	}
}
