package fdcopy

import (
	"io"

	"golang.org/x/sys/unix"

	"ferry/internal/beneath"
)

// ReadFull reads until p is full or the file ends: io.EOF.
func ReadFull(fd int, p []byte, off int64) (int, error) {
	done := 0
	for done < len(p) {
		n, err := beneath.RetryEINTR(func() (int, error) { return unix.Pread(fd, p[done:], off+int64(done)) })
		if err != nil {
			if err == unix.EBADF { // opened for writing only
				err = unix.EACCES
			}
			return done, err
		}
		if n == 0 {
			return done, io.EOF
		}
		done += n
	}
	return done, nil
}

// WriteFull writes all of p at off, and tells what has arrived.
func WriteFull(fd int, told Progress, p []byte, off int64) (int, error) {
	done := 0
	for done < len(p) {
		n, err := beneath.RetryEINTR(func() (int, error) { return unix.Pwrite(fd, p[done:], off+int64(done)) })
		if err != nil {
			return done, err
		}
		if n == 0 {
			return done, io.ErrShortWrite
		}
		told.Arrived(off+int64(done), int64(n))
		done += n
	}
	return done, nil
}

func (f *file) write(p []byte, off int64) (int, error) { return WriteFull(f.fd, f.told, p, off) }
