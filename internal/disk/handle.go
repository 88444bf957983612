package disk

import (
	"context"
	"io"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"ferry"
	"ferry/internal/beneath"
	"ferry/internal/fdcopy"
	"ferry/internal/partfile"
)

// handle is one open file: for reading, in place, or the part of an upload.
type handle struct {
	v      *sessionFS
	name   ferry.Name // the client's, as it was opened
	number uint64     // later handles have larger ones
	fd     int
	writes bool // may be written
	start  int64
	guard  fdcopy.Guard
	// appends: what is written goes to the end. In place the descriptor has O_APPEND,
	// a part has this handle alone: appending keeps its writes apart.
	appends   bool
	appending sync.Mutex

	// turn is held while the part changes its place: published, renamed,
	// removed. Up is nil when the handle works in place; it and what it points
	// to change under turn and Tree.mu, and may be read under either.
	turn    sync.Mutex
	up      *upload
	perm    fs.FileMode    // of the new file
	lost    error          // why content did not reach the disk
	created *beneath.Place // a new file in place, whose directory is to be synced

	discard  atomic.Bool // nothing of the part is to be kept
	wrote    atomic.Bool
	moved    atomic.Int64 // when the last byte moved, in ns since Tree.born
	back     writeback
	arrivals partfile.Arrivals // what is there of a part
}

func (v *sessionFS) newHandle(name ferry.Name, fd int, writes bool) *handle {
	h := &handle{v: v, name: name, fd: fd, writes: writes, guard: fdcopy.NewGuard()}
	h.stamp()
	return h
}

func (v *sessionFS) newUpload(u *upload, fd int, o ferry.OpenOptions) *handle {
	h := v.newHandle("", fd, true)
	h.up, h.perm = u, permission(o.Perm, 0o666)
	h.wrote.Store(true)
	return h
}

// ownsDir tells whether the handle keeps the directory of its place open.
func (h *handle) ownsDir() bool { return h.up != nil || h.created != nil }

// stamp notes that a byte has moved just now.
func (h *handle) stamp() { h.moved.Store(int64(time.Since(h.v.t.born))) }

// silent tells whether the handle may be taken over.
func (h *handle) silent() bool {
	return time.Since(h.v.t.born)-time.Duration(h.moved.Load()) >= ferry.TakeoverAfter
}

// Stat describes the file as this handle sees it.
func (h *handle) Stat() (ferry.Info, error) {
	if err := h.guard.Begin(nil); err != nil {
		return ferry.Info{}, beneath.Fail("stat", h.name, err)
	}
	defer h.guard.Done(nil)
	i, err := beneath.InfoOf(h.fd, h.name)
	if err != nil {
		return i, beneath.Fail("stat", h.name, err)
	}
	h.turn.Lock()
	defer h.turn.Unlock()
	i.Name = h.name.Base()
	if h.up != nil { // while it is a part its mode is 0600
		i.Mode = beneath.GoMode(unix.S_IFREG | h.newMode())
	}
	return i, nil
}

// ReadAt is io.ReaderAt's.
func (h *handle) ReadAt(p []byte, off int64) (int, error) {
	if err := h.begin(off); err != nil {
		return 0, beneath.Fail("read", h.name, err)
	}
	defer h.guard.Done(nil)
	n, err := fdcopy.ReadFull(h.fd, p, off)
	if err == io.EOF {
		return n, io.EOF
	}
	return n, beneath.Fail("read", h.name, err)
}

// begin is Guard.Begin for an operation at off.
func (h *handle) begin(off int64) error {
	if err := h.guard.Begin(nil); err != nil {
		return err
	}
	if off < 0 {
		h.guard.Done(nil)
		return fs.ErrInvalid
	}
	return nil
}

// beginWrite is begin for one that changes the content.
func (h *handle) beginWrite(off int64) error {
	if err := h.guard.Begin(nil); err != nil {
		return err
	}
	err := error(nil)
	switch {
	case !h.writes:
		err = fs.ErrPermission
	case off < 0:
		err = fs.ErrInvalid
	}
	if err != nil {
		h.guard.Done(nil)
		return err
	}
	h.wrote.Store(true)
	return nil
}

// WriteAt is io.WriterAt's.
func (h *handle) WriteAt(p []byte, off int64) (int, error) {
	if err := h.beginWrite(off); err != nil {
		return 0, beneath.Fail("write", h.name, err)
	}
	defer h.guard.Done(nil)
	off, done, err := h.place(off)
	if err != nil {
		return 0, beneath.Fail("write", h.name, err)
	}
	defer done()
	n, err := h.write(p, off)
	return n, beneath.Fail("write", h.name, err)
}

