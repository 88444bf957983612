package interop

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
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
func (c classic) talk(t testing.TB, v *server, dir string, flags []string, lines ...string) output {
	t.Helper()
	script := append([]string{fmt.Sprintf("user %s %s", user, password)}, lines...)
	args := append(append([]string{"-n", "-i", "-v"}, flags...), v.host, v.port)
	return program{dir: dir, stdin: strings.Join(append(script, "bye"), "\n") + "\n"}.must(t, c.client, args...)
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
				setup := debugged()
				setup.listen = way.listen
				v := start(t, setup)
				here := t.TempDir()
				names := slices.Sorted(maps.Keys(sizes()))
				for name, size := range sizes() {
					writeFile(t, filepath.Join(here, "size-"+name), noise(uint64(size), size))
				}
				writeFile(t, filepath.Join(here, "back", "other"), nil)
				o := c.talk(t, v, here, way.flags,
					"binary", "mput size-*", "put size-"+names[0]+" one", "lcd back", "mget size-*", "get one")
				for name, size := range sizes() {
					wantFile(t, v.path("size-"+name), noise(uint64(size), size))
					wantFile(t, filepath.Join(here, "back", "size-"+name), noise(uint64(size), size))
				}
				wantFile(t, filepath.Join(here, "back", "one"), noise(0, 0))
				wantVerb(t, v, way.verbs...)
				if t.Failed() {
					t.Logf("%s said:\n%s%s", c.client, o.out, o.err)
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
			v := start(t, setup{})
			here := t.TempDir()
			text := []byte("one\ntwo\n")
			old := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
			writeFile(t, filepath.Join(here, "text"), text)
			writeFile(t, v.path("news"), []byte("new"))
			writeFile(t, v.path("olds"), []byte("old"))
			writeFile(t, filepath.Join(here, "news"), []byte("outdated"))
			writeFile(t, filepath.Join(here, "olds"), []byte("up to date"))
			for _, path := range []string{filepath.Join(here, "news"), v.path("olds")} {
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
					t.Logf("%s said:\n%s%s", c.client, o.out, o.err)
				}
			}()
			wantFile(t, v.path("twice"), append(text[:8:8], text...))
			wantFile(t, filepath.Join(here, "news"), []byte("new"))
			wantFile(t, filepath.Join(here, "olds"), []byte("up to date"))
			wantFile(t, v.path("d/b"), text)
			for _, gone := range []string{"d/a", "d/c", "e", "m1", "m2"} {
				wantNoFile(t, v.path(gone))
			}
			wantFile(t, v.path("lines"), text) // CR LF came, LF is stored
			wantFile(t, filepath.Join(here, "lines-back"), text)
			wantFile(t, filepath.Join(here, "lines-binary"), text)
			for name, mode := range map[string]os.FileMode{"lines": 0o600, "news": 0o640, "olds": 0o604} {
				if info, err := os.Stat(v.path(name)); err != nil || info.Mode() != mode {
					t.Errorf("%s: %v, %v; want mode %v", name, info.Mode(), err, mode)
				}
			}
			for _, want := range []string{`257 "/d"`, "01/01/2001", "-rw-r-----", "twice"} {
				// tnftp writes times in words, inetutils in numbers.
				if want == "01/01/2001" && strings.Contains(o.out, "Mon, 01 Jan 2001 00:00:00") {
					continue
				}
				if !strings.Contains(o.out, want) {
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
			v := start(t, debugged())
			content, here := noise(3, 200_000), t.TempDir()
			writeFile(t, v.path("f"), content)
			writeFile(t, filepath.Join(here, "f"), content[:70_000])
			writeFile(t, filepath.Join(here, "g"), content)
			writeFile(t, v.path("g"), content[:70_000])
			o := c.talk(t, v, here, c.passive, "binary", "reget f", "restart 70000", "put g")
			wantFile(t, filepath.Join(here, "f"), content)
			wantFile(t, v.path("g"), content)
			wantVerb(t, v, "REST")
			if t.Failed() {
				t.Logf("%s said:\n%s%s", c.client, o.out, o.err)
			}
		})
	}
}
