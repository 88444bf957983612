package disk

import (
	"cmp"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"ferry"
)

func kind(st *unix.Stat_t) uint32     { return st.Mode & unix.S_IFMT }
func isLink(st *unix.Stat_t) bool     { return kind(st) == unix.S_IFLNK }
func isDir(st *unix.Stat_t) bool      { return kind(st) == unix.S_IFDIR }
func isRegular(st *unix.Stat_t) bool  { return kind(st) == unix.S_IFREG }
func same(a, b *unix.Stat_t) bool     { return a.Dev == b.Dev && a.Ino == b.Ino }
func procPath(fd int) string          { return "/proc/self/fd/" + strconv.Itoa(fd) }
func dirOf(st *unix.Stat_t) (d dirID) { return dirID{st.Dev, st.Ino} }

// dirID tells one directory from another as long as one of the two is open.
type dirID struct{ dev, ino uint64 }

// object is something that a name led to, looked at and not yet opened: fd is
// an O_PATH one. Looking this way has no effect on a FIFO or a device.
type object struct {
	fd int
	st unix.Stat_t
	// byName opens the same name once more, for where /proc is missing.
	byName func(flags int) (int, error)
	place  *place // that byName needs, closed with the object; or nil
}

func (o *object) close() {
	unix.Close(o.fd)
	if o.place != nil {
		o.place.close()
	}
}

// look finds what name means, links followed.
func (r *root) look(name ferry.Name) (*object, error) {
	rel := relative(name)
	fd, err := r.names.open(rel, unix.O_PATH)
	if err != nil {
		return nil, err
	}
	return r.inspect(fd, func(flags int) (int, error) { return r.names.open(rel, flags) })
}

// lookAt finds what stands at a place, without following a link.
func (r *root) lookAt(p *place) (*object, error) {
	open := func(flags int) (int, error) {
		return again(func() (int, error) { return unix.Openat(p.dir, p.base, flags|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0) })
	}
	fd, err := open(unix.O_PATH)
	if err != nil {
		return nil, err
	}
	return r.inspect(fd, open)
}

// inspect makes an object of fd, or closes it.
func (r *root) inspect(fd int, byName func(int) (int, error)) (*object, error) {
	o := &object{fd: fd, byName: byName}
	err := unix.Fstat(fd, &o.st)
	if err == nil {
		err = r.mounts.check(fd, o.st.Dev)
	}
	if err != nil {
		o.close()
		return nil, err
	}
	return o, nil
}

// regular answers an error where the object is not a regular file.
func (o *object) regular() error {
	switch kind(&o.st) {
	case unix.S_IFREG:
		return nil
	case unix.S_IFDIR:
		return ferry.ErrIsDir
	}
	return ferry.ErrNotRegular
}

// reopen opens that very object, a regular file, for what flags say.
func (r *root) reopen(o *object, flags int) (int, error) {
	flags |= unix.O_CLOEXEC
	if r.proc {
		// Without O_NONBLOCK: a file with a lease (Samba's oplocks) is waited for.
		return again(func() (int, error) { return unix.Open(procPath(o.fd), flags, 0) })
	}
	fd, err := o.byName(flags | unix.O_NONBLOCK | unix.O_NOCTTY)
	if err != nil {
		return -1, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || !same(&st, &o.st) {
		unix.Close(fd)
		return -1, unix.EAGAIN
	}
	return fd, nil
}

// procWorks tells whether an object can be opened again by its number.
func procWorks(root int) bool {
	fd, err := unix.Open(procPath(root), unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	var a, b unix.Stat_t
	return unix.Fstat(root, &a) == nil && unix.Fstat(fd, &b) == nil && same(&a, &b)
}

// relative makes a clean name one that a resolver takes.
func relative(name ferry.Name) string {
	return cmp.Or(strings.TrimPrefix(string(name), "/"), ".")
}

// place is where a name's last element stands or could stand: base in the
// directory that dir, an O_PATH one, holds open. Base is "." where the way
// ends in the root or in a ".." of a link.
type place struct {
	dir    int
	id     dirID
	base   string
	st     unix.Stat_t // of what stands there, a link not followed
	exists bool
}

func (p *place) close() { unix.Close(p.dir) }

// locate finds the place that name means. A link in the last element is
// followed if follow is set, even if it leads to nothing.
func (r *root) locate(name ferry.Name, follow bool) (*place, error) {
	rel := relative(name)
	for range maxLinks + 1 {
		p, err := r.placeOf(rel)
		if err != nil {
			return nil, err
		}
		if !follow || !p.exists || !isLink(&p.st) {
			return p, nil
		}
		target, err := readlink(p.dir, p.base)
		p.close()
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
func (r *root) placeOf(rel string) (*place, error) {
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
	fd, err := r.names.open(dir, unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	p := &place{dir: fd, base: base}
	if err := p.look(r); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// look finds out what stands at the place.
func (p *place) look(r *root) error {
	var dir unix.Stat_t
	if err := unix.Fstat(p.dir, &dir); err != nil {
		return err
	}
	if err := r.mounts.check(p.dir, dir.Dev); err != nil {
		return err
	}
	p.id = dirOf(&dir)
	if p.base == "." {
		p.st, p.exists = dir, true
		return nil
	}
	err := statAt(p.dir, p.base, &p.st)
	p.exists = err == nil
	if err == unix.ENOENT {
		err = nil
	}
	return err
}

// statAt is fstatat for the name itself, a link not followed.
func statAt(dir int, base string, st *unix.Stat_t) error {
	_, err := again(func() (int, error) { return 0, unix.Fstatat(dir, base, st, unix.AT_SYMLINK_NOFOLLOW) })
	return err
}

// readlink is readlinkat, with the buffer it needs.
func readlink(dir int, base string) (string, error) {
	buf := make([]byte, unix.PathMax)
	n, err := again(func() (int, error) { return unix.Readlinkat(dir, base, buf) })
	if err != nil {
		return "", err
	}
	return string(buf[:n]), nil
}
