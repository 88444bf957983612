package disk

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"ferry"
	"ferry/internal/beneath"
	"ferry/internal/fdcopy"
	"ferry/internal/quota"
)

// opened is a handle: a reader, direct, or staged.
type opened interface {
	ferry.Handle
	base() *openFile
}

// openFile is what each handle has: a descriptor, which is its own, and who is at work
// on it.
type openFile struct {
	v      *sessionFS
	name   ferry.Name // the client's, as it was opened
	number uint64     // later handles have larger ones
	fd     int
	guard  fdcopy.Guard
	count  *quota.File  // what is written of it; nil: nothing is
	moved  atomic.Int64 // when the last byte moved, in ns since Tree.born
}

// init is for a new handle of v's.
func (f *openFile) init(v *sessionFS, fd int) {
	f.v, f.fd, f.guard = v, fd, fdcopy.NewGuard()
	f.Moved()
}

func (f *openFile) base() *openFile { return f }

// Moved notes that a byte has moved just now.
func (f *openFile) Moved() { f.moved.Store(int64(time.Since(f.v.t.born))) }

// silence is for how long no byte has moved.
func (f *openFile) silence() time.Duration {
	return time.Since(f.v.t.born) - time.Duration(f.moved.Load())
}

// silent tells whether the handle may be taken over.
func (f *openFile) silent() bool { return f.silence() >= ferry.TakeoverAfter }

// begin lets an operation at off in; done is to follow where there is no error.
func (f *openFile) begin(off int64) error {
	if err := f.guard.Begin(nil); err != nil {
		return err
	}
	if off < 0 {
		f.done()
		return fs.ErrInvalid
	}
	return nil
}

func (f *openFile) done() { f.guard.Done(nil) }

// do does an operation, and makes its error one about the client's name.
func (f *openFile) do(op string, what func() error) error {
	err := f.guard.Begin(nil)
	if err == nil {
		defer f.done()
		err = what()
	}
	return beneath.Fail(op, f.name, err)
}

// Stat describes the file.
func (f *openFile) Stat() (i ferry.Info, err error) {
	err = f.do("stat", func() error {
		i, err = beneath.InfoOf(f.fd, f.name)
		return err
	})
	return i, err
}

// ReadAt is io.ReaderAt's.
func (f *openFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.begin(off); err != nil {
		return 0, beneath.Fail("read", f.name, err)
	}
	defer f.done()
	n, err := fdcopy.ReadFull(f.fd, p, off)
	if err == io.EOF {
		return n, io.EOF
	}
	return n, beneath.Fail("read", f.name, err)
}

// SendTo sends up to n bytes from off on to dst.
func (f *openFile) SendTo(ctx context.Context, dst *ferry.DataConn, off, n int64) (int64, error) {
	if err := f.guard.Begin(dst); err != nil {
		return 0, beneath.Fail("read", f.name, err)
	}
	defer f.guard.Done(dst)
	if off < 0 {
		return 0, beneath.Fail("read", f.name, fs.ErrInvalid)
	}
	sent, err := f.v.t.mover.Send(ctx, dst.Conn(), f.fd, f, off, n)
	return sent, f.verdict(dst.Why(err))
}

// Gaps: a file that stands has none.
func (f *openFile) Gaps(int64) iter.Seq2[int64, int64] { return func(func(int64, int64) bool) {} }

// Arrived is fdcopy.Progress's: nothing arrives in a file that is read.
func (f *openFile) Arrived(off, n int64) {}

// verdict makes the error of a transfer: why the handle was stopped, if it was,
// rather than what woke it; and of an error of the file one about its name.
func (f *openFile) verdict(err error) error {
	if err == nil {
		return nil
	}
	if stopped := f.guard.Ended(); stopped != nil {
		return beneath.Fail("transfer", f.name, stopped)
	}
	if own := (*fdcopy.FileError)(nil); errors.As(err, &own) {
		return beneath.Fail(own.Op, f.name, own.Err)
	}
	return err
}

// closeFile gives back the descriptor, and with it the lock of a part, and makes the
// session forget its handle h.
func (f *openFile) closeFile(h opened) {
	f.count.Closed()
	unix.Close(f.fd)
	f.v.t.mu.Lock()
	delete(f.v.open, h)
	f.v.t.mu.Unlock()
}

// reader is a file that is read.
type reader struct{ openFile }

func (v *sessionFS) newReader(fd int) *reader {
	r := new(reader)
	r.init(v, fd)
	return r
}

// refuse answers what would change the content.
func (r *reader) refuse(op string) error {
	return r.do(op, func() error { return fs.ErrPermission })
}

// Start is where what is written would begin.
func (r *reader) Start() int64 { return 0 }

// WriteAt is refused.
func (r *reader) WriteAt(p []byte, off int64) (int, error) { return 0, r.refuse("write") }

// ReceiveFrom is refused.
func (r *reader) ReceiveFrom(context.Context, *ferry.DataConn, int64, int64) (int64, error) {
	return 0, r.refuse("write")
}

// Truncate is refused.
func (r *reader) Truncate(int64) error { return r.refuse("truncate") }

// SetAttr changes the attributes that a sets, but for the size.
func (r *reader) SetAttr(a ferry.Attr) error {
	return r.do("setattr", func() error {
		err := r.v.mayHave(a)
		if err == nil && a.Size != nil {
			err = fs.ErrPermission
		}
		if err == nil {
			err = r.v.names.SetAttrs(r.fd, a)
		}
		return err
	})
}

// Sync makes durable what others have written.
func (r *reader) Sync() error {
	return r.do("sync", func() error { return beneath.Fsync(r.fd) })
}

// Commit ends the use of the handle, as Abort does.
func (r *reader) Commit() error {
	if ended := r.guard.Ended(); ended != nil {
		return beneath.Fail("commit", r.name, ended)
	}
	return r.Abort(nil)
}

// Abort ends the use of the handle.
func (r *reader) Abort(error) error {
	if r.guard.Stop(ferry.ErrClosed, func() { r.closeFile(r) }) {
		r.guard.Drain(context.Background())
	}
	return nil
}
