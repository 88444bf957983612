package disk

import (
	"context"
	"io/fs"

	"golang.org/x/sys/unix"

	"ferry"
	"ferry/internal/beneath"
	"ferry/internal/fdcopy"
)

// Open opens the regular file name.
func (v *sessionFS) Open(ctx context.Context, name ferry.Name, o ferry.OpenOptions) (ferry.Handle, error) {
	err := fdcopy.Cause(ctx)
	if err == nil && v.shut() {
		err = ferry.ErrClosed
	}
	var h *handle
	if err == nil {
		h, err = v.openMode(ctx, name, o)
	}
	if err == nil && !v.enlist(h) {
		h.Abort(ferry.ErrClosed)
		err = ferry.ErrClosed
	}
	if err != nil {
		return nil, beneath.Fail("open", name, err)
	}
	return h, nil
}

func (v *sessionFS) openMode(ctx context.Context, name ferry.Name, o ferry.OpenOptions) (*handle, error) {
	o, err := o.Clean()
	if err != nil {
		return nil, err
	}
	if o.AsItStands() {
		return v.openNamed(name, o.Mode)
	}
	p, err := v.names.Locate(name, !o.Mode.MustBeNew())
	if err != nil {
		return nil, err
	}
	h, err := v.openUpload(ctx, p, o)
	if err != nil || !h.ownsDir() {
		p.Close()
	}
	if err != nil {
		return nil, err
	}
	h.name = name
	return h, nil
}

// openNamed opens an existing file by its name. Where there is no /proc it may
// be replaced between the look and the open (EAGAIN), and is looked at again.
func (v *sessionFS) openNamed(name ferry.Name, m ferry.Mode) (h *handle, err error) {
	err = unix.EAGAIN
	for tries := 0; err == unix.EAGAIN && tries < 100; tries++ {
		var o *beneath.Object
		if o, err = v.names.Look(name); err != nil {
			return nil, err
		}
		h, err = v.openObject(o, name, m, 0)
		o.Close()
	}
	return h, err
}

// openObject opens an existing file as it stands. flags are for writing.
func (v *sessionFS) openObject(o *beneath.Object, name ferry.Name, m ferry.Mode, flags int) (*handle, error) {
	if err := o.Regular(); err != nil {
		return nil, err
	}
	if m == ferry.Read {
		fd, err := v.names.Reopen(o, unix.O_RDONLY)
		return v.newHandle(name, fd, false), err
	}
	fd, err := v.names.Reopen(o, unix.O_RDWR|flags)
	if err == unix.EACCES { // it may be one that can be written and not read
		fd, err = v.names.Reopen(o, unix.O_WRONLY|flags)
	}
	if err == nil && v.as != nil && o.St.Mode&(unix.S_ISUID|unix.S_ISGID) != 0 && beneath.IsRegular(&o.St) {
		// A write of the user takes these bits away. Ours would not, where the server is
		// root; where it is not, it need not be able to do this.
		_ = unix.Fchmod(fd, o.St.Mode&0o1777)
	}
	return v.newHandle(name, fd, true), err
}

// openUpload opens what is to become the file at p. The handle takes over
// p.dir where its ownsDir says so.
func (v *sessionFS) openUpload(ctx context.Context, p *beneath.Place, o ferry.OpenOptions) (*handle, error) {
	m := o.Mode
	switch {
	case p.Exists && m.MustBeNew():
		return nil, fs.ErrExist
	case !p.Exists && (m == ferry.Revise || m == ferry.Update):
		return nil, fs.ErrNotExist
	case p.Exists && v.names.Openable(p) != nil:
		return nil, v.names.Openable(p)
	case m == ferry.Exclusive && v.t.isReserved(targetOf(p)):
		return nil, fs.ErrExist
	case m == ferry.Update || m.Resumes():
		return v.openAt(ctx, p, o)
	}
	return v.openFresh(ctx, p, o)
}

