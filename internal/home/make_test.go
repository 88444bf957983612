package home

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestThreat3HomesAreMadeBeneathTheirBase: also where links lie in the way.
func TestThreat3HomesAreMadeBeneathTheirBase(t *testing.T) {
	base, outside := t.TempDir(), t.TempDir()
	home, err := makeHome(base+"/%u/files", "alice")
	if err != nil || home != filepath.Join(base, "alice/files") {
		t.Fatalf("made %s: %v", home, err)
	}
	if info, err := os.Stat(home); err != nil || !info.IsDir() || info.Mode().Perm()&0o007 != 0 {
		t.Errorf("the new home: %v, %v; want a directory that is not for others", info, err)
	}
	if again, err := makeHome(base+"/%u/files", "alice"); err != nil || again != home {
		t.Errorf("the second time: %s, %v", again, err)
	}

	for name, target := range map[string]string{"mallory": outside, "eve": "../" + filepath.Base(outside)} {
		if err := os.Symlink(target, filepath.Join(base, name)); err != nil {
			t.Fatal(err)
		}
		if home, err := makeHome(base+"/%u", name); err == nil {
			t.Errorf("a link out of the base was taken for the home %s", home)
		}
		if home, err := makeHome(base+"/%u/files", name); err == nil {
			t.Errorf("a home was made through a link out of the base: %s", home)
		}
	}
	if left, err := os.ReadDir(outside); err != nil || len(left) > 0 {
		t.Errorf("something was made outside: %v %v", left, err)
	}

	if err := os.WriteFile(filepath.Join(base, "bob"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := makeHome(base+"/%u", "bob"); err == nil || !strings.Contains(err.Error(), "bob") {
		t.Errorf("a file as home: %v", err)
	}
}
