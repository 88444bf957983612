package fdcopy

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"ferry/internal/beneath"
)

const (
	// BufferSize is what is moved at a time where the kernel cannot do it alone.
	BufferSize = 256 << 10
	// sendSize is the most that one sendfile is asked for.
	sendSize = 16 << 20
	// firstSize is what an upload brings before a pipe is taken for it: most
	// files are smaller.
	firstSize = 64 << 10
)

// errNoSplice: the kernel cannot move bytes between these two; copy them.
var errNoSplice = errors.New("sendfile or splice is not possible here")

// FileError is an error of the file, and not of the connection.
type FileError struct {
	Op  string // "read" or "write"
	Err error  // of the system
}

func (e *FileError) Error() string { return e.Op + ": " + e.Err.Error() }
func (e *FileError) Unwrap() error { return e.Err }

// Progress is told while bytes move, from the goroutine that moves them.
type Progress interface {
	// Moved: some byte has gone over the connection.
	Moved()
	// Arrived: n bytes are in the file at off.
	Arrived(off, n int64)
}

// Mover has the buffers and pipes that copies take, shared by all of a process. The
// zero value is ready.
type Mover struct {
	buffers sync.Pool // of *[BufferSize]byte
	pipes   sync.Pool // of *pipe
}

// Buffer takes memory; give it back by PutBuffer.
func (m *Mover) Buffer() *[BufferSize]byte {
	if b, ok := m.buffers.Get().(*[BufferSize]byte); ok {
		return b
	}
	return new([BufferSize]byte)
}

// PutBuffer gives memory back.
func (m *Mover) PutBuffer(b *[BufferSize]byte) { m.buffers.Put(b) }

// file is the one end of a copy.
type file struct {
	m    *Mover
	fd   int
	told Progress
}

// Send sends up to n bytes of the file from off on to dst: fewer than n without an
// error means the end of the file. n < 0 means all there is.
func (m *Mover) Send(ctx context.Context, dst net.Conn, fd int, told Progress, off, n int64) (int64, error) {
	f := &file{m, fd, told}
	sent, err := int64(0), errNoSplice
	if tcp, ok := dst.(*net.TCPConn); ok {
		sent, err = f.sendFile(ctx, tcp, off, n)
	}
	if err == errNoSplice {
		var more int64
		more, err = f.sendCopy(ctx, dst, off+sent, less(n, sent))
		sent += more
	}
	return sent, err
}

// Cause is why ctx has ended, nil if it has not.
func Cause(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
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

// sendFile lets the kernel move the bytes. The offset is our own, so that the
// count is right whatever happens.
func (f *file) sendFile(ctx context.Context, dst *net.TCPConn, off, n int64) (int64, error) {
	raw, err := dst.SyscallConn()
	if err != nil {
		return 0, err
	}
	sent := int64(0)
	for cut(n, sent, sendSize) > 0 {
		if err := Cause(ctx); err != nil {
			return sent, err
		}
		var moved int
		var failed error
		at := off + sent
		err := raw.Write(func(fd uintptr) bool {
			moved, failed = beneath.RetryEINTR(func() (int, error) {
				return unix.Sendfile(int(fd), f.fd, &at, int(cut(n, sent, sendSize)))
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
			return sent, &FileError{"read", failed}
		case failed != nil:
			return sent, connError("write", "sendfile", dst, failed)
		case moved == 0:
			return sent, nil // the end, also of a file that has become shorter
		}
		f.told.Moved()
	}
	return sent, nil
}

// connError is what package net would make of a failed system call.
func connError(op, call string, conn net.Conn, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: conn.LocalAddr(), Addr: conn.RemoteAddr(), Err: os.NewSyscallError(call, err)}
}

// sendCopy moves the bytes through a buffer.
func (f *file) sendCopy(ctx context.Context, dst net.Conn, off, n int64) (int64, error) {
	buffer := f.m.Buffer()
	defer f.m.PutBuffer(buffer)
	sent := int64(0)
	for cut(n, sent, BufferSize) > 0 {
		if err := Cause(ctx); err != nil {
			return sent, err
		}
		got, err := ReadFull(f.fd, buffer[:cut(n, sent, BufferSize)], off+sent)
		if got > 0 {
			out, writeErr := dst.Write(buffer[:got])
			sent += int64(out)
			f.told.Moved()
			if writeErr != nil {
				return sent, writeErr
			}
		}
		if err == io.EOF {
			return sent, nil
		}
		if err != nil {
			return sent, &FileError{"read", err}
		}
	}
	return sent, nil
}

// Receive writes up to n bytes that come from src at off on: fewer than n without an
// error means that src ended. n < 0 means all there is.
func (m *Mover) Receive(ctx context.Context, src net.Conn, fd int, told Progress, off, n int64) (int64, error) {
	f := &file{m, fd, told}
	tcp, ok := src.(*net.TCPConn)
	if !ok {
		got, _, err := f.receiveCopy(ctx, src, off, n)
		return got, err
	}
	got, end, err := f.receiveCopy(ctx, src, off, cut(n, 0, firstSize))
	if err != nil || end || got == n {
		return got, err
	}
	more, err := f.receiveSplice(ctx, tcp, off+got, less(n, got))
	got += more
	if err == errNoSplice {
		more, _, err = f.receiveCopy(ctx, src, off+got, less(n, got))
		got += more
	}
	return got, err
}

// receiveCopy moves the bytes through a buffer, small reads gathered into
// large writes. What has arrived is written whatever ends the transfer. It
// tells whether src has ended.
func (f *file) receiveCopy(ctx context.Context, src net.Conn, off, n int64) (int64, bool, error) {
	buffer := f.m.Buffer()
	defer f.m.PutBuffer(buffer)
	written := int64(0)
	for cut(n, written, BufferSize) > 0 {
		if err := Cause(ctx); err != nil {
			return written, false, err
		}
		got, readErr := f.gather(src, buffer[:cut(n, written, BufferSize)])
		out, err := f.write(buffer[:got], off+written)
		written += int64(out)
		switch {
		case err != nil:
			return written, false, &FileError{"write", err}
		case readErr == io.EOF:
			return written, true, nil
		case readErr != nil:
			return written, false, readErr
		}
	}
	return written, false, nil
}

// gather reads until p is full or src has no more.
func (f *file) gather(src net.Conn, p []byte) (int, error) {
	got := 0
	for got < len(p) {
		n, err := src.Read(p[got:])
		if n > 0 {
			f.told.Moved()
		}
		got += n
		if err != nil {
			return got, err
		}
	}
	return got, nil
}
