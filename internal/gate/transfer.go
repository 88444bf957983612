package gate

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"ferry"
)

// transfer is an open handle as its session knows it: what it has moved, how
// fast it may, and what to tell when it ends. How bytes go over a connection
// is in copy.go.
type transfer struct {
	ferry.Handle
	session *Session
	name    ferry.Name
	mode    ferry.Mode
	started time.Time
	closed  func()       // gives its place among the open files back
	read    atomic.Int64 // bytes
	written atomic.Int64 // bytes
	changed atomic.Bool  // content was written or cut
	ascii   bool         // its line ends are translated
	over    atomic.Bool  // Commit or Abort was called
	// ended ends with the session, and by Abort: nothing waits for bandwidth then.
	ended context.Context
	end   context.CancelFunc

	mu   sync.Mutex
	conn *ferry.DataConn // that bytes go over now; nil: none
}

func newTransfer(s *Session, h ferry.Handle, name ferry.Name, o ferry.OpenOptions, closed func()) *transfer {
	t := &transfer{Handle: h, session: s, name: name, mode: o.Mode, ascii: o.ASCII, started: time.Now(), closed: closed}
	t.ended, t.end = context.WithCancel(s.ctx)
	return t
}

func (t *transfer) describe() Transfer {
	d := Transfer{Name: t.name, Upload: t.uploads(), Size: -1, Started: t.started}
	if d.Upload {
		d.Bytes = t.written.Load()
		return d
	}
	d.Bytes = t.read.Load()
	if i, err := t.Handle.Stat(); err == nil {
		d.Size = i.Size
	}
	return d
}

// uploads tells whether the transfer brings new content. A file that was
// opened for both is what was done with it.
func (t *transfer) uploads() bool {
	return t.mode != ferry.Read && t.mode != ferry.Update || t.changed.Load()
}

func (t *transfer) ReadAt(p []byte, off int64) (int, error) {
	n, err := t.paced(int64(len(p)), false, func() (int64, error) {
		n, err := t.Handle.ReadAt(p, off)
		return int64(n), err
	})
	t.refused(err, "read")
	return int(n), err
}

// refused tells of it when err is a refusal of op.
func (t *transfer) refused(err error, op string) {
	if e, told := ferry.Denial(op, t.name, err); told {
		t.session.Emit(e)
	}
}

func (t *transfer) WriteAt(p []byte, off int64) (int, error) {
	n, err := t.paced(int64(len(p)), true, func() (int64, error) {
		n, err := t.Handle.WriteAt(p, off)
		return int64(n), err
	})
	return int(n), err
}

// paced moves up to n bytes by move when the limits allow it, and counts them.
func (t *transfer) paced(n int64, up bool, move func() (int64, error)) (int64, error) {
	limiters := t.session.limiters(up)
	if err := limiters.wait(t.ended, t.ended, n); err != nil {
		return 0, err
	}
	moved, err := move()
	limiters.giveBack(n - moved)
	t.count(up, moved)
	return moved, err
}

func (t *transfer) count(up bool, n int64) {
	switch {
	case n <= 0:
	case up:
		t.written.Add(n)
		t.changed.Store(true)
		t.session.conn.up.Add(n)
	default:
		t.read.Add(n)
		t.session.conn.down.Add(n)
	}
}

func (t *transfer) Truncate(size int64) error {
	err := t.Handle.Truncate(size)
	if err == nil {
		t.changed.Store(true)
	}
	return err
}

func (t *transfer) SetAttr(a ferry.Attr) error {
	err := t.Handle.SetAttr(a)
	if err == nil {
		t.changed.Store(t.changed.Load() || a.Size != nil)
		t.session.Emit(ferry.Event{Kind: ferry.EventSetAttr, Name: t.name})
	}
	t.refused(err, "setattr")
	return err
}

func (t *transfer) Commit() error {
	if t.over.Swap(true) {
		return t.Handle.Commit() // which says why it is done with
	}
	defer t.end()
	err := t.Handle.Commit()
	t.finish(err)
	return err
}

func (t *transfer) Abort(cause error) error {
	if t.over.Swap(true) {
		return nil
	}
	t.end()
	err := t.Handle.Abort(cause)
	switch {
	case cause == nil && !t.uploads():
		t.session.drop(t) // it was no transfer: see Session.FS
	case cause == nil:
		t.finish(ferry.ErrAborted)
	default:
		t.finish(cause)
	}
	return err
}

// finish tells of the transfer's end, err being why it failed.
func (t *transfer) finish(err error) {
	t.session.drop(t)
	e := ferry.Event{
		Kind: ferry.EventDownload, Name: t.name, Bytes: t.read.Load(),
		Duration: time.Since(t.started), ASCII: t.ascii, Err: err,
	}
	switch {
	case t.uploads():
		e.Kind, e.Bytes = ferry.EventUpload, t.written.Load()
	case t.mode == ferry.Update && e.Bytes == 0:
		return // opened for both, used for neither
	}
	t.session.Emit(e)
}

// limiters are the buckets that a transfer in one direction draws from, its user's and
// that of everybody, and the turns that its session has there.
type limiters struct {
	user, all *bucket
	turns     *turnsOf
}

// turnsOf are a session's turns in one direction.
type turnsOf struct{ user, all turn }

func (s *Session) limiters(up bool) limiters {
	if up {
		return limiters{s.account.up, s.conn.gate.up, &s.up}
	}
	return limiters{s.account.down, s.conn.gate.down, &s.down}
}

// chunk is the most that should be taken at once.
func (l limiters) chunk() int64 { return min(l.user.chunk(), l.all.chunk()) }

// wait takes n bytes and waits until they may move. When a context ends first
// nothing is taken, and the error is its cause.
func (l limiters) wait(ctx, session context.Context, n int64) error {
	if err := l.user.wait(ctx, session, &l.turns.user, n); err != nil {
		return err
	}
	err := l.all.wait(ctx, session, &l.turns.all, n)
	if err != nil {
		l.user.giveBack(&l.turns.user, n)
	}
	return err
}

func (l limiters) giveBack(n int64) {
	l.user.giveBack(&l.turns.user, n)
	l.all.giveBack(&l.turns.all, n)
}
