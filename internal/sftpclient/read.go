package sftpclient

import (
	"context"
	"io"
	"io/fs"

	"ferry"
	"ferry/internal/sftpflow"
)

// readAhead begins to read n bytes from off on; n < 0 means all there is. It
// must be stopped.
func (h *handle) readAhead(ctx context.Context, off, n int64) *sftpflow.Reader {
	return sftpflow.Read(ctx, h.fs.conn, h, h.fs.sizes(h.fs.readSize), off, n)
}

// SendTo is ferry.Handle's.
func (h *handle) SendTo(ctx context.Context, dst *ferry.DataConn, off, n int64) (int64, error) {
	err := h.state()
	if err == nil && off < 0 {
		err = fs.ErrInvalid
	}
	if err != nil {
		return 0, fail("read", h.name, err)
	}
	r := h.readAhead(ctx, off, n)
	defer r.Stop()
	var sent int64
	for {
		if ctx.Err() != nil {
			return sent, context.Cause(ctx)
		}
		data, err := r.Next()
		if err == io.EOF {
			return sent, nil
		}
		if err != nil {
			return sent, fail("read", h.name, err)
		}
		k, err := dst.Write(data)
		sent += int64(k)
		h.move()
		if err != nil {
			return sent, err
		}
	}
}
