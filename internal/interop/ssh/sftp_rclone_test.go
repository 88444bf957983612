package ssh

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ferry/internal/interop/harness"
)

// plantOdd adds files whose names somebody, somewhere, takes for something
// else: a shell, a pattern, an option, a line of a listing.
func plantOdd(t testing.TB, root string, names []string) {
	t.Helper()
	when := time.Date(2011, 2, 3, 4, 5, 6, 0, time.UTC)
	for i, name := range names {
		path := filepath.Join(root, "odd", name)
		harness.WriteFile(t, path, []byte("content of "+name))
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
	obscured := harness.Program{}.Must(t, "rclone", "obscure", harness.Password)
	config := filepath.Join(t.TempDir(), "rclone.conf")
	common := fmt.Sprintf("type = sftp\nhost = 127.0.0.1\nport = %s\n", v.sshPort)
	harness.WriteFile(t, config, fmt.Appendf(nil, "[key]\n%suser = bob\nkey_file = %s\n[pw]\n%suser = %s\npass = %s\n",
		common, v.key, common, harness.User, strings.TrimSpace(obscured.Out)))
	return rclone{config, here}
}

// run tries once: what succeeds only when tried again has failed.
func (r rclone) run(t testing.TB, args ...string) harness.Output {
	t.Helper()
	return harness.Program{Dir: r.here}.Run(t, "rclone", append([]string{"--config", r.config, "--retries", "1", "--low-level-retries", "1", "--checkers", "2", "--transfers", "2"}, args...)...)
}

func (r rclone) Must(t testing.TB, args ...string) harness.Output {
	t.Helper()
	o := r.run(t, args...)
	if o.Code != 0 {
		t.Fatalf("rclone %q: exit status %d\n%s%s", args, o.Code, o.Out, o.Err)
	}
	return o
}

// TestRcloneSync carries a tree there and back again, by key and by password.
// rclone asks for md5sum and sha1sum by commands, and compares what they say.
func TestRcloneSync(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{Config: harness.CheapLogins})
	here := t.TempDir()
	out := filepath.Join(here, "out")
	harness.Plant(t, out, 20)
	plantOdd(t, out, oddNames())
	large := filepath.Join(out, "large")
	harness.WriteFile(t, large, harness.Noise(1, 5<<20+1))
	whole := time.Now().Truncate(time.Second) // what SFTP can say
	if err := os.Chtimes(large, whole, whole); err != nil {
		t.Fatal(err)
	}
	r := newRclone(t, v, here)
	o := r.Must(t, "sync", "out", "key:tree", "--create-empty-src-dirs", "-vv")
	harness.WantSameTree(t, v.Path("tree"), out, harness.Kept{Times: true})
	for _, want := range []string{`Shell type "unix" detected`, "Running remote command: md5sum /", ": md5 = "} {
		if !strings.Contains(o.Err, want) {
			t.Errorf("rclone does not say %q", want)
		}
	}
	harness.WantNoParts(t, v.Dir)
	r.Must(t, "check", "--download", "out", "key:tree")
	r.Must(t, "sync", "pw:tree", "back", "--create-empty-src-dirs")
	harness.WantSameTree(t, filepath.Join(here, "back"), out, harness.Kept{Times: true})
	r.Must(t, "check", "out", "pw:tree")
	if again := r.Must(t, "sync", "out", "pw:tree", "-v"); strings.Contains(again.Err, "Copied") {
		t.Errorf("a second sync of the same tree copied files again:\n%s", again.Err)
	}

	// A sync deletes what is too much, and replaces what has changed.
	if err := os.RemoveAll(filepath.Join(out, "d0")); err != nil {
		t.Fatal(err)
	}
	harness.WriteFile(t, large, harness.Noise(2, 1<<20))
	if err := os.Chtimes(large, whole, whole); err != nil {
		t.Fatal(err)
	}
	r.Must(t, "sync", "out", "key:tree", "--create-empty-src-dirs")
	harness.WantSameTree(t, v.Path("tree"), out, harness.Kept{Times: true})
}

