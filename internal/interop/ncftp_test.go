package interop

import (
	"path/filepath"
	"strings"
	"testing"
)

// ncftp runs one of ncftp's programs for scripts, logged in to v.
func ncftp(t testing.TB, v *server, dir, name string, args ...string) output {
	t.Helper()
	head := []string{"-u", user, "-p", password, "-P", v.port}
	return program{dir: dir}.must(t, name, append(head, args...)...)
}

// TestNcFTP carries a tree there and back, in both modes of data connections.
func TestNcFTP(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, flag, verb string }{
		{"passive", "-F", "PASV"},
		{"active", "-E", "PORT"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := start(t, debugged())
			here := t.TempDir()
			plant(t, filepath.Join(here, "out"), 40)
			writeFile(t, filepath.Join(here, "back", "x"), nil)
			ncftp(t, v, here, "ncftpput", c.flag, "-R", v.host, "/", "out")
			wantSameTree(t, v.path("out"), filepath.Join(here, "out"), kept{times: true})
			// -T: not by way of "RETR out.tar", which few servers make.
			ncftp(t, v, here, "ncftpget", c.flag, "-R", "-T", v.host, "back", "/out")
			wantSameTree(t, filepath.Join(here, "back", "out"), filepath.Join(here, "out"), kept{times: true})
			wantVerb(t, v, c.verb)
		})
	}
}

// TestNcFTPList: ncftpls shows a directory in its three ways.
func TestNcFTPList(t *testing.T) {
	t.Parallel()
	v := start(t, setup{})
	writeFile(t, v.path("d/one"), noise(1, 12345))
	writeFile(t, v.path("d/two words"), nil)
	for flag, want := range map[string]string{"-1": "one\ntwo words\n", "-l": " 12345 ", "-m": "size=12345;"} {
		if o := ncftp(t, v, "", "ncftpls", flag, "ftp://"+v.host+"/d/"); !strings.Contains(strings.ToLower(o.out), want) {
			t.Errorf("ncftpls %s does not show %q:\n%s", flag, want, o.out)
		}
	}
}

// TestNcFTPResumes: ncftpget -z goes on where a file ends, ncftpput -z too,
// and -A appends.
func TestNcFTPResumes(t *testing.T) {
	t.Parallel()
	v := start(t, debugged())
	content, here := noise(2, 300_000), t.TempDir()
	writeFile(t, v.path("f"), content)
	writeFile(t, filepath.Join(here, "f"), content[:100_000])
	ncftp(t, v, here, "ncftpget", "-z", v.host, ".", "/f")
	wantFile(t, filepath.Join(here, "f"), content)
	wantVerb(t, v, "REST")

	writeFile(t, v.path("d/f"), content[:100_000])
	// -s: with sendfile, this ncftp sends all of the file after REST.
	ncftp(t, v, here, "ncftpput", "-z", "-s", v.host, "/d", "f")
	wantFile(t, v.path("d/f"), content)

	ncftp(t, v, here, "ncftpput", "-A", v.host, "/d", "f")
	wantFile(t, v.path("d/f"), append(content[:300_000:300_000], content...))
}
