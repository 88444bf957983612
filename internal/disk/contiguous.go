package disk

import (
	"io/fs"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"ferry/internal/beneath"
	"ferry/internal/byteranges"
)

// How much of a part may be gone on with? A part is as long as its last byte,
// and a client goes on from there; what lies behind a gap would be published
// with a hole in it. There are three answers:
//
//   - The handle that writes a part knows every byte (arrivals), and when it lets
//     go it cuts the part off at the first gap.
//   - After a crash of the process, the file system knows where it has put
//     nothing (SEEK_HOLE), to within a block.
//   - After a crash of the machine nobody knows: blocks reach the disk in any
//     order. Only a part that was synced when its handle let go counts then,
//     and says so by its mode; of any other nothing does.

const (
	partMode   = 0o600 // of a part that is being written, or was in a crash
	syncedMode = 0o700 // of one that was left in peace, and is on the disk
	gapGrain   = 64 << 10
)

// arrivals is what has been written of a part. It is safe for concurrent use.
type arrivals struct {
	mu  sync.Mutex
	set byteranges.Set
}

// add notes that the bytes from begin up to end are there.
func (a *arrivals) add(begin, end int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.set.Add(begin, end)
}

// cut notes that the file has been cut off at size.
func (a *arrivals) cut(size int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.set.Cut(size)
}

// contiguous says where the first gap begins.
func (a *arrivals) contiguous() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.set.Contiguous()
}

// leavePart makes a part that stays one that can be gone on with.
func (h *handle) keepPart() {
	err := h.trim()
	if err == nil && h.v.t.durable {
		err = h.fsync()
	}
	if h.lost != nil { // to be begun anew
		err = beneath.Truncate(h.fd, 0)
	}
	if err == nil && h.v.t.durable && h.lost == nil {
		err = unix.Fchmod(h.fd, syncedMode)
	}
	if err != nil {
		h.v.t.log.Warn("part of a broken upload not secured", "user", h.v.user, "error", beneath.Meaning(err))
	}
}

// trim cuts the part off at its first gap.
func (h *handle) trim() error {
	var st unix.Stat_t
	if err := unix.Fstat(h.fd, &st); err != nil {
		return err
	}
	if solid := h.arrivals.contiguous(); solid < st.Size {
		return beneath.Truncate(h.fd, solid)
	}
	return nil
}

// solid says how much of a part counts that nobody writes.
func (t *Tree) solid(fd int, st *unix.Stat_t) int64 {
	synced := st.Mode&0o7777 == syncedMode
	if !synced && time.Unix(st.Ctim.Unix()).Before(t.boot) {
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
func (t *Tree) ready(fd int, st *unix.Stat_t) (int64, error) {
	size := t.solid(fd, st)
	if size < st.Size {
		if err := beneath.Truncate(fd, size); err != nil {
			return 0, err
		}
	}
	if st.Mode&0o7777 == partMode {
		return size, nil
	}
	return size, unix.Fchmod(fd, partMode)
}

// kept describes the part of that key as it can be gone on with.
func (t *Tree) kept(fd int, key partKey, st *unix.Stat_t) (int64, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if u := t.live[key]; u != nil {
		if u.holder != nil {
			return u.holder.arrivals.contiguous(), nil
		}
	} else if t.expired(st) {
		return 0, fs.ErrNotExist
	}
	return t.solid(fd, st), nil
}
