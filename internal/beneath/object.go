package beneath

import (
	"cmp"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"ferry"
)

func kind(st *unix.Stat_t) uint32     { return st.Mode & unix.S_IFMT }
func IsLink(st *unix.Stat_t) bool     { return kind(st) == unix.S_IFLNK }
func IsDir(st *unix.Stat_t) bool      { return kind(st) == unix.S_IFDIR }
func IsRegular(st *unix.Stat_t) bool  { return kind(st) == unix.S_IFREG }
func Same(a, b *unix.Stat_t) bool     { return a.Dev == b.Dev && a.Ino == b.Ino }
func ProcPath(fd int) string          { return "/proc/self/fd/" + strconv.Itoa(fd) }
func DirOf(st *unix.Stat_t) (d DirID) { return DirID{st.Dev, st.Ino} }

// DirID tells one directory from another as long as one of the two is open.
type DirID struct{ dev, ino uint64 }

// Object is something that a name led to, looked at and not yet opened: fd is
// an O_PATH one. Looking this way has no effect on a FIFO or a device.
type Object struct {
	Fd int
	St unix.Stat_t
	// byName opens the same name once more, for where /proc is missing.
	byName func(flags int) (int, error)
	place  *Place // that byName needs, closed with the object; or nil
	opens  bool   // be it a device
}

func (o *Object) Close() {
	unix.Close(o.Fd)
	if o.place != nil {
		o.place.Close()
	}
}

// Look finds what name means, links followed.
func (r *Root) Look(name ferry.Name) (*Object, error) {
	rel := relative(name)
	open := func(flags int) (int, error) {
		return r.openAs(func() (int, error) { return r.open(rel, flags) })
	}
	fd, err := open(unix.O_PATH)
	if err != nil {
		return nil, err
	}
	return r.Inspect(fd, open)
}

// LookAt finds what stands at a place, without following a link.
func (r *Root) LookAt(p *Place) (*Object, error) {
	open := func(flags int) (int, error) {
		return r.openAs(func() (int, error) { return unix.Openat(p.Dir, p.Base, flags|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0) })
	}
	fd, err := open(unix.O_PATH)
	if err != nil {
		return nil, err
	}
	return r.Inspect(fd, open)
}

// Inspect makes an object of fd, or closes it.
func (r *Root) Inspect(fd int, byName func(int) (int, error)) (*Object, error) {
	o := &Object{Fd: fd, byName: byName, opens: r.special}
	err := unix.Fstat(fd, &o.St)
	if err == nil {
		err = r.mounts.check(fd, o.St.Dev)
	}
	if err != nil {
		o.Close()
		return nil, err
	}
	return o, nil
}

// Regular answers an error where the object is not a regular file, nor a device where
// those are served.
func (o *Object) Regular() error { return openable(&o.St, o.opens) }

// Openable is Object.Regular for what stands at the place.
func (r *Root) Openable(p *Place) error { return openable(&p.St, r.special) }

// openable never lets a FIFO through: it has no offsets, and to open one waits for its
// other end.
func openable(st *unix.Stat_t, devices bool) error {
	switch kind(st) {
	case unix.S_IFREG:
		return nil
	case unix.S_IFDIR:
		return ferry.ErrIsDir
	case unix.S_IFCHR, unix.S_IFBLK:
		if devices {
			return nil
		}
	}
	return ferry.ErrNotRegular
}

