package access

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"sync/atomic"

	"ferry"
)

// Open needs, by mode:
//
//   - Read: Read.
//   - Exclusive: Create.
//   - Update, Revise: Overwrite.
//   - Replace: Create for a new name, Overwrite for one that exists.
//   - Resume: the same; and Append is enough to go on at the end of a file
//     that exists.
//   - ResumeNew: Create.
//
// Which of the two it is, where only one is granted, is left to the storage
// to decide, by the mode that only does the one: looking first would leave
// time for the file to appear.
func (r *rules) Open(ctx context.Context, name ferry.Name, o ferry.OpenOptions) (h ferry.Handle, err error) {
	err = r.reach(ctx, "open", name, !o.Mode.MustBeNew(), func(at place) error {
		h, err = at.open(ctx, o)
		return err
	})
	return h, err
}

func (at place) open(ctx context.Context, o ferry.OpenOptions) (ferry.Handle, error) {
	switch o.Mode {
	case ferry.Read:
		return at.openIf(ctx, ferry.RightRead, o)
	case ferry.Exclusive, ferry.ResumeNew:
		return at.openIf(ctx, ferry.RightCreate, o)
	case ferry.Update, ferry.Revise:
		return at.openIf(ctx, ferry.RightOverwrite, o)
	case ferry.Replace:
		return at.openReplace(ctx, o)
	case ferry.Resume:
		return at.openResume(ctx, o)
	}
	return nil, &fs.PathError{Op: "open", Path: string(at.given), Err: errors.ErrUnsupported}
}

// openIf opens where want is granted.
func (at place) openIf(ctx context.Context, want ferry.Right, o ferry.OpenOptions) (ferry.Handle, error) {
	if err := at.need("open", want); err != nil {
		return nil, err
	}
	o.Blind = o.Blind || at.rights&rightsSee == 0
	h, err := at.files.Open(ctx, at.name, o)
	if err != nil {
		return nil, at.hideMissing("open", err)
	}
	return &guarded{handle: h, at: at, appends: o.Appends()}, nil
}

func (at place) openReplace(ctx context.Context, o ferry.OpenOptions) (ferry.Handle, error) {
	switch {
	case at.rights.Has(ferry.RightCreate | ferry.RightOverwrite):
		return at.openIf(ctx, ferry.RightOverwrite, o)
	case at.rights.Has(ferry.RightCreate):
		o.Mode = ferry.Exclusive
		return at.openIf(ctx, ferry.RightCreate, o)
	case at.rights.Has(ferry.RightOverwrite):
		if err := at.mustExist(ctx); err != nil {
			return nil, err
		}
		return at.openIf(ctx, ferry.RightOverwrite, o)
	}
	return nil, at.denied("open", ferry.RightCreate|ferry.RightOverwrite)
}

func (at place) openResume(ctx context.Context, o ferry.OpenOptions) (ferry.Handle, error) {
	switch {
	case at.rights.Has(ferry.RightCreate | ferry.RightOverwrite):
		return at.openIf(ctx, ferry.RightOverwrite, o)
	case at.rights.Has(ferry.RightOverwrite):
		if err := at.mustExist(ctx); err != nil {
			return nil, err
		}
		return at.openIf(ctx, ferry.RightOverwrite, o)
	case at.rights.Has(ferry.RightAppend):
		h, err := at.openAppend(ctx, o)
		if !errors.Is(err, fs.ErrNotExist) {
			return h, err
		}
	}
	o.Mode = ferry.ResumeNew
	return at.openIf(ctx, ferry.RightCreate, o)
}

// mustExist is for those who may overwrite but not create. The file may go
// before it is opened and then be made anew; that is no more than they could
// have had by being a moment earlier.
func (at place) mustExist(ctx context.Context) error {
	i, err := at.files.Stat(ctx, at.name)
	if errors.Is(err, fs.ErrNotExist) || i.Unfinished {
		return at.denied("open", ferry.RightCreate)
	}
	return err
}

