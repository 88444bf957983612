package ssh

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ferry/internal/interop/harness"
)

// putty are the arguments that log in with one of PuTTY's programs, without
// any question: alice by her password.
func putty(t testing.TB, v *secure) []string {
	t.Helper()
	scanned := harness.Program{}.Must(t, "ssh-keyscan", "-p", v.sshPort, "-t", "ed25519", "127.0.0.1")
	shown := strings.Fields(harness.Program{Stdin: scanned.Out}.Must(t, "ssh-keygen", "-l", "-f", "-").Out)
	if len(shown) < 2 {
		t.Fatalf("ssh-keyscan found no key: %q", scanned.Out)
	}
	return []string{"-batch", "-P", v.sshPort, "-hostkey", shown[1], "-pw", harness.Password}
}

// puttyByKey logs in as bob, by his key in PuTTY's own form.
func puttyByKey(t testing.TB, v *secure) []string {
	t.Helper()
	key := filepath.Join(t.TempDir(), "key.ppk")
	harness.Program{}.Must(t, "puttygen", v.key, "-O", "private", "-o", key)
	args := putty(t, v)
	return append(args[:len(args)-2], "-i", key)
}

// TestPsftp: a batch of all that psftp can do. It goes on after an error and
// tells of it only in its exit status.
func TestPsftp(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{Config: harness.CheapLogins})
	here := t.TempDir()
	content := harness.Noise(1, 1<<20+7)
	harness.WriteFile(t, filepath.Join(here, "f"), content)
	harness.WriteFile(t, filepath.Join(here, "part"), content[:100_001])
	harness.WriteFile(t, filepath.Join(here, "in two"), content[:200_003])
	harness.Plant(t, filepath.Join(here, "out"), 20)
	batch := strings.Join([]string{
		"put f g", "mkdir d", "cd d", "pwd", "put f", "ren f h", "chmod 640 h", "ls", "get h back", "cd ..",
		"put part resumed", "reput f resumed", `reget g "in two"`,
		"lcd out", "mput -r d0", "lcd ..", "mkdir many", "put -r out many/tree", "get -r many/tree tree-back",
		"put f many/f1", "put f many/f2", "cd many", "mget f*", "del f1", "cd ..", "mkdir empty", "rmdir empty", "mv d/h d/moved",
		"chmod u-w,o+r d/moved",
	}, "\n") + "\n"
	o := harness.Program{Dir: here, Stdin: batch}.Run(t, "psftp", append(putty(t, v), harness.User+"@127.0.0.1", "-b", "/dev/stdin")...)
	fine(t, o)
	for _, want := range []string{"Remote directory is /d", "0644 -> 0640", "-rw-r-----    1", "restarting at file position 100001", "restarting at file position 200003"} {
		if !strings.Contains(o.Out, want) {
			t.Errorf("psftp does not say %q:\n%s%s", want, o.Out, o.Err)
		}
	}
	for _, name := range []string{"g", "resumed", "many/f2", "d/moved"} {
		harness.WantFile(t, v.Path(name), content)
	}
	for _, name := range []string{"back", "in two", "f1", "f2"} {
		harness.WantFile(t, filepath.Join(here, name), content)
	}
	for _, name := range []string{"many/f1", "empty", "d/f", "d/h"} {
		harness.WantNoFile(t, v.Path(name))
	}
	out := filepath.Join(here, "out")
	harness.WantSameTree(t, v.Path("many/tree"), out, harness.Kept{})
	harness.WantSameTree(t, v.Path("d0"), filepath.Join(out, "d0"), harness.Kept{})
	harness.WantSameTree(t, filepath.Join(here, "tree-back"), out, harness.Kept{})
	if i, err := os.Stat(v.Path("d/moved")); err != nil || i.Mode() != 0o444 {
		t.Errorf("chmod of d/moved: %v, %v", i, err)
	}

	for line, want := range map[string]string{
		"get missing":  "no such file or directory",
		"rmdir many":   "failure",
		"mkdir many":   "failure",
		"chmod 600 no": "no such file or directory",
		"ren g f/g":    "no such file or directory",
	} {
		o := harness.Program{Dir: here, Stdin: line + "\n"}.Run(t, "psftp", append(puttyByKey(t, v), "bob@127.0.0.1", "-b", "/dev/stdin")...)
		if o.Code == 0 || !strings.Contains(o.Out+o.Err, want) {
			t.Errorf("%s: exit status %d, want %q:\n%s%s", line, o.Code, want, o.Out, o.Err)
		}
	}
}

// TestPscp: over both protocols, a tree there and back, with times and single
// files over others.
func TestPscp(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{Config: harness.CheapLogins})
	for _, mode := range []string{"-sftp", "-scp"} {
		here := t.TempDir()
		out := filepath.Join(here, "out")
		harness.Plant(t, out, 20)
		harness.WriteFile(t, filepath.Join(here, "large"), harness.Noise(1, 3<<20))
		harness.WriteFile(t, v.Path("over"), harness.Noise(2, 4<<20))
		login := append(puttyByKey(t, v), mode)
		pscp := func(args ...string) {
			t.Helper()
			harness.Program{Dir: here}.Must(t, "pscp", append(append([]string{}, login...), args...)...)
		}
		// Into directories that are there: with -sftp, pscp makes none for the
		// tree itself.
		for _, dir := range []string{v.Path("tree" + mode), filepath.Join(here, "back")} {
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		pscp("-p", "-r", "out", "bob@127.0.0.1:tree"+mode)
		harness.WantSameTree(t, v.Path("tree"+mode+"/out"), out, harness.Kept{Times: true})
		pscp("-p", "-r", "bob@127.0.0.1:tree"+mode+"/out", "back")
		harness.WantSameTree(t, filepath.Join(here, "back", "out"), out, harness.Kept{Times: true})
		pscp("large", "bob@127.0.0.1:over")
		harness.WantFile(t, v.Path("over"), harness.Noise(1, 3<<20))
		pscp("bob@127.0.0.1:over", "large-back")
		harness.WantFile(t, filepath.Join(here, "large-back"), harness.Noise(1, 3<<20))
		harness.WriteFile(t, v.Path("plain/a1"), harness.Noise(3, 100))
		harness.WriteFile(t, v.Path("plain/a2"), harness.Noise(4, 100))
		pscp("-unsafe", "bob@127.0.0.1:plain/a*", ".")
		harness.WantFile(t, filepath.Join(here, "a1"), harness.Noise(3, 100))
		harness.WantFile(t, filepath.Join(here, "a2"), harness.Noise(4, 100))
		if o := (harness.Program{Dir: here}).Run(t, "pscp", append(append([]string{}, login...), "bob@127.0.0.1:missing", "x")...); o.Code == 0 {
			t.Errorf("%s: a file that is missing was copied", mode)
		}
	}
	if o := (harness.Program{}).Must(t, "pscp", append(putty(t, v), "-ls", harness.User+"@127.0.0.1:/")...); !strings.Contains(o.Out, " over") {
		t.Errorf("pscp -ls shows\n%s", o.Out)
	}
	harness.WantNoParts(t, v.Dir)
}
