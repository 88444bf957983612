package clients

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ferry/internal/interop/harness"
)

// lftp runs lines as an lftp script that is logged in to v; the first that
// fails ends it. The dialogue is on standard error.
func lftp(t testing.TB, v *harness.Server, dir string, lines ...string) harness.Output {
	t.Helper()
	return harness.Program{Dir: dir, Stdin: lftpScript(v, lines)}.Must(t, "lftp")
}

// lftpScript logs in in clear: lftp would take TLS where it is offered, and not
// the self-signed certificate.
func lftpScript(v *harness.Server, lines []string) string {
	return harness.LftpScriptAt("ftp://"+v.Addr, []string{"set ftp:ssl-allow no"}, lines)
}

// TestLFTPMirror carries a deep tree there and back again, with lftp's own
// settings: HOST, FEAT, LANG, OPTS MLST, MLSD, MFMT, pipelining.
func TestLFTPMirror(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		listen string
		config string
		set    []string
		shows  []string
	}{
		{"defaults", "127.0.0.1:0", "", nil,
			[]string{"FEAT", "HOST 127", "CLNT lftp", "LANG", "OPTS UTF8 ON", "OPTS MLST type;", "PASV", "MLSD", "MFMT ", "SITE CHMOD "}},
		{"IPv6", "[::1]:0", "", nil, []string{"EPSV"}},
		{"active", "127.0.0.1:0", "", []string{"set ftp:passive-mode off"}, []string{"PORT "}},
		{"LIST", "127.0.0.1:0", "", []string{"set ftp:use-mlsd no"}, []string{"LIST"}},
		{"mode Z", "127.0.0.1:0", "[ftp]\nmode_z = true\n", []string{"set ftp:use-mode-z yes"}, []string{"MODE Z"}},
		{"not synchronous", "127.0.0.1:0", "", []string{"set ftp:sync-mode off"}, []string{"MLSD"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := harness.Start(t, harness.Setup{Listen: c.listen, Config: c.config})
			here := t.TempDir()
			harness.Plant(t, filepath.Join(here, "out"), 200)
			o := lftp(t, v, here, append(c.set, "mirror -R --parallel=4 out tree", "mirror --parallel=4 tree back")...)
			for _, verb := range c.shows {
				if !strings.Contains(o.Out+o.Err, "---> "+verb) {
					t.Errorf("lftp did not say %s", verb)
				}
			}
			k := harness.Kept{Modes: true, Times: true}
			harness.WantSameTree(t, v.Path("tree"), filepath.Join(here, "out"), k)
			harness.WantSameTree(t, filepath.Join(here, "back"), filepath.Join(here, "out"), k)
			harness.WantNoParts(t, v.Dir)

			again := lftp(t, v, here, append(c.set, "mirror -R -v out tree", "mirror -v tree back")...)
			if strings.Contains(again.Out+again.Err, "---> STOR") || strings.Contains(again.Out+again.Err, "---> RETR") {
				t.Error("a second mirror of the same tree moved files again")
			}
		})
	}
}

// TestLFTPPget fetches one file over four connections, with REST.
func TestLFTPPget(t *testing.T) {
	t.Parallel()
	// A limit, because loopback has carried it all before lftp has logged in
	// a second time.
	v := harness.Start(t, harness.Setup{Config: "[limits]\ndownload = \"3MiB\"\n"})
	content, here := harness.Noise(1, 5<<20+17), t.TempDir()
	harness.WriteFile(t, v.Path("big"), content)
	o := lftp(t, v, here, "set pget:min-chunk-size 64k", "pget -n 4 big")
	harness.WantFile(t, filepath.Join(here, "big"), content)
	if n := strings.Count(o.Out+o.Err, "---> REST "); n < 3 {
		t.Errorf("lftp fetched with %d REST, want 3 or more", n)
	}
}

// TestLFTPResumes: put -c and reput go on with what is there, get -c too.
func TestLFTPResumes(t *testing.T) {
	t.Parallel()
	for _, put := range []string{"put -c", "reput"} {
		t.Run(put, func(t *testing.T) {
			t.Parallel()
			v := harness.Start(t, harness.Setup{})
			content, here := harness.Noise(2, 3<<20), t.TempDir()
			harness.WriteFile(t, filepath.Join(here, "f"), content)

			breakUpload(t, v, "f", content[:1<<20])
			o := lftp(t, v, here, put+" f")
			harness.WantFile(t, v.Path("f"), content)
			if !strings.Contains(o.Out+o.Err, "---> REST 1048576") {
				t.Errorf("lftp did not go on from the part:\n%s", o.Err)
			}
			harness.WriteFile(t, v.Path("g"), content[:1<<20]) // a whole file that is shorter
			lftp(t, v, here, put+" f -o g")
			harness.WantFile(t, v.Path("g"), content)

			harness.WriteFile(t, filepath.Join(here, "h"), content[:1<<20])
			lftp(t, v, here, "get -c f -o h")
			harness.WantFile(t, filepath.Join(here, "h"), content)
			harness.WantNoParts(t, v.Dir)
		})
	}
}

