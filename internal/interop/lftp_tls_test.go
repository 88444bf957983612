package interop

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// secureLFTP runs an lftp that insists on TLS on both kinds of connection.
// The first of lines may be settings, which have to come before it connects.
func secureLFTP(t testing.TB, v *secureServer, dir, url string, lines ...string) output {
	t.Helper()
	settings := []string{
		"set ftp:ssl-force yes", "set ftp:ssl-protect-data yes", "set ftp:ssl-protect-list yes",
		fmt.Sprintf("set ssl:ca-file %q", v.ca.file),
	}
	for len(lines) > 0 && strings.HasPrefix(lines[0], "set ") {
		settings, lines = append(settings, lines[0]), lines[1:]
	}
	return program{dir: dir, stdin: lftpScriptAt(url, settings, lines)}.must(t, "lftp")
}

// TestLFTPSecureMirror carries 200 files there and back, over data connections
// that must all resume.
func TestLFTPSecureMirror(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, scheme, priority string }{
		{"TLS 1.3", "ftp", "NORMAL:-VERS-ALL:+VERS-TLS1.3"},
		{"TLS 1.2", "ftp", "NORMAL:-VERS-ALL:+VERS-TLS1.2"},
		{"implicit", "ftps", "NORMAL"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := startSecure(t, setup{}, binding("enforce"))
			here := t.TempDir()
			plant(t, filepath.Join(here, "out"), 200)
			o := secureLFTP(t, v, here, v.secureURL(c.scheme, "/"), "set ssl:priority "+c.priority,
				"mirror -R out tree", "mirror tree back")
			if said := o.out + o.err; c.scheme == "ftp" && !strings.Contains(said, "---> AUTH TLS") || !strings.Contains(said, "---> PROT P") {
				t.Errorf("lftp did not protect its connections:\n%s", said)
			}
			k := kept{modes: true, times: true}
			wantSameTree(t, v.path("tree"), filepath.Join(here, "out"), k)
			wantSameTree(t, filepath.Join(here, "back"), filepath.Join(here, "out"), k)
			wantNoParts(t, v.dir)
		})
	}
}

// TestLFTPSecureManyTransfers: more than a hundred data connections of one
// control connection, and as many of four that begin at once with nothing to
// resume; each of them must resume.
func TestLFTPSecureManyTransfers(t *testing.T) {
	t.Parallel()
	for name, priority := range map[string]string{"TLS 1.3": "NORMAL:-VERS-ALL:+VERS-TLS1.3", "TLS 1.2": "NORMAL:-VERS-ALL:+VERS-TLS1.2"} {
		for _, connections := range []int{1, 4} {
			t.Run(fmt.Sprintf("%s, %d", name, connections), func(t *testing.T) {
				t.Parallel()
				v := startSecure(t, setup{config: cheapLogins}, binding("enforce"))
				here := t.TempDir()
				for i := range 130 {
					writeFile(t, filepath.Join(here, "out", fmt.Sprint(i)), noise(uint64(i), 50*i))
				}
				parallel := fmt.Sprintf("mirror --parallel=%d ", connections)
				o := secureLFTP(t, v, here, v.url("/"), "set ssl:priority "+priority, parallel+"-R out tree", parallel+"tree back")
				if n := strings.Count(o.out+o.err, "<--- 230 "); n > connections+1 {
					t.Errorf("lftp logged in %d times for %d connections", n, connections)
				}
				wantSameTree(t, v.path("tree"), filepath.Join(here, "out"), kept{})
				wantSameTree(t, filepath.Join(here, "back"), filepath.Join(here, "out"), kept{})
			})
		}
	}
}

// TestLFTPSecurePget fetches one file over four connections at once.
func TestLFTPSecurePget(t *testing.T) {
	t.Parallel()
	for _, mode := range bindings() {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			// A limit, because loopback has carried it all before lftp has
			// logged in a second time.
			v := startSecure(t, setup{config: "[limits]\ndownload = \"3MiB\"\n"}, binding(mode))
			content, here := noise(1, 5<<20+17), t.TempDir()
			writeFile(t, v.path("big"), content)
			o := secureLFTP(t, v, here, v.url("/"), "set pget:min-chunk-size 64k", "pget -n 4 big")
			wantFile(t, filepath.Join(here, "big"), content)
			if n := strings.Count(o.out+o.err, "---> REST "); n < 3 {
				t.Errorf("lftp fetched with %d REST, want 3 or more", n)
			}
		})
	}
}

// TestLFTPSecureOptions: what else lftp does with TLS: lists in clear, a
// listing of one file, put -c, and a client that speaks in clear is refused.
func TestLFTPSecureOptions(t *testing.T) {
	t.Parallel()
	v := startSecure(t, setup{}, binding("enforce"))
	content, here := noise(2, 1<<20), t.TempDir()
	writeFile(t, filepath.Join(here, "f"), content)
	writeFile(t, v.path("g"), content[:1<<19])
	secureLFTP(t, v, here, v.url("/"), "put f", "put -c f -o g", "get f -o h", "cls -l f", "mv f d", "rm g", "mkdir e")
	wantFile(t, v.path("d"), content)
	wantFile(t, filepath.Join(here, "h"), content)
	secureLFTP(t, v, here, v.url("/"), "set ftp:ssl-protect-list no", "ls", "set ftp:ssl-protect-data no", "get d -o i")
	wantFile(t, filepath.Join(here, "i"), content)

	script := lftpScriptAt(v.url("/"), []string{"set ftp:ssl-allow no"}, []string{"ls"})
	if o := (program{dir: here, stdin: script}).run(t, "lftp"); o.code == 0 {
		t.Errorf("lftp in clear logged in:\n%s%s", o.out, o.err)
	}
}
