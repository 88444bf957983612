package disk

import (
	"context"
	"errors"
	"io/fs"

	"ferry"
)

// SetAttr changes the attributes that a sets.
func (v *view) SetAttr(ctx context.Context, name ferry.Name, a ferry.Attr) error {
	if h := v.unfinished(name, !a.NoFollow); h != nil {
		err := h.SetAttr(a)
		if !errors.Is(err, ferry.ErrClosed) { // else it was finished this very moment
			return fail("setattr", name, err)
		}
	}
	return fail("setattr", name, v.setAttr(name, a))
}

func (v *view) setAttr(name ferry.Name, a ferry.Attr) error {
	o, err := v.t.root.lookFor(name, a)
	if err != nil {
		return err
	}
	defer o.close()
	if a.Mode != nil && isLink(&o.st) {
		return errors.ErrUnsupported
	}
	if !isDir(&o.st) && lendsIdentity(a.Mode) {
		return fs.ErrPermission
	}
	if a.Size != nil {
		if err := v.t.root.resize(o, *a.Size); err != nil {
			return err
		}
	}
	return v.t.root.setAttrs(o.fd, a)
}

// lendsIdentity tells whether a file of that mode runs as its owner or group:
// as us, since what is uploaded is ours.
func lendsIdentity(mode *fs.FileMode) bool {
	return mode != nil && *mode&(fs.ModeSetuid|fs.ModeSetgid) != 0
}
