package sftpclient

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"math"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"ferry"
	"ferry/internal/byteranges"
	"ferry/internal/sftpconn"
	"ferry/internal/sftpfacts"
	"ferry/internal/sftpwire"
)

// whole is where the content of a file ends that has no gap.
const whole = math.MaxInt64

// handle is one open file.
type handle struct {
	fs       *FS
	name     ferry.Name // the client's
	id       string     // the server's
	number   uint64     // later ones are larger
	readOnly bool
	start    int64
	size     atomic.Int64      // as far as known: how far to ask ahead
	broken   atomic.Int64      // where the first WRITE failed; whole: none did
	written  byteranges.Shared // what the server has taken of an upload
	moved    atomic.Int64      // when the last byte came or went, at first: the opening

	// mu keeps the order of requests: what is sent under it while ended is nil
	// comes before CLOSE. Servers give the same handle to the next file.
	mu     sync.RWMutex
	ended  error           // nil while it is open; ErrTakenOver, ErrRemoved or ErrClosed
	source *ferry.DataConn // what a running ReceiveFrom waits for

	// appends: what is written goes to the end. Appending keeps such writes apart.
	appends   bool
	appending sync.Mutex

	// changing is held by what publishes, renames or ends the upload.
	changing sync.Mutex
	upload   // guarded by fs.mu
}

// upload is what will become of new content.
type upload struct {
	// dir and base are the place it will have, part is the path of its part; ""
	// where the content is in place, or the handle is done with.
	dir, base string
	part      string
	exclusive bool // Commit must not replace
	removed   bool // it cannot be committed
	modeSet   bool // by SetAttr: not to be taken from the replaced file
	ownerSet  bool
	// times are those that SetAttr gave, until Commit sets them: those of the part
	// tell how old it is, and so whether it can be resumed.
	times sftpwire.Attrs
}

// target is the path it will have.
func (u upload) target() string { return path.Join(u.dir, u.base) }

// staged is what will become of the handle's content as it stands.
func (h *handle) staged() upload {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	return h.upload
}

// move notes that something moves.
func (h *handle) move() { h.moved.Store(time.Now().UnixNano()) }

// silent is for how long nothing has moved.
func (h *handle) silent() time.Duration { return time.Duration(time.Now().UnixNano() - h.moved.Load()) }

// known notes that the file has at least size bytes.
func (h *handle) known(size int64) {
	for old := h.size.Load(); size > old && !h.size.CompareAndSwap(old, size); old = h.size.Load() {
		continue
	}
}

// Size, Took and Missed are sftpflow.File's.
func (h *handle) Size() int64 { return h.size.Load() }

func (h *handle) Took(off, n int64) {
	h.written.Add(off, off+n)
	h.known(off + n)
	h.move()
}

func (h *handle) Missed(off int64) {
	for old := h.broken.Load(); off < old && !h.broken.CompareAndSwap(old, off); old = h.broken.Load() {
		continue
	}
}

// Begin sends a request about the open file, which request makes of its handle.
func (h *handle) Begin(ctx context.Context, request func(id string) sftpwire.Request) (*sftpconn.Call, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if h.ended != nil {
		return nil, h.ended
	}
	return h.fs.conn.Begin(ctx, request(h.id))
}

// ask is Begin, and waits for the answer.
func (h *handle) ask(ctx context.Context, request func(id string) sftpwire.Request) (sftpconn.Reply, error) {
	k, err := h.Begin(ctx, request)
	if err != nil {
		return sftpconn.Reply{}, err
	}
	answer, err := k.Wait(ctx)
	return answer, h.Noticed(err)
}

// Noticed sees to it that a handle that was taken over stays so, whatever is
// asked next.
func (h *handle) Noticed(err error) error {
	if why := revoked(err); why != nil {
		h.revoke(why)
	}
	return err
}

// revoked tells why the server has taken the file away, if err is about that.
func revoked(err error) error {
	for _, why := range []error{ferry.ErrTakenOver, ferry.ErrRemoved} {
		if errors.Is(err, why) {
			return why
		}
	}
	return nil
}

// state is why the handle is done with; nil: it is open.
func (h *handle) state() error {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.ended
}

// mayChange tells whether the content may be changed.
func (h *handle) mayChange() error {
	if err := h.state(); err != nil {
		return err
	}
	if h.readOnly {
		return fs.ErrPermission
	}
	return nil
}

// Stat is ferry.Handle's.
func (h *handle) Stat() (ferry.Info, error) {
	i, err := h.info(h.fs.life, h.name)
	return i, fail("stat", h.name, err)
}

// info describes the file under a name that means it.
func (h *handle) info(ctx context.Context, name ferry.Name) (ferry.Info, error) {
	a, err := h.attrs(ctx)
	if err != nil {
		return ferry.Info{}, err
	}
	i := sftpfacts.Info(name.Base(), a)
	h.known(i.Size)
	return i, nil
}

