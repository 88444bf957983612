package disk

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"ferry"
)

// nobody is who the tests below run as where the others run as root.
const nobody = 65534

// asNobody runs the test that calls it once more, in a process without
// privileges and over dir, if this one has any. It tells whether it did.
func asNobody(t *testing.T, dir string) bool {
	t.Helper()
	if os.Geteuid() != 0 {
		return false
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$")
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "FERRY_DISK_TEST="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
	return true
}

// unprivileged makes a directory of nobody's (or ours, who are nobody then),
// with what prepare puts there while that may be done by root. Where the tests run as
// root, the test is run as nobody in a process of its own, and goes on in this one with
// nobody as the identity of its sessions: both must find the same.
func unprivileged(t *testing.T, prepare func(dir string)) *served {
	t.Helper()
	dir := os.Getenv("FERRY_DISK_TEST")
	if dir == "" {
		dir = nobodysDir(t, prepare)
	}
	s := &served{T: t, root: dir}
	if asNobody(t, dir) {
		s.root = nobodysDir(t, prepare)
		s.id = ferry.Identity{UID: nobody, GID: nobody}
	}
	s.tree = openTree(t, Config{Root: s.root, Durable: true, Umask: 0o022}, variant{})
	return s
}

func nobodysDir(t *testing.T, prepare func(dir string)) string {
	dir := t.TempDir()
	if os.Geteuid() == 0 {
		for up := dir; up != os.TempDir() && up != "/"; up = filepath.Dir(up) {
			os.Chmod(up, 0o755)
		}
		os.Chown(dir, nobody, nobody)
	}
	prepare(dir)
	return dir
}

func TestDirectoryThatMayNotBeWritten(t *testing.T) {
	s := unprivileged(t, func(dir string) {
		os.Mkdir(filepath.Join(dir, "closed"), 0o755)
		os.WriteFile(filepath.Join(dir, "closed/open"), []byte("old content"), 0o666)
		os.Chmod(filepath.Join(dir, "closed/open"), 0o666)
		os.Chmod(filepath.Join(dir, "closed"), 0o555)
	})
	f := s.as("alice")
	s.upload(f, "/closed/open", "new")
	s.holds("closed/open", "new")
	_, err := f.Open(s.Context(), "/closed/new", ferry.OpenOptions{Mode: ferry.Replace})
	s.want(err, fs.ErrPermission)
}

func TestForeignOwnerIsKept(t *testing.T) {
	s := unprivileged(t, func(dir string) {
		os.WriteFile(filepath.Join(dir, "a"), []byte("old"), 0o666)
		os.Chmod(filepath.Join(dir, "a"), 0o666)
	})
	before := s.stat(s.path("a"))
	s.upload(s.as("alice"), "/a", "new")
	s.holds("a", "new")
	after := s.stat(s.path("a"))
	if after.Uid != before.Uid || after.Gid != before.Gid || after.Mode != before.Mode {
		s.Errorf("owner and mode were %d:%d %o, are %d:%d %o", before.Uid, before.Gid, before.Mode, after.Uid, after.Gid, after.Mode)
	}
	if left := s.parts("/"); len(left) != 0 {
		s.Errorf("left over: %v", left)
	}
}

func TestFileThatMayNotBeWrittenIsNotReplaced(t *testing.T) {
	s := unprivileged(t, func(dir string) {
		os.WriteFile(filepath.Join(dir, "a"), []byte("old"), 0o444)
	})
	_, err := s.as("alice").Open(s.Context(), "/a", ferry.OpenOptions{Mode: ferry.Replace})
	s.want(err, fs.ErrPermission)
	s.holds("a", "old")
}

// A drop box: files may be put there and not be listed.
func TestDirectoryThatMayNotBeRead(t *testing.T) {
	s := unprivileged(t, func(dir string) {
		os.Mkdir(filepath.Join(dir, "box"), 0o777)
		os.Chmod(filepath.Join(dir, "box"), 0o333)
	})
	f := s.as("alice")
	s.upload(f, "/box/a", "dropped")
	s.holds("box/a", "dropped")
	for _, err := range f.List(s.Context(), "/box", ferry.Names) {
		s.want(err, fs.ErrPermission)
	}
}

// A drop box may be written and searched, and not read: its directory cannot be synced
// by itself. What is synced then is its file system, and not every one of the machine.
func TestDropBoxIsSyncedByItsFileSystem(t *testing.T) {
	s := unprivileged(t, func(dir string) {
		box := filepath.Join(dir, "box")
		os.Mkdir(box, 0o300)
		os.Chown(box, nobody, nobody)
	})
	f := s.as("alice")
	s.upload(f, "/box/new", "content")
	s.must(f.Mkdir(s.Context(), "/box/dir", nil))
	v := f.(*sessionFS)
	p, err := v.names.Locate("/box/new", false)
	s.must(err)
	defer p.Close()
	asked := false
	s.must(v.syncDir(p.ID, p.Dir, func() error { asked = true; return nil }))
	if !asked {
		t.Error("the directory was synced by itself, though it cannot be read")
	}
}
