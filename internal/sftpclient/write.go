package sftpclient

import (
	"context"
	"io"
	"io/fs"
	"math"
	"time"

	"ferry"

	"ferry/internal/sftpconn"
	"ferry/internal/sftpwire"
)

// behind writes to a file with several WRITEs on the way and counts what the
// server has taken.
type behind struct {
	h      *handle
	ctx    context.Context // for asking
	acks   context.Context // for the answers: what was sent counts
	stop   func()
	queue  []wrote
	window int
	taken  int64 // bytes up to the first that was not
	err    error // why that was not
}

// wrote is one WRITE on the way.
type wrote struct {
	call *sftpconn.Call
	off  int64
	n    int
}

// writeBehind begins to write; it must be ended.
func (h *handle) writeBehind(ctx context.Context) *behind {
	b := &behind{h: h, ctx: ctx, window: h.fs.window(h.fs.writeSize)}
	var cancel context.CancelFunc
	b.acks, cancel = context.WithCancel(h.fs.life)
	undo := context.AfterFunc(ctx, func() { // a server that answers no more is not waited for
		late := time.AfterFunc(closePatience, cancel)
		context.AfterFunc(b.acks, func() { late.Stop() })
	})
	b.stop = func() {
		undo()
		cancel()
	}
	return b
}

// write sends p, which may be used again at once; false: something was not
// written, now or before, and no more is to come.
func (b *behind) write(p []byte, off int64) bool {
	if len(p) > 0 {
		b.h.outdate()
	}
	for len(p) > 0 && b.err == nil {
		for len(b.queue) >= b.window || len(b.queue) > 0 && len(b.queue[0].call.Came) > 0 {
			b.settle()
		}
		if b.err != nil {
			break
		}
		piece := p[:min(len(p), b.h.fs.writeSize)]
		k, err := b.h.begin(b.ctx, func(id string) sftpwire.Request {
			return &sftpwire.Write{Handle: id, Offset: uint64(off), Data: piece}
		})
		if err != nil {
			b.fail(off, err)
			break
		}
		b.queue = append(b.queue, wrote{k, off, len(piece)})
		p, off = p[len(piece):], off+int64(len(piece))
	}
	return b.err == nil
}

// settle waits for the oldest answer.
func (b *behind) settle() {
	q := b.queue[0]
	b.queue = b.queue[1:]
	_, err := q.call.Wait(b.acks)
	if err != nil {
		b.fail(q.off, b.h.noticed(err))
	}
	if b.err == nil {
		b.taken += int64(q.n)
		b.h.known(q.off + int64(q.n))
		b.h.move()
	}
}

// fail notes that nothing was written at off: what lies behind it must not be
// taken for content that has arrived.
func (b *behind) fail(off int64, err error) {
	for old := b.h.broken.Load(); off < old && !b.h.broken.CompareAndSwap(old, off); old = b.h.broken.Load() {
		continue
	}
	if b.err == nil {
		b.err = err
	}
}

// end waits for all answers and says how many bytes were taken, up to the first
// that was not, and why that was not.
func (b *behind) end() (int64, error) {
	defer b.stop()
	for len(b.queue) > 0 {
		b.settle()
	}
	return b.taken, b.err
}

// ReceiveFrom is ferry.Handle's.
func (h *handle) ReceiveFrom(ctx context.Context, src *ferry.DataConn, off, n int64) (int64, error) {
	if err := h.await(src, off); err != nil {
		return 0, fail("write", h.name, err)
	}
	defer h.awaited()
	off, done, err := h.place(ctx, off)
	if err != nil {
		return 0, fail("write", h.name, err)
	}
	defer done()
	room := h.fs.conn.Packets.Get().(*sftpconn.Packet)
	defer h.fs.conn.Recycle(room)
	if cap(room.B) < h.fs.writeSize {
		room.B = make([]byte, h.fs.writeSize)
	}
	b := h.writeBehind(ctx)
	end := h.receive(ctx, b, src, off, n, room.B[:h.fs.writeSize])
	got, err := b.end()
	if err == nil {
		err = h.state() // revoked, and woken by that
	}
	if err != nil {
		return got, fail("write", h.name, err)
	}
	return got, end
}

// receive passes on what comes, until something ends it.
func (h *handle) receive(ctx context.Context, b *behind, src *ferry.DataConn, off, n int64, room []byte) error {
	if n < 0 || n > math.MaxInt64-off {
		n = math.MaxInt64 - off
	}
	for n > 0 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		k, err := src.Read(room[:min(int64(len(room)), n)])
		if !b.write(room[:k], off) || err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		off, n = off+int64(k), n-int64(k)
	}
	return nil
}

// await notes whom the handle waits for, so that a takeover can wake it.
func (h *handle) await(src *ferry.DataConn, off int64) error {
	if err := h.mayChange(); err != nil {
		return err
	}
	if off < 0 {
		return fs.ErrInvalid
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.source = src
	return h.ended
}

func (h *handle) awaited() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.source = nil
}
