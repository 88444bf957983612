package disk

import (
	"context"
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"

	"ferry"
)

// Mkdir makes a directory.
func (v *view) Mkdir(ctx context.Context, name ferry.Name, perm fs.FileMode) error {
	return fail("mkdir", name, v.mkdir(name, perm))
}

func (v *view) mkdir(name ferry.Name, perm fs.FileMode) error {
	p, err := v.t.vacant(name)
	if err != nil {
		return err
	}
	defer p.close()
	if perm == 0 {
		perm = 0o777
	}
	mode := v.t.newMode(p.dir, perm)
	if _, err := again(func() (int, error) { return 0, unix.Mkdirat(p.dir, p.base, mode) }); err != nil {
		return err
	}
	v.t.adjust(p, mode)
	return v.t.settle(p)
}

// adjust gives a new directory the mode that the process's umask has kept from
// it. Failing changes nothing for the worse.
func (t *Tree) adjust(p *place, mode uint32) {
	o, err := t.root.lookAt(p)
	if err != nil {
		return
	}
	defer o.close()
	if isDir(&o.st) && o.st.Mode&0o1777 != mode {
		t.root.chmod(o.fd, mode|o.st.Mode&unix.S_ISGID)
	}
}

// vacant is locate for a name under which nothing may stand yet.
func (t *Tree) vacant(name ferry.Name) (*place, error) {
	p, err := t.root.locate(name, false)
	if err != nil {
		return nil, err
	}
	if p.exists {
		p.close()
		return nil, fs.ErrExist
	}
	return p, nil
}

// settle makes a change of the entries of a directory durable, if changes are.
func (t *Tree) settle(p *place) error {
	if !t.durable {
		return nil
	}
	return t.syncs.sync(p.id, p.dir)
}

// Symlink makes name a link to target. A target through a part's name is
// refused: it would be a way around the wall that hides parts.
func (v *view) Symlink(ctx context.Context, target string, name ferry.Name) error {
	return fail("symlink", name, v.symlink(target, name))
}

func (v *view) symlink(target string, name ferry.Name) error {
	for element := range strings.SplitSeq(target, "/") {
		if ferry.IsPart(element) {
			return ferry.ErrBadName
		}
	}
	p, err := v.t.vacant(name)
	if err != nil {
		return err
	}
	defer p.close()
	_, err = again(func() (int, error) { return 0, unix.Symlinkat(target, p.dir, p.base) })
	return err
}

// Link makes name another hard link to the file from.
func (v *view) Link(ctx context.Context, from, name ferry.Name) error {
	return fail("link", name, v.link(from, name))
}

func (v *view) link(from, name ferry.Name) error {
	old, err := v.t.root.locate(from, false)
	if err != nil {
		return err
	}
	defer old.close()
	if !old.exists {
		return fs.ErrNotExist
	}
	p, err := v.t.vacant(name)
	if err != nil {
		return err
	}
	defer p.close()
	if isDir(&old.st) {
		return fs.ErrPermission
	}
	_, err = again(func() (int, error) { return 0, unix.Linkat(old.dir, old.base, p.dir, p.base, 0) })
	return err
}

// Remove removes what is not a directory, and ends this user's part for it.
func (v *view) Remove(ctx context.Context, name ferry.Name) error {
	return fail("remove", name, v.remove(ctx, name))
}

func (v *view) remove(ctx context.Context, name ferry.Name) error {
	p, err := v.t.root.locate(name, false)
	if err != nil {
		return err
	}
	defer p.close()
	if p.exists && isDir(&p.st) {
		return ferry.ErrIsDir
	}
	ending, err := v.ending(p)
	if err != nil {
		return err
	}
	// The file goes first: where it cannot, the part stays too.
	_, err = again(func() (int, error) { return 0, unix.Unlinkat(p.dir, p.base, 0) })
	if err != nil && err != unix.ENOENT {
		return err
	}
	ended, endErr := ending.end(ctx)
	if ended || endErr != nil {
		return endErr
	}
	return err
}

