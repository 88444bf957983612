package disk

import (
	"context"
	"fmt"
	"io/fs"
	"time"

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
	at        beneath.Place // of the target
	holder    *staged       // who writes it; nil: it is just being opened or ended
	exclusive bool          // Commit must not replace; the name is reserved
	over      bool          // an older file stood under the name at Open
	removed   bool          // by the session itself: it cannot be published
	attrs     beneath.Own   // that were set, and are not taken from the replaced file
	ended     bool          // claim has ended another handle's upload for this one
	gone      chan struct{} // closed when the upload leaves the table
}

// errHeld: somebody in this process has hold of the part. errEnded: an upload was ended,
// and somebody has come after it.
var (
	errHeld  = fmt.Errorf("%w", ferry.ErrBusy)
	errEnded = fmt.Errorf("%w", ferry.ErrBusy)
)

// claim enters the part into the table for the caller alone. A handle that
// writes it is revoked, and has let go of it when claim returns: any where why is
// ferry.ErrRemoved, and what it wrote is gone; where why is ferry.ErrTakenOver one
// that has been silent long enough. Else the answer is errHeld: it writes, or it has
// just been taken hold of; or errEnded. Where a handle hangs, it is ferry.ErrBusy.
func (t *Tree) claim(ctx context.Context, key partKey, why error) (*upload, error) {
	remove, ended := why == ferry.ErrRemoved, false
	for {
		t.mu.Lock()
		u := t.live[key]
		if u == nil {
			u = &upload{key: key, ended: ended, gone: make(chan struct{})}
			t.live[key] = u
			t.mu.Unlock()
			return u, nil
		}
		holder := u.holder
		t.mu.Unlock()
		switch {
		case ended:
			return nil, errEnded
		case holder == nil || !remove && !holder.silent():
			return nil, errHeld
		case holder.revoke(why):
			ended = remove
		case !remove: // it is ending already
			return nil, errHeld
		}
		if err := u.handedOver(ctx); err != nil {
			return nil, err
		}
	}
}

// await waits until a part that could not be claimed may be asked for again: it was let
// go of, or its holder may have been silent for long enough. What the session itself
// writes is not waited for.
func (v *sessionFS) await(ctx context.Context, key partKey) error {
	v.t.mu.Lock()
	u := v.t.live[key]
	var h *staged
	if u != nil {
		h = u.holder
	}
	v.t.mu.Unlock()
	var silence <-chan time.Time // nil: it is ending
	switch {
	case u == nil:
		return nil
	case h == nil: // it is just being opened
		silence = time.After(ferry.TakeoverAfter)
	case h.v.session == v.session:
		return ferry.ErrBusy
	case h.guard.Ended() == nil:
		silence = time.After(ferry.TakeoverAfter - h.silence())
	}
	select {
	case <-u.gone:
	case <-silence:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// revoke ends the handle because of why; false: it is ending already.
func (h *staged) revoke(why error) bool {
	return h.guard.Stop(why, func() {
		if why == ferry.ErrRemoved {
			h.discard.Store(true)
		}
		h.abandon()
	})
}

// handedOver waits until the holder that ends has let go. Not for ever: its last
// operation may hang in the file system, or wait for a part of the caller's.
func (u *upload) handedOver(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, ferry.TakeoverAfter, ferry.ErrBusy)
	defer cancel()
	select {
	case <-u.gone:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// unclaim takes an upload out of the tables.
func (t *Tree) unclaim(u *upload) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.live[u.key] == u {
		delete(t.live, u.key)
		close(u.gone)
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
func (t *Tree) isReservedBeside(target targetKey, key partKey, own *staged) bool {
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

// writing gives the handle with which this very session writes a part; nil: it does not.
func (v *sessionFS) writing(key partKey) *staged {
	v.t.mu.Lock()
	defer v.t.mu.Unlock()
	if u := v.t.live[key]; u != nil && u.holder != nil && u.holder.v.session == v.session {
		return u.holder
	}
	return nil
}

// written gives the handle with which any session of the user writes the part for p;
// nil: none does.
func (v *sessionFS) written(p *beneath.Place) *staged {
	if !v.keepsFor(p) {
		return v.unfinishedAt(p)
	}
	v.t.mu.Lock()
	defer v.t.mu.Unlock()
	if u := v.t.live[v.partKey(p)]; u != nil {
		return u.holder
	}
	return nil
}

// enlist makes a handle known to its session and, for an upload, in the table.
// False: the session has been closed meanwhile.
func (v *sessionFS) enlist(h opened) bool {
	v.t.mu.Lock()
	defer v.t.mu.Unlock()
	if v.closed {
		return false
	}
	v.t.opened++
	h.base().number = v.t.opened
	v.open[h] = true
	if h, ok := h.(*staged); ok {
		h.up.holder = h
		v.uploads.Add(h.up.at.ID, h.up.at.Base, h)
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
func (v *sessionFS) unfinished(name ferry.Name, follow bool) *staged {
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
func (v *sessionFS) unfinishedAt(p *beneath.Place) *staged {
	v.t.mu.Lock()
	defer v.t.mu.Unlock()
	return v.uploads.Last(p.ID, p.Base)
}

// unfinishedIn gives the session's own unfinished files in the open directory dir, by
// their names; nil if there is none.
func (v *sessionFS) unfinishedIn(dir int) map[string]*staged {
	var st unix.Stat_t
	if unix.Fstat(dir, &st) != nil {
		return nil
	}
	v.t.mu.Lock()
	defer v.t.mu.Unlock()
	return v.uploads.In(beneath.DirOf(&st))
}
