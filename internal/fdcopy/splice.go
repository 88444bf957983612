package fdcopy

import (
	"context"
	"net"
	"runtime"

	"golang.org/x/sys/unix"

	"ferry/internal/beneath"
)

// pipeSize is asked for; what the kernel gives may be less.
const pipeSize = 1 << 20

// pipe is where spliced bytes are between connection and file.
type pipe struct {
	r, w    int
	cleanup runtime.Cleanup
}

// takePipe gives an empty pipe.
func (m *Mover) takePipe() (*pipe, error) {
	if p, ok := m.pipes.Get().(*pipe); ok {
		return p, nil
	}
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil, err
	}
	unix.FcntlInt(uintptr(ends[0]), unix.F_SETPIPE_SZ, pipeSize)
	p := &pipe{r: ends[0], w: ends[1]}
	// The pool forgets what is not used, and says nothing.
	p.cleanup = runtime.AddCleanup(p, closeEnds, ends)
	return p, nil
}

func closeEnds(ends [2]int) {
	unix.Close(ends[0])
	unix.Close(ends[1])
}

// discard closes a pipe that still holds bytes.
func (p *pipe) discard() {
	p.cleanup.Stop()
	closeEnds([2]int{p.r, p.w})
}

// receiveSplice lets the kernel move up to n bytes from src to the file. Bytes
// that have left the connection and not reached the file do not count.
func (f *file) receiveSplice(ctx context.Context, src *net.TCPConn, off, n int64) (int64, error) {
	raw, err := src.SyscallConn()
	if err != nil {
		return 0, err
	}
	p, err := f.m.takePipe()
	if err != nil {
		return 0, errNoSplice // out of descriptors or pipe memory
	}
	written := int64(0)
	for cut(n, written, pipeSize) > 0 {
		if err = Cause(ctx); err != nil {
			break
		}
		var got, out int64
		got, err = p.fill(raw, src, cut(n, written, pipeSize))
		if got == 0 {
			break
		}
		f.told.Moved()
		out, err = f.empty(p, off+written, got)
		written += out
		if err != nil {
			p.discard()
			return written, err
		}
	}
	f.m.pipes.Put(p)
	return written, err
}

// rawReader is what fill needs of a syscall.RawConn.
type rawReader interface {
	Read(f func(fd uintptr) bool) error
}

// fill takes what has arrived, or waits for it; 0 without an error is the end.
func (p *pipe) fill(raw rawReader, src net.Conn, n int64) (int64, error) {
	var got int64
	var failed error
	err := raw.Read(func(fd uintptr) bool {
		for {
			got, failed = unix.Splice(int(fd), nil, p.w, nil, int(n), unix.SPLICE_F_NONBLOCK|unix.SPLICE_F_MOVE)
			if failed != unix.EINTR {
				return failed != unix.EAGAIN
			}
		}
	})
	switch {
	case err != nil:
		return 0, err
	case failed == unix.EINVAL || failed == unix.ENOSYS:
		return 0, errNoSplice
	case failed != nil:
		return 0, connError("read", "splice", src, failed)
	}
	return got, nil
}

// empty brings n bytes from the pipe to the file at off, and tells how many
// have arrived there.
func (f *file) empty(p *pipe, off, n int64) (int64, error) {
	written := int64(0)
	for written < n {
		at := off + written
		out, err := unix.Splice(p.r, nil, f.fd, &at, int(n-written), unix.SPLICE_F_MOVE)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EINVAL || err == unix.ENOSYS:
			rest, err := f.emptyCopy(p, off+written, n-written)
			written += rest
			if err == nil {
				err = errNoSplice
			}
			return written, err
		case err != nil:
			return written, &FileError{"write", err}
		case out == 0:
			return written, &FileError{"write", unix.EIO}
		}
		f.told.Arrived(off+written, out)
		written += out
	}
	return written, nil
}

// emptyCopy is empty for a file system that cannot splice.
func (f *file) emptyCopy(p *pipe, off, n int64) (int64, error) {
	buffer := f.m.Buffer()
	defer f.m.PutBuffer(buffer)
	written := int64(0)
	for written < n {
		got, err := beneath.RetryEINTR(func() (int, error) { return unix.Read(p.r, buffer[:min(BufferSize, n-written)]) })
		if err != nil {
			return written, &FileError{"write", err}
		}
		out, err := f.write(buffer[:got], off+written)
		written += int64(out)
		if err != nil {
			return written, &FileError{"write", err}
		}
	}
	return written, nil
}
