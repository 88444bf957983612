package partfile

import (
	"errors"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"ferry"
	"ferry/internal/beneath"
)

// roomLeft is how many bytes must be free for what an upload has written to stay that had
// found no room.
const roomLeft = 16 << 20

// Full remembers whether a part's upload found no room. The zero value: it did not.
type Full struct{ errno atomic.Uint32 }

// Note notes an error of a write, and gives it back.
func (f *Full) Note(err error) error {
	if errors.Is(err, ferry.ErrQuota) {
		f.errno.Store(uint32(unix.EDQUOT))
	}
	for _, full := range []unix.Errno{unix.ENOSPC, unix.EDQUOT} {
		if errors.Is(err, full) {
			f.errno.Store(uint32(full))
		}
	}
	return err
}

// Stays tells whether what was written to the open part may stay: where it has filled the
// storage or the quota, it would leave nobody room for the smallest file until it expires,
// and there is none to go on with it either. Others may have made room meanwhile.
func (f *Full) Stays(fd int) bool {
	switch unix.Errno(f.errno.Load()) {
	case 0:
		return true
	case unix.ENOSPC:
		space, err := beneath.SpaceOf(fd)
		return err == nil && space.Available >= roomLeft
	}
	return false
}
