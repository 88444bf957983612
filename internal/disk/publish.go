package disk

import (
	"context"
	"io/fs"

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
func (h *staged) Commit() error {
	if !h.guard.Stop(ferry.ErrClosed, func() {}) {
		return beneath.Fail("commit", h.name, h.guard.Ended())
	}
	h.guard.Drain(context.Background())
	h.turn.Lock()
	defer h.turn.Unlock()
	if h.up == nil {
		var err error
		if h.v.t.durable {
			err = h.secure()
		}
		h.letGo()
		return beneath.Fail("commit", h.name, err)
	}
	renamed, err := h.publish(h.v.t.durable)
	if renamed {
		h.letGo()
	} else {
		h.abandon()
	}
	return beneath.Fail("commit", h.name, err)
}

// Sync publishes the part, and goes on in place.
func (h *staged) Sync() error {
	return h.do("sync", func() error {
		h.turn.Lock()
		defer h.turn.Unlock()
		if h.up == nil {
			return h.secure()
		}
		renamed, err := h.publish(true)
		if renamed {
			h.goOnInPlace()
		}
		return err
	})
}

// publish makes the part the file of its name, and tells whether the rename has
// happened. The caller holds turn.
func (h *staged) publish(durable bool) (renamed bool, err error) {
	u := h.up
	switch {
	case u.removed:
		return false, fs.ErrNotExist
	case h.lost != nil:
		return false, h.lost
	}
	old, err := h.replaced()
	if err != nil {
		return false, err
	}
	err = h.inherit(old)
	if err == nil && durable {
		err = h.fsync()
	}
	if err == nil {
		err = h.takeName() // here the upload becomes visible
	}
	if err != nil {
		_ = h.v.names.Fchmod(h.fd, partfile.Mode) // it is a part still
		return false, err
	}
	if !durable {
		return true, nil
	}
	return true, h.v.syncDir(u.at.ID, u.at.Dir, h.syncFileSystem)
}

// replaced is what stands under the name and may be replaced; nil: nothing does.
func (h *staged) replaced() (*unix.Stat_t, error) {
	u, old := h.up, new(unix.Stat_t)
	err := h.v.names.StatAt(u.at.Dir, u.at.Base, old)
	switch {
	case err == unix.ENOENT:
		return nil, nil
	case err != nil:
		return nil, err
	case u.exclusive:
		return nil, fs.ErrExist
	case beneath.IsDir(old):
		return nil, ferry.ErrIsDir
	}
	return old, nil
}

// inherit gives the part what the file that it replaces hands on, or what a new file
// gets. What cannot be kept is logged; whether that is to be expected was decided at Open.
func (h *staged) inherit(old *unix.Stat_t) error {
	u := h.up
	if old == nil || !beneath.IsRegular(old) {
		return h.v.names.Fchmod(h.fd, h.newMode())
	}
	return h.v.names.Inherit(h.fd, &u.at, old, u.attrs, func(what string, err error) {
		h.v.t.log.Warn("something of a replaced file is not kept", "user", h.v.owner.User, "name", u.at.Base, "what", what, "error", beneath.Meaning(err))
	})
}

// takeName gives the part its final name.
func (h *staged) takeName() error {
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

// goOnInPlace makes the handle of a published part one of the file.
func (h *staged) goOnInPlace() {
	unix.Flock(h.fd, unix.LOCK_UN)
	if h.appends {
		if err := beneath.Append(h.fd); err != nil {
			h.v.t.log.Warn("appending to a published file may lose bytes of others", "user", h.v.owner.User, "error", beneath.Meaning(err))
		}
	}
	h.leave()
}
