package beneath

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"ferry"
)

// Fail makes err one about the client's name, in the words of the contract.
func Fail(op string, name ferry.Name, err error) error {
	if err == nil {
		return nil
	}
	var known *fs.PathError
	if errors.As(err, &known) {
		err = known.Err
	}
	return &fs.PathError{Op: op, Path: string(name), Err: Meaning(err)}
}

// Meaning gives what an error of the system is called in the contract. What
// the contract has no word for stays as it is: a bare errno, without a path.
func Meaning(err error) error {
	var errno unix.Errno
	if !errors.As(err, &errno) {
		return err
	}
	switch errno {
	case unix.ENOENT, unix.ESTALE:
		return fs.ErrNotExist
	case unix.EEXIST:
		return fs.ErrExist
	case unix.EACCES, unix.EPERM, unix.EROFS:
		return denied(errno)
	case unix.EINVAL:
		return fs.ErrInvalid
	case unix.EISDIR:
		return ferry.ErrIsDir
	case unix.ENOTDIR:
		return ferry.ErrNotDir
	case unix.ENOTEMPTY:
		return ferry.ErrNotEmpty
	case unix.ENXIO, unix.ENODEV:
		return ferry.ErrNotRegular
	case unix.ENAMETOOLONG, unix.EILSEQ:
		return ferry.ErrBadName
	case unix.ELOOP:
		return ferry.ErrLoop
	case unix.EXDEV:
		return ferry.ErrCrossDevice
	case unix.ENOSPC:
		return ferry.ErrNoSpace
	case unix.EDQUOT:
		return ferry.ErrQuota
	case unix.EFBIG, unix.EOVERFLOW:
		return ferry.ErrTooLarge
	case unix.EBUSY, unix.ETXTBSY, unix.EAGAIN:
		return ferry.ErrBusy
	case unix.ENOSYS, unix.EOPNOTSUPP:
		return errors.ErrUnsupported
	}
	return errno
}

// denied is the fs.ErrPermission that the host gave; its text says so, for the log.
type denied unix.Errno

func (d denied) Unwrap() error { return fs.ErrPermission }

func (d denied) Error() string {
	return fmt.Sprintf("the host refuses it to this server's user: %s (%s)", unix.Errno(d).Error(), unix.ErrnoName(unix.Errno(d)))
}

// RetryEINTR calls f until no signal has interrupted it.
func RetryEINTR(f func() (int, error)) (int, error) {
	for {
		n, err := f()
		if err != unix.EINTR {
			return n, err
		}
	}
}