// Start is where what is written begins.
func (h *handle) Start() int64 { return h.start }

// place is where a write at off goes to. done is to be called when it is over.
func (h *handle) place(off int64) (at int64, done func(), err error) {
	if !h.appends {
		return off, func() {}, nil
	}
	h.appending.Lock()
	var st unix.Stat_t
	if err := unix.Fstat(h.fd, &st); err != nil {
		h.appending.Unlock()
		return 0, nil, err
	}
	return st.Size, h.appending.Unlock, nil
}

// write writes all of p at off, and notes what that means for takeover and
// write-back.
func (h *handle) write(p []byte, off int64) (int, error) { return fdcopy.WriteFull(h.fd, h, p, off) }

// Moved is fdcopy.Progress's.
func (h *handle) Moved() { h.stamp() }

// Arrived notes that n bytes are in the file at off.
func (h *handle) Arrived(off, n int64) {
	h.stamp()
	h.arrivals.Add(off, off+n)
	h.pushBack(off, n)
}

// Resize is truncate, noted.
func (h *handle) Resize(size int64) error {
	err := beneath.Truncate(h.fd, size)
	if err == nil {
		h.arrivals.Cut(size)
	}
	return err
}

// Truncate changes the size.
func (h *handle) Truncate(size int64) error {
	if err := h.beginWrite(size); err != nil {
		return beneath.Fail("truncate", h.name, err)
	}
	defer h.guard.Done(nil)
	return beneath.Fail("truncate", h.name, h.Resize(size))
}

// SetAttr changes the attributes that a sets, of this very file. The mode of a
// part waits until Commit: until then nobody else may read it.
func (h *handle) SetAttr(a ferry.Attr) error {
	if err := h.guard.Begin(nil); err != nil {
		return beneath.Fail("setattr", h.name, err)
	}
	defer h.guard.Done(nil)
	return beneath.Fail("setattr", h.name, h.setAttr(a))
}

func (h *handle) setAttr(a ferry.Attr) error {
	if h.v.lendsIdentity(a.Mode) {
		return errIdentity
	}
	if a.Size != nil {
		switch {
		case !h.writes:
			return fs.ErrPermission
		case *a.Size < 0:
			return fs.ErrInvalid
		}
		h.wrote.Store(true)
		if err := h.Resize(*a.Size); err != nil {
			return err
		}
	}
	h.turn.Lock()
	defer h.turn.Unlock()
	if h.up == nil {
		return h.v.names.SetAttrs(h.fd, a)
	}
	mode := a.Mode
	a.Mode = nil
	if err := h.v.names.SetAttrs(h.fd, a); err != nil {
		return err
	}
	h.up.attrs.note(mode, a.UID, a.GID)
	return nil
}

// Abort ends the use of the handle without publishing.
func (h *handle) Abort(cause error) error {
	if ferry.Discarded(cause) {
		h.discard.Store(true)
	}
	if !h.guard.Stop(ferry.ErrClosed, h.abandon) {
		return nil
	}
	if h.writes {
		h.v.t.log.Debug("write ended without commit", "user", h.v.owner.User, "file", h.name.Base(), "cause", cause)
	}
	return beneath.Fail("abort", h.name, h.guard.Drain(context.Background()))
}

// abandon lets go of a handle that was not committed. Its part stays for a
// later Resume, where the user may have that.
func (h *handle) abandon() {
	if u := h.up; u != nil && !u.removed {
		if h.v.owner.Keeps && !h.discard.Load() {
			h.keepPart()
		} else if err := h.v.names.Unlink(u.at.Dir, u.key.name); err != nil && err != unix.ENOENT {
			h.v.t.log.Warn("part not removed", "user", h.v.owner.User, "file", u.at.Base, "error", beneath.Meaning(err))
		}
	}
	h.release()
}

// letGo gives back everything the handle held. It is called once.
func (h *handle) release() {
	unix.Close(h.fd) // and with it the lock of a part
	v := h.v
	v.t.mu.Lock()
	delete(v.open, h)
	if h.up != nil {
		v.uploads.remove(h, h.up)
	}
	v.t.mu.Unlock()
	switch {
	case h.up != nil:
		v.t.unclaim(h.up)
		h.up.at.Close()
	case h.created != nil:
		h.created.Close()
	}
}
