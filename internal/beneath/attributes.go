package beneath

import (
	"io/fs"
	"time"

	"golang.org/x/sys/unix"

	"ferry"
)

// LookFor is look, or what that is for a link itself.
func (r *Root) LookFor(name ferry.Name, a ferry.Attr) (*Object, error) {
	if !a.NoFollow {
		return r.Look(name)
	}
	p, err := r.Locate(name, false)
	if err != nil {
		return nil, err
	}
	var o *Object
	if err = fs.ErrNotExist; p.Exists {
		o, err = r.LookAt(p)
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	o.place = p
	return o, nil
}

// Resize changes the size of a file that is not open.
func (r *Root) Resize(o *Object, size int64) error {
	switch {
	case IsLink(&o.St) || size < 0:
		return fs.ErrInvalid
	case !IsRegular(&o.St):
		return o.Regular()
	}
	fd, err := r.Reopen(o, unix.O_WRONLY)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return r.Truncate(fd, size)
}

// Truncate changes the size of an open file that nobody has told to be Written.
func (r *Root) Truncate(fd int, size int64) error {
	f := r.Written(fd)
	defer f.Closed()
	return f.Resize(size, func() error { return Truncate(fd, size) })
}

func Truncate(fd int, size int64) error {
	_, err := RetryEINTR(func() (int, error) { return 0, unix.Ftruncate(fd, size) })
	return err
}

// Append makes every later write to an open file one at its end (O_APPEND).
func Append(fd int) error {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err == nil {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_SETFL, flags|unix.O_APPEND)
	}
	return err
}

// SetAttrs changes owner, mode and times, in this order: the kernel takes
// setuid and setgid away when the owner changes. Fd may be an O_PATH one.
func (r *Root) SetAttrs(fd int, a ferry.Attr) error {
	if a.UID != nil || a.GID != nil {
		if err := r.chown(fd, a.UID, a.GID); err != nil {
			return err
		}
	}
	if a.Mode != nil {
		if err := r.Chmod(fd, KernelMode(*a.Mode)); err != nil {
			return err
		}
	}
	if a.ModTime == nil && a.Access == nil {
		return nil
	}
	return r.setTimes(fd, a.Access, a.ModTime)
}

// Chmod is fchmod that also takes an O_PATH descriptor: by its name in /proc,
// else by fchmodat2, which kernels before 6.6 do not have.
func (r *Root) Chmod(fd int, mode uint32) error {
	return r.call(func() error {
		if r.proc {
			return unix.Chmod(ProcPath(fd), mode)
		}
		return unix.Fchmodat(fd, "", mode, unix.AT_EMPTY_PATH)
	})
}

// Fchmod is fchmod.
func (r *Root) Fchmod(fd int, mode uint32) error {
	return r.call(func() error { return unix.Fchmod(fd, mode) })
}

// chown changes what is not nil.
func (r *Root) chown(fd int, uid, gid *uint32) error {
	u, g := -1, -1
	if uid != nil {
		u = int(*uid)
	}
	if gid != nil {
		g = int(*gid)
	}
	return r.call(func() error { return unix.Fchownat(fd, "", u, g, unix.AT_EMPTY_PATH) })
}

// setTimes changes what is not nil.
func (r *Root) setTimes(fd int, access, mod *time.Time) error {
	times := [2]unix.Timespec{{Nsec: unix.UTIME_OMIT}, {Nsec: unix.UTIME_OMIT}}
	for i, at := range [2]*time.Time{access, mod} {
		if at != nil {
			times[i] = unix.Timespec{Sec: at.Unix(), Nsec: int64(at.Nanosecond())}
		}
	}
	return r.call(func() error {
		if r.proc {
			return unix.UtimesNanoAt(unix.AT_FDCWD, ProcPath(fd), times[:], 0)
		}
		return unix.UtimesNanoAt(fd, "", times[:], unix.AT_EMPTY_PATH)
	})
}
