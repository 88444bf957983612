package disk

import (
	"context"
	"io/fs"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"ferry"
	"ferry/internal/beneath"
	"ferry/internal/fdcopy"
	"ferry/internal/partfile"
)

// direct is a file that is written where it stands.
type direct struct {
	openFile
	told  fdcopy.Progress // of bytes that arrive: the handle itself, which may be staged
	start int64
	// appends: what is written goes to the end. In place the descriptor has O_APPEND,
	// a part has this handle alone: appending keeps its writes apart.
	appends   bool
	appending sync.Mutex

	wrote atomic.Bool
	lost  error // why content did not reach the disk
	full  partfile.Full
	back  fdcopy.WriteBack
	made  *beneath.Place // a new file, whose directory is to be synced; the handle's own
}

func (v *sessionFS) newDirect(fd int) *direct {
	d := new(direct)
	d.init(v, fd)
	d.count = v.names.Written(fd)
	d.told = d
	return d
}

// writer is a handle that writes: direct, or staged.
type writer interface {
	opened
	written() *direct
}

func (d *direct) written() *direct { return d }

// Start is where what is written begins.
func (d *direct) Start() int64 { return d.start }

// WriteAt is io.WriterAt's.
func (d *direct) WriteAt(p []byte, off int64) (int, error) {
	if err := d.begin(off); err != nil {
		return 0, beneath.Fail("write", d.name, err)
	}
	defer d.done()
	at, done, err := d.place(off)
	if err != nil {
		return 0, beneath.Fail("write", d.name, err)
	}
	defer done()
	n, err := d.count.Write(at, len(p), func() (int, error) { return fdcopy.WriteFull(d.fd, d.told, p, at) })
	return n, beneath.Fail("write", d.name, d.full.Note(err))
}

// ReceiveFrom writes up to n bytes that come from src at off on.
func (d *direct) ReceiveFrom(ctx context.Context, src *ferry.DataConn, off, n int64) (int64, error) {
	if err := d.guard.Begin(src); err != nil {
		return 0, beneath.Fail("write", d.name, err)
	}
	defer d.guard.Done(src)
	if off < 0 {
		return 0, beneath.Fail("write", d.name, fs.ErrInvalid)
	}
	at, done, err := d.place(off)
	if err != nil {
		return 0, beneath.Fail("write", d.name, err)
	}
	defer done()
	got, err := d.count.Receive(at, n, func(done, n int64) (int64, error) {
		return d.v.t.mover.Receive(ctx, src.Conn(), d.fd, d.told, at+done, n)
	}, src.Ended)
	return got, d.verdict(src.Why(d.full.Note(err)))
}

// place is where a write at off goes to. done is to be called when it is over.
func (d *direct) place(off int64) (at int64, done func(), err error) {
	d.wrote.Store(true)
	if !d.appends {
		return off, func() {}, nil
	}
	d.appending.Lock()
	var st unix.Stat_t
	if err := unix.Fstat(d.fd, &st); err != nil {
		d.appending.Unlock()
		return 0, nil, err
	}
	return st.Size, d.appending.Unlock, nil
}

// Arrived notes that n bytes are in the file at off.
func (d *direct) Arrived(off, n int64) {
	d.Moved()
	if d.v.t.durable {
		d.back.Wrote(d.fd, off, n)
	}
}

// Truncate changes the size.
func (d *direct) Truncate(size int64) error {
	return d.do("truncate", func() error { return d.resize(size) })
}

func (d *direct) resize(size int64) error {
	if size < 0 {
		return fs.ErrInvalid
	}
	d.wrote.Store(true)
	return d.count.Resize(size, func() error { return beneath.Truncate(d.fd, size) })
}

// SetAttr changes the attributes that a sets, of this very file.
func (d *direct) SetAttr(a ferry.Attr) error {
	return d.do("setattr", func() error {
		err := d.v.mayHave(a)
		if err == nil && a.Size != nil {
			err = d.resize(*a.Size)
		}
		if err == nil {
			err = d.v.names.SetAttrs(d.fd, a)
		}
		return err
	})
}

// Sync makes what was written durable.
func (d *direct) Sync() error { return d.do("sync", d.secure) }

// secure brings the content to the disk, and the name of a new file.
func (d *direct) secure() error {
	if err := d.fsync(); err != nil || d.made == nil {
		return err
	}
	return d.v.syncDir(d.made.ID, d.made.Dir, d.syncFileSystem)
}

// fsync brings the content to the disk. Once that has failed it stays failed:
// the kernel has thrown away what it could not write, and says so only once,
// so the next fsync would succeed over content that is lost.
func (d *direct) fsync() error {
	if d.lost == nil {
		d.lost = beneath.Fsync(d.fd)
	}
	return d.lost
}

// syncFileSystem is for a directory that cannot be synced by itself.
func (d *direct) syncFileSystem() error { return beneath.Syncfs(d.fd) }

// Commit ends the use of the handle. What was written is there already; it becomes
// durable.
func (d *direct) Commit() error {
	if !d.guard.Stop(ferry.ErrClosed, func() {}) {
		return beneath.Fail("commit", d.name, d.guard.Ended())
	}
	d.guard.Drain(context.Background())
	var err error
	if d.v.t.durable && d.wrote.Load() {
		err = d.secure()
	}
	d.release(d)
	return beneath.Fail("commit", d.name, err)
}

// Abort ends the use of the handle. What was written stays: it is where it stands.
func (d *direct) Abort(cause error) error {
	if !d.guard.Stop(ferry.ErrClosed, func() { d.release(d) }) {
		return nil
	}
	d.logAbort(cause)
	return beneath.Fail("abort", d.name, d.guard.Drain(context.Background()))
}

func (d *direct) logAbort(cause error) {
	d.v.t.log.Debug("write ended without commit", "user", d.v.owner.User, "name", d.name.Base(), "error", cause)
}

// release gives back all that h, which is this handle or has it in itself, held.
func (d *direct) release(h opened) {
	d.closeFile(h)
	if d.made != nil {
		d.made.Close()
	}
}