// Rmdir removes an empty directory, with the parts in it that do not count.
func (v *view) Rmdir(ctx context.Context, name ferry.Name) error {
	return fail("rmdir", name, v.rmdir(ctx, name))
}

func (v *view) rmdir(ctx context.Context, name ferry.Name) error {
	p, err := v.t.root.locate(name, false)
	if err != nil {
		return err
	}
	defer p.close()
	switch {
	case p.base == ".":
		return fs.ErrPermission
	case !p.exists:
		return fs.ErrNotExist
	case !isDir(&p.st):
		return ferry.ErrNotDir
	}
	err = rmdirAt(p)
	if err != unix.ENOTEMPTY && err != unix.EEXIST {
		return err
	}
	if err := v.clear(ctx, p); err != nil {
		return err
	}
	return rmdirAt(p)
}

// clear removes the parts in the directory at p that do not keep it from being
// removed: this user's kept ones, and expired ones. Where anything else is in
// there it removes nothing.
func (v *view) clear(ctx context.Context, p *place) error {
	o, err := v.t.root.lookAt(p)
	if err != nil {
		return err
	}
	defer o.close()
	fd, err := readable(o.fd)
	if err != nil {
		return ferry.ErrNotEmpty // what cannot be read cannot be known to be empty
	}
	defer unix.Close(fd)
	id := dirOf(&o.st)
	var parts []string
	busy := false
	err = v.t.entries(ctx, fd, func(e entry) (bool, error) {
		name := string(e.name)
		if !ferry.IsPart(name) {
			return false, ferry.ErrNotEmpty
		}
		if v.t.isLive(partKey{id, name}) || !v.owns(name) && !v.t.expiredAt(fd, name) {
			busy = true
		}
		parts = append(parts, name)
		return true, nil
	})
	if err == nil && busy {
		err = ferry.ErrBusy
	}
	for _, name := range parts {
		if err == nil {
			err = v.t.dropKept(partKey{id, name}, fd)
		}
	}
	return err
}

// Rename moves from to to.
func (v *view) Rename(ctx context.Context, from, to ferry.Name, replace bool) error {
	if h := v.unfinished(from, false); h != nil {
		err := h.moveTo(ctx, to, replace)
		if err != ferry.ErrClosed { // else it was finished this very moment
			return fail("rename", to, err)
		}
	}
	old, err := v.t.root.locate(from, false)
	if err != nil {
		return fail("rename", from, err)
	}
	defer old.close()
	p, err := v.t.root.locate(to, false)
	if err != nil {
		return fail("rename", to, err)
	}
	defer p.close()
	if !old.exists {
		return fail("rename", from, fs.ErrNotExist)
	}
	return fail("rename", to, v.rename(ctx, old, p, replace))
}

func (v *view) rename(ctx context.Context, old, p *place, replace bool) error {
	switch {
	case old.base == "." || p.base == "." && replace:
		return fs.ErrPermission
	case p.exists && !replace:
		return fs.ErrExist
	case p.exists && same(&old.st, &p.st): // as rename(2) has it: nothing to do
		return nil
	}
	ending, err := v.ending(p)
	if err != nil {
		return err
	}
	if replace {
		_, err = again(func() (int, error) { return 0, unix.Renameat(old.dir, old.base, p.dir, p.base) })
	} else {
		err = renameNew(old.dir, old.base, p.dir, p.base)
	}
	if err == unix.EEXIST && replace { // some file systems say so for ENOTEMPTY
		err = unix.ENOTEMPTY
	}
	if err != nil {
		return err
	}
	if _, err := ending.end(ctx); err != nil {
		return err
	}
	// The new place first: a crash in between leaves two names and not none.
	if err := v.t.settle(p); err != nil || old.id == p.id {
		return err
	}
	return v.t.settle(old)
}
