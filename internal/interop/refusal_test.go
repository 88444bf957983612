package interop

import (
	"os"
	"path/filepath"
	"testing"
)

// TestClientsUnderstandRefusals: scripts look at exit statuses, and those
// follow the codes of the replies.
func TestClientsUnderstandRefusals(t *testing.T) {
	t.Parallel()
	// Failed logins are many here, and from one address.
	v := start(t, setup{config: "[limits]\nfail_delay = \"0s\"\nban_after = 0\n"})
	here := t.TempDir()
	writeFile(t, filepath.Join(here, "f"), []byte("new"))
	writeFile(t, v.path("d/f"), []byte("old"))
	if err := os.Mkdir(v.path("f.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	good, bad := user+":"+password, user+":wrong"
	lftpDo := func(account string, then string) string {
		return "set net:max-retries 1\nset cmd:fail-exit yes\nopen -u " + account + " " + v.url("") + "\n" + then + "\n"
	}
	for _, c := range []struct {
		what, stdin string
		code        int
		client      string
		args        []string
	}{
		{"curl: wrong password", "", 67, "curl", []string{"-q", "-sS", "-u", bad, v.url("d/f")}},
		{"curl: no such user", "", 67, "curl", []string{"-q", "-sS", "-u", "nobody:" + password, v.url("d/f")}},
		{"curl: no anonymous", "", 67, "curl", []string{"-q", "-sS", v.url("d/f")}},
		{"curl: no such file", "", 78, "curl", []string{"-q", "-sS", "-u", good, v.url("d/none")}},
		{"curl: no such directory", "", 9, "curl", []string{"-q", "-sS", "-u", good, v.url("none/")}},
		{"curl: no such directory for an upload", "", 9, "curl", []string{"-q", "-sS", "-u", good, "-T", "f", v.url("none/f")}},
		{"curl: upload over a directory", "", 25, "curl", []string{"-q", "-sS", "-u", good, "-T", "f", v.url("f.d")}},
		{"curl: beyond the end", "", 36, "curl", []string{"-q", "-sS", "-u", good, "-C", "100", "-o", "got", v.url("d/f")}},
		{"wget: wrong password", "", 6, "wget", []string{"--no-config", "-nv", "-t1", "--user=" + user, "--password=wrong", v.url("d/f")}},
		{"wget: no such file", "", 8, "wget", []string{"--no-config", "-nv", "-t1", "--user=" + user, "--password=" + password, v.url("d/none")}},
		{"lftp: wrong password", lftpDo(user+",wrong", "get d/f -o got"), 1, "lftp", nil},
		{"lftp: no such file", lftpDo(user+","+password, "get d/none -o got"), 1, "lftp", nil},
		{"lftp: not empty", lftpDo(user+","+password, "rmdir d"), 1, "lftp", nil},
		{"ncftpget: wrong password", "", 1, "ncftpget", []string{"-r", "0", "-u", user, "-p", "wrong", "-P", v.port, v.host, ".", "/d/f"}},
		{"ncftpget: no such file", "", 3, "ncftpget", []string{"-r", "0", "-u", user, "-p", password, "-P", v.port, v.host, ".", "/d/none"}},
		{"tnftp: no such file", "", 1, "tnftp", []string{"-o", "got", "ftp://" + good + "@" + v.addr + "/d/none"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			o := program{dir: here, stdin: c.stdin}.run(t, c.client, c.args...)
			if o.code != c.code {
				t.Errorf("exit status %d, want %d\n%s%s", o.code, c.code, o.out, o.err)
			}
		})
	}
	wantFile(t, v.path("d/f"), []byte("old"))
	wantNoParts(t, v.dir)
}

// TestClientsOfReadOnlyServer: nothing changes, and clients say so.
func TestClientsOfReadOnlyServer(t *testing.T) {
	t.Parallel()
	v := start(t, setup{args: []string{"--read-only"}})
	here := t.TempDir()
	plant(t, v.path("tree"), 20)
	plant(t, filepath.Join(here, "same"), 20)
	plant(t, filepath.Join(here, "out"), 3)
	for _, change := range []string{"mirror -R out new", "mkdir d", "rm -r tree", "mv tree t", "chmod 700 tree", "put -O tree out/d0/e0/f\\ 0/g0/file-000.bin"} {
		if o := (program{dir: here, stdin: lftpScript(v, []string{change})}).run(t, "lftp"); o.code == 0 {
			t.Errorf("lftp took %q for a success", change)
		}
	}
	wantSameTree(t, v.path("tree"), filepath.Join(here, "same"), kept{modes: true, times: true})
	wantNoFile(t, v.path("new"))
	lftp(t, v, here, "mirror tree back")
	wantSameTree(t, filepath.Join(here, "back"), v.path("tree"), kept{modes: true, times: true})
}
