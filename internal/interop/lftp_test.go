package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// lftp runs lines as an lftp script that is logged in to v; the first that
// fails ends it. The dialogue is on standard error.
func lftp(t testing.TB, v *server, dir string, lines ...string) output {
	t.Helper()
	return program{dir: dir, stdin: lftpScript(v, lines)}.must(t, "lftp")
}

// lftpScript logs in in clear: lftp would take TLS where it is offered, and not
// the self-signed certificate.
func lftpScript(v *server, lines []string) string {
	return lftpScriptAt("ftp://"+v.addr, []string{"set ftp:ssl-allow no"}, lines)
}

// lftpScriptAt logs in to url, with some settings.
func lftpScriptAt(url string, settings, lines []string) string {
	head := []string{
		"set cmd:fail-exit yes",
		"set net:max-retries 2",
		"set net:timeout 30",
		"debug 6",
	}
	open := fmt.Sprintf("open -u %s,%s %s", user, password, url)
	return strings.Join(slices.Concat(head, settings, []string{open}, lines), "\n") + "\n"
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
			v := start(t, setup{listen: c.listen, config: c.config})
			here := t.TempDir()
			plant(t, filepath.Join(here, "out"), 200)
			o := lftp(t, v, here, append(c.set, "mirror -R --parallel=4 out tree", "mirror --parallel=4 tree back")...)
			for _, verb := range c.shows {
				if !strings.Contains(o.out+o.err, "---> "+verb) {
					t.Errorf("lftp did not say %s", verb)
				}
			}
			k := kept{modes: true, times: true}
			wantSameTree(t, v.path("tree"), filepath.Join(here, "out"), k)
			wantSameTree(t, filepath.Join(here, "back"), filepath.Join(here, "out"), k)
			wantNoParts(t, v.dir)

			again := lftp(t, v, here, append(c.set, "mirror -R -v out tree", "mirror -v tree back")...)
			if strings.Contains(again.out+again.err, "---> STOR") || strings.Contains(again.out+again.err, "---> RETR") {
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
	v := start(t, setup{config: "[limits]\ndownload = \"3MiB\"\n"})
	content, here := noise(1, 5<<20+17), t.TempDir()
	writeFile(t, v.path("big"), content)
	o := lftp(t, v, here, "set pget:min-chunk-size 64k", "pget -n 4 big")
	wantFile(t, filepath.Join(here, "big"), content)
	if n := strings.Count(o.out+o.err, "---> REST "); n < 3 {
		t.Errorf("lftp fetched with %d REST, want 3 or more", n)
	}
}

// TestLFTPResumes: put -c and reput go on with what is there, get -c too.
func TestLFTPResumes(t *testing.T) {
	t.Parallel()
	for _, put := range []string{"put -c", "reput"} {
		t.Run(put, func(t *testing.T) {
			t.Parallel()
			v := start(t, setup{})
			content, here := noise(2, 3<<20), t.TempDir()
			writeFile(t, filepath.Join(here, "f"), content)

			breakUpload(t, v, "f", content[:1<<20])
			o := lftp(t, v, here, put+" f")
			wantFile(t, v.path("f"), content)
			if !strings.Contains(o.out+o.err, "---> REST 1048576") {
				t.Errorf("lftp did not go on from the part:\n%s", o.err)
			}
			writeFile(t, v.path("g"), content[:1<<20]) // a whole file that is shorter
			lftp(t, v, here, put+" f -o g")
			wantFile(t, v.path("g"), content)

			writeFile(t, filepath.Join(here, "h"), content[:1<<20])
			lftp(t, v, here, "get -c f -o h")
			wantFile(t, filepath.Join(here, "h"), content)
			wantNoParts(t, v.dir)
		})
	}
}

// TestLFTPFXP: lftp first tries to let two servers talk to each other, is
// refused, and carries the file itself.
func TestLFTPFXP(t *testing.T) {
	t.Parallel()
	// Three addresses of loopback, so that each is foreign to the others.
	from, to := start(t, setup{}), start(t, setup{listen: "127.0.0.2:0"})
	content := noise(3, 100_000)
	writeFile(t, from.path("f"), content)
	o := lftp(t, from, "", "set net:socket-bind-ipv4 127.0.0.3", "set net:reconnect-interval-base 1",
		"set ftp:use-fxp true", "set ftp:fxp-force no",
		fmt.Sprintf("get f -o ftp://%s:%s@%s/f", user, password, to.addr))
	wantFile(t, to.path("f"), content)
	if !strings.Contains(o.out+o.err, "<--- 504 ") {
		t.Errorf("no server refused the other's address:\n%s%s", o.out, o.err)
	}
}

// TestLFTPTree: everything else that changes a tree.
func TestLFTPTree(t *testing.T) {
	t.Parallel()
	v := start(t, setup{})
	plant(t, v.path("tree"), 30)
	writeFile(t, v.path("f"), noise(4, 500))
	o := lftp(t, v, "",
		"mkdir -p a/b/c", "mv f a/b/c/g", "chmod 600 a/b/c/g", "ln -s g a/b/c/link", "rm -r tree", "mkdir d", "rmdir d",
		"cls -1 a/b/c", "find a", "du -b a", "cat a/b/c/g | cat > /dev/null", "quote SITE HELP", "pwd")
	wantFile(t, v.path("a/b/c/g"), noise(4, 500))
	wantNoFile(t, v.path("tree"))
	wantNoFile(t, v.path("d"))
	wantNoFile(t, v.path("f"))
	if info, err := os.Stat(v.path("a/b/c/g")); err != nil || info.Mode() != 0o600 {
		t.Errorf("after chmod: %v, %v", info, err)
	}
	if target, err := os.Readlink(v.path("a/b/c/link")); err != nil || target != "g" {
		t.Errorf("the symbolic link points to %q, %v", target, err)
	}
	if !strings.Contains(o.out, "a/b/c/g\n") {
		t.Errorf("find did not find the file:\n%s", o.out)
	}
}

// TestLFTPPatterns: many files at once, chosen by a pattern; and a mirror that
// removes what is no longer there.
func TestLFTPPatterns(t *testing.T) {
	t.Parallel()
	v := start(t, setup{})
	here := t.TempDir()
	for _, name := range []string{"a1", "a2", "b1"} {
		writeFile(t, filepath.Join(here, name), []byte(name))
	}
	writeFile(t, filepath.Join(here, "back", "x"), nil)
	lftp(t, v, here, "mkdir d", "mput -O d a* b1", "mget -O back d/a?", "mrm d/a*", "glob --exist d/b*")
	wantNoFile(t, v.path("d/a1"))
	wantNoFile(t, v.path("d/a2"))
	wantFile(t, v.path("d/b1"), []byte("b1"))
	wantFile(t, filepath.Join(here, "back", "a1"), []byte("a1"))
	wantFile(t, filepath.Join(here, "back", "a2"), []byte("a2"))
	wantNoFile(t, filepath.Join(here, "back", "b1"))

	lftp(t, v, here, "mirror -R --delete back d")
	wantSameTree(t, v.path("d"), filepath.Join(here, "back"), kept{})
}

// TestLFTPTouchesTime: put keeps the time of a file, by MFMT.
func TestLFTPTouchesTime(t *testing.T) {
	t.Parallel()
	v := start(t, setup{})
	here := t.TempDir()
	writeFile(t, filepath.Join(here, "f"), noise(5, 10))
	when := time.Date(1999, 12, 31, 23, 59, 58, 0, time.UTC)
	if err := os.Chtimes(filepath.Join(here, "f"), when, when); err != nil {
		t.Fatal(err)
	}
	lftp(t, v, here, "put f", "rm -f x", "get f -o g")
	for _, path := range []string{v.path("f"), filepath.Join(here, "g")} {
		if info, err := os.Stat(path); err != nil || !info.ModTime().Equal(when) {
			t.Errorf("%s: %v, %v", path, info.ModTime().UTC(), err)
		}
	}
}

// TestLFTPNames: lftp doubles 0xFF as Telnet wants, and pipelines the rest.
func TestLFTPNames(t *testing.T) {
	t.Parallel()
	v := start(t, setup{})
	here := t.TempDir()
	names := []string{"two words", "  leading", "trailing ", "-dash", "100%", "grüße-漢字", `quote"s`, "it's", "glob*?[x]", `back\slash`, "semi;colon", "a=b;c=d; e"}
	for i, name := range names {
		writeFile(t, filepath.Join(here, "out", name), noise(uint64(i), 100+i))
		writeFile(t, filepath.Join(here, "out", name+".d", name), noise(uint64(i), 200+i))
	}
	lftp(t, v, here, "mirror -R out tree", "mirror tree back", "set ftp:use-mlsd no", "mirror tree back2")
	for _, there := range []string{v.path("tree"), filepath.Join(here, "back"), filepath.Join(here, "back2")} {
		wantSameTree(t, there, filepath.Join(here, "out"), kept{})
	}
}
