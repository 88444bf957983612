package disk

import (
	"context"
	"errors"
	"io/fs"

	"ferry"

	"ferry/internal/beneath"
	"ferry/internal/fdcopy"
)

// SendTo sends up to n bytes from off on to dst.
func (h *handle) SendTo(ctx context.Context, dst *ferry.DataConn, off, n int64) (int64, error) {
	if err := h.guard.Begin(dst); err != nil {
		return 0, beneath.Fail("read", h.name, err)
	}
	defer h.guard.Done(dst)
	if off < 0 {
		return 0, beneath.Fail("read", h.name, fs.ErrInvalid)
	}
	sent, err := h.v.t.mover.Send(ctx, dst.Conn(), h.fd, h, off, n)
	return sent, h.verdict(dst.Why(err))
}

// ReceiveFrom writes up to n bytes that come from src at off on.
func (h *handle) ReceiveFrom(ctx context.Context, src *ferry.DataConn, off, n int64) (int64, error) {
	if err := h.guard.Begin(src); err != nil {
		return 0, beneath.Fail("write", h.name, err)
	}
	defer h.guard.Done(src)
	switch {
	case !h.writes:
		return 0, beneath.Fail("write", h.name, fs.ErrPermission)
	case off < 0:
		return 0, beneath.Fail("write", h.name, fs.ErrInvalid)
	}
	h.wrote.Store(true)
	off, done, err := h.place(off)
	if err != nil {
		return 0, beneath.Fail("write", h.name, err)
	}
	defer done()
	got, err := h.v.t.mover.Receive(ctx, src.Conn(), h.fd, h, off, n)
	return got, h.verdict(src.Why(err))
}

// verdict makes the error of a transfer: why the handle was stopped, if it was,
// rather than what woke it; and of an error of the file one about its name.
func (h *handle) verdict(err error) error {
	if err == nil {
		return nil
	}
	if stopped := h.guard.Ended(); stopped != nil {
		return beneath.Fail("transfer", h.name, stopped)
	}
	if own := (*fdcopy.FileError)(nil); errors.As(err, &own) {
		return beneath.Fail(own.Op, h.name, own.Err)
	}
	return err
}
