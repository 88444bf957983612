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
	var h opened
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

func (v *sessionFS) openMode(ctx context.Context, name ferry.Name, o ferry.OpenOptions) (opened, error) {
	o, err := o.Clean()
	if err != nil {
		return nil, err
	}
	if o.AsItStands() {
		return v.openNamed(name, o.Mode)
	}
	patience := ctx
	if o.Wait > 0 {
		var cancel context.CancelFunc
		patience, cancel = context.WithTimeoutCause(ctx, o.Wait, ferry.ErrBusy)
		defer cancel()
	}
	for {
		h, key, err := v.openPlace(ctx, name, o)
		if err != errHeld || o.Wait <= 0 {
			return h, err
		}
		if err := v.await(patience, key); err != nil {
			return nil, err
		}
	}
}

// openPlace opens what is to become the file of that name; key is that of its part.
func (v *sessionFS) openPlace(ctx context.Context, name ferry.Name, o ferry.OpenOptions) (h opened, key partKey, err error) {
	p, err := v.names.Locate(name, !o.Mode.MustBeNew())
	if err != nil {
		return nil, key, err
	}
	defer p.Close()
	key = v.partKey(p)
	h, err = v.openUpload(ctx, p, o)
	if err != nil {
		return nil, key, err
	}
	h.base().name = name
	return h, key, nil
}

// openNamed opens an existing file by its name. Where there is no /proc it may
// be replaced between the look and the open (EAGAIN), and is looked at again.
func (v *sessionFS) openNamed(name ferry.Name, m ferry.Mode) (h opened, err error) {
	err = unix.EAGAIN
	for tries := 0; err == unix.EAGAIN && tries < 100; tries++ {
		var o *beneath.Object
		if o, err = v.names.Look(name); err != nil {
			return nil, err
		}
		h, err = v.openObject(o, m)
		o.Close()
	}
	if err != nil {
		return nil, err
	}
	h.base().name = name
	return h, nil
}

// openObject opens an existing file as it stands.
func (v *sessionFS) openObject(o *beneath.Object, m ferry.Mode) (opened, error) {
	if m != ferry.Read {
		return v.openDirect(o, 0)
	}
	if err := o.Regular(); err != nil {
		return nil, err
	}
	fd, err := v.names.Reopen(o, unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	return v.newReader(fd), nil
}

// openDirect opens an existing file to be written where it stands.
func (v *sessionFS) openDirect(o *beneath.Object, flags int) (writer, error) {
	if err := o.Regular(); err != nil {
		return nil, err
	}
	fd, err := v.names.Reopen(o, unix.O_RDWR|flags)
	if err == unix.EACCES { // it may be one that can be written and not read
		fd, err = v.names.Reopen(o, unix.O_WRONLY|flags)
	}
	if err != nil {
		return nil, err
	}
	if v.as != nil && o.St.Mode&(unix.S_ISUID|unix.S_ISGID) != 0 && beneath.IsRegular(&o.St) {
		// A write of the user takes these bits away. Ours would not, where the server is
		// root; where it is not, it need not be able to do this.
		_ = unix.Fchmod(fd, o.St.Mode&0o1777)
	}
	return v.newDirect(fd), nil
}

// openUpload opens what is to become the file at p.
func (v *sessionFS) openUpload(ctx context.Context, p *beneath.Place, o ferry.OpenOptions) (writer, error) {
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
func (v *sessionFS) openFresh(ctx context.Context, p *beneath.Place, o ferry.OpenOptions) (writer, error) {
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
	if _, ok := h.(*staged); !ok {
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
func (v *sessionFS) openStaged(u *upload, p *beneath.Place, o ferry.OpenOptions) (writer, error) {
	if p.Exists {
		// A rename needs no leave of the file it replaces, but its owner has said what he
		// wants.
		switch err := v.names.Writable(p); {
		case err == unix.ENOENT: // it has just gone
			p.Exists, u.over = false, false
		case err != nil:
			return nil, err
		}
	}
	fd, err := v.parts.Fresh(u.at.Dir, u.key.name, p.Exists)
	if !p.Exists {
		if err != nil {
			return nil, err
		}
		return v.newStaged(u, p, fd, o, 0)
	}
	why := v.names.Unfit(p, fd, err)
	switch {
	case why == "" && err != nil:
		return nil, err
	case why == "":
		return v.newStaged(u, p, fd, o, 0)
	}
	if err == nil {
		v.names.Unlink(p.Dir, u.key.name)
		unix.Close(fd)
	}
	v.t.log.Info("upload goes in place and is not staged", "user", v.owner.User, "name", p.Base, "reason", why)
	return v.openStanding(p, 0, o.Mode != ferry.Revise)
}

// openStanding opens the file at p for writing in place.
func (v *sessionFS) openStanding(p *beneath.Place, flags int, truncated bool) (writer, error) {
	o, err := v.names.LookAt(p)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	h, err := v.openDirect(o, flags)
	if err != nil || !truncated {
		return h, err
	}
	if err := h.written().resize(0); err != nil && beneath.IsRegular(&o.St) {
		unix.Close(h.base().fd)
		return nil, err
	}
	return h, nil
}

// openCreated makes the file at p, for a user whose uploads are not staged.
func (v *sessionFS) openCreated(p *beneath.Place, perm fs.FileMode) (writer, error) {
	mode := v.newMode(p.Dir, perm)
	fd, err := v.names.OpenAt(p.Dir, p.Base, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, mode)
	if err != nil {
		return nil, err
	}
	h := v.newDirect(fd)
	h.wrote.Store(true)
	if made, err := p.Dup(); err == nil {
		h.made = &made
	}
	if err := v.names.Fchmod(fd, mode); err != nil {
		v.t.log.Warn("mode of a new file not set", "name", p.Base, "error", beneath.Meaning(err))
	}
	return h, nil
}
