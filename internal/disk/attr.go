package disk

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"golang.org/x/sys/unix"

	"ferry"
)

// SetAttr changes the attributes that a sets.
func (v *view) SetAttr(ctx context.Context, name ferry.Name, a ferry.Attr) error {
	if h := v.unfinished(name, !a.NoFollow); h != nil {
		err := h.SetAttr(a)
		if !errors.Is(err, ferry.ErrClosed) { // else it was finished this very moment
			return fail("setattr", name, err)
		}
	}
	return fail("setattr", name, v.setAttr(name, a))
}

func (v *view) setAttr(name ferry.Name, a ferry.Attr) error {
	o, err := v.t.lookFor(name, a)
	if err != nil {
		return err
	}
	defer o.close()
	if a.Mode != nil && isLink(&o.st) {
		return errors.ErrUnsupported
	}
	if !isDir(&o.st) && lendsIdentity(a.Mode) {
		return fs.ErrPermission
	}
	if a.Size != nil {
		if err := v.t.resize(o, *a.Size); err != nil {
			return err
		}
	}
	return v.t.setAttrs(o.fd, a)
}

// lookFor is look, or what that is for a link itself.
func (t *Tree) lookFor(name ferry.Name, a ferry.Attr) (*object, error) {
	if !a.NoFollow {
		return t.look(name)
	}
	p, err := t.locate(name, false)
	if err != nil {
		return nil, err
	}
	var o *object
	if err = fs.ErrNotExist; p.exists {
		o, err = t.lookAt(p)
	}
	if err != nil {
		p.close()
		return nil, err
	}
	o.place = p
	return o, nil
}

// lendsIdentity tells whether a file of that mode runs as its owner or group:
// as us, since what is uploaded is ours.
func lendsIdentity(mode *fs.FileMode) bool {
	return mode != nil && *mode&(fs.ModeSetuid|fs.ModeSetgid) != 0
}

// resize changes the size of a file that is not open.
func (t *Tree) resize(o *object, size int64) error {
	switch {
	case isLink(&o.st) || size < 0:
		return fs.ErrInvalid
	case !isRegular(&o.st):
		return o.regular()
	}
	fd, err := t.reopen(o, unix.O_WRONLY)
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
func (t *Tree) setAttrs(fd int, a ferry.Attr) error {
	if a.UID != nil || a.GID != nil {
		if err := chown(fd, a.UID, a.GID); err != nil {
			return err
		}
	}
	if a.Mode != nil {
		if err := t.chmod(fd, kernelMode(*a.Mode)); err != nil {
			return err
		}
	}
	if a.ModTime == nil && a.Access == nil {
		return nil
	}
	return t.setTimes(fd, a.Access, a.ModTime)
}

// chmod is fchmod that also takes an O_PATH descriptor: by its name in /proc,
// else by fchmodat2, which kernels before 6.6 do not have.
func (t *Tree) chmod(fd int, mode uint32) error {
	_, err := again(func() (int, error) {
		if t.proc {
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
func (t *Tree) setTimes(fd int, access, mod *time.Time) error {
	times := [2]unix.Timespec{{Nsec: unix.UTIME_OMIT}, {Nsec: unix.UTIME_OMIT}}
	for i, at := range [2]*time.Time{access, mod} {
		if at != nil {
			times[i] = unix.Timespec{Sec: at.Unix(), Nsec: int64(at.Nanosecond())}
		}
	}
	_, err := again(func() (int, error) {
		if t.proc {
			return 0, unix.UtimesNanoAt(unix.AT_FDCWD, procPath(fd), times[:], 0)
		}
		return 0, unix.UtimesNanoAt(fd, "", times[:], unix.AT_EMPTY_PATH)
	})
	return err
}
