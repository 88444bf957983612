package sftpclient

import (
	"context"
	"errors"
	"io/fs"

	"ferry"
	"ferry/internal/sftpconn"
)

// Version 3 has one code for a name that is missing, a file on the way, and
// links in a circle, and one for most of the rest. What follows looks again,
// after a refusal, at what stands there.

// because makes err, with which a request about name was refused, as exact as
// it can be: what stands on the way is told apart from what is missing.
func (f *FS) because(ctx context.Context, name ferry.Name, follow bool, err error) error {
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrInvalid) {
		return err
	}
	_, reason := f.resolve(ctx, name, follow)
	for _, exact := range []error{ferry.ErrNotDir, ferry.ErrLoop, ferry.ErrBadName} {
		if errors.Is(reason, exact) {
			return sftpconn.Meaning(err, exact)
		}
	}
	return err
}

// taken is because for what makes something new under name: something that
// stands there already is the reason.
func (f *FS) taken(ctx context.Context, name ferry.Name, err error) error {
	if !sftpconn.Unclear(err) {
		return f.because(ctx, name, false, err)
	}
	if at, look := f.resolve(ctx, name, false); look == nil && at.there {
		return sftpconn.Meaning(err, fs.ErrExist)
	}
	return err
}

// notDir is because for what wants name to be a directory.
func (f *FS) notDir(ctx context.Context, name ferry.Name, follow bool, err error) error {
	if errors.Is(err, fs.ErrNotExist) || sftpconn.Unclear(err) {
		if at, look := f.resolve(ctx, name, follow); look == nil && at.there && !at.mode.IsDir() {
			return sftpconn.Meaning(err, ferry.ErrNotDir)
		}
	}
	return f.because(ctx, name, follow, err)
}

// isDir is because for what wants name to be no directory.
func (f *FS) isDir(ctx context.Context, name ferry.Name, follow bool, err error) error {
	if errors.Is(err, fs.ErrPermission) || sftpconn.Unclear(err) {
		if at, look := f.resolve(ctx, name, follow); look == nil && at.mode.IsDir() {
			return sftpconn.Meaning(err, ferry.ErrIsDir)
		}
	}
	return f.because(ctx, name, follow, err)
}
