package sftpserver

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"

	"ferry"
	"ferry/internal/sftpio"
	"ferry/internal/sftporder"
	"ferry/internal/sftpwire"
)

// file is an open file. The order sees to it that what changes its fields runs
// alone, as long as alone says so.
type file struct {
	name   ferry.Name // guarded by the table
	number uint64     // of its handle; the table's
	flags  sftpwire.OpenFlags
	handle ferry.Handle
	// alone: every operation on the file keeps its place, reads too: it is
	// undecided, or has something below it, or all its writes go to the end, or
	// the first is to be looked at. See keepOrder.
	alone atomic.Bool
	// undecided: the first operation says whether this is new content or a
	// change in place. The handle is one for Update until then.
	undecided bool
	base      *baseFile
	// besidePart: the file stands, an upload of its name broke before, and nothing
	// has been written yet. A client that begins at the end takes the one for the
	// other.
	besidePart bool
	// onPart: the handle goes on with a broken upload, and nothing has been written
	// yet. Only a client that begins at its end, or anew, knows what it is.
	onPart bool
	// seen is the end that the client was told by STAT, where bytes have come in since,
	// that an old connection of its own still brought; else negative.
	seen int64
	read atomic.Bool // something was read through it
	// lastRead and lastWrite are closed when the last READ, or WRITE, so far
	// was answered. Only the goroutine that plans touches them.
	lastRead, lastWrite chan struct{}

	reading, writing sftporder.Quickness

	// mu guards broken. Who interrupts the file looks under it at handle, base,
	// undecided and onPart, so what changes them does so under it.
	mu     sync.Mutex
	broken error // why not all that was to be written was
}

// baseFile is the old content under a new one that does not cover it yet: a client
// that does not truncate wants to keep what it does not overwrite.
type baseFile struct {
	handle ferry.Handle // of the old content
	limit  int64        // what lies behind is not wanted any more
}

func newFile(name ferry.Name, flags sftpwire.OpenFlags, h ferry.Handle) *file {
	f := &file{name: name, flags: flags, handle: h, seen: -1}
	f.keepOrder()
	return f
}

// keepOrder says which operations keep their place, after what that depends on
// has changed.
func (f *file) keepOrder() {
	f.alone.Store(f.undecided || f.base != nil || f.besidePart || f.onPart || f.flags&sftpwire.OpenAppend != 0)
}

func (f *file) reads() bool { return f.flags&sftpwire.OpenWrite == 0 || f.flags&sftpwire.OpenRead != 0 }

func (f *file) writes() bool { return f.flags&sftpwire.OpenWrite != 0 }

// move is what a rename means for the name.
func (f *file) move(from, to ferry.Name) { f.name = moved(f.name, from, to) }

// moved is the name of what was name, when from has become to.
func moved(name, from, to ferry.Name) ferry.Name {
	if name.Within(from) {
		return to + name[len(from):]
	}
	return name
}

// unused tells whether nothing was done with the file: that is no transfer.
func (f *file) unused() bool { return f.undecided || f.onPart || !f.writes() && !f.read.Load() }

// fail notes that something was not written: the content must not be published
// as if it were whole.
func (f *file) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken == nil {
		f.broken = err
	}
}

// whole tells whether all was written that was to be; if not, why.
func (f *file) whole() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.broken
}

// info describes the file as its client sees it.
func (f *file) info() (ferry.Info, error) {
	i, err := f.handle.Stat()
	if err == nil && f.base != nil {
		i.Size = max(i.Size, f.base.limit)
	}
	return i, err
}

// decideInPlace makes an undecided file one that is changed in place.
func (f *file) decideInPlace(log *slog.Logger, name ferry.Name, why string) {
	if !f.undecided {
		return
	}
	f.decided(f.handle, nil)
	noteInPlace(log, name, why)
}

func noteInPlace(log *slog.Logger, name ferry.Name, why string) {
	log.Info("file is written in place and not staged", "name", name, "reason", why)
}

