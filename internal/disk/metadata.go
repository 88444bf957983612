package disk

import (
	"io/fs"

	"golang.org/x/sys/unix"

	"ferry/internal/beneath"
)

// kept is what SetAttr has said about an upload, and what must therefore not
// be taken from the file it replaces.
type uploadAttrs struct {
	mode     *fs.FileMode
	uid, gid bool
}

func (k *uploadAttrs) note(mode *fs.FileMode, uid, gid *uint32) {
	if mode != nil {
		own := *mode
		k.mode = &own
	}
	k.uid = k.uid || uid != nil
	k.gid = k.gid || gid != nil
}

// newMode is the mode of the file that a part becomes where none stands.
func (h *handle) newMode() uint32 {
	if mode := h.up.attrs.mode; mode != nil {
		return beneath.KernelMode(*mode)
	}
	return h.v.newMode(h.up.at.Dir, h.perm)
}

// inherit gives the part what the file that it replaces hands on, or what a
// new file gets: extended attributes, mode, ACL, and the owner last, since
// whoever gives a file away may not change it any more. What cannot be kept is
// logged; whether that is to be expected was decided at Open.
func (h *handle) inherit(old *unix.Stat_t) error {
	u := h.up
	if old == nil || !beneath.IsRegular(old) {
		return h.v.names.Fchmod(h.fd, h.newMode())
	}
	h.v.names.CopyAttributes(h.fd, &u.at, func(attribute string, err error) {
		h.notKept("attribute", err, "attribute", attribute)
	})
	mode := old.Mode & 0o1777 // new content has not earned the setuid of the old
	if u.attrs.mode != nil {
		mode = beneath.KernelMode(*u.attrs.mode)
	}
	if err := h.v.names.Fchmod(h.fd, mode); err != nil {
		return err
	}
	if u.attrs.mode == nil {
		if err := h.v.names.CopyACL(h.fd, &u.at); err != nil {
			h.notKept("ACL", err)
		}
	}
	var st unix.Stat_t
	if err := unix.Fstat(h.fd, &st); err != nil {
		return err
	}
	uid, gid := -1, -1
	if !u.attrs.uid && st.Uid != old.Uid {
		uid = int(old.Uid)
	}
	if !u.attrs.gid && st.Gid != old.Gid {
		gid = int(old.Gid)
	}
	if uid < 0 && gid < 0 {
		return nil
	}
	if err := h.v.names.Chown(h.fd, uid, gid); err != nil {
		h.notKept("owner", err)
	}
	return nil
}

// notKept logs what of the replaced file the new one has not.
func (h *handle) notKept(what string, err error, more ...any) {
	args := append([]any{"user", h.v.owner.User, "file", h.up.at.Base}, more...)
	h.v.t.log.Warn(what+" of a replaced file not kept", append(args, "error", beneath.Meaning(err))...)
}