// openAppend opens a file that exists for writing behind its end.
func (at place) openAppend(ctx context.Context, o ferry.OpenOptions) (ferry.Handle, error) {
	o.Mode = ferry.Update
	h, err := at.files.Open(ctx, at.name, o)
	if err != nil {
		return nil, err
	}
	i, err := h.Stat()
	if err != nil {
		_ = h.Abort(err)
		return nil, err
	}
	g := &guarded{handle: h, at: at, appends: o.Appends()}
	g.floor.Store(i.Size)
	return g, nil
}

// guarded is a handle that grants what the rights do where its name does not
// say it all: reading what was opened for writing, changing attributes, and
// changing what lies before the floor. Like rules it embeds nothing.
type guarded struct {
	handle  ferry.Handle
	at      place
	appends bool         // every write goes to the end, whatever its offset
	floor   atomic.Int64 // bytes before it stay as they are
}

func (g *guarded) needRead() error {
	if !g.at.rights.Has(ferry.RightRead) {
		return g.at.denied("read", ferry.RightRead)
	}
	return nil
}

// needWritable is needAbove for a write.
func (g *guarded) needWritable(off int64) error {
	if g.appends {
		return nil
	}
	return g.needAbove("write", off)
}

func (g *guarded) needAbove(op string, off int64) error {
	if off < g.floor.Load() {
		return g.at.denied(op, ferry.RightOverwrite)
	}
	return nil
}

// Gaps tells nothing of what stands there.
func (g *guarded) Gaps(limit int64) iter.Seq2[int64, int64] { return g.handle.Gaps(limit) }

func (g *guarded) ReadAt(p []byte, off int64) (int, error) {
	if err := g.needRead(); err != nil {
		return 0, err
	}
	n, err := g.handle.ReadAt(p, off)
	return n, g.at.told(err)
}

func (g *guarded) SendTo(ctx context.Context, dst *ferry.DataConn, off, n int64) (int64, error) {
	if err := g.needRead(); err != nil {
		return 0, err
	}
	n, err := g.handle.SendTo(ctx, dst, off, n)
	return n, g.at.told(err)
}

func (g *guarded) WriteAt(p []byte, off int64) (int, error) {
	if err := g.needWritable(off); err != nil {
		return 0, err
	}
	n, err := g.handle.WriteAt(p, off)
	return n, g.at.told(err)
}

func (g *guarded) ReceiveFrom(ctx context.Context, src *ferry.DataConn, off, n int64) (int64, error) {
	if err := g.needWritable(off); err != nil {
		return 0, err
	}
	n, err := g.handle.ReceiveFrom(ctx, src, off, n)
	return n, g.at.told(err)
}

func (g *guarded) Truncate(size int64) error {
	if err := g.needAbove("truncate", size); err != nil {
		return err
	}
	return g.at.told(g.handle.Truncate(size))
}

func (g *guarded) SetAttr(a ferry.Attr) error {
	if a.Size != nil {
		if err := g.needAbove("setattr", *a.Size); err != nil {
			return err
		}
	}
	if givesAway(a) && !g.at.rights.Has(ferry.RightChown) {
		i, err := g.handle.Stat()
		if err != nil {
			return err
		}
		a = withoutOwnerOf(a, i)
	}
	if err := g.at.need("setattr", attrRights(a)); err != nil {
		return err
	}
	return g.at.told(g.handle.SetAttr(a))
}

// Sync publishes an upload: from then on it is a file that exists, and who may
// not overwrite can only add to it.
func (g *guarded) Sync() error {
	if err := g.handle.Sync(); err != nil {
		return g.at.told(err)
	}
	if g.at.rights.Has(ferry.RightOverwrite) {
		return nil
	}
	i, err := g.handle.Stat()
	if err != nil {
		return err
	}
	g.floor.Store(i.Size)
	return nil
}

// The rest needs no more than what Open has asked for.

func (g *guarded) Stat() (ferry.Info, error) {
	i, err := g.handle.Stat()
	if g.at.name != g.at.given {
		i.Name = nameAs(i, g.at.given)
	}
	return i, g.at.told(err)
}

func (g *guarded) Start() int64            { return g.handle.Start() }
func (g *guarded) Commit() error           { return g.at.told(g.handle.Commit()) }
func (g *guarded) Abort(cause error) error { return g.at.told(g.handle.Abort(cause)) }
