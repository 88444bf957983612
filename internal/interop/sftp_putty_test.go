package interop

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// putty are the arguments that log in with one of PuTTY's programs, without
// any question: alice by her password.
func putty(t testing.TB, v *secure) []string {
	t.Helper()
	scanned := program{}.must(t, "ssh-keyscan", "-p", v.sshPort, "-t", "ed25519", "127.0.0.1")
	shown := strings.Fields(program{stdin: scanned.out}.must(t, "ssh-keygen", "-l", "-f", "-").out)
	if len(shown) < 2 {
		t.Fatalf("ssh-keyscan found no key: %q", scanned.out)
	}
	return []string{"-batch", "-P", v.sshPort, "-hostkey", shown[1], "-pw", password}
}

// puttyByKey logs in as bob, by his key in PuTTY's own form.
func puttyByKey(t testing.TB, v *secure) []string {
	t.Helper()
	key := filepath.Join(t.TempDir(), "key.ppk")
	program{}.must(t, "puttygen", v.key, "-O", "private", "-o", key)
	args := putty(t, v)
	return append(args[:len(args)-2], "-i", key)
}

// TestPsftp: a batch of all that psftp can do. It goes on after an error and
// tells of it only in its exit status.
func TestPsftp(t *testing.T) {
	t.Parallel()
	v := startSSH(t, setup{config: cheapLogins})
	here := t.TempDir()
	content := noise(1, 1<<20+7)
	writeFile(t, filepath.Join(here, "f"), content)
	writeFile(t, filepath.Join(here, "part"), content[:100_001])
	writeFile(t, filepath.Join(here, "in two"), content[:200_003])
	plant(t, filepath.Join(here, "out"), 20)
	batch := strings.Join([]string{
		"put f g", "mkdir d", "cd d", "pwd", "put f", "ren f h", "chmod 640 h", "ls", "get h back", "cd ..",
		"put part resumed", "reput f resumed", `reget g "in two"`,
		"lcd out", "mput -r d0", "lcd ..", "mkdir many", "put -r out many/tree", "get -r many/tree tree-back",
		"put f many/f1", "put f many/f2", "cd many", "mget f*", "del f1", "cd ..", "mkdir empty", "rmdir empty", "mv d/h d/moved",
		"chmod u-w,o+r d/moved",
	}, "\n") + "\n"
	o := program{dir: here, stdin: batch}.run(t, "psftp", append(putty(t, v), user+"@127.0.0.1", "-b", "/dev/stdin")...)
	fine(t, o)
	for _, want := range []string{"Remote directory is /d", "0644 -> 0640", "-rw-r-----    1", "restarting at file position 100001", "restarting at file position 200003"} {
		if !strings.Contains(o.out, want) {
			t.Errorf("psftp does not say %q:\n%s%s", want, o.out, o.err)
		}
	}
	for _, name := range []string{"g", "resumed", "many/f2", "d/moved"} {
		wantFile(t, v.path(name), content)
	}
	for _, name := range []string{"back", "in two", "f1", "f2"} {
		wantFile(t, filepath.Join(here, name), content)
	}
	for _, name := range []string{"many/f1", "empty", "d/f", "d/h"} {
		wantNoFile(t, v.path(name))
	}
	out := filepath.Join(here, "out")
	wantSameTree(t, v.path("many/tree"), out, kept{})
	wantSameTree(t, v.path("d0"), filepath.Join(out, "d0"), kept{})
	wantSameTree(t, filepath.Join(here, "tree-back"), out, kept{})
	if i, err := os.Stat(v.path("d/moved")); err != nil || i.Mode() != 0o444 {
		t.Errorf("chmod of d/moved: %v, %v", i, err)
	}

	for line, want := range map[string]string{
		"get missing":  "no such file or directory",
		"rmdir many":   "failure",
		"mkdir many":   "failure",
		"chmod 600 no": "no such file or directory",
		"ren g f/g":    "no such file or directory",
	} {
		o := program{dir: here, stdin: line + "\n"}.run(t, "psftp", append(puttyByKey(t, v), "bob@127.0.0.1", "-b", "/dev/stdin")...)
		if o.code == 0 || !strings.Contains(o.out+o.err, want) {
			t.Errorf("%s: exit status %d, want %q:\n%s%s", line, o.code, want, o.out, o.err)
		}
	}
}

// TestPscp: over both protocols, a tree there and back, with times and single
// files over others.
func TestPscp(t *testing.T) {
	t.Parallel()
	v := startSSH(t, setup{config: cheapLogins})
	for _, mode := range []string{"-sftp", "-scp"} {
		here := t.TempDir()
		out := filepath.Join(here, "out")
		plant(t, out, 20)
		writeFile(t, filepath.Join(here, "large"), noise(1, 3<<20))
		writeFile(t, v.path("over"), noise(2, 4<<20))
		login := append(puttyByKey(t, v), mode)
		pscp := func(args ...string) {
			t.Helper()
			program{dir: here}.must(t, "pscp", append(append([]string{}, login...), args...)...)
		}
		// Into directories that are there: with -sftp, pscp makes none for the
		// tree itself.
		for _, dir := range []string{v.path("tree" + mode), filepath.Join(here, "back")} {
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		pscp("-p", "-r", "out", "bob@127.0.0.1:tree"+mode)
		wantSameTree(t, v.path("tree"+mode+"/out"), out, kept{times: true})
		pscp("-p", "-r", "bob@127.0.0.1:tree"+mode+"/out", "back")
		wantSameTree(t, filepath.Join(here, "back", "out"), out, kept{times: true})
		pscp("large", "bob@127.0.0.1:over")
		wantFile(t, v.path("over"), noise(1, 3<<20))
		pscp("bob@127.0.0.1:over", "large-back")
		wantFile(t, filepath.Join(here, "large-back"), noise(1, 3<<20))
		writeFile(t, v.path("plain/a1"), noise(3, 100))
		writeFile(t, v.path("plain/a2"), noise(4, 100))
		pscp("-unsafe", "bob@127.0.0.1:plain/a*", ".")
		wantFile(t, filepath.Join(here, "a1"), noise(3, 100))
		wantFile(t, filepath.Join(here, "a2"), noise(4, 100))
		if o := (program{dir: here}).run(t, "pscp", append(append([]string{}, login...), "bob@127.0.0.1:missing", "x")...); o.code == 0 {
			t.Errorf("%s: a file that is missing was copied", mode)
		}
	}
	if o := (program{}).must(t, "pscp", append(putty(t, v), "-ls", user+"@127.0.0.1:/")...); !strings.Contains(o.out, " over") {
		t.Errorf("pscp -ls shows\n%s", o.out)
	}
	wantNoParts(t, v.dir)
}
