package sftpclient

import (
	"context"
	"errors"
	"io/fs"

	"ferry"
	"ferry/internal/sftpfacts"
	"ferry/internal/sftpwire"
)

// SetAttr is ferry.FS's. On a link itself it is errors.ErrUnsupported where the
// server has no lsetstat@openssh.com.
func (f *FS) SetAttr(ctx context.Context, name ferry.Name, a ferry.Attr) error {
	return fail("setattr", name, f.setAttr(ctx, name, a))
}

func (f *FS) setAttr(ctx context.Context, name ferry.Name, a ferry.Attr) error {
	if err := check(name); err != nil {
		return err
	}
	own, _, err := f.ownAt(ctx, name, !a.NoFollow)
	if err != nil {
		return err
	}
	if own != nil {
		return own.setAttr(ctx, a)
	}
	now, err := f.before(ctx, name, a)
	if err != nil {
		return err
	}
	isLink := sftpwire.FileMode(now.Mode)&fs.ModeSymlink != 0
	if err := allowed(a, now); err != nil {
		return err
	}
	var r sftpwire.Request = &sftpwire.Setstat{Name: f.paths.Remote(name), Attrs: sftpfacts.ToSet(a, now)}
	if a.NoFollow && a.Size == nil && f.hello.Has(new(sftpwire.Lsetstat)) {
		r = &sftpwire.Lsetstat{Name: f.paths.Remote(name), Attrs: sftpfacts.ToSet(a, now)}
	} else if isLink {
		return errors.ErrUnsupported
	}
	return f.paths.IsDir(ctx, name, !a.NoFollow, f.conn.Do(ctx, r))
}

// before is what has to be known of name before a can be set: nothing where
// the server will look at all that matters.
func (f *FS) before(ctx context.Context, name ferry.Name, a ferry.Attr) (sftpwire.Attrs, error) {
	special := a.Mode != nil && *a.Mode&(fs.ModeSetuid|fs.ModeSetgid) != 0
	none := sftpfacts.ToSet(a, sftpwire.Attrs{}).Flags == 0
	if !a.NoFollow && a.Size == nil && !special && !sftpfacts.Halves(a) && !none {
		return sftpwire.Attrs{}, nil
	}
	var r sftpwire.Request = &sftpwire.Stat{Name: f.paths.Remote(name)}
	if a.NoFollow {
		r = &sftpwire.Lstat{Name: f.paths.Remote(name)}
	}
	now, err := f.conn.AskAttrs(ctx, r)
	return now, f.paths.Because(ctx, name, !a.NoFollow, err)
}

// allowed refuses what the contract does, of what was found out by before.
func allowed(a ferry.Attr, now sftpwire.Attrs) error {
	mode := sftpwire.FileMode(now.Mode)
	isLink := mode&fs.ModeSymlink != 0
	switch {
	case a.Mode != nil && isLink:
		return errors.ErrUnsupported
	case a.Size != nil && (*a.Size < 0 || isLink):
		return fs.ErrInvalid
	case a.Size != nil && mode.IsDir():
		return ferry.ErrIsDir
	case a.Mode != nil && *a.Mode&(fs.ModeSetuid|fs.ModeSetgid) != 0 && !mode.IsDir():
		return fs.ErrPermission
	}
	return nil
}

// fail makes an error one about the client's name.
func fail(op string, name ferry.Name, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: string(name), Err: err}
}
