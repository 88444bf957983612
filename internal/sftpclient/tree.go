package sftpclient

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"

	"ferry"
	"ferry/internal/sftpconn"
	"ferry/internal/sftpfacts"
	"ferry/internal/sftppath"
	"ferry/internal/sftpwire"
)

// Straight is ferry.FS's; see sftppath.Straight.
func (f *FS) Straight() ferry.FS { return sftppath.Straight(f, f.paths) }

// Stat is ferry.FS's.
func (f *FS) Stat(ctx context.Context, name ferry.Name) (ferry.Info, error) {
	i, err := f.stat(ctx, name)
	return i, fail("stat", name, err)
}

func (f *FS) stat(ctx context.Context, name ferry.Name) (ferry.Info, error) {
	if err := check(name); err != nil {
		return ferry.Info{}, err
	}
	own, there, err := f.ownAt(ctx, name, true)
	if err != nil {
		return ferry.Info{}, err
	}
	if own != nil {
		return own.describeOwn(ctx, name, there)
	}
	a, err := f.conn.AskAttrs(ctx, &sftpwire.Stat{Name: f.paths.Remote(name)})
	if err != nil {
		return f.orPart(ctx, name, true, ferry.Info{}, f.paths.Because(ctx, name, true, err))
	}
	return sftpfacts.Info(name.Base(), a), nil
}

// Lstat is ferry.FS's.
func (f *FS) Lstat(ctx context.Context, name ferry.Name) (ferry.Info, error) {
	i, err := f.lstat(ctx, name)
	return i, fail("lstat", name, err)
}

func (f *FS) lstat(ctx context.Context, name ferry.Name) (ferry.Info, error) {
	if err := check(name); err != nil {
		return ferry.Info{}, err
	}
	own, there, err := f.ownAt(ctx, name, false)
	if err != nil {
		return ferry.Info{}, err
	}
	if own != nil {
		return own.describeOwn(ctx, name, there)
	}
	a, err := f.conn.AskAttrs(ctx, &sftpwire.Lstat{Name: f.paths.Remote(name)})
	if err != nil {
		return f.orPart(ctx, name, false, ferry.Info{}, f.paths.Because(ctx, name, false, err))
	}
	i := sftpfacts.Info(name.Base(), a)
	if i.Mode&fs.ModeSymlink != 0 {
		i.Target, err = f.conn.AskName(ctx, &sftpwire.Readlink{Name: f.paths.Remote(name)})
		i.Stored = i.Target
	}
	return i, err
}

// Mkdir is ferry.FS's.
func (f *FS) Mkdir(ctx context.Context, name ferry.Name, perm *fs.FileMode) error {
	return fail("mkdir", name, f.mkdir(ctx, name, perm))
}

func (f *FS) mkdir(ctx context.Context, name ferry.Name, perm *fs.FileMode) error {
	if err := check(name); err != nil {
		return err
	}
	if name == "/" {
		return fs.ErrExist
	}
	err := f.conn.Do(ctx, &sftpwire.Mkdir{Name: f.paths.Remote(name), Attrs: permission(perm)})
	return f.paths.Taken(ctx, name, err)
}

// permission are the attributes of something new; of perm nil, none: the server
// has its own idea.
func permission(perm *fs.FileMode) sftpwire.Attrs {
	if perm == nil {
		return sftpwire.Attrs{}
	}
	return sftpwire.Attrs{Flags: sftpwire.AttrMode, Mode: uint32(perm.Perm())}
}

// Remove is ferry.FS's.
func (f *FS) Remove(ctx context.Context, name ferry.Name) error {
	return fail("remove", name, f.remove(ctx, name))
}

