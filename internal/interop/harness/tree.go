package harness

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Plant makes a tree of n files, some directories deep, with contents, modes
// and times of their own; and an empty directory.
func Plant(t testing.TB, root string, n int) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(root, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		path := filepath.Join(root, fmt.Sprintf("d%d/e%d/f %d/g%d", i%2, i%3, i%5, i%7), fmt.Sprintf("file-%03d.bin", i))
		WriteFile(t, path, Noise(uint64(i), 37*i))
		mode := []fs.FileMode{0o644, 0o600, 0o755, 0o640}[i%4]
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		when := time.Date(2015, 1, 1+i, i%24, i%60, i%60, 0, time.UTC)
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
}

// Kept is which attributes a client carries over with a tree.
type Kept struct{ Modes, Times bool }

// WantSameTree wants the tree at got to be the one at want.
func WantSameTree(t testing.TB, got, want string, k Kept) {
	t.Helper()
	there, here := survey(t, got), survey(t, want)
	for path, w := range here {
		g, ok := there[path]
		switch {
		case !ok:
			t.Errorf("%s is missing", path)
		case g.dir != w.dir || !bytes.Equal(g.content, w.content):
			t.Errorf("%s has another content: %d bytes instead of %d", path, len(g.content), len(w.content))
		case w.dir:
		case k.Modes && g.mode != w.mode:
			t.Errorf("%s has mode %v, want %v", path, g.mode, w.mode)
		case k.Times && !g.time.Equal(w.time):
			t.Errorf("%s has time %v, want %v", path, g.time, w.time)
		}
	}
	for path := range there {
		if _, ok := here[path]; !ok {
			t.Errorf("%s is too much", path)
		}
	}
}

type planted struct {
	dir     bool
	mode    fs.FileMode
	time    time.Time
	content []byte
}

func survey(t testing.TB, root string) map[string]planted {
	t.Helper()
	all := map[string]planted{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		p := planted{dir: d.IsDir(), mode: info.Mode().Perm(), time: info.ModTime().UTC()}
		if !p.dir {
			if p.content, err = os.ReadFile(path); err != nil {
				return err
			}
		}
		all[strings.TrimPrefix(path, root+"/")] = p
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// WantNoParts wants nothing unfinished left anywhere below root.
func WantNoParts(t testing.TB, root string) {
	t.Helper()
	for path := range survey(t, root) {
		if strings.HasPrefix(filepath.Base(path), ".") {
			t.Errorf("%s was left behind", path)
		}
	}
}
