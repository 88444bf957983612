package sftpclient

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"path"

	"ferry"
	"ferry/internal/sftpconn"
	"ferry/internal/sftppath"
	"ferry/internal/sftpwire"
)

// Rename is ferry.FS's.
func (f *FS) Rename(ctx context.Context, from, to ferry.Name, replace bool) error {
	return fail("rename", from, f.rename(ctx, from, to, replace))
}

func (f *FS) rename(ctx context.Context, from, to ferry.Name, replace bool) error {
	if err := errors.Join(check(from), check(to)); err != nil {
		return ferry.ErrBadName
	}
	if from == "/" || to == "/" {
		return fs.ErrPermission
	}
	if !f.uploading() {
		return f.renameFile(ctx, from, to, replace)
	}
	src, err := f.paths.Resolve(ctx, from, false)
	if err != nil {
		return err
	}
	dst, err := f.paths.Resolve(ctx, to, false)
	if err != nil {
		return err
	}
	if own := f.own(src); own != nil {
		return own.rename(ctx, dst, replace)
	}
	if err := f.renameFile(ctx, from, to, replace); err != nil {
		return err
	}
	if own := f.own(dst); own != nil && src.Path() != dst.Path() {
		own.unlink()
	}
	f.renamed(src.Path(), dst.Path())
	return nil
}

// renameFile renames what is finished, and ends the part for to: the one in the
// directory that to names afterwards.
func (f *FS) renameFile(ctx context.Context, from, to ferry.Name, replace bool) error {
	src, dst := f.paths.Remote(from), f.paths.Remote(to)
	var err error
	if replace {
		err = f.overwrite(ctx, src, dst)
	} else if err = f.vacant(ctx, src, dst); err == nil {
		err = f.conn.Do(ctx, &sftpwire.Rename{From: src, To: dst})
	}
	if err != nil {
		return f.whyNotRenamed(ctx, from, to, replace, err)
	}
	if f.keeps() && src != dst {
		return f.tidyLater(&sftpwire.Remove{Name: f.partFor(sftppath.Place{Dir: path.Dir(dst), Base: path.Base(dst)})})
	}
	return nil
}

// vacant refuses a rename onto what stands at dst. RENAME does not replace,
// but OpenSSH's server looks before it renames what is no regular file, and
// that through links: it replaces a link that leads nowhere.
func (f *FS) vacant(ctx context.Context, src, dst string) error {
	from, err := f.conn.Begin(ctx, &sftpwire.Lstat{Name: src})
	if err != nil {
		return err
	}
	defer from.Leave()
	to, err := f.conn.Begin(ctx, &sftpwire.Lstat{Name: dst})
	if err != nil {
		return err
	}
	defer to.Leave()
	if _, err := from.Wait(ctx); err != nil {
		return err
	}
	_, err = to.Wait(ctx)
	if err == nil {
		return fs.ErrExist
	}
	return ignoreRefusal(err)
}

// overwrite renames and replaces what stands at dst, in one step where the
// server has posix-rename@openssh.com. Where it has not, a file at dst is put
// aside first: for a moment nothing has the name, but nothing is lost.
func (f *FS) overwrite(ctx context.Context, src, dst string) error {
	if f.hello.Has(new(sftpwire.PosixRename)) {
		return f.conn.Do(ctx, &sftpwire.PosixRename{From: src, To: dst})
	}
	plain := &sftpwire.Rename{From: src, To: dst}
	err := f.conn.Do(ctx, plain)
	if !sftpconn.Unclear(err) || src == dst {
		return err
	}
	if old, look := f.conn.AskAttrs(ctx, &sftpwire.Lstat{Name: dst}); look != nil || sftpwire.FileMode(old.Mode).IsDir() {
		return err
	}
	aside := path.Join(path.Dir(dst), f.ownPrefix()+digits(rand.Text(), nameDigits))
	if err := f.conn.Do(ctx, &sftpwire.Rename{From: dst, To: aside}); err != nil {
		return err
	}
	if err := f.conn.Do(ctx, plain); err != nil {
		return errors.Join(err, f.conn.Do(ctx, &sftpwire.Rename{From: aside, To: dst}))
	}
	return f.conn.Do(ctx, &sftpwire.Remove{Name: aside})
}

// whyNotRenamed asks, after the fact, what rename(2) asks, in the order of
// Linux.
func (f *FS) whyNotRenamed(ctx context.Context, from, to ferry.Name, replace bool, err error) error {
	if errors.Is(err, fs.ErrPermission) || !errors.As(err, new(*sftpconn.StatusError)) {
		return err
	}
	src, look := f.paths.Resolve(ctx, from, false)
	var dst sftppath.Place
	if look == nil {
		dst, look = f.paths.Resolve(ctx, to, false)
	}
	switch {
	case look != nil:
		return sftpconn.Meaning(err, look)
	case !src.There:
		return sftpconn.Meaning(err, fs.ErrNotExist)
	case dst.There && !replace:
		return sftpconn.Meaning(err, fs.ErrExist)
	case sftppath.IsWithin(dst.Dir, src.Path()):
		return sftpconn.Meaning(err, fs.ErrInvalid)
	case sftppath.IsWithin(src.Dir, dst.Path()):
		return sftpconn.Meaning(err, ferry.ErrNotEmpty)
	case !dst.There || errors.Is(err, fs.ErrInvalid):
		return err
	case src.Mode.IsDir() && !dst.Mode.IsDir():
		return sftpconn.Meaning(err, ferry.ErrNotDir)
	case !src.Mode.IsDir() && dst.Mode.IsDir():
		return sftpconn.Meaning(err, ferry.ErrIsDir)
	case dst.Mode.IsDir():
		return sftpconn.Meaning(err, ferry.ErrNotEmpty)
	}
	return err
}

// renamed takes the uploads below a directory along that went from src to dst.
func (f *FS) renamed(src, dst string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for h := range f.handles {
		if h.part != "" && sftppath.IsWithin(h.dir, src) {
			h.dir = path.Join(dst, h.dir[len(src):])
			h.part = path.Join(h.dir, path.Base(h.part))
		}
	}
}

// rename makes an unfinished upload one for another place.
func (h *handle) rename(ctx context.Context, dst sftppath.Place, replace bool) error {
	h.changing.Lock()
	defer h.changing.Unlock()
	f, same := h.fs, h.dir == dst.Dir && h.base == dst.Base
	switch {
	case dst.Base == "":
		return fs.ErrPermission
	case !replace && (same || dst.There || f.reserved(dst, f.own(dst))):
		return fs.ErrExist
	case dst.There && dst.Mode.IsDir():
		return ferry.ErrIsDir
	case same:
		return nil
	}
	if other := f.own(dst); other != nil {
		other.unlink()
	}
	part := f.partFor(dst)
	if f.keeps() {
		if err := f.tidyLater(&sftpwire.Remove{Name: part}); err != nil {
			return err
		}
	}
	if err := f.conn.Do(ctx, &sftpwire.Rename{From: h.staged().part, To: part}); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	h.dir, h.base, h.part, h.exclusive = dst.Dir, dst.Base, part, !replace
	return nil
}

// unlink ends an unfinished upload, as an open file is that loses its name;
// false: it has ended before.
func (h *handle) unlink() bool {
	h.changing.Lock()
	defer h.changing.Unlock()
	f := h.fs
	f.mu.Lock()
	part := h.part
	h.part = ""
	h.removed = h.removed || part != ""
	f.mu.Unlock()
	if part == "" {
		return false
	}
	_ = f.tidyLater(&sftpwire.Remove{Name: part}) // it has ended, whatever becomes of that
	return true
}
