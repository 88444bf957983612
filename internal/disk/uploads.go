package disk

import (
	"context"
	"io/fs"

	"golang.org/x/sys/unix"

	"ferry"
	"ferry/internal/beneath"
)

// partKey is where a part lies, targetKey what it will become.
type (
	partKey struct {
		dir  beneath.DirID
		name string
	}
	targetKey struct {
		dir  beneath.DirID
		base string
	}
)

// targetOf is a place as a key.
func targetOf(p *beneath.Place) targetKey { return targetKey{p.ID, p.Base} }

// upload is a part in the hands of this process. It is entered in Tree.live
// before its file is looked at and leaves after its file is let go of, so that
// nobody else creates, resumes or removes the part in between.
type upload struct {
	key       partKey
	at        beneath.Place // of the target; at.dir is the upload's own
	holder    *handle       // who writes it; nil: it is just being opened or ended
	exclusive bool          // Commit must not replace; the name is reserved
	over      bool          // an older file stood under the name at Open
	removed   bool          // by the session itself: it cannot be published
	attrs     uploadAttrs
}

// claim enters the part into the table for the caller alone. A handle that
// writes it and has been silent long enough, or any with force, is revoked, and
// has let go of it when claim returns; else the answer is ferry.ErrBusy.
func (t *Tree) claim(ctx context.Context, key partKey, force bool) (*upload, error) {
	for {
		t.mu.Lock()
		u := t.live[key]
		if u == nil {
			u = &upload{key: key}
			t.live[key] = u
			t.mu.Unlock()
			return u, nil
		}
		holder := u.holder
		t.mu.Unlock()
		if holder == nil || !force && !holder.silent() || !holder.guard.stop(ferry.ErrTakenOver, holder.abandon) {
			return nil, ferry.ErrBusy
		}
		if err := holder.handOver(ctx); err != nil {
			return nil, err
		}
	}
}

// handOver waits until the revoked handle has let go. Not for ever: its last
// operation may hang in the file system, or wait for a part of the caller's.
func (h *handle) handOver(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, ferry.TakeoverAfter, ferry.ErrBusy)
	defer cancel()
	return h.guard.drain(ctx)
}

// unclaim takes an upload out of the tables.
func (t *Tree) unclaim(u *upload) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.live[u.key] == u {
		delete(t.live, u.key)
	}
	if target := targetOf(&u.at); t.reserved[target] == u {
		delete(t.reserved, target)
	}
}

// reserve keeps the target of u from every other exclusive upload.
func (t *Tree) reserve(u *upload) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if holder := t.reserved[targetOf(&u.at)]; holder != nil && holder != u {
		return fs.ErrExist
	}
	t.reserved[targetOf(&u.at)] = u
	u.exclusive = true
	return nil
}

func (t *Tree) isReserved(target targetKey) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.reserved[target] != nil
}

// isReservedBeside is isReserved by somebody else than the user's part key and
// the session's own handle, which a rename onto the target ends.
func (t *Tree) isReservedBeside(target targetKey, key partKey, own *handle) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	u := t.reserved[target]
	return u != nil && u.key != key && (own == nil || u.holder != own)
}

// moves tells whether a part is in somebody's hands who has not been silent for long
// enough to lose it.
func (t *Tree) moves(key partKey) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	u := t.live[key]
	return u != nil && (u.holder == nil || !u.holder.silent())
}

func (t *Tree) isLive(key partKey) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.live[key] != nil
}

// enlist makes a handle known to its session and, for an upload, in the table.
// False: the session has been closed meanwhile.
func (v *sessionFS) enlist(h *handle) bool {
	v.t.mu.Lock()
	defer v.t.mu.Unlock()
	if v.closed {
		return false
	}
	v.t.opened++
	h.number = v.t.opened
	v.open[h] = true
	if h.up != nil {
		h.up.holder = h
		v.uploads.add(h, h.up)
	}
	return true
}

func (v *sessionFS) shut() bool {
	v.t.mu.Lock()
	defer v.t.mu.Unlock()
	return v.closed
}

// unfinished gives the handle with which this very session writes the part for
// name, nil if there is none. Only sessions that have one look.
func (v *sessionFS) unfinished(name ferry.Name, follow bool) *handle {
	v.t.mu.Lock()
	idle := len(v.uploads) == 0
	v.t.mu.Unlock()
	if idle {
		return nil
	}
	p, err := v.names.Locate(name, follow)
	if err != nil {
		return nil
	}
	defer p.Close()
	return v.unfinishedAt(p)
}

// unfinishedAt is unfinished for a place; of several, the one opened last.
func (v *sessionFS) unfinishedAt(p *beneath.Place) *handle {
	v.t.mu.Lock()
	defer v.t.mu.Unlock()
	return v.uploads.last(targetOf(p))
}

// unfinishedIn gives the session's own unfinished files in the open directory dir, by
// their names; nil if there is none.
func (v *sessionFS) unfinishedIn(dir int) map[string]*handle {
	var st unix.Stat_t
	if unix.Fstat(dir, &st) != nil {
		return nil
	}
	v.t.mu.Lock()
	defer v.t.mu.Unlock()
	return v.uploads.in(beneath.DirOf(&st))
}