// TestRcloneHashes: a file that has changed, and has its old size and time,
// is found by its hash, and by nothing else.
func TestRcloneHashes(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{Config: harness.CheapLogins})
	here := t.TempDir()
	harness.WriteFile(t, filepath.Join(here, "out", "f"), harness.Noise(1, 100_000))
	r := newRclone(t, v, here)
	r.Must(t, "sync", "out", "key:tree")
	for hash, program1 := range map[string]string{"MD5": "md5sum", "SHA1": "sha1sum"} {
		want := harness.Program{Dir: v.Path("tree")}.Must(t, program1, "f")
		if got := r.Must(t, "hashsum", hash, "key:tree"); got.Out != want.Out {
			t.Errorf("%s of f is %q, want %q", hash, got.Out, want.Out)
		}
	}
	info, err := os.Stat(v.Path("tree/f"))
	if err != nil {
		t.Fatal(err)
	}
	harness.WriteFile(t, v.Path("tree/f"), harness.Noise(2, 100_000))
	if err := os.Chtimes(v.Path("tree/f"), info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if o := r.run(t, "check", "out", "key:tree"); o.Code == 0 || !strings.Contains(o.Err, "1 differences found") {
		t.Errorf("the difference was not found: exit status %d\n%s", o.Code, o.Err)
	}
	o := r.Must(t, "check", "--sftp-disable-hashcheck", "out", "key:tree", "-vv")
	if strings.Contains(o.Err, "md5sum") || strings.Contains(o.Err, "sha1sum") {
		t.Errorf("hashes were asked for though they are switched off:\n%s", o.Err)
	}
	if o := r.run(t, "check", "--download", "--sftp-disable-hashcheck", "out", "key:tree"); o.Code == 0 {
		t.Error("the difference was not found by downloading")
	}
}

// TestRcloneCommands: what people do with single files.
func TestRcloneCommands(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{Config: harness.CheapLogins})
	here := t.TempDir()
	harness.WriteFile(t, filepath.Join(here, "f"), harness.Noise(1, 300_000))
	harness.WriteFile(t, filepath.Join(here, "g"), harness.Noise(2, 200_000))
	r := newRclone(t, v, here)

	r.Must(t, "copyto", "f", "pw:dir/there")
	harness.WantFile(t, v.Path("dir/there"), harness.Noise(1, 300_000))
	r.Must(t, "copyto", "g", "pw:dir/there")
	harness.WantFile(t, v.Path("dir/there"), harness.Noise(2, 200_000))
	if o := r.Must(t, "cat", "--offset", "1000", "--count", "5000", "pw:dir/there"); o.Out != string(harness.Noise(2, 200_000)[1000:6000]) {
		t.Errorf("cat gave %d other bytes", len(o.Out))
	}
	r.Must(t, "moveto", "pw:dir/there", "pw:moved/here")
	harness.WantNoFile(t, v.Path("dir/there"))
	harness.WantFile(t, v.Path("moved/here"), harness.Noise(2, 200_000))
	r.Must(t, "copyto", "pw:moved/here", "pw:moved/copy")
	r.Must(t, "moveto", "pw:moved/copy", "pw:moved/here") // over what is there
	harness.WantFile(t, v.Path("moved/here"), harness.Noise(2, 200_000))
	r.Must(t, "touch", "-t", "2001-02-03T04:05:06", "pw:moved/here")
	if o := r.Must(t, "lsf", "--format", "tsp", "pw:moved"); o.Out != "2001-02-03 04:05:06;200000;here\n" {
		t.Errorf("lsf shows %q", o.Out)
	}
	r.Must(t, "mkdir", "pw:one/two/three")
	r.Must(t, "rmdir", "pw:one/two/three")
	harness.WantNoFile(t, v.Path("one/two/three"))
	if o := r.run(t, "rmdir", "pw:moved"); o.Code == 0 {
		t.Error("a directory was removed that is not empty")
	}
	r.Must(t, "delete", "pw:moved")
	harness.WantNoFile(t, v.Path("moved/here"))
	r.Must(t, "purge", "pw:one")
	harness.WantNoFile(t, v.Path("one"))
	if o := r.Must(t, "about", "pw:"); !strings.Contains(o.Out, "Total:") || !strings.Contains(o.Out, "Free:") {
		t.Errorf("about shows %q", o.Out)
	}
	if o := r.run(t, "cat", "pw:missing"); o.Code == 0 {
		t.Error("cat of what is missing succeeded")
	}
}
