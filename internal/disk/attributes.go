package disk

import (
	"ferry"
	"io/fs"
	"time"

	"golang.org/x/sys/unix"
)

// lookFor is look, or what that is for a link itself.
func (r *root) lookFor(name ferry.Name, a ferry.Attr) (*object, error) {
	if !a.NoFollow {
		return r.look(name)
	}
	p, err := r.locate(name, false)
	if err != nil {
		return nil, err
	}
	var o *object
	if err = fs.ErrNotExist; p.exists {
		o, err = r.lookAt(p)
	}
	if err != nil {
		p.close()
		return nil, err
	}
	o.place = p
	return o, nil
}

// resize changes the size of a file that is not open.
func (r *root) resize(o *object, size int64) error {
	switch {
	case isLink(&o.st) || size < 0:
		return fs.ErrInvalid
	case !isRegular(&o.st):
		return o.regular()
	}
	fd, err := r.reopen(o, unix.O_WRONLY)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return truncate(fd, size)
}

func truncate(fd int, size int64) error {
	_, err := again(func() (int, error) { return 0, unix.Ftruncate(fd, size) })
	return err
}

// setAttrs changes owner, mode and times, in this order: the kernel takes
// setuid and setgid away when the owner changes. Fd may be an O_PATH one.
func (r *root) setAttrs(fd int, a ferry.Attr) error {
	if a.UID != nil || a.GID != nil {
		if err := chown(fd, a.UID, a.GID); err != nil {
			return err
		}
	}
	if a.Mode != nil {
		if err := r.chmod(fd, kernelMode(*a.Mode)); err != nil {
			return err
		}
	}
	if a.ModTime == nil && a.Access == nil {
		return nil
	}
	return r.setTimes(fd, a.Access, a.ModTime)
}

// chmod is fchmod that also takes an O_PATH descriptor: by its name in /proc,
// else by fchmodat2, which kernels before 6.6 do not have.
func (r *root) chmod(fd int, mode uint32) error {
	_, err := again(func() (int, error) {
		if r.proc {
			return 0, unix.Chmod(procPath(fd), mode)
		}
		return 0, unix.Fchmodat(fd, "", mode, unix.AT_EMPTY_PATH)
	})
	return err
}

// chown changes what is not nil.
func chown(fd int, uid, gid *uint32) error {
	u, g := -1, -1
	if uid != nil {
		u = int(*uid)
	}
	if gid != nil {
		g = int(*gid)
	}
	_, err := again(func() (int, error) { return 0, unix.Fchownat(fd, "", u, g, unix.AT_EMPTY_PATH) })
	return err
}

// setTimes changes what is not nil.
func (r *root) setTimes(fd int, access, mod *time.Time) error {
	times := [2]unix.Timespec{{Nsec: unix.UTIME_OMIT}, {Nsec: unix.UTIME_OMIT}}
	for i, at := range [2]*time.Time{access, mod} {
		if at != nil {
			times[i] = unix.Timespec{Sec: at.Unix(), Nsec: int64(at.Nanosecond())}
		}
	}
	_, err := again(func() (int, error) {
		if r.proc {
			return 0, unix.UtimesNanoAt(unix.AT_FDCWD, procPath(fd), times[:], 0)
		}
		return 0, unix.UtimesNanoAt(fd, "", times[:], unix.AT_EMPTY_PATH)
	})
	return err
}
