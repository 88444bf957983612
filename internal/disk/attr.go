package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"ferry"
	"ferry/internal/beneath"
)

// SetAttr changes the attributes that a sets.
func (v *sessionFS) SetAttr(ctx context.Context, name ferry.Name, a ferry.Attr) error {
	if h := v.unfinished(name, !a.NoFollow); h != nil {
		err := h.SetAttr(a)
		if !errors.Is(err, ferry.ErrClosed) { // else it was finished this very moment
			return beneath.Fail("setattr", name, err)
		}
	}
	return beneath.Fail("setattr", name, v.setAttr(name, a))
}

func (v *sessionFS) setAttr(name ferry.Name, a ferry.Attr) error {
	o, err := v.names.LookFor(name, a)
	if err == unix.ENOENT || err == fs.ErrNotExist {
		return v.setPartAttr(name, a, err)
	}
	if err != nil {
		return err
	}
	defer o.Close()
	if a.Mode != nil && beneath.IsLink(&o.St) {
		return errors.ErrUnsupported
	}
	if err := v.mayHave(a); err != nil && !beneath.IsDir(&o.St) {
		return err
	}
	if a.Size != nil {
		if err := v.names.Resize(o, *a.Size); err != nil {
			return err
		}
	}
	return v.names.SetAttrs(o.Fd, a)
}

// errIdentity is the answer to who would set such a mode.
var errIdentity = fmt.Errorf("clients set no setuid and setgid bits: %w", fs.ErrPermission)

// setPartAttr is setAttr where nothing stands, for a part that is written; missing is
// the answer where none is.
func (v *sessionFS) setPartAttr(name ferry.Name, a ferry.Attr, missing error) error {
	p, err := v.names.Locate(name, !a.NoFollow)
	if err != nil {
		return err
	}
	defer p.Close()
	h := v.written(p)
	switch {
	case h == nil || p.Exists:
		return missing
	case h.guard.Ended() != nil:
		return ferry.ErrBusy // it is being published, or given up
	}
	return h.SetAttr(a)
}

// mayHave tells whether the user may give a file the mode of a. One with setuid or setgid
// runs as its owner or group: as the server, where uploads belong to that.
func (v *sessionFS) mayHave(a ferry.Attr) error {
	if a.Mode != nil && *a.Mode&runsAs != 0 && !v.lends {
		return errIdentity
	}
	return nil
}

// runsAs are the bits of a mode by which a file runs as its owner or group.
const runsAs = fs.ModeSetuid | fs.ModeSetgid

// newMode is the mode of a file that is made in the directory dir with perm.
func (v *sessionFS) newMode(dir int, perm fs.FileMode) uint32 {
	if v.mayHave(ferry.Attr{Mode: &perm}) != nil {
		perm &^= runsAs
	}
	return v.names.NewMode(dir, perm, v.t.umask)
}
