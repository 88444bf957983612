package access

import (
	"context"
	"errors"
	"io/fs"
	"net"
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
func (r *rules) Open(ctx context.Context, name ferry.Name, o ferry.OpenOptions) (ferry.Handle, error) {
	switch o.Mode {
	case ferry.Read:
		return r.openIf(ctx, ferry.RightRead, name, o)
	case ferry.Exclusive, ferry.ResumeNew:
		return r.openIf(ctx, ferry.RightCreate, name, o)
	case ferry.Update, ferry.Revise:
		return r.openIf(ctx, ferry.RightOverwrite, name, o)
	case ferry.Replace:
		return r.openReplace(ctx, name, o)
	case ferry.Resume:
		return r.openResume(ctx, name, o)
	}
	return nil, &fs.PathError{Op: "open", Path: string(name), Err: errors.ErrUnsupported}
}

// openIf opens where want is granted.
func (r *rules) openIf(ctx context.Context, want ferry.Right, name ferry.Name, o ferry.OpenOptions) (ferry.Handle, error) {
	rights := r.at(name)
	if !rights.Has(want) {
		return nil, denied("open", name)
	}
	o.Blind = o.Blind || rights&rightsSee == 0
	h, err := r.inner.Open(ctx, name, o)
	if err != nil {
		return nil, r.hideMissing("open", name, err)
	}
	return &guarded{handle: h, name: name, rights: rights, appends: o.Appends()}, nil
}

func (r *rules) openReplace(ctx context.Context, name ferry.Name, o ferry.OpenOptions) (ferry.Handle, error) {
	switch rights := r.at(name); {
	case rights.Has(ferry.RightCreate | ferry.RightOverwrite):
		return r.openIf(ctx, ferry.RightOverwrite, name, o)
	case rights.Has(ferry.RightCreate):
		o.Mode = ferry.Exclusive
		return r.openIf(ctx, ferry.RightCreate, name, o)
	case rights.Has(ferry.RightOverwrite):
		if err := r.mustExist(ctx, name); err != nil {
			return nil, err
		}
		return r.openIf(ctx, ferry.RightOverwrite, name, o)
	}
	return nil, denied("open", name)
}

func (r *rules) openResume(ctx context.Context, name ferry.Name, o ferry.OpenOptions) (ferry.Handle, error) {
	rights := r.at(name)
	switch {
	case rights.Has(ferry.RightCreate | ferry.RightOverwrite):
		return r.openIf(ctx, ferry.RightOverwrite, name, o)
	case rights.Has(ferry.RightOverwrite):
		if err := r.mustExist(ctx, name); err != nil {
			return nil, err
		}
		return r.openIf(ctx, ferry.RightOverwrite, name, o)
	case rights.Has(ferry.RightAppend):
		h, err := r.openAppend(ctx, name, o)
		if !errors.Is(err, fs.ErrNotExist) {
			return h, err
		}
	}
	o.Mode = ferry.ResumeNew
	return r.openIf(ctx, ferry.RightCreate, name, o)
}

// mustExist is for those who may overwrite but not create. The file may go
// before it is opened and then be made anew; that is no more than they could
// have had by being a moment earlier.
func (r *rules) mustExist(ctx context.Context, name ferry.Name) error {
	i, err := r.inner.Stat(ctx, name)
	if errors.Is(err, fs.ErrNotExist) || i.Unfinished {
		return denied("open", name)
	}
	return err
}

// openAppend opens a file that exists for writing behind its end.
func (r *rules) openAppend(ctx context.Context, name ferry.Name, o ferry.OpenOptions) (ferry.Handle, error) {
	o.Mode = ferry.Update
	h, err := r.inner.Open(ctx, name, o)
	if err != nil {
		return nil, err
	}
	i, err := h.Stat()
	if err != nil {
		_ = h.Abort(err)
		return nil, err
	}
	g := &guarded{handle: h, name: name, rights: r.at(name), appends: o.Appends()}
	g.floor.Store(i.Size)
	return g, nil
}

// guarded is a handle that grants what the rights do where its name does not
// say it all: reading what was opened for writing, changing attributes, and
// changing what lies before the floor. Like rules it embeds nothing.
type guarded struct {
	handle  ferry.Handle
	name    ferry.Name
	rights  ferry.Right
	appends bool         // every write goes to the end, whatever its offset
	floor   atomic.Int64 // bytes before it stay as they are
}

func (g *guarded) needRead() error {
	if !g.rights.Has(ferry.RightRead) {
		return denied("read", g.name)
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
		return denied(op, g.name)
	}
	return nil
}

func (g *guarded) ReadAt(p []byte, off int64) (int, error) {
	if err := g.needRead(); err != nil {
		return 0, err
	}
	return g.handle.ReadAt(p, off)
}

func (g *guarded) SendTo(ctx context.Context, dst net.Conn, off, n int64) (int64, error) {
	if err := g.needRead(); err != nil {
		return 0, err
	}
	return g.handle.SendTo(ctx, dst, off, n)
}

func (g *guarded) WriteAt(p []byte, off int64) (int, error) {
	if err := g.needWritable(off); err != nil {
		return 0, err
	}
	return g.handle.WriteAt(p, off)
}

func (g *guarded) ReceiveFrom(ctx context.Context, src net.Conn, off, n int64) (int64, error) {
	if err := g.needWritable(off); err != nil {
		return 0, err
	}
	return g.handle.ReceiveFrom(ctx, src, off, n)
}

func (g *guarded) Truncate(size int64) error {
	if err := g.needAbove("truncate", size); err != nil {
		return err
	}
	return g.handle.Truncate(size)
}

func (g *guarded) SetAttr(a ferry.Attr) error {
	if a.Size != nil {
		if err := g.needAbove("setattr", *a.Size); err != nil {
			return err
		}
	}
	if givesAway(a) && !g.rights.Has(ferry.RightChown) {
		i, err := g.handle.Stat()
		if err != nil {
			return err
		}
		a = withoutOwnerOf(a, i)
	}
	if !g.rights.Has(attrRights(a)) {
		return denied("setattr", g.name)
	}
	return g.handle.SetAttr(a)
}

// Sync publishes an upload: from then on it is a file that exists, and who may
// not overwrite can only add to it.
func (g *guarded) Sync() error {
	if err := g.handle.Sync(); err != nil {
		return err
	}
	if g.rights.Has(ferry.RightOverwrite) {
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

func (g *guarded) Stat() (ferry.Info, error) { return g.handle.Stat() }
func (g *guarded) Start() int64              { return g.handle.Start() }
func (g *guarded) Commit() error             { return g.handle.Commit() }
func (g *guarded) Abort(cause error) error   { return g.handle.Abort(cause) }
