package sftppath

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

// Because makes err, with which a request about name was refused, as exact as
// it can be: what stands on the way is told apart from what is missing.
func (p *Paths) Because(ctx context.Context, name ferry.Name, follow bool, err error) error {
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrInvalid) {
		return err
	}
	_, reason := p.Resolve(ctx, name, follow)
	for _, exact := range []error{ferry.ErrNotDir, ferry.ErrLoop, ferry.ErrBadName} {
		if errors.Is(reason, exact) {
			return sftpconn.Meaning(err, exact)
		}
	}
	return err
}

// Taken is Because for what makes something new under name: something that
// stands there already is the reason.
func (p *Paths) Taken(ctx context.Context, name ferry.Name, err error) error {
	if !sftpconn.Unclear(err) {
		return p.Because(ctx, name, false, err)
	}
	if at, look := p.Resolve(ctx, name, false); look == nil && at.There {
		return sftpconn.Meaning(err, fs.ErrExist)
	}
	return err
}

// NotDir is Because for what wants name to be a directory.
func (p *Paths) NotDir(ctx context.Context, name ferry.Name, follow bool, err error) error {
	if errors.Is(err, fs.ErrNotExist) || sftpconn.Unclear(err) {
		if at, look := p.Resolve(ctx, name, follow); look == nil && at.There && !at.Mode.IsDir() {
			return sftpconn.Meaning(err, ferry.ErrNotDir)
		}
	}
	return p.Because(ctx, name, follow, err)
}

// IsDir is Because for what wants name to be no directory.
func (p *Paths) IsDir(ctx context.Context, name ferry.Name, follow bool, err error) error {
	if errors.Is(err, fs.ErrPermission) || sftpconn.Unclear(err) {
		if at, look := p.Resolve(ctx, name, follow); look == nil && at.Mode.IsDir() {
			return sftpconn.Meaning(err, ferry.ErrIsDir)
		}
	}
	return p.Because(ctx, name, follow, err)
}
