package disk

import (
	"context"
	"io/fs"

	"ferry"
	"ferry/internal/beneath"
)

// Stat describes what name means, links followed.
func (v *sessionFS) Stat(ctx context.Context, name ferry.Name) (ferry.Info, error) {
	if h := v.unfinished(name, true); h != nil {
		if i, err := v.own(h, name, true); err == nil {
			return i, nil
		}
	}
	o, err := v.names.Look(name)
	if err != nil {
		i, err := v.orPart(name, true, ferry.Info{}, err)
		return i, beneath.Fail("stat", name, err)
	}
	defer o.Close()
	i, err := beneath.InfoOf(o.Fd, name)
	return i, beneath.Fail("stat", name, err)
}

// Lstat describes name itself.
func (v *sessionFS) Lstat(ctx context.Context, name ferry.Name) (ferry.Info, error) {
	if h := v.unfinished(name, false); h != nil {
		if i, err := v.own(h, name, false); err == nil {
			return i, nil
		}
	}
	p, err := v.names.Locate(name, false)
	if err != nil {
		return ferry.Info{}, beneath.Fail("lstat", name, err)
	}
	defer p.Close()
	i, err := v.names.Describe(p, name)
	i, err = v.orPart(name, false, i, err)
	return i, beneath.Fail("lstat", name, err)
}

// own describes the session's own unfinished file under a name that means it.
func (v *sessionFS) own(h *staged, name ferry.Name, follow bool) (ferry.Info, error) {
	i, err := h.Stat()
	if err != nil {
		return i, err
	}
	i.Name = name.Base()
	p, err := v.names.Locate(name, follow)
	if err != nil {
		return i, err
	}
	defer p.Close()
	i.Unfinished = !p.Exists
	return i, nil
}

// Readlink gives a link's target, as far as it may be shown.
func (v *sessionFS) Readlink(ctx context.Context, name ferry.Name) (string, error) {
	p, err := v.names.Locate(name, false)
	if err != nil {
		return "", beneath.Fail("readlink", name, err)
	}
	defer p.Close()
	_, target, err := v.names.Target(p.Dir, p.Base)
	if err == nil && target == "" {
		err = fs.ErrPermission
	}
	return target, beneath.Fail("readlink", name, err)
}

// Space describes the storage that holds name.
func (v *sessionFS) Space(ctx context.Context, name ferry.Name) (ferry.Space, error) {
	o, err := v.names.Look(name)
	if err != nil {
		return ferry.Space{}, beneath.Fail("statfs", name, err)
	}
	defer o.Close()
	space, err := v.names.Space(o.Fd)
	return space, beneath.Fail("statfs", name, err)
}
