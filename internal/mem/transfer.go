package mem

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"time"

	"ferry"
)

// bufferSize is how much SendTo and ReceiveFrom move at once.
const bufferSize = 128 << 10

func (h *handle) SendTo(ctx context.Context, dst *ferry.DataConn, off, n int64) (int64, error) {
	if _, err := h.readAt(nil, off); err != nil { // also where n is 0
		return 0, fail("read", h.name, err)
	}
	buffer := h.session.tree.buffers.Get().(*[bufferSize]byte)
	defer h.session.tree.buffers.Put(buffer)
	var sent int64
	for n < 0 || sent < n {
		if ctx.Err() != nil {
			return sent, context.Cause(ctx)
		}
		k, err := h.readAt(next(buffer, n, sent), off+sent)
		if err != nil {
			return sent, fail("read", h.name, err)
		}
		if k == 0 {
			return sent, nil
		}
		k, err = dst.Write(buffer[:k])
		sent += int64(k)
		h.went(k)
		if err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// went notes that n bytes have gone out: a handle that does something is not
// silent, whichever way the bytes go.
func (h *handle) went(n int) {
	defer h.unlock()
	if h.use(false) == nil && n > 0 {
		h.moved = time.Now()
	}
}

func (h *handle) ReceiveFrom(ctx context.Context, src *ferry.DataConn, off, n int64) (int64, error) {
	if err := h.await(src, off); err != nil {
		return 0, fail("write", h.name, err)
	}
	defer h.awaited()
	buffer := h.session.tree.buffers.Get().(*[bufferSize]byte)
	defer h.session.tree.buffers.Put(buffer)
	var got int64
	for n < 0 || got < n {
		if ctx.Err() != nil {
			return got, context.Cause(ctx)
		}
		k, end := src.Read(next(buffer, n, got))
		k, err := h.WriteAt(buffer[:k], off+got)
		got += int64(k)
		switch {
		case err != nil:
			return got, err
		case errors.Is(end, io.EOF):
			return got, nil
		case end != nil:
			return got, end
		}
	}
	return got, nil
}

// next is the part of the buffer that the next step of a transfer may use:
// never more than is wanted, for what follows belongs to somebody else.
func next(buffer *[bufferSize]byte, n, done int64) []byte {
	if n < 0 {
		return buffer[:]
	}
	return buffer[:min(bufferSize, n-done)]
}

// await notes whom the handle waits for, so that a takeover can wake it.
func (h *handle) await(src *ferry.DataConn, off int64) error {
	defer h.unlock()
	if err := h.use(true); err != nil {
		return err
	}
	if off < 0 {
		return fs.ErrInvalid
	}
	h.source = src
	return nil
}

func (h *handle) awaited() {
	defer h.unlock()
	_ = h.use(false)
	h.source = nil
}

var _ ferry.Handle = (*handle)(nil)
