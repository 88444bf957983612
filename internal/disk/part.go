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

// partAt is part for a place.
func (v *sessionFS) partAt(p *beneath.Place, name ferry.Name) (ferry.Info, error) {
	if !v.owner.Keeps || v.direct || p.Base == "." {
		return ferry.Info{}, fs.ErrNotExist
	}
	key := v.partKey(p)
	fd, st, err := v.t.parts.Look(p.Dir, key.name, p)
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
	i.Mode = beneath.GoMode(unix.S_IFREG | v.t.root.NewMode(p.Dir, 0o666, v.t.umask))
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
func (h *handle) keepPart() {
	err := h.arrivals.Trim(h.fd)
	if err == nil && h.v.t.durable {
		err = h.fsync()
	}
	if h.lost != nil { // to be begun anew
		err = beneath.Truncate(h.fd, 0)
	}
	if err == nil && h.v.t.durable && h.lost == nil {
		err = unix.Fchmod(h.fd, partfile.SyncedMode)
	}
	if err != nil {
		h.v.t.log.Warn("part of a broken upload not secured", "user", h.v.owner.User, "error", beneath.Meaning(err))
	}
}

// dropKept removes a part that nobody writes.
func (t *Tree) dropKept(key partKey, dir int) error {
	u, err := t.claim(context.Background(), key, false)
	if err != nil {
		return err
	}
	defer t.unclaim(u)
	if err := t.parts.Unlink(dir, key.name); err != unix.ENOENT {
		return err
	}
	return nil
}

// ending is the part of a session's user for a place, that is to end together
// with something else that may fail: it ends afterwards.
type ending struct {
	t   *Tree
	at  *beneath.Place
	key partKey
	own *handle // the session's own unfinished file; nil: another's, or none
}

// ending finds the part for p, and answers ferry.ErrBusy where somebody writes
// it who may not be stopped. Users whose parts are not kept have none that is
// not their own; ending them does nothing.
func (v *sessionFS) ending(p *beneath.Place) (*ending, error) {
	e := &ending{t: v.t, at: p, own: v.unfinishedAt(p)}
	if e.own != nil || !v.owner.Keeps || p.Base == "." {
		return e, nil
	}
	e.key = v.partKey(p)
	v.t.mu.Lock()
	defer v.t.mu.Unlock()
	if u := v.t.live[e.key]; u != nil && (u.holder == nil || !u.holder.silent()) {
		return nil, ferry.ErrBusy
	}
	return e, nil
}

// end removes the part, and tells whether there was one. Who has begun to
// write it since ending was called loses it, or, still opening it, has come
// after us.
func (e *ending) end(ctx context.Context) (bool, error) {
	switch {
	case e.own != nil:
		return e.own.vanish()
	case e.key.name == "":
		return false, nil
	}
	u, err := e.t.claim(ctx, e.key, true)
	if err != nil {
		return false, nil
	}
	defer e.t.unclaim(u)
	expired := e.t.parts.ExpiredAt(e.at.Dir, e.key.name)
	if err := e.t.parts.Unlink(e.at.Dir, e.key.name); err != unix.ENOENT {
		return !expired, err
	}
	return false, nil
}
