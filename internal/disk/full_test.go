package disk

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"ferry"
)

// TestFullDiskHasRoomAgain: an upload that has filled the file system gives back what it has
// written, so that the next small file can be stored; what it had before stays, and where
// others have made room it stays whole.
func TestFullDiskHasRoomAgain(t *testing.T) {
	root := os.Getenv("FERRY_DISK_FULL")
	if root == "" {
		inOwnMounts(t, "FERRY_DISK_FULL="+t.TempDir())
		return
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("none", root, "tmpfs", 0, "size=20m"); err != nil {
		t.Fatal(err)
	}
	v := variants()[0]
	s := &served{T: t, root: root, tree: openTree(t, Config{Root: root, Resolver: v.resolver, Umask: 0o022}, v)}
	f := s.as("alice")

	s.must(fillUp(s.open(f, "/big", ferry.Replace)))
	s.upload(f, "/small", "room")
	if _, err := f.Part(context.Background(), "/big"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the part that has filled the disk: %v", err)
	}

	h := s.open(f, "/big", ferry.Replace)
	s.put(h, "begun", 0)
	s.must(h.Abort(ferry.ErrControlLost))
	s.must(fillUp(s.openAt(f, "/big", 5)))
	s.upload(f, "/small", "room")
	if i, err := f.Part(context.Background(), "/big"); err != nil || i.Size != 5 {
		t.Errorf("the part as it was before: %d bytes, %v", i.Size, err)
	}

	s.upload(f, "/others", string(make([]byte, 17<<20)))
	h = s.open(f, "/big", ferry.Replace)
	if err := fill(h); !errors.Is(err, ferry.ErrNoSpace) {
		t.Fatal(err)
	}
	s.must(f.Remove(context.Background(), "/others"))
	s.must(h.Abort(ferry.ErrNoSpace))
	if i, err := f.Part(context.Background(), "/big"); err != nil || i.Size == 0 {
		t.Errorf("the part, where others have made room: %d bytes, %v", i.Size, err)
	}
}

// fill writes until there is no room.
func fill(h ferry.Handle) error {
	for at := h.Start(); ; at += 64 << 10 {
		if _, err := h.WriteAt(make([]byte, 64<<10), at); err != nil {
			return err
		}
	}
}

// fillUp does so and breaks off.
func fillUp(h ferry.Handle) error {
	if err := fill(h); !errors.Is(err, ferry.ErrNoSpace) {
		return err
	}
	return h.Abort(ferry.ErrNoSpace)
}

// inOwnMounts runs the test that calls it once more, in a process with mounts of its own.
func inOwnMounts(t *testing.T, env string) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), env)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v (where that is refused: run the tests as root)\n%s", err, out)
	}
}
