package partfile

import (
	"time"

	"golang.org/x/sys/unix"

	"ferry/internal/beneath"
	"ferry/internal/byteranges"
)

// How much of a part may be gone on with? A part is as long as its last byte,
// and a client goes on from there; what lies behind a gap would be published
// with a hole in it. There are three answers:
//
//   - The handle that writes a part knows every byte (Arrivals), and when it lets
//     go it cuts the part off at the first gap.
//   - After a crash of the process, the file system knows where it has put
//     nothing (SEEK_HOLE), to within a block.
//   - After a crash of the machine nobody knows: blocks reach the disk in any
//     order. Only a part that was synced when its handle let go counts then,
//     and says so by its mode; of any other nothing does.

const (
	Mode       = 0o600 // of a part that is being written, or was in a crash
	SyncedMode = 0o700 // of one that was left in peace, and is on the disk
	gapGrain   = 64 << 10
)

// Arrivals is what has been written of a part. It is safe for concurrent use.
type Arrivals struct{ byteranges.Shared }

// Trim cuts the open part off at its first gap.
func (a *Arrivals) Trim(fd int) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if whole := a.Contiguous(); whole < st.Size {
		return beneath.Truncate(fd, whole)
	}
	return nil
}

// Solid says how much of a part counts that nobody writes.
func (r Rules) Solid(fd int, st *unix.Stat_t) int64 {
	synced := st.Mode&0o7777 == SyncedMode
	if !synced && time.Unix(st.Ctim.Unix()).Before(r.Boot) {
		return 0
	}
	hole, err := unix.Seek(fd, 0, unix.SEEK_HOLE)
	if synced || err != nil || hole >= st.Size {
		return st.Size
	}
	// The gap began somewhere in the block before the hole.
	return max(0, hole-1) / gapGrain * gapGrain
}

// ready makes a kept part one that can be written, and says how long it is.
// Its mode may also be one that a Commit has left that was interrupted.
func (r Rules) ready(fd int, st *unix.Stat_t) (int64, error) {
	size := r.Solid(fd, st)
	if size < st.Size {
		if err := beneath.Truncate(fd, size); err != nil {
			return 0, err
		}
	}
	if st.Mode&0o7777 == Mode {
		return size, nil
	}
	return size, r.Files.Fchmod(fd, Mode)
}
