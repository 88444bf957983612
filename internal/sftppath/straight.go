package sftppath

import (
	"context"
	"errors"
	"io/fs"
	"iter"

	"ferry"
)

// Straight is the tree of files, on the server of p, whose names lead through no link.
// Version 3 has no request that follows no link on its way, so the client looks first: a
// link that is made between the look and the request is followed.
func Straight(files ferry.FS, p *Paths) ferry.FS { return &straight{files, p} }

type straight struct {
	ferry.FS
	paths *Paths
}

// look finds out whether a link would have to be followed: ErrLoop. What else it finds
// is the request's to say.
func (s *straight) look(ctx context.Context, op string, name ferry.Name, follow bool) error {
	if _, err := s.paths.resolveBy(ctx, name, follow, 0); errors.Is(err, ferry.ErrLoop) {
		return &fs.PathError{Op: op, Path: string(name), Err: err}
	}
	return nil
}

// lookBoth is look at the parents of two names.
func (s *straight) lookBoth(ctx context.Context, op string, a, b ferry.Name) error {
	if err := s.look(ctx, op, a, false); err != nil {
		return err
	}
	return s.look(ctx, op, b, false)
}

func (s *straight) Straight() ferry.FS { return s }

func (s *straight) Stat(ctx context.Context, name ferry.Name) (ferry.Info, error) {
	if err := s.look(ctx, "stat", name, true); err != nil {
		return ferry.Info{}, err
	}
	return s.FS.Stat(ctx, name)
}

func (s *straight) Lstat(ctx context.Context, name ferry.Name) (ferry.Info, error) {
	if err := s.look(ctx, "lstat", name, false); err != nil {
		return ferry.Info{}, err
	}
	return s.FS.Lstat(ctx, name)
}

func (s *straight) List(ctx context.Context, dir ferry.Name, d ferry.Detail) iter.Seq2[ferry.Info, error] {
	return func(yield func(ferry.Info, error) bool) {
		if err := s.look(ctx, "list", dir, true); err != nil {
			yield(ferry.Info{}, err)
			return
		}
		s.FS.List(ctx, dir, d)(yield)
	}
}

func (s *straight) Open(ctx context.Context, name ferry.Name, o ferry.OpenOptions) (ferry.Handle, error) {
	if err := s.look(ctx, "open", name, !o.Mode.MustBeNew()); err != nil {
		return nil, err
	}
	return s.FS.Open(ctx, name, o)
}

func (s *straight) Part(ctx context.Context, name ferry.Name) (ferry.Info, error) {
	if err := s.look(ctx, "part", name, true); err != nil {
		return ferry.Info{}, err
	}
	return s.FS.Part(ctx, name)
}

func (s *straight) Mkdir(ctx context.Context, name ferry.Name, perm *fs.FileMode) error {
	if err := s.look(ctx, "mkdir", name, false); err != nil {
		return err
	}
	return s.FS.Mkdir(ctx, name, perm)
}

func (s *straight) Remove(ctx context.Context, name ferry.Name) error {
	if err := s.look(ctx, "remove", name, false); err != nil {
		return err
	}
	return s.FS.Remove(ctx, name)
}

func (s *straight) RemoveUnchanged(ctx context.Context, name ferry.Name, was ferry.Info) error {
	if err := s.look(ctx, "remove", name, false); err != nil {
		return err
	}
	return s.FS.RemoveUnchanged(ctx, name, was)
}

func (s *straight) Rmdir(ctx context.Context, name ferry.Name) error {
	if err := s.look(ctx, "rmdir", name, false); err != nil {
		return err
	}
	return s.FS.Rmdir(ctx, name)
}

func (s *straight) Rename(ctx context.Context, from, to ferry.Name, replace bool) error {
	if err := s.lookBoth(ctx, "rename", from, to); err != nil {
		return err
	}
	return s.FS.Rename(ctx, from, to, replace)
}

func (s *straight) SetAttr(ctx context.Context, name ferry.Name, a ferry.Attr) error {
	if err := s.look(ctx, "setattr", name, !a.NoFollow); err != nil {
		return err
	}
	return s.FS.SetAttr(ctx, name, a)
}

func (s *straight) Readlink(ctx context.Context, name ferry.Name) (string, error) {
	if err := s.look(ctx, "readlink", name, false); err != nil {
		return "", err
	}
	return s.FS.Readlink(ctx, name)
}

func (s *straight) Symlink(ctx context.Context, target string, name ferry.Name) error {
	if err := s.look(ctx, "symlink", name, false); err != nil {
		return err
	}
	return s.FS.Symlink(ctx, target, name)
}

func (s *straight) Link(ctx context.Context, from, name ferry.Name) error {
	if err := s.lookBoth(ctx, "link", from, name); err != nil {
		return err
	}
	return s.FS.Link(ctx, from, name)
}

func (s *straight) Space(ctx context.Context, name ferry.Name) (ferry.Space, error) {
	if err := s.look(ctx, "space", name, true); err != nil {
		return ferry.Space{}, err
	}
	return s.FS.Space(ctx, name)
}

var _ ferry.FS = (*straight)(nil)
