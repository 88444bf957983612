package disk

import (
	"context"
	"io/fs"

	"golang.org/x/sys/unix"

	"ferry"
	"ferry/internal/beneath"
	"ferry/internal/partfile"
)

// Part describes the kept part of this user for name.
func (v *sessionFS) Part(ctx context.Context, name ferry.Name) (ferry.Info, error) {
	i, err := v.part(name)
	return i, beneath.Fail("part", name, err)
}

func (v *sessionFS) part(name ferry.Name) (ferry.Info, error) {
	p, err := v.names.Locate(name, true)
	if err != nil {
		return ferry.Info{}, err
	}
	defer p.Close()
	return v.partAt(p, name)
}

// keepsFor tells whether v's user may have a part for p that other sessions know of.
func (v *sessionFS) keepsFor(p *beneath.Place) bool {
	return v.owner.Keeps && !v.direct && p.Base != "."
}

// partAt is part for a place.
func (v *sessionFS) partAt(p *beneath.Place, name ferry.Name) (ferry.Info, error) {
	if !v.keepsFor(p) {
		return ferry.Info{}, fs.ErrNotExist
	}
	key := v.partKey(p)
	fd, st, err := v.parts.Look(p.Dir, key.name, p)
	if err != nil {
		return ferry.Info{}, err
	}
	defer unix.Close(fd)
	size, err := v.t.kept(fd, key, st)
	if err != nil {
		return ferry.Info{}, err
	}
	i, err := beneath.InfoOf(fd, name)
	i.Size = size
	i.Mode = beneath.GoMode(unix.S_IFREG | v.newMode(p.Dir, 0o666))
	i.Unfinished = !p.Exists
	return i, err
}

// orPart is i, or where err says that nothing stands under the name, the user's
// part for it.
func (v *sessionFS) orPart(name ferry.Name, follow bool, i ferry.Info, err error) (ferry.Info, error) {
	if err != unix.ENOENT && err != fs.ErrNotExist {
		return i, err
	}
	p, none := v.names.Locate(name, follow)
	if none != nil {
		return i, err
	}
	defer p.Close()
	if part, none := v.partAt(p, name); none == nil {
		return part, nil
	}
	return i, err
}

// kept describes the part of that key as it can be gone on with.
func (t *Tree) kept(fd int, key partKey, st *unix.Stat_t) (int64, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if u := t.live[key]; u != nil {
		if u.holder != nil {
			return u.holder.arrivals.Contiguous(), nil
		}
	} else if t.parts.Expired(st) {
		return 0, fs.ErrNotExist
	}
	return t.parts.Solid(fd, st), nil
}

// keepPart makes a part that stays one that can be gone on with.
func (h *staged) keepPart() {
	err := h.arrivals.Trim(h.fd)
	if err == nil && h.v.t.durable {
		err = h.fsync()
	}
	if h.lost != nil { // to be begun anew
		err = beneath.Truncate(h.fd, 0)
	}
	if err == nil && h.v.t.durable && h.lost == nil {
		err = h.v.names.Fchmod(h.fd, partfile.SyncedMode)
	}
	if err != nil {
		h.v.t.log.Warn("part of a broken upload not secured", "user", h.v.owner.User, "error", beneath.Meaning(err))
	}
}

// endPart ends a part of the user, whoever writes it.
func (v *sessionFS) endPart(ctx context.Context, key partKey, dir int) error {
	if h := v.writing(key); h != nil {
		_, err := h.vanish()
		return err
	}
	u, err := v.t.claim(ctx, key, ferry.ErrRemoved)
	if err != nil {
		return err
	}
	defer v.t.unclaim(u)
	if err := v.parts.Unlink(dir, key.name); err != unix.ENOENT {
		return err
	}
	return nil
}

// ending is the part of a session's user for a place, that is to end together
// with something else that may fail: it ends afterwards.
type ending struct {
	v   *sessionFS
	at  *beneath.Place
	key partKey
	own *staged // the session's own unfinished file; nil: another's, or none
}

// ending finds the part for p. Users whose parts are not kept have none that is not
// their own; ending them does nothing.
func (v *sessionFS) ending(p *beneath.Place) *ending {
	e := &ending{v: v, at: p, own: v.unfinishedAt(p)}
	if e.own == nil && v.owner.Keeps && p.Base != "." {
		e.key = v.partKey(p)
	}
	return e
}

// end removes the part, and tells whether there was one. Who writes it loses it, or,
// still opening it, has come after us.
func (e *ending) end(ctx context.Context) (bool, error) {
	switch {
	case e.own != nil:
		return e.own.vanish()
	case e.key.name == "":
		return false, nil
	}
	u, err := e.v.t.claim(ctx, e.key, ferry.ErrRemoved)
	if err == errHeld || err == errEnded {
		return err == errEnded, nil
	}
	if err != nil {
		return false, err
	}
	defer e.v.t.unclaim(u)
	expired := e.v.parts.ExpiredAt(e.at.Dir, e.key.name)
	if err := e.v.parts.Unlink(e.at.Dir, e.key.name); err != unix.ENOENT {
		return !expired, err
	}
	return u.ended, nil
}
