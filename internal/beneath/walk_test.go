package beneath

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestWalkLeavesTheDirectoryOpen: it is the caller's, also where it is not walked, as a
// file system of the kernel is not. Closed twice, it would be somebody else's by then.
func TestWalkLeavesTheDirectoryOpen(t *testing.T) {
	r, err := Open("/", "")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	fd, err := unix.Open("/proc", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	r.Walk(t.Context(), fd, true, new(Lister), nil, func(err error) { t.Error(err) })
	if err := unix.Close(fd); err != nil {
		t.Errorf("the directory was closed: %v", err)
	}
}
