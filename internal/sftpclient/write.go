package sftpclient

import (
	"context"
	"io"
	"io/fs"
	"math"

	"ferry"
	"ferry/internal/sftpconn"
	"ferry/internal/sftpflow"
)

// writeBehind begins to write; it must be ended.
func (h *handle) writeBehind(ctx context.Context) *sftpflow.Writer {
	return sftpflow.Write(ctx, h.fs.life, closePatience, h, h.fs.sizes(h.fs.writeSize))
}

// send sends p, which may be used again at once; false: something was not
// written, now or before, and no more is to come.
func (h *handle) send(w *sftpflow.Writer, p []byte, off int64) bool {
	if len(p) > 0 {
		h.outdate()
	}
	return w.Send(p, off)
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
	w := h.writeBehind(ctx)
	end := h.receive(ctx, w, src, off, n, room.B[:h.fs.writeSize])
	got, err := w.End()
	if err == nil {
		err = h.state() // revoked, and woken by that
	}
	if err != nil {
		return got, fail("write", h.name, err)
	}
	return got, end
}

// receive passes on what comes, until something ends it.
func (h *handle) receive(ctx context.Context, w *sftpflow.Writer, src *ferry.DataConn, off, n int64, room []byte) error {
	if n < 0 || n > math.MaxInt64-off {
		n = math.MaxInt64 - off
	}
	for n > 0 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		k, err := src.Read(room[:min(int64(len(room)), n)])
		if !h.send(w, room[:k], off) || err == io.EOF {
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
