package disk

import (
	"context"
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"

	"ferry"
	"ferry/internal/beneath"
	"ferry/internal/partfile"
)

// Mkdir makes a directory.
func (v *sessionFS) Mkdir(ctx context.Context, name ferry.Name, perm *fs.FileMode) error {
	return beneath.Fail("mkdir", name, v.mkdir(name, perm))
}

func (v *sessionFS) mkdir(name ferry.Name, perm *fs.FileMode) error {
	p, err := v.vacant(name)
	if err != nil {
		return err
	}
	defer p.Close()
	mode := v.names.NewMode(p.Dir, permission(perm, 0o777)&^runsAs, v.t.umask) // it inherits setgid
	if err := v.names.Mkdir(p, mode); err != nil {
		return err
	}
	return v.settle(p)
}

// permission is what was asked for, or what something new gets without.
func permission(asked *fs.FileMode, otherwise fs.FileMode) fs.FileMode {
	if asked == nil {
		return otherwise
	}
	return *asked
}

// vacant is locate for a name under which nothing may stand yet.
func (v *sessionFS) vacant(name ferry.Name) (*beneath.Place, error) {
	p, err := v.names.Locate(name, false)
	if err != nil {
		return nil, err
	}
	if p.Exists {
		p.Close()
		return nil, fs.ErrExist
	}
	return p, nil
}

// settle makes a change of the entries of a directory durable, if changes are.
func (v *sessionFS) settle(p *beneath.Place) error {
	if !v.t.durable {
		return nil
	}
	return v.syncDir(p.ID, p.Dir, func() error { return v.t.root.SyncFileSystem(p.Dir) })
}

// syncDir makes the entries of the directory dir durable, which may be an O_PATH one; on
// is to do it where that may not be read.
func (v *sessionFS) syncDir(id beneath.DirID, dir int, on func() error) error {
	return v.t.syncs.Sync(id, func() (int, error) { return v.names.Readable(dir) }, on)
}

// Symlink makes name a link to target. A target through a part's name is
// refused: it would be a way around the wall that hides parts.
func (v *sessionFS) Symlink(ctx context.Context, target string, name ferry.Name) error {
	return beneath.Fail("symlink", name, v.symlink(target, name))
}

func (v *sessionFS) symlink(target string, name ferry.Name) error {
	for element := range strings.SplitSeq(target, "/") {
		if ferry.IsPart(element) {
			return ferry.ErrBadName
		}
	}
	p, err := v.vacant(name)
	if err != nil {
		return err
	}
	defer p.Close()
	kept := v.names.Keep(p.Dir, target)
	return v.names.Symlink(kept, p)
}

// Link makes name another hard link to the file from.
func (v *sessionFS) Link(ctx context.Context, from, name ferry.Name) error {
	return beneath.Fail("link", name, v.link(from, name))
}

func (v *sessionFS) link(from, name ferry.Name) error {
	old, err := v.names.Locate(from, false)
	if err != nil {
		return err
	}
	defer old.Close()
	if !old.Exists {
		return fs.ErrNotExist
	}
	p, err := v.vacant(name)
	if err != nil {
		return err
	}
	defer p.Close()
	if beneath.IsDir(&old.St) {
		return fs.ErrPermission
	}
	return v.names.Link(old, p)
}

// Remove removes what is not a directory, and ends this user's part for it.
func (v *sessionFS) Remove(ctx context.Context, name ferry.Name) error {
	return beneath.Fail("remove", name, v.remove(ctx, name))
}

func (v *sessionFS) remove(ctx context.Context, name ferry.Name) error {
	p, err := v.names.Locate(name, false)
	if err != nil {
		return err
	}
	defer p.Close()
	if p.Exists && beneath.IsDir(&p.St) {
		return ferry.ErrIsDir
	}
	// The file goes first: where it cannot, the part stays too.
	ending := v.ending(p)
	err = v.names.Unlink(p.Dir, p.Base)
	if err != nil && err != unix.ENOENT {
		return err
	}
	ended, endErr := ending.end(ctx)
	if ended || endErr != nil || err == nil {
		return endErr
	}
	return v.names.Unlink(p.Dir, p.Base) // it may have been published meanwhile
}

// RemoveUnchanged removes what stands under name if it is what was describes.
func (v *sessionFS) RemoveUnchanged(ctx context.Context, name ferry.Name, was ferry.Info) error {
	return beneath.Fail("remove", name, v.removeUnchanged(name, was))
}