func (f *FS) remove(ctx context.Context, name ferry.Name) error {
	if err := check(name); err != nil {
		return err
	}
	if name == "/" {
		return ferry.ErrIsDir
	}
	own, _, err := f.ownAt(ctx, name, false)
	if err != nil {
		return err
	}
	remote := f.paths.Remote(name)
	part := &sftpwire.Remove{Name: f.partFor(sftppath.Place{Dir: path.Dir(remote), Base: path.Base(remote)})}
	err = f.conn.Do(ctx, &sftpwire.Remove{Name: remote})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return f.paths.IsDir(ctx, name, false, err)
	}
	ended := own != nil && own.unlink()
	switch {
	case !f.keeps() && ended:
		return nil
	case f.keeps() && (ended || err == nil):
		return f.tidyLater(part)
	case f.keeps():
		if failed := f.conn.Do(ctx, part); failed == nil || errors.Is(failed, ferry.ErrBusy) {
			return failed
		}
	}
	return f.paths.Because(ctx, name, false, err)
}

// RemoveUnchanged is ferry.FS's, as far as version 3 lets a client tell: by size and
// time, and what takes the name between the look and the removal is removed.
func (f *FS) RemoveUnchanged(ctx context.Context, name ferry.Name, was ferry.Info) error {
	return fail("remove", name, f.removeUnchanged(ctx, name, was))
}

func (f *FS) removeUnchanged(ctx context.Context, name ferry.Name, was ferry.Info) error {
	if err := check(name); err != nil {
		return err
	}
	a, err := f.conn.AskAttrs(ctx, &sftpwire.Lstat{Name: f.paths.Remote(name)})
	if err != nil {
		return f.paths.Because(ctx, name, false, err)
	}
	i := sftpfacts.Info(name.Base(), a)
	switch {
	case i.IsDir():
		return ferry.ErrIsDir
	case !i.Unchanged(was):
		return ferry.ErrChanged
	}
	return f.conn.Do(ctx, &sftpwire.Remove{Name: f.paths.Remote(name)})
}

// Rmdir is ferry.FS's.
func (f *FS) Rmdir(ctx context.Context, name ferry.Name) error {
	return fail("rmdir", name, f.rmdir(ctx, name))
}

