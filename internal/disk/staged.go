package disk

import (
	"context"
	"io/fs"
	"iter"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"ferry"
	"ferry/internal/beneath"
	"ferry/internal/partfile"
)

// staged is the part of an upload, which Commit publishes (publish.go). Once Sync has
// done that, it is direct.
type staged struct {
	direct
	perm     fs.FileMode // of the new file
	discard  atomic.Bool // nothing of the part is to be kept
	had      int64       // bytes of the part that were there before
	arrivals partfile.Arrivals

	// turn is held while the part changes its place: published, renamed, removed. Up
	// is nil when the part is published; it and what it points to change under turn and
	// Tree.mu, and may be read under either. The directory of up.at is the handle's own.
	turn sync.Mutex
	up   *upload
}

// newStaged writes the part fd of u, which is to stand at p; have bytes of it are there.
func (v *sessionFS) newStaged(u *upload, p *beneath.Place, fd int, o ferry.OpenOptions, have int64) (writer, error) {
	at, err := p.Dup()
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	u.at = at
	h := &staged{up: u, perm: permission(o.Perm, 0o666), had: have}
	h.init(v, fd)
	h.count = v.names.Written(fd)
	h.told = h
	h.wrote.Store(true)
	h.arrivals.Add(0, have)
	return h, nil
}

// Number is partfile.Numbered's.
func (h *staged) Number() uint64 { return h.number }

// Stat describes the file that the part is to be.
func (h *staged) Stat() (ferry.Info, error) {
	i, err := h.direct.Stat()
	if err != nil {
		return i, err
	}
	h.turn.Lock()
	defer h.turn.Unlock()
	if h.up != nil { // while it is a part its mode is 0600
		i.Mode = beneath.GoMode(unix.S_IFREG | h.newMode())
	}
	return i, nil
}

// newMode is the mode of the file that a part becomes where none stands.
func (h *staged) newMode() uint32 {
	if mode := h.up.attrs.Mode; mode != nil {
		return beneath.KernelMode(*mode)
	}
	return h.v.newMode(h.up.at.Dir, h.perm)
}

// over is what stands under a name, i, as who writes h sees it.
func (h *staged) over(i ferry.Info) ferry.Info {
	if own, err := h.Stat(); err == nil {
		own.Name = i.Name
		return own
	}
	return i
}

// Arrived notes that n bytes are in the part at off.
func (h *staged) Arrived(off, n int64) {
	h.Moved()
	h.arrivals.Add(off, off+n)
	if h.v.t.durable && h.back.Wrote(h.fd, off, n) {
		h.secureEntry()
	}
}

// Gaps are what the upload has not written yet.
func (h *staged) Gaps(limit int64) iter.Seq2[int64, int64] {
	h.turn.Lock()
	defer h.turn.Unlock()
	if h.up == nil {
		return h.direct.Gaps(limit)
	}
	return h.arrivals.Gaps(limit)
}

// secureEntry makes the name of a part durable that stands beside an older
// file. Were it lost in a power failure, a client that goes on with its upload
// would be told the old file's size, and mix the two.
func (h *staged) secureEntry() {
	h.v.t.mu.Lock()
	u := h.up
	needed := u != nil && u.over && !u.removed
	dir := -1
	if needed {
		dir, _ = unix.FcntlInt(uintptr(u.at.Dir), unix.F_DUPFD_CLOEXEC, 0)
	}
	h.v.t.mu.Unlock()
	if dir < 0 {
		return
	}
	defer unix.Close(dir)
	if err := h.v.syncDir(u.at.ID, dir, h.syncFileSystem); err != nil {
		h.v.t.log.Warn("directory not synced during an upload", "user", h.v.owner.User, "error", beneath.Meaning(err))
	}
}

// Truncate changes the size.
func (h *staged) Truncate(size int64) error {
	return h.do("truncate", func() error { return h.resize(size) })
}

func (h *staged) resize(size int64) error {
	err := h.direct.resize(size)
	if err == nil {
		h.arrivals.Cut(size)
	}
	return err
}

// SetAttr changes the attributes that a sets, of this very file. The mode of a
// part waits until Commit: until then nobody else may read it.
func (h *staged) SetAttr(a ferry.Attr) error {
	return h.do("setattr", func() error {
		err := h.v.mayHave(a)
		if err == nil && a.Size != nil {
			err = h.resize(*a.Size)
		}
		if err != nil {
			return err
		}
		h.turn.Lock()
		defer h.turn.Unlock()
		mode := a.Mode
		if h.up != nil {
			a.Mode = nil
		}
		err = h.v.names.SetAttrs(h.fd, a)
		if err == nil && h.up != nil {
			h.up.attrs.Note(mode, a.UID, a.GID)
		}
		return err
	})
}

// Abort ends the use of the handle without publishing.
func (h *staged) Abort(cause error) error {
	if ferry.Discarded(cause) {
		h.discard.Store(true)
	}
	if !h.guard.Stop(ferry.ErrClosed, h.abandon) {
		return nil
	}
	h.logAbort(cause)
	return beneath.Fail("abort", h.name, h.guard.Drain(context.Background()))
}

// abandon lets go of a handle that was not committed. Its part stays for a
// later Resume, where the user may have that.
func (h *staged) abandon() {
	if u := h.up; u != nil && !u.removed {
		if h.v.owner.Keeps && !h.discard.Load() && h.leavesRoom() {
			h.keepPart()
		} else if err := h.v.names.Unlink(u.at.Dir, u.key.name); err != nil && err != unix.ENOENT {
			h.v.t.log.Warn("part not removed", "user", h.v.owner.User, "name", u.at.Base, "error", beneath.Meaning(err))
		}
	}
	h.letGo()
}

// leavesRoom cuts a part that has filled the storage back to what it had before; false:
// that is nothing.
func (h *staged) leavesRoom() bool {
	if h.full.Stays(h.fd) {
		return true
	}
	return h.had > 0 && h.resize(h.had) == nil
}

// letGo gives back everything the handle held. It is called once.
func (h *staged) letGo() {
	h.release(h)
	h.leave()
}

// leave gives back what the handle holds as that of an upload, if it still is one.
func (h *staged) leave() {
	u, t := h.up, h.v.t
	if u == nil {
		return
	}
	t.mu.Lock()
	h.v.uploads.Remove(u.at.ID, u.at.Base, h)
	h.up = nil
	t.mu.Unlock()
	t.unclaim(u)
	u.at.Close()
}
