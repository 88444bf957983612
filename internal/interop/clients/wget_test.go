package clients

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ferry/internal/interop/harness"
)

func wget(t testing.TB, dir string, args ...string) harness.Output {
	t.Helper()
	head := []string{"--no-config", "-nv", "--tries=2", "--timeout=30", "--user=" + harness.User, "--password=" + harness.Password}
	return harness.Program{Dir: dir}.Must(t, "wget", append(head, args...)...)
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
			setup := harness.Debugged()
			setup.Listen = c.listen
			v := harness.Start(t, setup)
			here := t.TempDir()
			harness.Plant(t, v.Path("tree"), 40)
			// wget makes no directory it has nothing for.
			if err := os.Remove(v.Path("tree/empty")); err != nil {
				t.Fatal(err)
			}
			wget(t, here, append(c.args, "-r", "-l", "inf", "-nH", "--preserve-permissions", v.Url("tree/"))...)
			harness.WantSameTree(t, filepath.Join(here, "tree"), v.Path("tree"), harness.Kept{Modes: true})
			harness.WantVerb(t, v, c.verb)
		})
	}
}

// TestWgetContinues: -c asks for what is missing.
func TestWgetContinues(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Debugged())
	content, here := harness.Noise(1, 2<<20), t.TempDir()
	harness.WriteFile(t, v.Path("a file"), content)
	harness.WriteFile(t, filepath.Join(here, "a file"), content[:1<<20])
	wget(t, here, "-c", v.Url("a%20file"))
	harness.WantFile(t, filepath.Join(here, "a file"), content)
	harness.WantVerb(t, v, "REST")
}

// TestWgetTimestamps: -N fetches once, and again only what is newer.
func TestWgetTimestamps(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{})
	here := t.TempDir()
	harness.WriteFile(t, v.Path("f"), harness.Noise(2, 1000))
	old := time.Date(2020, 5, 4, 3, 2, 0, 0, time.UTC)
	if err := os.Chtimes(v.Path("f"), old, old); err != nil {
		t.Fatal(err)
	}
	wget(t, here, "-N", v.Url("f"))
	wget(t, here, "-N", v.Url("f"))
	if n := strings.Count(v.Log.String(), "msg=download"); n != 1 {
		t.Errorf("%d downloads of an unchanged file, want 1", n)
	}
	harness.WriteFile(t, v.Path("f"), harness.Noise(3, 1000)) // now
	wget(t, here, "-N", v.Url("f"))
	harness.WantFile(t, filepath.Join(here, "f"), harness.Noise(3, 1000))
}

// TestWgetPattern: wget asks the server for a listing, and picks from it.
func TestWgetPattern(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{})
	here := t.TempDir()
	for _, name := range []string{"a.txt", "b.txt", "c.bin"} {
		harness.WriteFile(t, v.Path("d/"+name), []byte(name))
	}
	wget(t, here, v.Url("d/*.txt"))
	harness.WantFile(t, filepath.Join(here, "a.txt"), []byte("a.txt"))
	harness.WantFile(t, filepath.Join(here, "b.txt"), []byte("b.txt"))
	harness.WantNoFile(t, filepath.Join(here, "c.bin"))
}
