package clients

import (
	"path/filepath"
	"strings"
	"testing"

	"ferry/internal/interop/harness"
)

// ncftp runs one of ncftp's programs for scripts, logged in to v.
func ncftp(t testing.TB, v *harness.Server, dir, name string, args ...string) harness.Output {
	t.Helper()
	head := []string{"-u", harness.User, "-p", harness.Password, "-P", v.Port}
	return harness.Program{Dir: dir}.Must(t, name, append(head, args...)...)
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
			v := harness.Start(t, harness.Debugged())
			here := t.TempDir()
			harness.Plant(t, filepath.Join(here, "out"), 40)
			harness.WriteFile(t, filepath.Join(here, "back", "x"), nil)
			ncftp(t, v, here, "ncftpput", c.flag, "-R", v.Host, "/", "out")
			harness.WantSameTree(t, v.Path("out"), filepath.Join(here, "out"), harness.Kept{Times: true})
			// -T: not by way of "RETR out.tar", which few servers make.
			ncftp(t, v, here, "ncftpget", c.flag, "-R", "-T", v.Host, "back", "/out")
			harness.WantSameTree(t, filepath.Join(here, "back", "out"), filepath.Join(here, "out"), harness.Kept{Times: true})
			harness.WantVerb(t, v, c.verb)
		})
	}
}

// TestNcFTPList: ncftpls shows a directory in its three ways.
func TestNcFTPList(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{})
	harness.WriteFile(t, v.Path("d/one"), harness.Noise(1, 12345))
	harness.WriteFile(t, v.Path("d/two words"), nil)
	for flag, want := range map[string]string{"-1": "one\ntwo words\n", "-l": " 12345 ", "-m": "size=12345;"} {
		if o := ncftp(t, v, "", "ncftpls", flag, "ftp://"+v.Host+"/d/"); !strings.Contains(strings.ToLower(o.Out), want) {
			t.Errorf("ncftpls %s does not show %q:\n%s", flag, want, o.Out)
		}
	}
}

// TestNcFTPResumes: ncftpget -z goes on where a file ends, ncftpput -z too,
// and -A appends.
func TestNcFTPResumes(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Debugged())
	content, here := harness.Noise(2, 300_000), t.TempDir()
	harness.WriteFile(t, v.Path("f"), content)
	harness.WriteFile(t, filepath.Join(here, "f"), content[:100_000])
	ncftp(t, v, here, "ncftpget", "-z", v.Host, ".", "/f")
	harness.WantFile(t, filepath.Join(here, "f"), content)
	harness.WantVerb(t, v, "REST")

	harness.WriteFile(t, v.Path("d/f"), content[:100_000])
	// -s: with sendfile, this ncftp sends all of the file after REST.
	ncftp(t, v, here, "ncftpput", "-z", "-s", v.Host, "/d", "f")
	harness.WantFile(t, v.Path("d/f"), content)

	ncftp(t, v, here, "ncftpput", "-A", v.Host, "/d", "f")
	harness.WantFile(t, v.Path("d/f"), append(content[:300_000:300_000], content...))
}
