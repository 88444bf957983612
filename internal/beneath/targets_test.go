package beneath

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestTargetsOfTheHost: what a link that was made on the host shows is what it means in
// the tree, and no path of the host.
func TestTargetsOfTheHost(t *testing.T) {
	host := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	root := filepath.Join(host, "srv", "alice")
	must(os.MkdirAll(filepath.Join(root, "docs", "deep"), 0o755))
	must(os.MkdirAll(filepath.Join(host, "srv", "bob"), 0o755))
	must(os.MkdirAll(filepath.Join(root, "pub"), 0o755))
	must(os.Symlink("alice", filepath.Join(host, "srv", "home")))
	must(os.Symlink(filepath.Join(root, "docs"), filepath.Join(root, "first")))
	byLink := filepath.Join(host, "srv", "home")

	for _, row := range []struct{ in, target, shown string }{
		{"", root + "/docs", "/docs"},
		{"", root, "/"},
		{"", root + "/gone", "/gone"},
		{"", byLink + "/docs/x", "/docs/x"},
		{"docs", root + "/docs/../pub", "/pub"},
		{"", host + "/srv/bob", ""},
		{"", root + "x/docs", ""},
		{"", "/etc/passwd", ""},
		{"", "/", "/"},
		{"", "/pub", "/pub"}, // as under chroot
		{"", "/pub/missing", ""},
		{"", "../bob", ""},
		{"", "../alice/docs", "/docs"},
		{"", "../../srv/alice/pub", "/pub"},
		{"", "../home/pub", "/pub"},
		{"", "../pub", "../pub"}, // which the tree knows, too
		{"docs", "../pub", "../pub"},
		{"docs", "../missing", "../missing"},
		{"docs", "../../bob/x", ""},
		{"docs/deep", "../../missing", "../../missing"},
		{"", "docs/../../bob", ""},
		{"", "first", "first"},
		{"", "first/x", "first/x"},
		{"docs", "missing", "missing"},
		{"docs", "./deep//x", "./deep//x"},
		{"docs", "a..b", "a..b"},
	} {
		link := filepath.Join(root, row.in, "link")
		must(os.Symlink(row.target, link))
		for _, path := range []string{root, byLink} {
			for _, resolver := range []string{"openat2", "os.Root"} {
				r, err := Open(path, resolver)
				must(err)
				dir, err := unix.Open(filepath.Join(root, row.in), unix.O_PATH|unix.O_CLOEXEC, 0)
				must(err)
				kept, shown, err := r.Target(dir, "link")
				must(err)
				want := row.shown
				if path == root && row.target == byLink+"/docs/x" || path == root && row.target == "../home/pub" {
					want = "" // nobody has told that this is the root, too
				}
				if kept != row.target || shown != want {
					t.Errorf("%s by %s: a link to %q in %q is kept as %q and shown as %q, want %q", path, resolver, row.target, row.in, kept, shown, want)
				}
				must(unix.Close(dir))
				must(r.Close())
			}
		}
		must(os.Remove(link))
	}
}

// TestTargetsOfUsers read as they were given, wherever the link is moved to, and lead
// where they say.
func TestTargetsOfUsers(t *testing.T) {
	for _, target := range []string{"/abs", "//abs", "///", "/", "..", "../..", "../../x", "./../x", ".//../x", ".//.//../x", ".//x", "x/../../y"} {
		root := t.TempDir()
		r, err := Open(root, "")
		if err != nil {
			t.Fatal(err)
		}
		top, err := r.Top()
		if err != nil {
			t.Fatal(err)
		}
		kept := r.Keep(top, target)
		if filepath.Clean(kept) != filepath.Clean(target) {
			t.Errorf("%q is kept as %q, which means something else", target, kept)
		}
		for _, in := range []string{".", "deep"} {
			dir := filepath.Join(root, in)
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(kept, filepath.Join(dir, "link")); err != nil {
				t.Fatal(err)
			}
			fd, err := unix.Open(dir, unix.O_PATH|unix.O_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, shown, err := r.Target(fd, "link"); err != nil || shown != target {
				t.Errorf("a link to %q in %s is shown as %q (%v)", target, in, shown, err)
			}
			_ = unix.Close(fd)
		}
		_ = unix.Close(top)
		_ = r.Close()
	}
}
