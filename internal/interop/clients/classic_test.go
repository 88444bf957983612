package clients

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/internal/interop/harness"
)

// The two heirs of BSD's ftp that Debian has: they speak alike to people, and
// differently to servers.
type classic struct {
	client          string
	passive, active []string // flags
	ipv6            []string
}

func classics() []classic {
	return []classic{
		{"tnftp", []string{"-p"}, []string{"-A"}, []string{"-6", "-p"}},
		{"inetutils-ftp", []string{"-p"}, []string{"-A"}, []string{"-6", "-p"}},
	}
}

// talk runs lines as the input of a session that is logged in to v. The
// client's exit status says nothing about its commands; the files do.
func (c classic) talk(t testing.TB, v *harness.Server, dir string, flags []string, lines ...string) harness.Output {
	t.Helper()
	script := append([]string{fmt.Sprintf("user %s %s", harness.User, harness.Password)}, lines...)
	args := append(append([]string{"-n", "-i", "-v"}, flags...), v.Host, v.Port)
	return harness.Program{Dir: dir, Stdin: strings.Join(append(script, "bye"), "\n") + "\n"}.Must(t, c.client, args...)
}

// TestClassicTransfers: put, get, and mget with a pattern, for every size and
// kind of data connection.
func TestClassicTransfers(t *testing.T) {
	t.Parallel()
	for _, c := range classics() {
		for _, way := range []struct {
			name, listen string
			flags        []string
			verbs        []string // one of which must have been said
		}{
			{"passive", "127.0.0.1:0", c.passive, []string{"EPSV", "PASV"}},
			{"active", "127.0.0.1:0", c.active, []string{"EPRT", "PORT"}},
			{"IPv6", "[::1]:0", c.ipv6, []string{"EPSV"}},
		} {
			t.Run(c.client+" "+way.name, func(t *testing.T) {
				t.Parallel()
				setup := harness.Debugged()
				setup.Listen = way.listen
				v := harness.Start(t, setup)
				here := t.TempDir()
				names := slices.Sorted(maps.Keys(harness.Sizes()))
				for name, size := range harness.Sizes() {
					harness.WriteFile(t, filepath.Join(here, "size-"+name), harness.Noise(uint64(size), size))
				}
				harness.WriteFile(t, filepath.Join(here, "back", "other"), nil)
				o := c.talk(t, v, here, way.flags,
					"binary", "mput size-*", "put size-"+names[0]+" one", "lcd back", "mget size-*", "get one")
				for name, size := range harness.Sizes() {
					harness.WantFile(t, v.Path("size-"+name), harness.Noise(uint64(size), size))
					harness.WantFile(t, filepath.Join(here, "back", "size-"+name), harness.Noise(uint64(size), size))
				}
				harness.WantFile(t, filepath.Join(here, "back", "one"), harness.Noise(0, 0))
				harness.WantVerb(t, v, way.verbs...)
				if t.Failed() {
					t.Logf("%s said:\n%s%s", c.client, o.Out, o.Err)
				}
			})
		}
	}
}

// TestClassicCommands: everything else that people type.
func TestClassicCommands(t *testing.T) {
	t.Parallel()
	for _, c := range classics() {
		t.Run(c.client, func(t *testing.T) {
			t.Parallel()
			v := harness.Start(t, harness.Setup{})
			here := t.TempDir()
			text := []byte("one\ntwo\n")
			old := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
			harness.WriteFile(t, filepath.Join(here, "text"), text)
			harness.WriteFile(t, v.Path("news"), []byte("new"))
			harness.WriteFile(t, v.Path("olds"), []byte("old"))
			harness.WriteFile(t, filepath.Join(here, "news"), []byte("outdated"))
			harness.WriteFile(t, filepath.Join(here, "olds"), []byte("up to date"))
			for _, path := range []string{filepath.Join(here, "news"), v.Path("olds")} {
				if err := os.Chtimes(path, old, old); err != nil {
					t.Fatal(err)
				}
			}
			o := c.talk(t, v, here, c.passive,
				"binary", "put text twice", "append text twice",
				"newer news", "newer olds",
				"mkdir d", "put text d/a", "rename d/a d/b", "cd d", "put text c", "delete c", "pwd", "cdup",
				"mkdir e", "rmdir e", "put text m1", "put text m2", "mdelete m*",
				"ascii", "put text lines", "get lines lines-back", "binary", "get lines lines-binary",
				"quote SITE CHMOD 600 lines", "site chmod 640 news", "umask", "chmod 604 olds",
				"size twice", "modtime olds", "dir", "nlist", "status", "system", "remotehelp")
			defer func() {
				if t.Failed() {
					t.Logf("%s said:\n%s%s", c.client, o.Out, o.Err)
				}
			}()
			harness.WantFile(t, v.Path("twice"), append(text[:8:8], text...))
			harness.WantFile(t, filepath.Join(here, "news"), []byte("new"))
			harness.WantFile(t, filepath.Join(here, "olds"), []byte("up to date"))
			harness.WantFile(t, v.Path("d/b"), text)
			for _, gone := range []string{"d/a", "d/c", "e", "m1", "m2"} {
				harness.WantNoFile(t, v.Path(gone))
			}
			harness.WantFile(t, v.Path("lines"), text) // CR LF came, LF is stored
			harness.WantFile(t, filepath.Join(here, "lines-back"), text)
			harness.WantFile(t, filepath.Join(here, "lines-binary"), text)
			for name, mode := range map[string]os.FileMode{"lines": 0o600, "news": 0o640, "olds": 0o604} {
				if info, err := os.Stat(v.Path(name)); err != nil || info.Mode() != mode {
					t.Errorf("%s: %v, %v; want mode %v", name, info.Mode(), err, mode)
				}
			}
			for _, want := range []string{`257 "/d"`, "01/01/2001", "-rw-r-----", "twice"} {
				// tnftp writes times in words, inetutils in numbers.
				if want == "01/01/2001" && strings.Contains(o.Out, "Mon, 01 Jan 2001 00:00:00") {
					continue
				}
				if !strings.Contains(o.Out, want) {
					t.Errorf("%s did not show %q", c.client, want)
				}
			}
		})
	}
}

// TestClassicResumes: reget and restart.
func TestClassicResumes(t *testing.T) {
	t.Parallel()
	for _, c := range classics() {
		t.Run(c.client, func(t *testing.T) {
			t.Parallel()
			v := harness.Start(t, harness.Debugged())
			content, here := harness.Noise(3, 200_000), t.TempDir()
			harness.WriteFile(t, v.Path("f"), content)
			harness.WriteFile(t, filepath.Join(here, "f"), content[:70_000])
			harness.WriteFile(t, filepath.Join(here, "g"), content)
			harness.WriteFile(t, v.Path("g"), content[:70_000])
			o := c.talk(t, v, here, c.passive, "binary", "reget f", "restart 70000", "put g")
			harness.WantFile(t, filepath.Join(here, "f"), content)
			harness.WantFile(t, v.Path("g"), content)
			harness.WantVerb(t, v, "REST")
			if t.Failed() {
				t.Logf("%s said:\n%s%s", c.client, o.Out, o.Err)
			}
		})
	}
}
