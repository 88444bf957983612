package disk

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

const (
	// bufferSize is what is moved at a time where the kernel cannot do it alone.
	bufferSize = 256 << 10
	// sendSize is the most that one sendfile is asked for.
	sendSize = 16 << 20
	// firstSize is what an upload brings before a pipe is taken for it: most
	// files are smaller.
	firstSize = 64 << 10
)

// errNoSplice: the kernel cannot move bytes between these two; copy them.
var errNoSplice = errors.New("sendfile or splice is not possible here")

// SendTo sends up to n bytes from off on to dst.
func (h *handle) SendTo(ctx context.Context, dst net.Conn, off, n int64) (int64, error) {
	if err := h.use.begin(dst); err != nil {
		return 0, fail("read", h.name, err)
	}
	defer h.use.done(dst)
	if off < 0 {
		return 0, fail("read", h.name, fs.ErrInvalid)
	}
	sent, err := int64(0), errNoSplice
	if tcp, ok := dst.(*net.TCPConn); ok {
		sent, err = h.sendFile(ctx, tcp, off, n)
	}
	if err == errNoSplice {
		var more int64
		more, err = h.sendCopy(ctx, dst, off+sent, less(n, sent))
		sent += more
	}
	return sent, h.verdict(err)
}

// less takes what is done from n, where n < 0 means no end.
func less(n, done int64) int64 {
	if n < 0 {
		return n
	}
	return n - done
}

// cut is how much to move next: at most limit, and what is left of n.
func cut(n, done, limit int64) int64 {
	if n < 0 {
		return limit
	}
	return min(limit, n-done)
}

// verdict makes the error of a transfer: why the handle was stopped, if it was,
// rather than what woke it.
func (h *handle) verdict(err error) error {
	if err == nil {
		return nil
	}
	if stopped := h.use.ended(); stopped != nil {
		return fail("transfer", h.name, stopped)
	}
	return err
}

// sendFile lets the kernel move the bytes. The offset is our own, so that the
// count is right whatever happens.
func (h *handle) sendFile(ctx context.Context, dst *net.TCPConn, off, n int64) (int64, error) {
	raw, err := dst.SyscallConn()
	if err != nil {
		return 0, err
	}
	sent := int64(0)
	for cut(n, sent, sendSize) > 0 {
		if err := alive(ctx); err != nil {
			return sent, err
		}
		var moved int
		var failed error
		at := off + sent
		err := raw.Write(func(fd uintptr) bool {
			moved, failed = again(func() (int, error) {
				return unix.Sendfile(int(fd), h.fd, &at, int(cut(n, sent, sendSize)))
			})
			return failed != unix.EAGAIN
		})
		sent += int64(max(0, moved))
		switch {
		case err != nil:
			return sent, err
		case failed == unix.EINVAL || failed == unix.ENOSYS || failed == unix.EOPNOTSUPP:
			return sent, errNoSplice
		case failed == unix.EIO || failed == unix.ESTALE:
			return sent, fail("read", h.name, failed)
		case failed != nil:
			return sent, connError("write", "sendfile", dst, failed)
		case moved == 0:
			return sent, nil // the end, also of a file that has become shorter
		}
		h.stamp()
	}
	return sent, nil
}

// connError is what package net would make of a failed system call.
func connError(op, call string, conn net.Conn, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: conn.LocalAddr(), Addr: conn.RemoteAddr(), Err: os.NewSyscallError(call, err)}
}

// sendCopy moves the bytes through a buffer.
func (h *handle) sendCopy(ctx context.Context, dst net.Conn, off, n int64) (int64, error) {
	buffer := h.v.t.buffers.Get().(*[bufferSize]byte)
	defer h.v.t.buffers.Put(buffer)
	sent := int64(0)
	for cut(n, sent, bufferSize) > 0 {
		if err := alive(ctx); err != nil {
			return sent, err
		}
		got, err := readFull(h.fd, buffer[:cut(n, sent, bufferSize)], off+sent)
		if got > 0 {
			out, writeErr := dst.Write(buffer[:got])
			sent += int64(out)
			h.stamp()
			if writeErr != nil {
				return sent, writeErr
			}
		}
		if err == io.EOF {
			return sent, nil
		}
		if err != nil {
			return sent, fail("read", h.name, err)
		}
	}
	return sent, nil
}

// ReceiveFrom writes up to n bytes that come from src at off on.
func (h *handle) ReceiveFrom(ctx context.Context, src net.Conn, off, n int64) (int64, error) {
	if err := h.use.begin(src); err != nil {
		return 0, fail("write", h.name, err)
	}
	defer h.use.done(src)
	switch {
	case !h.writes:
		return 0, fail("write", h.name, fs.ErrPermission)
	case off < 0:
		return 0, fail("write", h.name, fs.ErrInvalid)
	}
	h.wrote.Store(true)
	tcp, ok := src.(*net.TCPConn)
	if !ok {
		got, _, err := h.receiveCopy(ctx, src, off, n)
		return got, h.verdict(err)
	}
	got, end, err := h.receiveCopy(ctx, src, off, cut(n, 0, firstSize))
	if err != nil || end || got == n {
		return got, h.verdict(err)
	}
	more, err := h.receiveSplice(ctx, tcp, off+got, less(n, got))
	got += more
	if err == errNoSplice {
		more, _, err = h.receiveCopy(ctx, src, off+got, less(n, got))
		got += more
	}
	return got, h.verdict(err)
}

// receiveCopy moves the bytes through a buffer, small reads gathered into
// large writes. What has arrived is written whatever ends the transfer. It
// tells whether src has ended.
func (h *handle) receiveCopy(ctx context.Context, src net.Conn, off, n int64) (int64, bool, error) {
	buffer := h.v.t.buffers.Get().(*[bufferSize]byte)
	defer h.v.t.buffers.Put(buffer)
	written := int64(0)
	for cut(n, written, bufferSize) > 0 {
		if err := alive(ctx); err != nil {
			return written, false, err
		}
		got, readErr := h.gather(src, buffer[:cut(n, written, bufferSize)])
		out, err := h.write(buffer[:got], off+written)
		written += int64(out)
		switch {
		case err != nil:
			return written, false, fail("write", h.name, err)
		case readErr == io.EOF:
			return written, true, nil
		case readErr != nil:
			return written, false, readErr
		}
	}
	return written, false, nil
}

// gather reads until p is full or src has no more.
func (h *handle) gather(src net.Conn, p []byte) (int, error) {
	got := 0
	for got < len(p) {
		n, err := src.Read(p[got:])
		if n > 0 {
			h.stamp()
		}
		got += n
		if err != nil {
			return got, err
		}
	}
	return got, nil
}
