package fdcopy

import (
	"sync"

	"golang.org/x/sys/unix"
)

// writeBackStep is how much is written before the kernel is asked to begin
// bringing it to the disk, so that the last fsync finds little left to do.
const writeBackStep = 8 << 20

// WriteBack brings what is written to a file on its way to the disk, step by step. It is
// safe for concurrent use; its zero value is ready.
type WriteBack struct {
	mu       sync.Mutex
	from, to int64 // the range written last and not yet on its way
	begun    bool
}

// Wrote notes a write of n bytes at off. First: that was the first step.
func (b *WriteBack) Wrote(fd int, off, n int64) (first bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if off != b.to {
		b.from = off
	}
	b.to = off + n
	if b.to-b.from < writeBackStep {
		return false
	}
	unix.SyncFileRange(fd, b.from, b.to-b.from, unix.SYNC_FILE_RANGE_WRITE)
	b.from = b.to
	first, b.begun = !b.begun, true
	return first
}
