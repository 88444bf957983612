package disk

import (
	"context"
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"

	"ferry"
	"ferry/internal/beneath"
	"ferry/internal/partfile"
)

// errChanged: what was decided for a part is not true of it any more.
var errChanged = errors.New("the part has changed meanwhile")

// openAt opens for p what o says is to be gone on with. Other sessions of the user
// may be at work on the part: it is decided anew until it is the same before and
// after it was taken hold of.
func (v *sessionFS) openAt(ctx context.Context, p *beneath.Place, o ferry.OpenOptions) (h writer, err error) {
	err = errChanged
	for tries := 0; err == errChanged && tries < 100; tries++ {
		h, err = v.tryAt(ctx, p, o)
	}
	if err == errChanged {
		err = ferry.ErrBusy
	}
	return h, err
}

func (v *sessionFS) tryAt(ctx context.Context, p *beneath.Place, o ferry.OpenOptions) (writer, error) {
	part, err := v.partSize(p)
	if err != nil {
		return nil, err
	}
	file := int64(-1)
	if p.Exists {
		file = p.St.Size
	}
	shows, start, err := o.GoesOn(file, part)
	if (err == ferry.ErrStalePart || err == ferry.ErrBeyondEnd && part >= 0) && v.t.moves(v.partKey(p)) {
		err = errHeld // it has not broken yet, and may still grow
	}
	if err != nil {
		return nil, err
	}
	var h writer
	switch {
	case shows == ferry.ShowsFile && o.Appends():
		h, err = v.openStanding(p, unix.O_APPEND, false)
	case shows == ferry.ShowsFile:
		h, err = v.openStanding(p, 0, false)
	case v.direct || !v.owner.Keeps:
		h, err = v.openFresh(ctx, p, o)
	default:
		h, err = v.openPart(ctx, p, o, part, start)
	}
	if err == nil {
		d := h.written()
		d.start, d.appends = start, o.Appends()
		d.count.Appends(d.appends)
	}
	return h, err
}

// partKey is that of the part that v's user may keep for p.
func (v *sessionFS) partKey(p *beneath.Place) partKey { return partKey{p.ID, v.owner.Name(p.Base)} }

// partSize is how much of the user's part for p there is to go on with, -1 where
// there is none.
func (v *sessionFS) partSize(p *beneath.Place) (int64, error) {
	i, err := v.partAt(p, ferry.Root)
	if errors.Is(err, fs.ErrNotExist) {
		return -1, nil
	}
	return i.Size, err
}

// openPart goes on with the part for p from start on, or begins it where its size
// is -1.
func (v *sessionFS) openPart(ctx context.Context, p *beneath.Place, o ferry.OpenOptions, size, start int64) (writer, error) {
	u, err := v.claim(ctx, p, o.Mode)
	if err != nil {
		return nil, err
	}
	h, err := v.goOn(u, p, o, size, start)
	if err != nil {
		v.t.unclaim(u)
	}
	return h, err
}

func (v *sessionFS) goOn(u *upload, p *beneath.Place, o ferry.OpenOptions, size, start int64) (writer, error) {
	fd, now, err := v.parts.Resume(p.Dir, u.key.name, p)
	if err == unix.ENOENT {
		if size >= 0 {
			return nil, errChanged
		}
		return v.openStaged(u, p, o)
	}
	if err == partfile.ErrForeign {
		err = fs.ErrPermission
	}
	if err != nil {
		return nil, err
	}
	if now != size {
		err = errChanged
	} else if start < size && !o.KeepRest {
		err = v.names.Truncate(fd, start)
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	if o.KeepRest {
		start = max(start, size)
	}
	return v.newStaged(u, p, fd, o, start)
}