// decideRewrite makes an undecided file one that gets new content, staged, over
// what it has now.
func (c *session) decideRewrite(f *file, name ferry.Name) error {
	if !f.undecided {
		return nil
	}
	old, err := f.handle.Stat()
	if err != nil {
		return err
	}
	if !readable(f.handle) {
		f.decideInPlace(c.log, name, "the old content may not be read")
		return nil
	}
	h, waited, err := c.openUpload(name, ferry.OpenOptions{Mode: ferry.Revise})
	if err != nil {
		return err
	}
	staged, err := h.Stat()
	if err == nil && waited {
		old, err = c.standsNow(f, name)
	}
	if err != nil {
		_ = h.Abort(err)
		return err
	}
	was := f.handle
	switch {
	case staged.Size > 0:
		_ = was.Abort(nil) // nothing was done with it
		f.decided(h, nil)
		noteInPlace(c.log, name, "the storage could not stage it")
	case old.Size == 0:
		_ = was.Abort(nil)
		f.decided(h, nil)
	default:
		f.decided(h, &baseFile{handle: was, limit: old.Size})
	}
	return nil
}

// standsNow opens f anew, for another session may have published under its name.
func (c *session) standsNow(f *file, name ferry.Name) (ferry.Info, error) {
	h, err := c.cfg.FS.Open(c.ctx, name, ferry.OpenOptions{Mode: ferry.Update, At: ferry.Anywhere})
	if err != nil {
		return ferry.Info{}, err
	}
	_ = f.handle.Abort(nil) // nothing was done with it
	f.mu.Lock()
	defer f.mu.Unlock()
	f.handle = h
	return h.Stat()
}

// decided makes an undecided file one with that handle, and with that old content
// below it; nil: none.
func (f *file) decided(h ferry.Handle, base *baseFile) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.handle, f.base, f.undecided = h, base, false
	f.keepOrder()
}

// readable tells whether h may be read.
func readable(h ferry.Handle) bool {
	_, err := h.ReadAt(make([]byte, 1), 0)
	return err == nil || errors.Is(err, io.EOF)
}

// fill copies what of the old content is still wanted under the new.
func (f *file) fill(ctx context.Context, buffers *sftpio.Buffers) error {
	b := f.base
	if b == nil {
		return nil
	}
	for from, to := range f.handle.Gaps(b.limit) {
		if _, err := buffers.Copy(ctx, f.handle, from, b.handle, from, to-from); err != nil {
			f.fail(err)
			return err
		}
	}
	f.releaseBase()
	return nil
}

// releaseBase gives the old content back.
func (f *file) releaseBase() {
	_ = f.base.handle.Abort(nil) // it was no download
	f.decided(f.handle, nil)
}

// cut says that nothing of the old content is wanted from size on. A broken upload
// can only be begun anew by that.
func (f *file) cut(size int64) error {
	if f.onPart && size > 0 {
		return ferry.ErrStalePart
	}
	if f.onPart {
		f.begun()
	}
	if f.base != nil {
		f.base.limit = min(f.base.limit, size)
	}
	return nil
}

// close ends the use of the file: new content is published, unless not all of
// it was written.
func (f *file) close(ctx context.Context, buffers *sftpio.Buffers) error {
	if f.unused() {
		err := f.handle.Abort(nil)
		if f.writes() && err == nil {
			err = f.whole()
		}
		return err
	}
	err := f.fill(ctx, buffers)
	if err == nil {
		err = f.whole()
	}
	if err != nil {
		f.abort(err)
		return err
	}
	return f.handle.Commit()
}

// abort ends the use of the file without publishing anything.
func (f *file) abort(cause error) {
	if f.base != nil {
		f.releaseBase()
	}
	if f.unused() {
		cause = nil
	}
	_ = f.handle.Abort(cause) // nobody is left to tell
}

// interrupt ends what waits on the file, for its share of the bandwidth or for a
// storage, whatever an op is doing with it. Nothing is published any more.
func (f *file) interrupt(cause error) {
	f.mu.Lock()
	h, base := f.handle, f.base
	if f.unused() {
		cause = nil
	}
	f.mu.Unlock()
	_ = h.Abort(cause)
	if base != nil {
		_ = base.handle.Abort(nil)
	}
}
