package disk

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestSweepOfADeepTree: it needs no more descriptors than for a flat one, and finds what
// lies above, below and beside.
func TestSweepOfADeepTree(t *testing.T) {
	const levels, spare = 3000, 50
	once(t, func(s *served) {
		name := s.as("alice").(*sessionFS).owner.Name("f")
		var parts []int // at which levels there is one
		dir, err := unix.Open(s.path("."), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		s.must(err)
		for level := range levels {
			s.must(unix.Mkdirat(dir, "d", 0o755))
			next, err := unix.Openat(dir, "d", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
			s.must(err)
			s.must(unix.Close(dir))
			dir = next
			if level%1000 == 0 || level == levels-1 {
				// Beside it are enough directories for several pieces.
				for i := range 100 {
					s.must(unix.Mkdirat(dir, fmt.Sprintf("beside-%d-%s", i, strings.Repeat("x", 80)), 0o755))
				}
				fd, err := unix.Openat(dir, name, unix.O_CREAT|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
				s.must(err)
				s.must(unix.Close(fd))
				parts = append(parts, level)
			}
		}
		s.must(unix.Close(dir))
		s.tree.parts.Keep = 1

		open, err := os.ReadDir("/proc/self/fd")
		s.must(err)
		withDescriptors(t, len(open)+spare, func() { s.must(s.tree.Sweep(s.Context())) })

		dir, err = unix.Open(s.path("."), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		s.must(err)
		for level := range levels {
			next, err := unix.Openat(dir, "d", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
			s.must(err)
			s.must(unix.Close(dir))
			dir = next
			if len(parts) > 0 && parts[0] == level {
				parts = parts[1:]
				if err := unix.Faccessat(dir, name, unix.F_OK, 0); err != unix.ENOENT {
					s.Errorf("the part at level %d was left: %v", level, err)
				}
			}
		}
		s.must(unix.Close(dir))
	})
}

// withDescriptors calls do while the process may have that many.
func withDescriptors(t *testing.T, most int, do func()) {
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	low := was
	low.Cur = uint64(most)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &was); err != nil {
			t.Fatal(err)
		}
	}()
	do()
}

// once is each where it matters little who resolves names.
func once(t *testing.T, test func(s *served)) {
	v := variants()[0]
	root := t.TempDir()
	test(&served{T: t, root: root, tree: openTree(t, Config{Root: root, Resolver: v.resolver, Umask: 0o022}, v)})
}
