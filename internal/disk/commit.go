package disk

import (
	"context"
	"io/fs"
	"sync"

	"golang.org/x/sys/unix"

	"ferry"
	"ferry/internal/beneath"
	"ferry/internal/partfile"
)

// Commit ends the use of the handle successfully.
//
// When it fails after the rename, because the directory could not be synced,
// the new content stands under the name and the error says that it may not
// survive a power failure.
func (h *handle) Commit() error {
	if !h.guard.Stop(ferry.ErrClosed, func() {}) {
		return beneath.Fail("commit", h.name, h.guard.Ended())
	}
	h.guard.Drain(context.Background())
	h.turn.Lock()
	defer h.turn.Unlock()
	if h.up == nil {
		err := h.commitInPlace()
		h.release()
		return beneath.Fail("commit", h.name, err)
	}
	renamed, err := h.publish(h.v.t.durable)
	if renamed {
		h.release()
	} else {
		h.abandon()
	}
	return beneath.Fail("commit", h.name, err)
}

func (h *handle) commitInPlace() error {
	if !h.v.t.durable || !h.writes || !h.wrote.Load() {
		return nil
	}
	return h.syncInPlace()
}

func (h *handle) syncInPlace() error {
	if err := h.fsync(); err != nil {
		return err
	}
	if h.created == nil {
		return nil
	}
	return h.v.syncDir(h.created.ID, h.created.Dir, h.syncFileSystem)
}

// fsync brings the content to the disk. Once that has failed it stays failed:
// the kernel has thrown away what it could not write, and says so only once,
// so the next fsync would succeed over content that is lost.
func (h *handle) fsync() error {
	if h.lost == nil {
		h.lost = fsync(h.fd)
	}
	return h.lost
}

// syncFileSystem makes everything durable that the file system of the handle holds: for
// a directory that cannot be synced by itself.
func (h *handle) syncFileSystem() error {
	_, err := beneath.RetryEINTR(func() (int, error) { return 0, unix.Syncfs(h.fd) })
	return err
}

func fsync(fd int) error {
	_, err := beneath.RetryEINTR(func() (int, error) { return 0, unix.Fsync(fd) })
	if err == unix.EINVAL { // a device or a file of the kernel, which has nothing to sync
		err = nil
	}
	return err
}

// Sync makes what was written durable; a part is published by it.
func (h *handle) Sync() error {
	if err := h.guard.Begin(nil); err != nil {
		return beneath.Fail("sync", h.name, err)
	}
	defer h.guard.Done(nil)
	h.turn.Lock()
	defer h.turn.Unlock()
	if h.up == nil {
		return beneath.Fail("sync", h.name, h.syncInPlace())
	}
	renamed, err := h.publish(true)
	if renamed {
		h.goOnInPlace()
	}
	return beneath.Fail("sync", h.name, err)
}

// goOnInPlace makes the handle of a published part one of the file.
func (h *handle) goOnInPlace() {
	unix.Flock(h.fd, unix.LOCK_UN)
	if h.appends {
		if err := beneath.Append(h.fd); err != nil {
			h.v.t.log.Warn("appending to a published file may lose bytes of others", "user", h.v.owner.User, "error", beneath.Meaning(err))
		}
	}
	u, t := h.up, h.v.t
	t.unclaim(u)
	t.mu.Lock()
	h.v.uploads.remove(h, u)
	h.up = nil
	t.mu.Unlock()
	u.at.Close()
}

// publish makes the part the file of its name: attributes, fsync, rename, and
// fsync of the directory, in this order. It tells whether the rename has
// happened. The caller holds turn.
func (h *handle) publish(durable bool) (bool, error) {
	u := h.up
	switch {
	case u.removed:
		return false, fs.ErrNotExist
	case h.lost != nil:
		return false, h.lost
	}
	var st unix.Stat_t
	old := &st
	err := h.v.names.StatAt(u.at.Dir, u.at.Base, old)
	switch {
	case err == unix.ENOENT:
		old = nil
	case err != nil:
		return false, err
	case u.exclusive:
		return false, fs.ErrExist
	case beneath.IsDir(old):
		return false, ferry.ErrIsDir
	}
	if err := h.finish(old, durable); err != nil {
		h.v.names.Fchmod(h.fd, partfile.Mode) // it is one still
		return false, err
	}
	if !durable {
		return true, nil
	}
	return true, h.v.syncDir(u.at.ID, u.at.Dir, h.syncFileSystem)
}

// finish makes the part what the file is to be, and then renames it.
func (h *handle) finish(old *unix.Stat_t, durable bool) error {
	if err := h.inherit(old); err != nil {
		return err
	}
	if durable {
		if err := h.fsync(); err != nil {
			return err
		}
	}
	return h.rename()
}

