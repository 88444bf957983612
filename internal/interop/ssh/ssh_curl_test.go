package ssh

import (
	"path/filepath"
	"strings"
	"testing"

	"ferry/internal/interop/harness"
)

// TestCurlOverSSH: what curl has for SFTP: uploads and downloads, both gone on
// with, ranges, lists, and commands before and after.
func TestCurlOverSSH(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{Config: harness.CheapLogins + "[limits]\nfail_delay = \"0s\"\n"})
	here := t.TempDir()
	content := harness.Noise(1, 2<<20+3)
	harness.WriteFile(t, filepath.Join(here, "f"), content)
	harness.WriteFile(t, filepath.Join(here, "half"), content[:1<<20])
	url := "sftp://127.0.0.1:" + v.sshPort + "/"
	run := func(args ...string) harness.Output {
		t.Helper()
		return harness.Program{Dir: here}.Run(t, "curl", append([]string{"-q", "-sS", "-k", "-u", "bob:", "--key", v.key, "--pubkey", v.key + ".pub"}, args...)...)
	}
	must := func(args ...string) harness.Output {
		t.Helper()
		o := run(args...)
		if o.Code != 0 {
			t.Fatalf("curl %q: exit status %d\n%s%s", args, o.Code, o.Out, o.Err)
		}
		return o
	}

	must("-T", "f", "--ftp-create-dirs", url+"a%20dir/deep/f")
	harness.WantFile(t, v.Path("a dir/deep/f"), content)
	must("-T", "f", url)
	must("-T", "f", "--create-file-mode", "0600", url+"new")
	must("-T", "half", url+"resumed")
	must("-C", "-", "-T", "f", url+"resumed")
	harness.WantFile(t, v.Path("resumed"), content)
	must("-T", "half", url+"added")
	must("-a", "-T", "half", url+"added")
	harness.WantFile(t, v.Path("added"), append(content[:1<<20:1<<20], content[:1<<20]...))

	must("-C", "-", "-o", "half", url+"f")
	harness.WantFile(t, filepath.Join(here, "half"), content)
	for r, want := range map[string]string{
		"0-99": string(content[:100]), "1000-1999": string(content[1000:2000]), "-50": string(content[len(content)-50:]), "2097152-": string(content[2<<20:]),
	} {
		if o := must("-r", r, url+"f"); o.Out != want {
			t.Errorf("range %s gave %d other bytes, want %d", r, len(o.Out), len(want))
		}
	}
	if o := must(url); !strings.Contains(o.Out, " f\n") || !strings.Contains(o.Out, "drwx") || !strings.Contains(o.Out, "-rw-------") {
		t.Errorf("the list shows\n%s", o.Out)
	}
	if o := must("-l", url+"a%20dir/"); !strings.Contains(o.Out, "deep\n") {
		t.Errorf("the names are\n%s", o.Out)
	}
	harness.WriteFile(t, v.Path("small"), []byte("small"))
	o := must("-Q", "pwd", "-Q", "rename /new /newer", "-Q", "mkdir /d", "-Q", "chmod 640 /newer", "-Q", "symlink /newer /link", "-Q", "rmdir /d",
		"-Q", `rm "/a dir/deep/f"`, "-Q", "mtime 20010203 /newer", "-Q", "statvfs /", "-Q", "-rm /link", "-D", "-", url+"small")
	for _, want := range []string{`257 "/`, "statvfs:", "f_bavail"} {
		if !strings.Contains(o.Out, want) {
			t.Errorf("curl does not show %q:\n%s", want, o.Out)
		}
	}
	harness.WantFile(t, v.Path("newer"), content)
	for _, name := range []string{"new", "d", "link", "a dir/deep/f"} {
		harness.WantNoFile(t, v.Path(name))
	}
	// Its exit statuses: 78 nothing there, 79 error, 9 no access, 67 no login.
	for code, args := range map[int][]string{
		78: {url + "missing"},
		21: {"-Q", "rm /missing", "-I", url + "f"},
		67: {"--key", newSSHKey(t, "ed25519"), "--pubkey", "", url + "f"},
	} {
		if o := run(args...); o.Code != code {
			t.Errorf("curl %q: exit status %d, want %d\n%s", args, o.Code, code, o.Err)
		}
	}
	harness.WantNoParts(t, v.Dir)
}

// TestCurlSCP: curl speaks the old protocol of scp, too.
func TestCurlSCP(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{Config: harness.CheapLogins})
	here := t.TempDir()
	content := harness.Noise(1, 1<<20+3)
	harness.WriteFile(t, filepath.Join(here, "f"), content)
	url := "scp://127.0.0.1:" + v.sshPort + "/"
	login := []string{"-q", "-sS", "-k", "-u", harness.User + ":" + harness.Password}
	harness.Program{Dir: here}.Must(t, "curl", append(login, "-T", "f", url+"g%20h")...)
	harness.WantFile(t, v.Path("g h"), content)
	harness.Program{Dir: here}.Must(t, "curl", append(login, "-o", "back", url+"g%20h")...)
	harness.WantFile(t, filepath.Join(here, "back"), content)
	if o := (harness.Program{}).Run(t, "curl", append(login, url+"missing")...); o.Code == 0 {
		t.Error("curl copied what is missing")
	}
}