// openFresh begins new content for p.
func (v *sessionFS) openFresh(ctx context.Context, p *beneath.Place, o ferry.OpenOptions) (*handle, error) {
	switch {
	case p.Exists && (v.direct || !beneath.IsRegular(&p.St)):
		return v.openStanding(p, 0, o.Mode == ferry.Replace)
	case v.direct && o.Mode.MustBeNew() && v.t.isReserved(targetOf(p)):
		return nil, fs.ErrExist
	case v.direct:
		return v.openCreated(p, permission(o.Perm, 0o666))
	}
	u, err := v.claim(ctx, p, o.Mode)
	if err != nil {
		return nil, err
	}
	h, err := v.openStaged(u, p, o)
	if err != nil || h.up == nil {
		v.t.unclaim(u)
	}
	return h, err
}

// claim is Tree.claim of the user's part for p, and of the name where m wants that.
func (v *sessionFS) claim(ctx context.Context, p *beneath.Place, m ferry.Mode) (*upload, error) {
	u, err := v.t.claim(ctx, v.partKey(p), ferry.ErrTakenOver)
	if err != nil {
		return nil, err
	}
	u.at, u.over = *p, p.Exists
	if m.MustBeNew() {
		if err := v.t.reserve(u); err != nil {
			v.t.unclaim(u)
			return nil, err
		}
	}
	return u, nil
}

// openStaged opens a new part for u; or the file itself, where a rename could not
// keep what matters.
func (v *sessionFS) openStaged(u *upload, p *beneath.Place, o ferry.OpenOptions) (*handle, error) {
	if p.Exists {
		switch err := v.writable(p); {
		case err == unix.ENOENT: // it has just gone
			p.Exists, u.over = false, false
		case err != nil:
			return nil, err
		}
	}
	fd, err := v.parts.Fresh(u.at.Dir, u.key.name)
	if !p.Exists {
		if err != nil {
			return nil, err
		}
		return v.newUpload(u, fd, o), nil
	}
	why := v.unfit(p, fd, err)
	switch {
	case why == "" && err != nil:
		return nil, err
	case why == "":
		return v.newUpload(u, fd, o), nil
	}
	if err == nil {
		v.names.Unlink(p.Dir, u.key.name)
		unix.Close(fd)
	}
	v.t.log.Info("upload goes in place and is not staged", "user", v.owner.User, "file", p.Base, "reason", why)
	return v.openStanding(p, 0, o.Mode != ferry.Revise)
}

// unfit says why the file at p, which exists, must be written in place, or "".
// Fd is its new part, unless that could not be made: err.
func (v *sessionFS) unfit(p *beneath.Place, fd int, err error) string {
	switch {
	case err == unix.EACCES || err == unix.EPERM || err == unix.EROFS || err == unix.ENOENT: // the last in procfs
		return "the directory may not be written"
	case err != nil:
		return ""
	case p.St.Nlink > 1:
		return "the file has other hard links"
	case !v.names.TryOwner(fd, &p.St):
		return "the file's owner could not be kept"
	}
	return ""
}

// writable asks whether the file at p may be written: a rename needs no leave
// of the file it replaces, but its owner has said what he wants.
func (v *sessionFS) writable(p *beneath.Place) error { return v.names.Writable(p) }

// openStanding opens the file at p for writing in place.
func (v *sessionFS) openStanding(p *beneath.Place, flags int, truncated bool) (*handle, error) {
	o, err := v.names.LookAt(p)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	h, err := v.openObject(o, "", ferry.Update, flags)
	if err != nil || !truncated {
		return h, err
	}
	h.wrote.Store(true)
	if err := beneath.Truncate(h.fd, 0); err != nil && beneath.IsRegular(&o.St) {
		unix.Close(h.fd)
		return nil, err
	}
	return h, nil
}

// openCreated makes the file at p, for a user whose uploads are not staged.
func (v *sessionFS) openCreated(p *beneath.Place, perm fs.FileMode) (*handle, error) {
	mode := v.newMode(p.Dir, perm)
	fd, err := v.names.OpenAt(p.Dir, p.Base, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, mode)
	if err != nil {
		return nil, err
	}
	h := v.newHandle("", fd, true)
	h.created = p
	h.wrote.Store(true)
	if err := v.names.Fchmod(fd, mode); err != nil {
		v.t.log.Warn("mode of a new file not set", "file", p.Base, "error", beneath.Meaning(err))
	}
	return h, nil
}
