package disk

import (
	"context"
	"io/fs"

	"golang.org/x/sys/unix"

	"ferry"
	"ferry/internal/beneath"
)

// vanish ends the session's own unfinished file, as unlinking ends an open
// one. False: it was finished before.
func (h *staged) vanish() (bool, error) {
	if h.guard.Begin(nil) != nil {
		return false, nil
	}
	defer h.done()
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
	h.v.uploads.Remove(u.at.ID, u.at.Base, h)
	u.removed = true
	t.mu.Unlock()
	return true, nil
}

// moveTo lets the unfinished file go on under another name, for a session of its user.
// ferry.ErrClosed: it is finished.
func (h *staged) moveTo(ctx context.Context, by *sessionFS, to ferry.Name, replace bool) error {
	if h.guard.Begin(nil) != nil {
		return ferry.ErrClosed
	}
	defer h.done()
	p, err := by.names.Locate(to, false)
	if err != nil {
		return err
	}
	defer p.Close()
	return h.moveToPlace(ctx, by, p, replace)
}

// moveToPlace is moveTo for a place.
func (h *staged) moveToPlace(ctx context.Context, by *sessionFS, p *beneath.Place, replace bool) error {
	key := by.partKey(p)
	other := by.unfinishedAt(p)
	switch {
	case p.Base == "." && replace:
		return fs.ErrPermission
	case !replace && (p.Exists || h.v.t.isReservedBeside(targetOf(p), key, other)):
		return fs.ErrExist
	case p.Exists && beneath.IsDir(&p.St):
		return ferry.ErrIsDir
	}
	// Before turn is taken, or two that move onto each other wait for ever.
	if other != nil && other != h {
		if _, err := other.vanish(); err != nil {
			return err
		}
	}
	h.turn.Lock()
	defer h.turn.Unlock()
	switch {
	case h.up == nil || h.up.removed:
		return ferry.ErrClosed
	case targetOf(&h.up.at) == targetOf(p) && !replace:
		return fs.ErrExist
	case targetOf(&h.up.at) == targetOf(p):
		return nil
	}
	next, err := h.v.t.claim(ctx, key, ferry.ErrRemoved)
	if err != nil {
		return err
	}
	if next.at, err = p.Dup(); err == nil {
		err = h.moveToUpload(next, replace)
		if err != nil {
			next.at.Close()
		}
	}
	if err != nil {
		h.v.t.unclaim(next)
	}
	return err
}

// moveToUpload makes next, claimed for the new place, the handle's upload.
func (h *staged) moveToUpload(next *upload, replace bool) error {
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
	h.v.uploads.Remove(u.at.ID, u.at.Base, h)
	h.v.uploads.Add(next.at.ID, next.at.Base, h)
	next.holder, h.up = h, next
	t.mu.Unlock()
	u.at.Close()
	return nil
}
