package clients

import (
	"path/filepath"
	"testing"

	"ferry/internal/interop/harness"
)

// TestAnonymousClients: clients without a name and password read what is
// there, change nothing, and may leave new files in the drop directory.
func TestAnonymousClients(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{Args: []string{"--anonymous", "--drop", "/incoming"}})
	content, here := harness.Noise(1, 100_000), t.TempDir()
	harness.WriteFile(t, v.Path("pub/f"), content)
	harness.WriteFile(t, filepath.Join(here, "new"), harness.Noise(2, 1000))
	at := harness.Program{Dir: here}

	for _, c := range []struct {
		name  string
		stdin string
		args  []string
	}{
		{"curl", "", []string{"-q", "-sS", "-o", "curl", v.Url("pub/f")}},
		{"lftp", "get f -o lftp\n", []string{v.Url("pub")}},
		{"ncftpget", "", []string{"-c", v.Url("pub/f")}},
		{"wget", "", []string{"--no-config", "-nv", "-O", "wget", v.Url("pub/f")}},
		{"tnftp", "", []string{"-o", "tnftp", v.Url("pub/f")}},
		{"inetutils-ftp", "user anonymous me@example.org\nbinary\nget pub/f inetutils-ftp\nbye\n", []string{"-n", v.Host, v.Port}},
		{"python3", "", []string{"-c", `
import ftplib, sys
with ftplib.FTP() as ftp, open("python3", "wb") as f:
    ftp.connect(sys.argv[1], int(sys.argv[2]))
    ftp.login()
    ftp.retrbinary("RETR pub/f", f.write)
`, v.Host, v.Port}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := at
			p.Stdin = c.stdin
			o := p.Must(t, c.name, c.args...)
			if c.name == "ncftpget" { // it writes to standard output
				harness.WriteFile(t, filepath.Join(here, c.name), []byte(o.Out))
			}
			harness.WantFile(t, filepath.Join(here, c.name), content)
		})
	}

	for _, name := range []string{"pub/new", "pub/f", "new"} {
		if o := at.Run(t, "curl", "-q", "-sS", "-T", "new", v.Url(name)); o.Code != 25 { // CURLE_UPLOAD_FAILED
			t.Errorf("an upload to %s: curl ended with %d: %s", name, o.Code, o.Err)
		}
	}
	harness.WantNoFile(t, v.Path("pub/new"))
	harness.WantNoFile(t, v.Path("new"))
	harness.WantFile(t, v.Path("pub/f"), content)

	at.Must(t, "curl", "-q", "-sS", "-T", "new", v.Url("incoming/new"))
	harness.WantFile(t, v.Path("incoming/new"), harness.Noise(2, 1000))
	if o := at.Run(t, "curl", "-q", "-sS", "-T", "new", v.Url("incoming/new")); o.Code != 25 {
		t.Errorf("a second upload of the same name: curl ended with %d: %s", o.Code, o.Err)
	}
	if o := at.Run(t, "curl", "-q", "-sS", v.Url("incoming/new")); o.Code == 0 {
		t.Error("what was dropped can be read")
	}
}
