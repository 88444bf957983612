package dirsync

import (
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"ferry/internal/beneath"
)

// Everybody who waits for a directory is served by a sync that began after he
// asked, and nobody is forgotten.
func TestDirectorySyncsAreShared(t *testing.T) {
	var syncs Syncs
	dir, err := unix.Open(t.TempDir(), unix.O_PATH, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(dir)
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			if err := syncs.Sync(beneath.DirID{}, dir, nil); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if len(syncs.dirs) != 0 {
		t.Errorf("%d directories are remembered", len(syncs.dirs))
	}
}