// TestLFTPFXP: lftp first tries to let two servers talk to each other, is
// refused, and carries the file itself.
func TestLFTPFXP(t *testing.T) {
	t.Parallel()
	// Three addresses of loopback, so that each is foreign to the others.
	from, to := harness.Start(t, harness.Setup{}), harness.Start(t, harness.Setup{Listen: "127.0.0.2:0"})
	content := harness.Noise(3, 100_000)
	harness.WriteFile(t, from.Path("f"), content)
	o := lftp(t, from, "", "set net:socket-bind-ipv4 127.0.0.3", "set net:reconnect-interval-base 1",
		"set ftp:use-fxp true", "set ftp:fxp-force no",
		fmt.Sprintf("get f -o ftp://%s:%s@%s/f", harness.User, harness.Password, to.Addr))
	harness.WantFile(t, to.Path("f"), content)
	if !strings.Contains(o.Out+o.Err, "<--- 504 ") {
		t.Errorf("no server refused the other's address:\n%s%s", o.Out, o.Err)
	}
}

// TestLFTPTree: everything else that changes a tree.
func TestLFTPTree(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{})
	harness.Plant(t, v.Path("tree"), 30)
	harness.WriteFile(t, v.Path("f"), harness.Noise(4, 500))
	o := lftp(t, v, "",
		"mkdir -p a/b/c", "mv f a/b/c/g", "chmod 600 a/b/c/g", "ln -s g a/b/c/link", "rm -r tree", "mkdir d", "rmdir d",
		"cls -1 a/b/c", "find a", "du -b a", "cat a/b/c/g | cat > /dev/null", "quote SITE HELP", "pwd")
	harness.WantFile(t, v.Path("a/b/c/g"), harness.Noise(4, 500))
	harness.WantNoFile(t, v.Path("tree"))
	harness.WantNoFile(t, v.Path("d"))
	harness.WantNoFile(t, v.Path("f"))
	if info, err := os.Stat(v.Path("a/b/c/g")); err != nil || info.Mode() != 0o600 {
		t.Errorf("after chmod: %v, %v", info, err)
	}
	if target, err := os.Readlink(v.Path("a/b/c/link")); err != nil || target != "g" {
		t.Errorf("the symbolic link points to %q, %v", target, err)
	}
	if !strings.Contains(o.Out, "a/b/c/g\n") {
		t.Errorf("find did not find the file:\n%s", o.Out)
	}
}

// TestLFTPPatterns: many files at once, chosen by a pattern; and a mirror that
// removes what is no longer there.
func TestLFTPPatterns(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{})
	here := t.TempDir()
	for _, name := range []string{"a1", "a2", "b1"} {
		harness.WriteFile(t, filepath.Join(here, name), []byte(name))
	}
	harness.WriteFile(t, filepath.Join(here, "back", "x"), nil)
	lftp(t, v, here, "mkdir d", "mput -O d a* b1", "mget -O back d/a?", "mrm d/a*", "glob --exist d/b*")
	harness.WantNoFile(t, v.Path("d/a1"))
	harness.WantNoFile(t, v.Path("d/a2"))
	harness.WantFile(t, v.Path("d/b1"), []byte("b1"))
	harness.WantFile(t, filepath.Join(here, "back", "a1"), []byte("a1"))
	harness.WantFile(t, filepath.Join(here, "back", "a2"), []byte("a2"))
	harness.WantNoFile(t, filepath.Join(here, "back", "b1"))

	lftp(t, v, here, "mirror -R --delete back d")
	harness.WantSameTree(t, v.Path("d"), filepath.Join(here, "back"), harness.Kept{})
}

// TestLFTPTouchesTime: put keeps the time of a file, by MFMT.
func TestLFTPTouchesTime(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{})
	here := t.TempDir()
	harness.WriteFile(t, filepath.Join(here, "f"), harness.Noise(5, 10))
	when := time.Date(1999, 12, 31, 23, 59, 58, 0, time.UTC)
	if err := os.Chtimes(filepath.Join(here, "f"), when, when); err != nil {
		t.Fatal(err)
	}
	lftp(t, v, here, "put f", "rm -f x", "get f -o g")
	for _, path := range []string{v.Path("f"), filepath.Join(here, "g")} {
		if info, err := os.Stat(path); err != nil || !info.ModTime().Equal(when) {
			t.Errorf("%s: %v, %v", path, info.ModTime().UTC(), err)
		}
	}
}

// TestLFTPNames: lftp doubles 0xFF as Telnet wants, and pipelines the rest.
func TestLFTPNames(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{})
	here := t.TempDir()
	names := []string{"two words", "  leading", "trailing ", "-dash", "100%", "grüße-漢字", `quote"s`, "it's", "glob*?[x]", `back\slash`, "semi;colon", "a=b;c=d; e"}
	for i, name := range names {
		harness.WriteFile(t, filepath.Join(here, "out", name), harness.Noise(uint64(i), 100+i))
		harness.WriteFile(t, filepath.Join(here, "out", name+".d", name), harness.Noise(uint64(i), 200+i))
	}
	lftp(t, v, here, "mirror -R out tree", "mirror tree back", "set ftp:use-mlsd no", "mirror tree back2")
	for _, there := range []string{v.Path("tree"), filepath.Join(here, "back"), filepath.Join(here, "back2")} {
		harness.WantSameTree(t, there, filepath.Join(here, "out"), harness.Kept{})
	}
}