func (f *FS) rmdir(ctx context.Context, name ferry.Name) error {
	if err := check(name); err != nil {
		return err
	}
	if name == "/" {
		return fs.ErrPermission
	}
	gone := &sftpwire.Rmdir{Name: f.paths.Remote(name)}
	own, err := f.ownIn(ctx, name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err = f.conn.Do(ctx, gone)
	if err == nil { // and with it what a server of ours has staged
		for _, h := range own {
			h.unlink()
		}
		return nil
	}
	if !sftpconn.Unclear(err) {
		return f.paths.NotDir(ctx, name, false, err)
	}
	if at, look := f.paths.Resolve(ctx, name, false); look == nil && at.There && !at.Mode.IsDir() {
		return sftpconn.Meaning(err, ferry.ErrNotDir)
	}
	parts, reason := f.onlyParts(ctx, name)
	if reason != nil {
		return sftpconn.Meaning(err, reason)
	}
	for _, part := range parts {
		if own := f.writer(part); own != nil {
			own.unlink()
			continue
		}
		if err := f.conn.Do(ctx, &sftpwire.Remove{Name: part}); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if len(parts) == 0 {
		return err
	}
	if err := f.tidied(ctx); err != nil {
		return err
	}
	return f.conn.Do(ctx, gone)
}

// onlyParts gives the parts in a directory that do not count where it is to be
// removed. Else it says what does: ErrNotEmpty, or ErrBusy of parts that are
// another's and not expired.
func (f *FS) onlyParts(ctx context.Context, name ferry.Name) ([]string, error) {
	var parts []string
	busy := false
	for e, err := range f.entries(ctx, name) {
		switch {
		case err != nil:
			return nil, err
		case !isPart(e.Name):
			return nil, ferry.ErrNotEmpty
		}
		part := path.Join(f.paths.Remote(name), e.Name)
		mine := strings.HasPrefix(e.Name, f.ownPrefix()) && f.keeps() || f.writer(part) != nil
		busy = busy || !mine && !f.expired(sftpfacts.Info(e.Name, e.Attrs))
		parts = append(parts, part)
	}
	if busy {
		return nil, ferry.ErrBusy
	}
	return parts, nil
}

// Readlink is ferry.FS's.
func (f *FS) Readlink(ctx context.Context, name ferry.Name) (string, error) {
	target, err := f.readlink(ctx, name)
	return target, fail("readlink", name, err)
}

func (f *FS) readlink(ctx context.Context, name ferry.Name) (string, error) {
	if err := check(name); err != nil {
		return "", err
	}
	target, err := f.conn.AskName(ctx, &sftpwire.Readlink{Name: f.paths.Remote(name)})
	if sftpconn.Unclear(err) {
		if at, look := f.paths.Resolve(ctx, name, false); look == nil && at.There && at.Mode&fs.ModeSymlink == 0 {
			return "", sftpconn.Meaning(err, fs.ErrInvalid)
		}
	}
	return target, f.paths.Because(ctx, name, false, err)
}

// Symlink is ferry.FS's.
func (f *FS) Symlink(ctx context.Context, target string, name ferry.Name) error {
	return fail("symlink", name, f.symlink(ctx, target, name))
}

func (f *FS) symlink(ctx context.Context, target string, name ferry.Name) error {
	if err := check(name); err != nil {
		return err
	}
	switch {
	case target == "":
		return fs.ErrNotExist
	case strings.IndexByte(target, 0) >= 0:
		return ferry.ErrBadName
	case name == "/":
		return fs.ErrExist
	}
	err := f.conn.Do(ctx, &sftpwire.Symlink{Target: target, Name: f.paths.Remote(name)})
	return f.paths.Taken(ctx, name, err)
}

// Link is ferry.FS's: errors.ErrUnsupported where the server has no
// hardlink@openssh.com.
func (f *FS) Link(ctx context.Context, from, name ferry.Name) error {
	return fail("link", name, f.link(ctx, from, name))
}

func (f *FS) link(ctx context.Context, from, name ferry.Name) error {
	if err := errors.Join(check(from), check(name)); err != nil {
		return ferry.ErrBadName
	}
	if !f.hello.Has(new(sftpwire.Hardlink)) {
		return errors.ErrUnsupported
	}
	err := f.conn.Do(ctx, &sftpwire.Hardlink{From: f.paths.Remote(from), To: f.paths.Remote(name)})
	if err == nil {
		return nil
	}
	src, look := f.paths.Resolve(ctx, from, false)
	if look == nil && !src.There {
		look = fs.ErrNotExist
	}
	if look != nil {
		return sftpconn.Meaning(err, look)
	}
	if err = f.paths.Taken(ctx, name, err); sftpconn.Unclear(err) && src.Mode.IsDir() {
		return sftpconn.Meaning(err, fs.ErrPermission)
	}
	return err
}

// Space is ferry.FS's: errors.ErrUnsupported where the server has no
// statvfs@openssh.com.
func (f *FS) Space(ctx context.Context, name ferry.Name) (ferry.Space, error) {
	s, err := f.space(ctx, name)
	return s, fail("space", name, err)
}

func (f *FS) space(ctx context.Context, name ferry.Name) (ferry.Space, error) {
	if err := check(name); err != nil {
		return ferry.Space{}, err
	}
	if !f.hello.Has(new(sftpwire.Statvfs)) {
		return ferry.Space{}, errors.ErrUnsupported
	}
	var s sftpwire.StatvfsReply
	if err := f.conn.AskExtended(ctx, &sftpwire.Statvfs{Name: f.paths.Remote(name)}, &s); err != nil {
		return ferry.Space{}, f.paths.Because(ctx, name, true, err)
	}
	return sftpfacts.SpaceOf(&s), nil
}
