package harness

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// MountSmall gives a directory with a file system of its own, of a few
// megabytes: a disk that can be full.
func MountSmall(t testing.TB, size string) string {
	t.Helper()
	dir := t.TempDir()
	mount(t, dir, "tmpfs", "tmpfs", 0, "size="+size)
	return dir
}

// mount mounts what the test's end unmounts.
func mount(t testing.TB, dir, source, kind string, flags uintptr, options string) {
	t.Helper()
	if err := syscall.Mount(source, dir, kind, flags, options); err != nil {
		t.Fatalf("cannot mount %s on %s: %v: this test must run as root, or in a namespace of its own (unshare -Ur -m)", kind, dir, err)
	}
	t.Cleanup(func() {
		// Detached, because the server's own cleanup may come later.
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
}

// MountedServer starts a server in a mount namespace of its own, where script
// has been run first: what it mounts there nobody else sees.
func MountedServer(t testing.TB, s Setup, script string) *Server {
	t.Helper()
	if _, err := exec.LookPath("unshare"); err != nil {
		t.Fatal("unshare is not installed: run make deps")
	}
	if os.Geteuid() != 0 {
		t.Fatal("this test must run as root: it mounts file systems")
	}
	s.Wrap = []string{"unshare", "-m", "sh", "-ec", script + "\nexec \"$@\"", "sh"}
	return Start(t, s)
}
