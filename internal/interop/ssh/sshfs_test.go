package ssh

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ferry/internal/interop/harness"
)

// mountSSHFS mounts bob's files by sshfs and gives the directory. It needs
// /dev/fuse.
func mountSSHFS(t testing.TB, v *secure, options ...string) string {
	t.Helper()
	at := t.TempDir()
	args := append(strings.Fields("bob@127.0.0.1: "+at), "-p", v.sshPort)
	for _, o := range v.byKey() {
		if rest, ok := strings.CutPrefix(o, "-o"); ok {
			args = append(args, "-o", rest)
		}
	}
	for _, o := range options {
		args = append(args, "-o", o)
	}
	harness.Program{}.Must(t, "sshfs", append(args, "-F", "/dev/null")...)
	t.Cleanup(func() { _ = exec.Command("fusermount3", "-u", at).Run() })
	return at
}

// TestSSHFS: a mounted tree is one that programs can work in.
func TestSSHFS(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{Config: harness.CheapLogins})
	at := mountSSHFS(t, v)

	here := filepath.Join(t.TempDir(), "out")
	harness.Plant(t, here, 60)
	plantOdd(t, here, append(oddNames(), rawNames()...))
	harness.Program{}.Must(t, "cp", "-a", here, filepath.Join(at, "tree"))
	harness.WantSameTree(t, v.Path("tree"), here, harness.Kept{Modes: true, Times: true})
	harness.Program{}.Must(t, "mv", filepath.Join(at, "tree"), filepath.Join(at, "moved"))
	harness.Program{}.Must(t, "diff", "-r", filepath.Join(at, "moved"), here)

	// What an editor does: append, change in the middle, rename over.
	file := filepath.Join(at, "notes")
	harness.Program{}.Must(t, "sh", "-ec", "echo one >$0; echo two >>$0; printf X | dd of=$0 bs=1 seek=1 conv=notrunc 2>/dev/null; cp $0 $0.new; mv $0.new $0", file)
	harness.Program{}.Must(t, "sync", file)
	harness.WantFile(t, v.Path("notes"), []byte("oXe\ntwo\n"))
	harness.Program{}.Must(t, "rm", "-r", filepath.Join(at, "moved"))
	harness.WantNoFile(t, v.Path("moved"))
}

// TestSSHFSCalls: system calls that more than cp and mv make.
func TestSSHFSCalls(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{Config: harness.CheapLogins})
	at := mountSSHFS(t, v)
	for name, script := range map[string]string{
		"rename over":     `echo new >a; echo old >b; mv -f a b; test "$(cat b)" = new; test ! -e a`,
		"append":          `printf one >a; printf two >>a; printf three >>a; test "$(cat a)" = onetwothree`,
		"truncate":        `printf 0123456789 >a; truncate -s 4 a; test "$(cat a)" = 0123; truncate -s 1000000 a; test "$(stat -c %s a)" = 1000000; : >a; test ! -s a`,
		"write and cut":   `exec 3>a; printf 0123456789 >&3; truncate -s 5 a; exec 3>&-; test "$(cat a)" = 01234`,
		"hard link":       `echo one >a; ln a b; echo two >>b; test "$(cat a)" = "$(cat b)"; rm a; test "$(wc -l <b)" = 2`,
		"symbolic link":   `echo one >a; ln -s a l; test "$(readlink l)" = a; test "$(cat l)" = one; ln -sfn nowhere l; test ! -e l; test -L l; rm l`,
		"open and unlink": `echo content >a; exec 3<a; rm a; test "$(cat <&3)" = content; exec 3<&-; test -z "$(ls -A)"`,
		"write unlinked":  `exec 3<>a; printf content >&3; rm a; test "$(cat /proc/self/fd/3)" = content; exec 3<&-; test -z "$(ls -A)"`,
		"modes and times": `echo x >a; chmod 600 a; test "$(stat -c %a a)" = 600; touch -d '2001-02-03 04:05:06 UTC' a; test "$(stat -c %Y a)" = 981173106`,
		"exclusive":       `set -C; echo one >a; ! echo two >a; test "$(cat a)" = one`,
		"locks":           `flock lock -c 'echo held >a'; test "$(cat a)" = held`,
		"sparse":          `dd if=/dev/zero of=a bs=1 seek=3000000 count=1 2>/dev/null; test "$(stat -c %s a)" = 3000001; head -c 3000000 a | cmp - /dev/zero 2>&1 | grep -q EOF`,
		"both ways":       `echo one >a; exec 3<>a; read -r x <&3; echo two >&3; test "$x" = one; exec 3>&-; test "$(wc -l <a)" = 2`,
		"space":           `df . | grep -q %; test "$(stat -f -c %b .)" -gt 0; test "$(stat -f -c %l .)" -ge 200`,
		"directories":     `mkdir -p a/b/c; rmdir a/b/c; ! rmdir a; mv a z; test -d z/b; rm -r z`,
		"many files":      `for i in $(seq 100); do echo $i >f$i; done; test "$(ls | wc -l)" = 100; cat f* | sort -n | cmp - - <<-. ` + "\n" + `$(seq 100)` + "\n.\nrm f*",
	} {
		dir := filepath.Join(at, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if o := (harness.Program{Dir: dir}).Run(t, "bash", "-ec", script); o.Code != 0 {
			t.Errorf("%s: exit status %d\n%s%s", name, o.Code, o.Out, o.Err)
		}
	}
	harness.WantNoParts(t, v.Dir)
}