// Reopen opens that very object, a regular file or a device, for what flags say.
func (r *Root) Reopen(o *Object, flags int) (int, error) {
	flags |= unix.O_CLOEXEC
	if !IsRegular(&o.St) { // a terminal or a line must neither be waited for nor become ours
		flags |= unix.O_NONBLOCK | unix.O_NOCTTY
	}
	if r.proc {
		// Without O_NONBLOCK: a file with a lease (Samba's oplocks) is waited for.
		return r.openAs(func() (int, error) { return unix.Open(ProcPath(o.Fd), flags, 0) })
	}
	fd, err := o.byName(flags | unix.O_NONBLOCK | unix.O_NOCTTY)
	if err != nil {
		return -1, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || !Same(&st, &o.St) {
		unix.Close(fd)
		return -1, unix.EAGAIN
	}
	return fd, nil
}

// procWorks tells whether an object can be opened again by its number.
func procWorks(root int) bool {
	fd, err := unix.Open(ProcPath(root), unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	var a, b unix.Stat_t
	return unix.Fstat(root, &a) == nil && unix.Fstat(fd, &b) == nil && Same(&a, &b)
}

// relative makes a clean name one that a resolver takes.
func relative(name ferry.Name) string {
	return cmp.Or(strings.TrimPrefix(string(name), "/"), ".")
}

// Place is where a name's last element stands or could stand: base in the
// directory that dir, an O_PATH one, holds open. Base is "." where the way
// ends in the root or in a ".." of a link.
type Place struct {
	Dir    int
	ID     DirID
	Base   string
	St     unix.Stat_t // of what stands there, a link not followed
	Exists bool
}

func (p *Place) Close() { unix.Close(p.Dir) }

// Dup is p with a descriptor of its own, to be closed by itself.
func (p *Place) Dup() (Place, error) {
	own := *p
	var err error
	own.Dir, err = unix.FcntlInt(uintptr(p.Dir), unix.F_DUPFD_CLOEXEC, 0)
	return own, err
}

// Locate finds the place that name means. A link in the last element is
// followed if follow is set, even if it leads to nothing.
func (r *Root) Locate(name ferry.Name, follow bool) (p *Place, err error) {
	err = r.run(func() (err error) {
		p, err = r.locate(relative(name), follow)
		return err
	})
	return p, err
}

func (r *Root) locate(rel string, follow bool) (*Place, error) {
	for range maxLinks + 1 {
		p, err := r.placeOf(rel)
		if err != nil {
			return nil, err
		}
		if !follow || !p.Exists || !IsLink(&p.St) {
			return p, nil
		}
		if r.straight {
			p.Close()
			return nil, unix.ELOOP
		}
		target, err := readlink(p.Dir, p.Base)
		p.Close()
		switch {
		case err == unix.EINVAL || err == unix.ENOENT: // no link any more: look again
		case err != nil:
			return nil, err
		case strings.HasPrefix(target, "/"):
			rel = target
		default:
			// Not cleaned: what ".." means after a link is the resolver's to say.
			up, _ := path.Split(rel)
			rel = up + target
		}
	}
	return nil, ferry.ErrLoop
}

// placeOf is locate for one step, without following the last element.
func (r *Root) placeOf(rel string) (*Place, error) {
	dir, base := path.Split(rel)
	if base == "" || base == "." || base == ".." {
		dir, base = rel, "."
	}
	if ferry.IsPart(base) {
		return nil, ferry.ErrBadName
	}
	if dir = strings.Trim(dir, "/"); dir == "" {
		dir = "."
	}
	fd, err := r.open(dir, unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	p := &Place{Dir: fd, Base: base}
	if err := p.look(r); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// look finds out what stands at the place.
func (p *Place) look(r *Root) error {
	var dir unix.Stat_t
	if err := unix.Fstat(p.Dir, &dir); err != nil {
		return err
	}
	if err := r.mounts.check(p.Dir, dir.Dev); err != nil {
		return err
	}
	p.ID = DirOf(&dir)
	if p.Base == "." {
		p.St, p.Exists = dir, true
		return nil
	}
	err := statAt(p.Dir, p.Base, &p.St)
	p.Exists = err == nil
	if err == unix.ENOENT {
		err = nil
	}
	return err
}

// StatAt is fstatat for the name itself, a link not followed.
func (r *Root) StatAt(dir int, base string, st *unix.Stat_t) error {
	return r.run(func() error { return statAt(dir, base, st) })
}

func statAt(dir int, base string, st *unix.Stat_t) error {
	_, err := RetryEINTR(func() (int, error) { return 0, unix.Fstatat(dir, base, st, unix.AT_SYMLINK_NOFOLLOW) })
	return err
}

// readlink is readlinkat, with the buffer it needs.
func readlink(dir int, base string) (string, error) {
	buf := make([]byte, unix.PathMax)
	n, err := RetryEINTR(func() (int, error) { return unix.Readlinkat(dir, base, buf) })
	if err != nil {
		return "", err
	}
	return string(buf[:n]), nil
}
