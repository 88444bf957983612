package disk

import (
	"io/fs"
	"strings"

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
	return h.v.t.root.NewMode(h.up.at.Dir, h.perm, h.v.t.umask)
}

// inherit gives the part what the file that it replaces hands on, or what a
// new file gets: extended attributes, mode, ACL, and the owner last, since
// whoever gives a file away may not change it any more. What cannot be kept is
// logged; whether that is to be expected was decided at Open.
func (h *handle) inherit(old *unix.Stat_t) error {
	u := h.up
	if old == nil || !beneath.IsRegular(old) {
		return unix.Fchmod(h.fd, h.newMode())
	}
	h.copyAttributes()
	mode := old.Mode & 0o1777 // new content has not earned the setuid of the old
	if u.attrs.mode != nil {
		mode = beneath.KernelMode(*u.attrs.mode)
	}
	if err := unix.Fchmod(h.fd, mode); err != nil {
		return err
	}
	if u.attrs.mode == nil {
		h.copyACL()
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
	if err := unix.Fchown(h.fd, uid, gid); err != nil {
		h.v.t.log.Warn("owner of a replaced file not kept", "user", h.v.owner.User, "file", u.at.Base, "error", beneath.Meaning(err))
	}
	return nil
}

// tryOwner gives a new part the group of the file that it is to replace, and for a
// moment its owner: whether the system allows that depends on more than can be asked
// for (capabilities, user namespaces, what a network file system makes of numbers).
// The group stays; the owner comes last, in inherit.
func tryOwner(fd int, old *unix.Stat_t) bool {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return false
	}
	if st.Gid != old.Gid && unix.Fchown(fd, -1, int(old.Gid)) != nil {
		return false
	}
	if st.Uid == old.Uid {
		return true
	}
	return unix.Fchown(fd, int(old.Uid), -1) == nil && unix.Fchown(fd, int(st.Uid), -1) == nil
}

const accessACL = "system.posix_acl_access"

// copyACL gives the part the ACL of the file it replaces, or none.
func (h *handle) copyACL() {
	if !h.v.t.root.HasProc() {
		return
	}
	acl, ok := h.attribute(accessACL)
	if !ok {
		unix.Fremovexattr(h.fd, accessACL) // what the directory's default gave it
		return
	}
	if err := unix.Fsetxattr(h.fd, accessACL, acl, 0); err != nil {
		h.v.t.log.Warn("ACL of a replaced file not kept", "user", h.v.owner.User, "file", h.up.at.Base, "error", beneath.Meaning(err))
	}
}

// copyAttributes copies the user's extended attributes. Those of the kernel
// belong to the old content (file capabilities) or come by themselves.
func (h *handle) copyAttributes() {
	if !h.v.t.root.HasProc() {
		return
	}
	list := make([]byte, 4096)
	n, err := unix.Llistxattr(h.standing(), list)
	if err == unix.ERANGE {
		list = make([]byte, 64<<10) // the most that Linux gives
		n, err = unix.Llistxattr(h.standing(), list)
	}
	if err != nil {
		return
	}
	for name := range strings.SplitSeq(string(list[:n]), "\x00") {
		if !strings.HasPrefix(name, "user.") {
			continue
		}
		value, ok := h.attribute(name)
		if !ok {
			continue
		}
		if err := unix.Fsetxattr(h.fd, name, value, 0); err != nil {
			h.v.t.log.Warn("attribute of a replaced file not kept", "user", h.v.owner.User, "file", h.up.at.Base, "attribute", name, "error", beneath.Meaning(err))
		}
	}
}

// standing is a path to the file that is to be replaced, whatever its
// directory is called now.
func (h *handle) standing() string { return beneath.ProcPath(h.up.at.Dir) + "/" + h.up.at.Base }

// attribute reads an extended attribute of the file that is to be replaced.
func (h *handle) attribute(name string) ([]byte, bool) {
	size, err := unix.Lgetxattr(h.standing(), name, nil)
	if err != nil {
		return nil, false
	}
	value := make([]byte, size)
	size, err = unix.Lgetxattr(h.standing(), name, value)
	if err != nil {
		return nil, false
	}
	return value[:size], true
}
