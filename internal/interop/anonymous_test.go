package interop

import (
	"path/filepath"
	"testing"
)

// TestAnonymousClients: clients without a name and password read what is
// there, change nothing, and may leave new files in the drop directory.
func TestAnonymousClients(t *testing.T) {
	t.Parallel()
	v := start(t, setup{args: []string{"--anonymous", "--drop", "/incoming"}})
	content, here := noise(1, 100_000), t.TempDir()
	writeFile(t, v.path("pub/f"), content)
	writeFile(t, filepath.Join(here, "new"), noise(2, 1000))
	at := program{dir: here}

	for _, c := range []struct {
		name  string
		stdin string
		args  []string
	}{
		{"curl", "", []string{"-q", "-sS", "-o", "curl", v.url("pub/f")}},
		{"lftp", "get f -o lftp\n", []string{v.url("pub")}},
		{"ncftpget", "", []string{"-c", v.url("pub/f")}},
		{"wget", "", []string{"--no-config", "-nv", "-O", "wget", v.url("pub/f")}},
		{"tnftp", "", []string{"-o", "tnftp", v.url("pub/f")}},
		{"inetutils-ftp", "user anonymous me@example.org\nbinary\nget pub/f inetutils-ftp\nbye\n", []string{"-n", v.host, v.port}},
		{"python3", "", []string{"-c", `
import ftplib, sys
with ftplib.FTP() as ftp, open("python3", "wb") as f:
    ftp.connect(sys.argv[1], int(sys.argv[2]))
    ftp.login()
    ftp.retrbinary("RETR pub/f", f.write)
`, v.host, v.port}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := at
			p.stdin = c.stdin
			o := p.must(t, c.name, c.args...)
			if c.name == "ncftpget" { // it writes to standard output
				writeFile(t, filepath.Join(here, c.name), []byte(o.out))
			}
			wantFile(t, filepath.Join(here, c.name), content)
		})
	}

	for _, name := range []string{"pub/new", "pub/f", "new"} {
		if o := at.run(t, "curl", "-q", "-sS", "-T", "new", v.url(name)); o.code != 25 { // CURLE_UPLOAD_FAILED
			t.Errorf("an upload to %s: curl ended with %d: %s", name, o.code, o.err)
		}
	}
	wantNoFile(t, v.path("pub/new"))
	wantNoFile(t, v.path("new"))
	wantFile(t, v.path("pub/f"), content)

	at.must(t, "curl", "-q", "-sS", "-T", "new", v.url("incoming/new"))
	wantFile(t, v.path("incoming/new"), noise(2, 1000))
	if o := at.run(t, "curl", "-q", "-sS", "-T", "new", v.url("incoming/new")); o.code != 25 {
		t.Errorf("a second upload of the same name: curl ended with %d: %s", o.code, o.err)
	}
	if o := at.run(t, "curl", "-q", "-sS", v.url("incoming/new")); o.code == 0 {
		t.Error("what was dropped can be read")
	}
}
