package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// plantOdd adds files whose names somebody, somewhere, takes for something
// else: a shell, a pattern, an option, a line of a listing.
func plantOdd(t testing.TB, root string, names []string) {
	t.Helper()
	when := time.Date(2011, 2, 3, 4, 5, 6, 0, time.UTC)
	for i, name := range names {
		path := filepath.Join(root, "odd", name)
		writeFile(t, path, []byte("content of "+name))
		if err := os.Chtimes(path, when, when.Add(time.Duration(i)*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
}

func oddNames() []string {
	return []string{"two  words", " led by a space", "followed by one ", "Grüße Ⅸ 文件 🚢", "it's", `say "hi"`,
		`back\slash`, "a*b?[c]", "-rf", "$HOME", "`id`", "a;b&c|d>e<f", "#comment", "~", "%41", "{a,b}", strings.Repeat("long", 60)}
}

// rawNames are those that only some clients leave as they are.
func rawNames() []string { return []string{"line\nend", "tab\there", "bell\a", "latin-\xe9"} }

// rclone is a configuration with two remotes: key: is bob by his key, pw: is
// alice by her password.
type rclone struct {
	config string
	here   string // where it runs
}

func newRclone(t testing.TB, v *secure, here string) rclone {
	t.Helper()
	obscured := program{}.must(t, "rclone", "obscure", password)
	config := filepath.Join(t.TempDir(), "rclone.conf")
	common := fmt.Sprintf("type = sftp\nhost = 127.0.0.1\nport = %s\n", v.sshPort)
	writeFile(t, config, fmt.Appendf(nil, "[key]\n%suser = bob\nkey_file = %s\n[pw]\n%suser = %s\npass = %s\n",
		common, v.key, common, user, strings.TrimSpace(obscured.out)))
	return rclone{config, here}
}

// run tries once: what succeeds only when tried again has failed.
func (r rclone) run(t testing.TB, args ...string) output {
	t.Helper()
	return program{dir: r.here}.run(t, "rclone", append([]string{"--config", r.config, "--retries", "1", "--low-level-retries", "1", "--checkers", "2", "--transfers", "2"}, args...)...)
}

func (r rclone) must(t testing.TB, args ...string) output {
	t.Helper()
	o := r.run(t, args...)
	if o.code != 0 {
		t.Fatalf("rclone %q: exit status %d\n%s%s", args, o.code, o.out, o.err)
	}
	return o
}

// TestRcloneSync carries a tree there and back again, by key and by password.
// rclone asks for md5sum and sha1sum by commands, and compares what they say.
func TestRcloneSync(t *testing.T) {
	t.Parallel()
	v := startSSH(t, setup{config: cheapLogins})
	here := t.TempDir()
	out := filepath.Join(here, "out")
	plant(t, out, 20)
	plantOdd(t, out, oddNames())
	large := filepath.Join(out, "large")
	writeFile(t, large, noise(1, 5<<20+1))
	whole := time.Now().Truncate(time.Second) // what SFTP can say
	if err := os.Chtimes(large, whole, whole); err != nil {
		t.Fatal(err)
	}
	r := newRclone(t, v, here)
	o := r.must(t, "sync", "out", "key:tree", "--create-empty-src-dirs", "-vv")
	wantSameTree(t, v.path("tree"), out, kept{times: true})
	for _, want := range []string{`Shell type "unix" detected`, "Running remote command: md5sum /", ": md5 = "} {
		if !strings.Contains(o.err, want) {
			t.Errorf("rclone does not say %q", want)
		}
	}
	wantNoParts(t, v.dir)
	r.must(t, "check", "--download", "out", "key:tree")
	r.must(t, "sync", "pw:tree", "back", "--create-empty-src-dirs")
	wantSameTree(t, filepath.Join(here, "back"), out, kept{times: true})
	r.must(t, "check", "out", "pw:tree")
	if again := r.must(t, "sync", "out", "pw:tree", "-v"); strings.Contains(again.err, "Copied") {
		t.Errorf("a second sync of the same tree copied files again:\n%s", again.err)
	}

	// A sync deletes what is too much, and replaces what has changed.
	if err := os.RemoveAll(filepath.Join(out, "d0")); err != nil {
		t.Fatal(err)
	}
	writeFile(t, large, noise(2, 1<<20))
	if err := os.Chtimes(large, whole, whole); err != nil {
		t.Fatal(err)
	}
	r.must(t, "sync", "out", "key:tree", "--create-empty-src-dirs")
	wantSameTree(t, v.path("tree"), out, kept{times: true})
}

// TestRcloneHashes: a file that has changed, and has its old size and time,
// is found by its hash, and by nothing else.
func TestRcloneHashes(t *testing.T) {
	t.Parallel()
	v := startSSH(t, setup{config: cheapLogins})
	here := t.TempDir()
	writeFile(t, filepath.Join(here, "out", "f"), noise(1, 100_000))
	r := newRclone(t, v, here)
	r.must(t, "sync", "out", "key:tree")
	for hash, program1 := range map[string]string{"MD5": "md5sum", "SHA1": "sha1sum"} {
		want := program{dir: v.path("tree")}.must(t, program1, "f")
		if got := r.must(t, "hashsum", hash, "key:tree"); got.out != want.out {
			t.Errorf("%s of f is %q, want %q", hash, got.out, want.out)
		}
	}
	info, err := os.Stat(v.path("tree/f"))
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, v.path("tree/f"), noise(2, 100_000))
	if err := os.Chtimes(v.path("tree/f"), info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if o := r.run(t, "check", "out", "key:tree"); o.code == 0 || !strings.Contains(o.err, "1 differences found") {
		t.Errorf("the difference was not found: exit status %d\n%s", o.code, o.err)
	}
	o := r.must(t, "check", "--sftp-disable-hashcheck", "out", "key:tree", "-vv")
	if strings.Contains(o.err, "md5sum") || strings.Contains(o.err, "sha1sum") {
		t.Errorf("hashes were asked for though they are switched off:\n%s", o.err)
	}
	if o := r.run(t, "check", "--download", "--sftp-disable-hashcheck", "out", "key:tree"); o.code == 0 {
		t.Error("the difference was not found by downloading")
	}
}

// TestRcloneCommands: what people do with single files.
func TestRcloneCommands(t *testing.T) {
	t.Parallel()
	v := startSSH(t, setup{config: cheapLogins})
	here := t.TempDir()
	writeFile(t, filepath.Join(here, "f"), noise(1, 300_000))
	writeFile(t, filepath.Join(here, "g"), noise(2, 200_000))
	r := newRclone(t, v, here)

	r.must(t, "copyto", "f", "pw:dir/there")
	wantFile(t, v.path("dir/there"), noise(1, 300_000))
	r.must(t, "copyto", "g", "pw:dir/there")
	wantFile(t, v.path("dir/there"), noise(2, 200_000))
	if o := r.must(t, "cat", "--offset", "1000", "--count", "5000", "pw:dir/there"); o.out != string(noise(2, 200_000)[1000:6000]) {
		t.Errorf("cat gave %d other bytes", len(o.out))
	}
	r.must(t, "moveto", "pw:dir/there", "pw:moved/here")
	wantNoFile(t, v.path("dir/there"))
	wantFile(t, v.path("moved/here"), noise(2, 200_000))
	r.must(t, "copyto", "pw:moved/here", "pw:moved/copy")
	r.must(t, "moveto", "pw:moved/copy", "pw:moved/here") // over what is there
	wantFile(t, v.path("moved/here"), noise(2, 200_000))
	r.must(t, "touch", "-t", "2001-02-03T04:05:06", "pw:moved/here")
	if o := r.must(t, "lsf", "--format", "tsp", "pw:moved"); o.out != "2001-02-03 04:05:06;200000;here\n" {
		t.Errorf("lsf shows %q", o.out)
	}
	r.must(t, "mkdir", "pw:one/two/three")
	r.must(t, "rmdir", "pw:one/two/three")
	wantNoFile(t, v.path("one/two/three"))
	if o := r.run(t, "rmdir", "pw:moved"); o.code == 0 {
		t.Error("a directory was removed that is not empty")
	}
	r.must(t, "delete", "pw:moved")
	wantNoFile(t, v.path("moved/here"))
	r.must(t, "purge", "pw:one")
	wantNoFile(t, v.path("one"))
	if o := r.must(t, "about", "pw:"); !strings.Contains(o.out, "Total:") || !strings.Contains(o.out, "Free:") {
		t.Errorf("about shows %q", o.out)
	}
	if o := r.run(t, "cat", "pw:missing"); o.code == 0 {
		t.Error("cat of what is missing succeeded")
	}
}
