package tls

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"ferry/internal/interop/harness"
)

// secureLFTP runs an lftp that insists on TLS on both kinds of connection.
// The first of lines may be settings, which have to come before it connects.
func secureLFTP(t testing.TB, v *harness.SecureServer, dir, url string, lines ...string) harness.Output {
	t.Helper()
	settings := []string{
		"set ftp:ssl-force yes", "set ftp:ssl-protect-data yes", "set ftp:ssl-protect-list yes",
		fmt.Sprintf("set ssl:ca-file %q", v.Ca.File),
	}
	for len(lines) > 0 && strings.HasPrefix(lines[0], "set ") {
		settings, lines = append(settings, lines[0]), lines[1:]
	}
	return harness.Program{Dir: dir, Stdin: harness.LftpScriptAt(url, settings, lines)}.Must(t, "lftp")
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
			v := harness.StartSecure(t, harness.Setup{}, harness.Binding("enforce"))
			here := t.TempDir()
			harness.Plant(t, filepath.Join(here, "out"), 200)
			o := secureLFTP(t, v, here, v.SecureURL(c.scheme, "/"), "set ssl:priority "+c.priority,
				"mirror -R out tree", "mirror tree back")
			if said := o.Out + o.Err; c.scheme == "ftp" && !strings.Contains(said, "---> AUTH TLS") || !strings.Contains(said, "---> PROT P") {
				t.Errorf("lftp did not protect its connections:\n%s", said)
			}
			k := harness.Kept{Modes: true, Times: true}
			harness.WantSameTree(t, v.Path("tree"), filepath.Join(here, "out"), k)
			harness.WantSameTree(t, filepath.Join(here, "back"), filepath.Join(here, "out"), k)
			harness.WantNoParts(t, v.Dir)
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
				v := harness.StartSecure(t, harness.Setup{Config: harness.CheapLogins}, harness.Binding("enforce"))
				here := t.TempDir()
				for i := range 130 {
					harness.WriteFile(t, filepath.Join(here, "out", fmt.Sprint(i)), harness.Noise(uint64(i), 50*i))
				}
				parallel := fmt.Sprintf("mirror --parallel=%d ", connections)
				o := secureLFTP(t, v, here, v.Url("/"), "set ssl:priority "+priority, parallel+"-R out tree", parallel+"tree back")
				if n := strings.Count(o.Out+o.Err, "<--- 230 "); n > connections+1 {
					t.Errorf("lftp logged in %d times for %d connections", n, connections)
				}
				harness.WantSameTree(t, v.Path("tree"), filepath.Join(here, "out"), harness.Kept{})
				harness.WantSameTree(t, filepath.Join(here, "back"), filepath.Join(here, "out"), harness.Kept{})
			})
		}
	}
}

// TestLFTPSecurePget fetches one file over four connections at once.
func TestLFTPSecurePget(t *testing.T) {
	t.Parallel()
	for _, mode := range harness.Bindings() {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			// A limit, because loopback has carried it all before lftp has
			// logged in a second time.
			v := harness.StartSecure(t, harness.Setup{Config: "[limits]\ndownload = \"3MiB\"\n"}, harness.Binding(mode))
			content, here := harness.Noise(1, 5<<20+17), t.TempDir()
			harness.WriteFile(t, v.Path("big"), content)
			o := secureLFTP(t, v, here, v.Url("/"), "set pget:min-chunk-size 64k", "pget -n 4 big")
			harness.WantFile(t, filepath.Join(here, "big"), content)
			if n := strings.Count(o.Out+o.Err, "---> REST "); n < 3 {
				t.Errorf("lftp fetched with %d REST, want 3 or more", n)
			}
		})
	}
}

// TestLFTPSecureOptions: what else lftp does with TLS: lists in clear, a
// listing of one file, put -c, and a client that speaks in clear is refused.
func TestLFTPSecureOptions(t *testing.T) {
	t.Parallel()
	v := harness.StartSecure(t, harness.Setup{}, harness.Binding("enforce"))
	content, here := harness.Noise(2, 1<<20), t.TempDir()
	harness.WriteFile(t, filepath.Join(here, "f"), content)
	harness.WriteFile(t, v.Path("g"), content[:1<<19])
	secureLFTP(t, v, here, v.Url("/"), "put f", "put -c f -o g", "get f -o h", "cls -l f", "mv f d", "rm g", "mkdir e")
	harness.WantFile(t, v.Path("d"), content)
	harness.WantFile(t, filepath.Join(here, "h"), content)
	secureLFTP(t, v, here, v.Url("/"), "set ftp:ssl-protect-list no", "ls", "set ftp:ssl-protect-data no", "get d -o i")
	harness.WantFile(t, filepath.Join(here, "i"), content)

	script := harness.LftpScriptAt(v.Url("/"), []string{"set ftp:ssl-allow no"}, []string{"ls"})
	if o := (harness.Program{Dir: here, Stdin: script}).Run(t, "lftp"); o.Code == 0 {
		t.Errorf("lftp in clear logged in:\n%s%s", o.Out, o.Err)
	}
}
