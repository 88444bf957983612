package clients

import (
	"os"
	"path/filepath"
	"testing"

	"ferry/internal/interop/harness"
)

// TestClientsUnderstandRefusals: scripts look at exit statuses, and those
// follow the codes of the replies.
func TestClientsUnderstandRefusals(t *testing.T) {
	t.Parallel()
	// Failed logins are many here, and from one address.
	v := harness.Start(t, harness.Setup{Config: "[limits]\nfail_delay = \"0s\"\nban_after = 0\n"})
	here := t.TempDir()
	harness.WriteFile(t, filepath.Join(here, "f"), []byte("new"))
	harness.WriteFile(t, v.Path("d/f"), []byte("old"))
	if err := os.Mkdir(v.Path("f.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	good, bad := harness.User+":"+harness.Password, harness.User+":wrong"
	lftpDo := func(account string, then string) string {
		return "set net:max-retries 1\nset cmd:fail-exit yes\nopen -u " + account + " " + v.Url("") + "\n" + then + "\n"
	}
	for _, c := range []struct {
		what, stdin string
		code        int
		client      string
		args        []string
	}{
		{"curl: wrong password", "", 67, "curl", []string{"-q", "-sS", "-u", bad, v.Url("d/f")}},
		{"curl: no such user", "", 67, "curl", []string{"-q", "-sS", "-u", "nobody:" + harness.Password, v.Url("d/f")}},
		{"curl: no anonymous", "", 67, "curl", []string{"-q", "-sS", v.Url("d/f")}},
		{"curl: no such file", "", 78, "curl", []string{"-q", "-sS", "-u", good, v.Url("d/none")}},
		{"curl: no such directory", "", 9, "curl", []string{"-q", "-sS", "-u", good, v.Url("none/")}},
		{"curl: no such directory for an upload", "", 9, "curl", []string{"-q", "-sS", "-u", good, "-T", "f", v.Url("none/f")}},
		{"curl: upload over a directory", "", 25, "curl", []string{"-q", "-sS", "-u", good, "-T", "f", v.Url("f.d")}},
		{"curl: beyond the end", "", 36, "curl", []string{"-q", "-sS", "-u", good, "-C", "100", "-o", "got", v.Url("d/f")}},
		{"wget: wrong password", "", 6, "wget", []string{"--no-config", "-nv", "-t1", "--user=" + harness.User, "--password=wrong", v.Url("d/f")}},
		{"wget: no such file", "", 8, "wget", []string{"--no-config", "-nv", "-t1", "--user=" + harness.User, "--password=" + harness.Password, v.Url("d/none")}},
		{"lftp: wrong password", lftpDo(harness.User+",wrong", "get d/f -o got"), 1, "lftp", nil},
		{"lftp: no such file", lftpDo(harness.User+","+harness.Password, "get d/none -o got"), 1, "lftp", nil},
		{"lftp: not empty", lftpDo(harness.User+","+harness.Password, "rmdir d"), 1, "lftp", nil},
		{"ncftpget: wrong password", "", 1, "ncftpget", []string{"-r", "0", "-u", harness.User, "-p", "wrong", "-P", v.Port, v.Host, ".", "/d/f"}},
		{"ncftpget: no such file", "", 3, "ncftpget", []string{"-r", "0", "-u", harness.User, "-p", harness.Password, "-P", v.Port, v.Host, ".", "/d/none"}},
		{"tnftp: no such file", "", 1, "tnftp", []string{"-o", "got", "ftp://" + good + "@" + v.Addr + "/d/none"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			o := harness.Program{Dir: here, Stdin: c.stdin}.Run(t, c.client, c.args...)
			if o.Code != c.code {
				t.Errorf("exit status %d, want %d\n%s%s", o.Code, c.code, o.Out, o.Err)
			}
		})
	}
	harness.WantFile(t, v.Path("d/f"), []byte("old"))
	harness.WantNoParts(t, v.Dir)
}

// TestClientsOfReadOnlyServer: nothing changes, and clients say so.
func TestClientsOfReadOnlyServer(t *testing.T) {
	t.Parallel()
	v := harness.Start(t, harness.Setup{Args: []string{"--read-only"}})
	here := t.TempDir()
	harness.Plant(t, v.Path("tree"), 20)
	harness.Plant(t, filepath.Join(here, "same"), 20)
	harness.Plant(t, filepath.Join(here, "out"), 3)
	for _, change := range []string{"mirror -R out new", "mkdir d", "rm -r tree", "mv tree t", "chmod 700 tree", "put -O tree out/d0/e0/f\\ 0/g0/file-000.bin"} {
		if o := (harness.Program{Dir: here, Stdin: lftpScript(v, []string{change})}).Run(t, "lftp"); o.Code == 0 {
			t.Errorf("lftp took %q for a success", change)
		}
	}
	harness.WantSameTree(t, v.Path("tree"), filepath.Join(here, "same"), harness.Kept{Modes: true, Times: true})
	harness.WantNoFile(t, v.Path("new"))
	lftp(t, v, here, "mirror tree back")
	harness.WantSameTree(t, filepath.Join(here, "back"), v.Path("tree"), harness.Kept{Modes: true, Times: true})
}
