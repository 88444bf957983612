package interop

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func wget(t testing.TB, dir string, args ...string) output {
	t.Helper()
	head := []string{"--no-config", "-nv", "--tries=2", "--timeout=30", "--user=" + user, "--password=" + password}
	return program{dir: dir}.must(t, "wget", append(head, args...)...)
}

// TestWgetRecursive fetches a tree: wget reads it out of LIST.
func TestWgetRecursive(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, listen string
		args         []string
		verb         string
	}{
		{"passive", "127.0.0.1:0", nil, "PASV"},
		{"active", "127.0.0.1:0", []string{"--no-passive-ftp"}, "PORT"},
		{"IPv6", "[::1]:0", nil, "EPSV"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			setup := debugged()
			setup.listen = c.listen
			v := start(t, setup)
			here := t.TempDir()
			plant(t, v.path("tree"), 40)
			// wget makes no directory it has nothing for.
			if err := os.Remove(v.path("tree/empty")); err != nil {
				t.Fatal(err)
			}
			wget(t, here, append(c.args, "-r", "-l", "inf", "-nH", "--preserve-permissions", v.url("tree/"))...)
			wantSameTree(t, filepath.Join(here, "tree"), v.path("tree"), kept{modes: true})
			wantVerb(t, v, c.verb)
		})
	}
}

// TestWgetContinues: -c asks for what is missing.
func TestWgetContinues(t *testing.T) {
	t.Parallel()
	v := start(t, debugged())
	content, here := noise(1, 2<<20), t.TempDir()
	writeFile(t, v.path("a file"), content)
	writeFile(t, filepath.Join(here, "a file"), content[:1<<20])
	wget(t, here, "-c", v.url("a%20file"))
	wantFile(t, filepath.Join(here, "a file"), content)
	wantVerb(t, v, "REST")
}

// TestWgetTimestamps: -N fetches once, and again only what is newer.
func TestWgetTimestamps(t *testing.T) {
	t.Parallel()
	v := start(t, setup{})
	here := t.TempDir()
	writeFile(t, v.path("f"), noise(2, 1000))
	old := time.Date(2020, 5, 4, 3, 2, 0, 0, time.UTC)
	if err := os.Chtimes(v.path("f"), old, old); err != nil {
		t.Fatal(err)
	}
	wget(t, here, "-N", v.url("f"))
	wget(t, here, "-N", v.url("f"))
	if n := strings.Count(v.log.String(), "msg=download"); n != 1 {
		t.Errorf("%d downloads of an unchanged file, want 1", n)
	}
	writeFile(t, v.path("f"), noise(3, 1000)) // now
	wget(t, here, "-N", v.url("f"))
	wantFile(t, filepath.Join(here, "f"), noise(3, 1000))
}

// TestWgetPattern: wget asks the server for a listing, and picks from it.
func TestWgetPattern(t *testing.T) {
	t.Parallel()
	v := start(t, setup{})
	here := t.TempDir()
	for _, name := range []string{"a.txt", "b.txt", "c.bin"} {
		writeFile(t, v.path("d/"+name), []byte(name))
	}
	wget(t, here, v.url("d/*.txt"))
	wantFile(t, filepath.Join(here, "a.txt"), []byte("a.txt"))
	wantFile(t, filepath.Join(here, "b.txt"), []byte("b.txt"))
	wantNoFile(t, filepath.Join(here, "c.bin"))
}