// rename gives the part its final name.
func (h *handle) rename() error {
	u := h.up
	// Something else of that name would be published in our name: a part that
	// was removed by hand, and made again by somebody else.
	var st, now unix.Stat_t
	if err := unix.Fstat(h.fd, &st); err != nil {
		return err
	}
	if err := h.v.names.StatAt(u.at.Dir, u.key.name, &now); err != nil {
		return err
	}
	if !beneath.Same(&st, &now) {
		return fs.ErrNotExist
	}
	if u.exclusive {
		return h.v.names.RenameNew(u.at.Dir, u.key.name, u.at.Dir, u.at.Base)
	}
	return h.v.names.Rename(u.at.Dir, u.key.name, u.at.Dir, u.at.Base)
}

// vanish ends the session's own unfinished file, as unlinking ends an open
// one. False: it was finished before.
func (h *handle) vanish() (bool, error) {
	if h.guard.Begin(nil) != nil {
		return false, nil
	}
	defer h.guard.Done(nil)
	h.turn.Lock()
	defer h.turn.Unlock()
	u, t := h.up, h.v.t
	if u == nil || u.removed {
		return false, nil
	}
	if err := h.v.names.Unlink(u.at.Dir, u.key.name); err != nil && err != unix.ENOENT {
		return false, err
	}
	t.unclaim(u)
	t.mu.Lock()
	h.v.uploads.remove(h, u)
	u.removed = true
	t.mu.Unlock()
	return true, nil
}

// moveTo lets the unfinished file go on under another name, for a session of its user.
// ferry.ErrClosed: it is finished.
func (h *handle) moveTo(ctx context.Context, by *sessionFS, to ferry.Name, replace bool) error {
	if h.guard.Begin(nil) != nil {
		return ferry.ErrClosed
	}
	defer h.guard.Done(nil)
	p, err := by.names.Locate(to, false)
	if err != nil {
		return err
	}
	moved, err := h.moveToPlace(ctx, by, p, replace)
	if !moved {
		p.Close()
	}
	return err
}

// moveToPlace is moveTo for a place. True: the upload has taken over p.dir.
func (h *handle) moveToPlace(ctx context.Context, by *sessionFS, p *beneath.Place, replace bool) (bool, error) {
	key := by.partKey(p)
	other := by.unfinishedAt(p)
	switch {
	case p.Base == "." && replace:
		return false, fs.ErrPermission
	case !replace && (p.Exists || h.v.t.isReservedBeside(targetOf(p), key, other)):
		return false, fs.ErrExist
	case p.Exists && beneath.IsDir(&p.St):
		return false, ferry.ErrIsDir
	}
	// Before turn is taken, or two that move onto each other wait for ever.
	if other != nil && other != h {
		if _, err := other.vanish(); err != nil {
			return false, err
		}
	}
	h.turn.Lock()
	defer h.turn.Unlock()
	switch {
	case h.up == nil || h.up.removed:
		return false, ferry.ErrClosed
	case targetOf(&h.up.at) == targetOf(p) && !replace:
		return false, fs.ErrExist
	case targetOf(&h.up.at) == targetOf(p):
		return false, nil
	}
	next, err := h.v.t.claim(ctx, key, ferry.ErrRemoved)
	if err != nil {
		return false, err
	}
	next.at = *p
	if err := h.moveToUpload(next, replace); err != nil {
		h.v.t.unclaim(next)
		return false, err
	}
	return true, nil
}

// moveToUpload makes next, claimed for the new place, the handle's upload.
func (h *handle) moveToUpload(next *upload, replace bool) error {
	u, t := h.up, h.v.t
	if !replace {
		if err := t.reserve(next); err != nil {
			return err
		}
	}
	if err := h.v.parts.Unlink(next.at.Dir, next.key.name); err != nil && err != unix.ENOENT {
		return err
	}
	if err := h.v.names.Rename(u.at.Dir, u.key.name, next.at.Dir, next.key.name); err != nil {
		return err
	}
	next.attrs, next.over = u.attrs, next.at.Exists
	t.unclaim(u)
	t.mu.Lock()
	h.v.uploads.remove(h, u)
	h.v.uploads.add(h, next)
	next.holder, h.up = h, next
	t.mu.Unlock()
	u.at.Close()
	return nil
}

// writebackStep is how much is written before the kernel is asked to begin
// bringing it to the disk, so that the last fsync finds little left to do.
const writebackStep = 8 << 20

// writeback is the range written last and not yet on its way to the disk.
type writeback struct {
	mu       sync.Mutex
	from, to int64
	entry    bool // the part's own directory entry is durable
}

// pushBack notes a write of n bytes at off.
func (h *handle) pushBack(off, n int64) {
	if !h.v.t.durable {
		return
	}
	b := &h.back
	b.mu.Lock()
	defer b.mu.Unlock()
	if off != b.to {
		b.from = off
	}
	b.to = off + n
	if b.to-b.from < writebackStep {
		return
	}
	unix.SyncFileRange(h.fd, b.from, b.to-b.from, unix.SYNC_FILE_RANGE_WRITE)
	b.from = b.to
	if !b.entry {
		b.entry = true
		h.secureEntry()
	}
}

// secureEntry makes the name of a part durable that stands beside an older
// file. Were it lost in a power failure, a client that goes on with its upload
// would be told the old file's size, and mix the two.
func (h *handle) secureEntry() {
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