// TestSSHFSGit: a repository on the mount is cloned into, worked in, packed and
// pushed from, and is sound at the end.
func TestSSHFSGit(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{Config: harness.CheapLogins})
	at := mountSSHFS(t, v)
	here := t.TempDir()
	harness.Plant(t, filepath.Join(here, "seed"), 12)
	git := harness.Program{Dir: here, Env: []string{"GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com",
		"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com"}}
	git.Must(t, "sh", "-ec", `
		git init -q -b main seed; cd seed
		git add .; git commit -qm first; cd ..
		git clone -q --bare seed bare.git
		git clone -q bare.git "$0/work"; cd "$0/work"
		echo more >>"d0/e0/f 0/g0/file-000.bin"; git mv d1 moved; git add .; git commit -qm second
		git checkout -qb branch HEAD~; echo other >other; git add other; git commit -qm third
		git checkout -q main; git merge -q --no-edit branch
		git gc -q; git push -q origin main; test -z "$(git status --porcelain)"; git fsck --strict`, at)
	git.Must(t, "sh", "-ec", `git -C bare.git fsck --strict; git clone -q bare.git again; diff -r -x .git again "$0/work"`, at)
	git.Must(t, "git", "-C", v.Path("work"), "-c", "safe.directory=*", "fsck", "--strict")
	harness.WantNoParts(t, v.Path("work/moved"))
}

// TestSSHFSRsync: a tree onto the mount and back, with the first way's
// changes found by the second.
func TestSSHFSRsync(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{Config: harness.CheapLogins})
	at := mountSSHFS(t, v)
	here := t.TempDir()
	out, back := filepath.Join(here, "out"), filepath.Join(here, "back")
	harness.Plant(t, out, 30)
	plantOdd(t, out, append(oddNames(), rawNames()...))
	large := filepath.Join(out, "large")
	harness.WriteFile(t, large, harness.Noise(1, 3<<20))
	old := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC) // or rsync may take the next content for this one
	if err := os.Chtimes(large, old, old); err != nil {
		t.Fatal(err)
	}
	rsync := func(args ...string) harness.Output {
		t.Helper()
		return harness.Program{Dir: here}.Must(t, "rsync", append([]string{"-a", "-i", "--modify-window=1"}, args...)...)
	}
	rsync("out/", filepath.Join(at, "tree/"))
	k := harness.Kept{Modes: true}
	harness.WantSameTree(t, v.Path("tree"), out, k)
	rsync(filepath.Join(at, "tree")+"/", "back")
	harness.WantSameTree(t, back, out, k)
	if o := rsync("--checksum", "out/", filepath.Join(at, "tree/")); strings.Contains(o.Out, "f") {
		t.Errorf("a second rsync moved something again:\n%s", o.Out)
	}
	// Only the changed blocks of a file in place, and what is too much deleted.
	content := harness.Noise(1, 3<<20)
	copy(content[1<<20:], "changed")
	harness.WriteFile(t, large, content)
	if err := os.RemoveAll(filepath.Join(out, "d0")); err != nil {
		t.Fatal(err)
	}
	rsync("--delete", "--inplace", "--no-whole-file", "out/", filepath.Join(at, "tree/"))
	harness.WantSameTree(t, v.Path("tree"), out, k)
	harness.WantNoParts(t, v.Path("tree/d1"))
}

// TestSSHFSRandomAccess: fio writes and reads at random, and verifies what it
// has written by its checksums; with the page cache, and with every request
// going to the server at once.
func TestSSHFSRandomAccess(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{Config: harness.CheapLogins})
	for _, c := range []struct {
		name    string
		options []string
		fio     []string
	}{
		{"cached", nil, []string{"--ioengine=psync"}},
		{"direct", []string{"direct_io"}, []string{"--ioengine=psync", "--fsync=64"}},
		{"in step", []string{"sshfs_sync", "no_readahead"}, []string{"--ioengine=psync", "--numjobs=2", "--group_reporting"}},
	} {
		at := mountSSHFS(t, v, c.options...)
		dir := filepath.Join(at, strings.ReplaceAll(c.name, " ", "-"))
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		args := []string{"--name=job", "--directory=" + dir, "--rw=randrw", "--bsrange=1k-48k", "--size=2m", "--verify=crc32c",
			"--verify_fatal=1", "--do_verify=1", "--randseed=7", "--fallocate=none", "--output-format=terse", "--minimal"}
		harness.Program{}.Must(t, "fio", append(args, c.fio...)...)
		files, err := filepath.Glob(filepath.Join(v.Dir, filepath.Base(dir), "job*"))
		if err != nil || len(files) == 0 {
			t.Errorf("%s: fio left %q, %v", c.name, files, err)
		}
	}
}

// TestSSHFSAppendsOfTwo: of two mounts that append to one file again and again
// neither is refused, and what one has closed the other adds to.
func TestSSHFSAppendsOfTwo(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{Config: harness.CheapLogins})
	one, two := mountSSHFS(t, v, "direct_io"), mountSSHFS(t, v, "direct_io")
	harness.WriteFile(t, v.Path("log"), nil)
	harness.WriteFile(t, v.Path("turns"), nil)
	harness.Program{}.Must(t, "bash", "-ec", `
		write() { for i in $(seq 40); do echo line >>"$1/log"; done; }
		write "$0" & first=$!; write "$1"; wait $first
		for i in $(seq 20); do echo one $i >>"$0/turns"; echo two $i >>"$1/turns"; done`, one, two)
	var want strings.Builder
	for i := range 20 {
		fmt.Fprintf(&want, "one %d\ntwo %d\n", i+1, i+1)
	}
	harness.WantFile(t, v.Path("turns"), []byte(want.String()))
}
