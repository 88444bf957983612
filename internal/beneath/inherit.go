package beneath

import (
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"
)

// What a file hands on to the one that replaces it. Its attributes are read by its
// name beside an open directory (/proc), since only that is a path which stays.

// Own is what the new file has of its own, and does not take from the old one.
type Own struct {
	Mode     *fs.FileMode
	UID, GID bool
}

// Note takes down what was set; nil was not.
func (o *Own) Note(mode *fs.FileMode, uid, gid *uint32) {
	if mode != nil {
		o.Mode = new(*mode)
	}
	o.UID = o.UID || uid != nil
	o.GID = o.GID || gid != nil
}

// Inherit gives the open file fd what the file at p, which is old, hands on: extended
// attributes, mode, ACL, and the owner last, since whoever gives a file away may not
// change it any more. What cannot be kept is told to lost.
func (r *Root) Inherit(fd int, p *Place, old *unix.Stat_t, own Own, lost func(what string, err error)) error {
	r.copyAttributes(fd, p, lost)
	mode := old.Mode & 0o1777 // new content has not earned the setuid of the old
	if own.Mode != nil {
		mode = KernelMode(*own.Mode)
	}
	if err := r.Fchmod(fd, mode); err != nil {
		return err
	}
	if own.Mode == nil {
		if err := r.copyACL(fd, p); err != nil {
			lost("ACL", err)
		}
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	uid, gid := -1, -1
	if !own.UID && st.Uid != old.Uid {
		uid = int(old.Uid)
	}
	if !own.GID && st.Gid != old.Gid {
		gid = int(old.Gid)
	}
	if uid < 0 && gid < 0 {
		return nil
	}
	if err := r.call(func() error { return unix.Fchown(fd, uid, gid) }); err != nil {
		lost("owner", err)
	}
	return nil
}

// Unfit says why the file at p, which exists, must be written in place and cannot be
// replaced, or "". Fd is what is to replace it, unless that could not be made: err.
func (r *Root) Unfit(p *Place, fd int, err error) string {
	switch {
	case err == unix.EACCES || err == unix.EPERM || err == unix.EROFS || err == unix.ENOENT: // the last in procfs
		return "the directory may not be written"
	case err != nil:
		return ""
	case p.St.Nlink > 1:
		return "the file has other hard links"
	case !r.TryOwner(fd, &p.St):
		return "the file's owner could not be kept"
	}
	return ""
}

// TryOwner gives the open file fd the group of the file that it is to replace, and for
// a moment its owner: whether the system allows that depends on more than can be asked
// for (capabilities, user namespaces, what a network file system makes of numbers).
// The group stays; the owner is to come last.
func (r *Root) TryOwner(fd int, old *unix.Stat_t) bool {
	return r.run(func() error {
		if !tryOwner(fd, old) {
			return unix.EPERM
		}
		return nil
	}) == nil
}

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

// copyACL gives the open file fd the ACL of the file at p, or none.
func (r *Root) copyACL(fd int, p *Place) error {
	if !r.proc {
		return nil
	}
	return r.run(func() error {
		acl, ok := p.attribute(accessACL)
		if !ok {
			unix.Fremovexattr(fd, accessACL) // what the directory's default gave it
			return nil
		}
		return unix.Fsetxattr(fd, accessACL, acl, 0)
	})
}

// copyAttributes gives the open file fd the user's extended attributes of the file at
// p. Those of the kernel belong to the old content (file capabilities) or come by
// themselves.
func (r *Root) copyAttributes(fd int, p *Place, lost func(what string, err error)) {
	if !r.proc {
		return
	}
	failures := map[string]error{}
	_ = r.run(func() error { // which failed is told of afterwards: that is not the user's to do
		userAttributes(fd, p, failures)
		return nil
	})
	for attribute, err := range failures {
		lost("attribute "+attribute, err)
	}
}

func userAttributes(fd int, p *Place, failures map[string]error) {
	list := make([]byte, 4096)
	n, err := unix.Llistxattr(p.path(), list)
	if err == unix.ERANGE {
		list = make([]byte, 64<<10) // the most that Linux gives
		n, err = unix.Llistxattr(p.path(), list)
	}
	if err != nil {
		return
	}
	for name := range strings.SplitSeq(string(list[:n]), "\x00") {
		if !strings.HasPrefix(name, "user.") {
			continue
		}
		value, ok := p.attribute(name)
		if !ok {
			continue
		}
		if err := unix.Fsetxattr(fd, name, value, 0); err != nil {
			failures[name] = err
		}
	}
}

// path leads to the file at p, whatever its directory is called now.
func (p *Place) path() string { return ProcPath(p.Dir) + "/" + p.Base }

// attribute reads an extended attribute of the file at p.
func (p *Place) attribute(name string) ([]byte, bool) {
	size, err := unix.Lgetxattr(p.path(), name, nil)
	if err != nil {
		return nil, false
	}
	value := make([]byte, size)
	size, err = unix.Lgetxattr(p.path(), name, value)
	if err != nil {
		return nil, false
	}
	return value[:size], true
}