// attrs are those of the file, with the times that it will have.
func (h *handle) attrs(ctx context.Context) (sftpwire.Attrs, error) {
	answer, err := h.ask(ctx, func(id string) sftpwire.Request { return &sftpwire.Fstat{Handle: id} })
	if err != nil {
		return sftpwire.Attrs{}, err
	}
	a := answer.Reply.(*sftpwire.AttrsReply).Attrs
	if t := h.staged().times; t.Flags != 0 {
		a.Access, a.Modified = t.Access, t.Modified
	}
	return a, nil
}

// keepTimes takes the times out of a for later, where the file is staged.
func (h *handle) keepTimes(a sftpwire.Attrs) sftpwire.Attrs {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	switch {
	case h.part == "":
	case a.Flags&sftpwire.AttrTimes != 0:
		h.times = sftpwire.Attrs{Flags: sftpwire.AttrTimes, Access: a.Access, Modified: a.Modified}
		a.Flags &^= sftpwire.AttrTimes
	case a.Flags&sftpwire.AttrSize != 0:
		h.times = sftpwire.Attrs{}
	}
	return a
}

// outdate drops the times that were set: the content changes after that.
func (h *handle) outdate() {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	h.times = sftpwire.Attrs{}
}

// SetAttr is ferry.Handle's.
func (h *handle) SetAttr(a ferry.Attr) error {
	return fail("setattr", h.name, h.setAttr(h.fs.life, a))
}

func (h *handle) setAttr(ctx context.Context, a ferry.Attr) error {
	if err := h.state(); err != nil {
		return err
	}
	switch {
	case a.Size != nil && h.readOnly:
		return fs.ErrPermission
	case a.Size != nil && *a.Size < 0:
		return fs.ErrInvalid
	case a.Mode != nil && *a.Mode&(fs.ModeSetuid|fs.ModeSetgid) != 0:
		return fs.ErrPermission
	}
	var now sftpwire.Attrs
	if sftpfacts.Halves(a) {
		var err error
		if now, err = h.attrs(ctx); err != nil {
			return err
		}
	}
	if err := h.change(ctx, h.keepTimes(sftpfacts.ToSet(a, now))); err != nil {
		return err
	}
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	h.modeSet = h.modeSet || a.Mode != nil
	h.ownerSet = h.ownerSet || a.UID != nil || a.GID != nil
	return nil
}

func (h *handle) change(ctx context.Context, a sftpwire.Attrs) error {
	_, err := h.ask(ctx, func(id string) sftpwire.Request { return &sftpwire.Fsetstat{Handle: id, Attrs: a} })
	return err
}

// Truncate is ferry.Handle's.
func (h *handle) Truncate(size int64) error {
	err := h.mayChange()
	if err == nil && size < 0 {
		err = fs.ErrInvalid
	}
	if err == nil {
		h.outdate()
		err = h.change(h.fs.life, sftpwire.Attrs{Flags: sftpwire.AttrSize, Size: uint64(size)})
		h.written.Cut(size)
	}
	return fail("truncate", h.name, err)
}

// ReadAt is ferry.Handle's. What is larger than one READ takes is asked for in
// several at once.
func (h *handle) ReadAt(p []byte, off int64) (int, error) {
	n, err := h.readAt(p, off)
	if err == io.EOF {
		return n, io.EOF
	}
	return n, fail("read", h.name, err)
}

func (h *handle) readAt(p []byte, off int64) (int, error) {
	if err := h.state(); err != nil {
		return 0, err
	}
	if off < 0 {
		return 0, fs.ErrInvalid
	}
	r := h.readAhead(h.fs.life, off, int64(len(p)))
	defer r.Stop()
	done := 0
	for done < len(p) {
		data, err := r.Next()
		if err != nil {
			return done, err
		}
		done += copy(p[done:], data)
		h.move()
	}
	return done, nil
}

// WriteAt is ferry.Handle's. What is larger than one WRITE takes is sent in
// several at once.
func (h *handle) WriteAt(p []byte, off int64) (int, error) {
	n, err := h.writeAt(p, off)
	return n, fail("write", h.name, err)
}

func (h *handle) writeAt(p []byte, off int64) (int, error) {
	if err := h.mayChange(); err != nil {
		return 0, err
	}
	if off < 0 || off > math.MaxInt64-int64(len(p)) {
		return 0, fs.ErrInvalid
	}
	off, done, err := h.place(h.fs.life, off)
	if err != nil {
		return 0, err
	}
	defer done()
	w := h.writeBehind(h.fs.life)
	h.send(w, p, off)
	n, err := w.End()
	return int(n), err
}

// Start is ferry.Handle's.
func (h *handle) Start() int64 { return h.start }

// place is where a write at off goes to; done is to be called when it is over. Of a
// file that was opened with APPEND the server knows better.
func (h *handle) place(ctx context.Context, off int64) (at int64, done func(), err error) {
	if !h.appends {
		return off, func() {}, nil
	}
	h.appending.Lock()
	a, err := h.attrs(ctx)
	if err != nil {
		h.appending.Unlock()
		return 0, nil, err
	}
	return sftpfacts.Info(h.base, a).Size, h.appending.Unlock, nil
}