func (v *sessionFS) removeUnchanged(name ferry.Name, was ferry.Info) error {
	p, err := v.names.Locate(name, false)
	if err != nil {
		return err
	}
	defer p.Close()
	if p.Exists && beneath.IsDir(&p.St) {
		return ferry.ErrIsDir
	}
	aside := partfile.Owner{User: v.owner.User}.Name(p.Base)
	return v.names.RemoveIf(p, aside, func(i ferry.Info) bool { return i.Unchanged(was) })
}

// Rmdir removes an empty directory, with the parts in it that do not count.
func (v *sessionFS) Rmdir(ctx context.Context, name ferry.Name) error {
	return beneath.Fail("rmdir", name, v.rmdir(ctx, name))
}

func (v *sessionFS) rmdir(ctx context.Context, name ferry.Name) error {
	p, err := v.names.Locate(name, false)
	if err != nil {
		return err
	}
	defer p.Close()
	switch {
	case p.Base == ".":
		return fs.ErrPermission
	case !p.Exists:
		return fs.ErrNotExist
	case !beneath.IsDir(&p.St):
		return ferry.ErrNotDir
	}
	err = v.names.Rmdir(p)
	if err != unix.ENOTEMPTY && err != unix.EEXIST {
		return err
	}
	if err := v.clear(ctx, p); err != nil {
		return err
	}
	return v.names.Rmdir(p)
}

// clear removes the parts in the directory at p that do not keep it from being
// removed: this user's, and expired ones. Where anything else is in there it
// removes nothing.
func (v *sessionFS) clear(ctx context.Context, p *beneath.Place) error {
	o, err := v.names.LookAt(p)
	if err != nil {
		return err
	}
	defer o.Close()
	fd, err := v.names.Readable(o.Fd)
	if err != nil {
		return ferry.ErrNotEmpty // what cannot be read cannot be known to be empty
	}
	defer unix.Close(fd)
	id := beneath.DirOf(&o.St)
	var parts []string
	busy := false
	err = v.t.lister.Entries(ctx, fd, func(e beneath.Entry) (bool, error) {
		name := string(e.Name)
		if !ferry.IsPart(name) {
			return false, ferry.ErrNotEmpty
		}
		key := partKey{id, name}
		live := v.t.isLive(key)
		mine := v.owner.Owns(name) && (v.owner.Keeps || !live || v.writing(key) != nil)
		busy = busy || !mine && (live || !v.parts.ExpiredAt(fd, name))
		parts = append(parts, name)
		return true, nil
	})
	if err == nil && busy {
		err = ferry.ErrBusy
	}
	for _, name := range parts {
		if err == nil {
			err = v.endPart(ctx, partKey{id, name}, fd)
		}
	}
	return err
}

// Rename moves from to to.
func (v *sessionFS) Rename(ctx context.Context, from, to ferry.Name, replace bool) error {
	if h := v.unfinished(from, false); h != nil {
		err := h.moveTo(ctx, v, to, replace)
		if err != ferry.ErrClosed { // else it was finished this very moment
			return beneath.Fail("rename", to, err)
		}
	}
	old, err := v.names.Locate(from, false)
	if err != nil {
		return beneath.Fail("rename", from, err)
	}
	defer old.Close()
	p, err := v.names.Locate(to, false)
	if err != nil {
		return beneath.Fail("rename", to, err)
	}
	defer p.Close()
	if !old.Exists {
		return v.renamePart(ctx, old, from, to, replace)
	}
	return beneath.Fail("rename", to, v.rename(ctx, old, p, replace))
}

// renamePart is Rename where nothing stands under from, at old.
func (v *sessionFS) renamePart(ctx context.Context, old *beneath.Place, from, to ferry.Name, replace bool) error {
	h := v.written(old)
	if h == nil {
		return beneath.Fail("rename", from, fs.ErrNotExist)
	}
	err := h.moveTo(ctx, v, to, replace)
	if err == ferry.ErrClosed { // it is being published, or given up
		err = ferry.ErrBusy
	}
	return beneath.Fail("rename", to, err)
}

func (v *sessionFS) rename(ctx context.Context, old, p *beneath.Place, replace bool) error {
	switch {
	case old.Base == "." || p.Base == "." && replace:
		return fs.ErrPermission
	case p.Exists && !replace:
		return fs.ErrExist
	case p.Exists && beneath.Same(&old.St, &p.St): // as rename(2) has it: nothing to do
		return nil
	}
	ending := v.ending(p)
	var err error
	if replace {
		err = v.names.Rename(old.Dir, old.Base, p.Dir, p.Base)
	} else {
		err = v.names.RenameNew(old.Dir, old.Base, p.Dir, p.Base)
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
	if err := v.settle(p); err != nil || old.ID == p.ID {
		return err
	}
	return v.settle(old)
}
