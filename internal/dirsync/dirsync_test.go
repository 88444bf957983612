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
	path := t.TempDir()
	open := func() (int, error) { return unix.Open(path, unix.O_RDONLY, 0) }
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			if err := syncs.Sync(beneath.DirID{}, open, nil); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if len(syncs.dirs) != 0 {
		t.Errorf("%d directories are remembered", len(syncs.dirs))
	}
}
