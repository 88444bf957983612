package beneath

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"ferry"
)

// maxLinks is how many links are followed for one name, as in Linux.
const maxLinks = 40

// resolver finds what a name means, beneath the root and nowhere else.
type resolver interface {
	// open opens what rel leads to, a path relative to the root in which a
	// link, "." and ".." may stand anywhere. Absolute links and ".." at the
	// root mean the root. Nothing is created.
	open(rel string, flags int) (int, error)
	// straight is open that follows no link: ELOOP where one stands, in the last
	// element too. In rel there is no "..".
	straight(rel string, flags int) (int, error)
	name() string
	Close() error
}

// newResolver chooses who resolves names below the directory root, which is
// also open as fd.
func newResolver(want, root string, fd int) (resolver, error) {
	switch want {
	case "":
		if probe(fd) == nil {
			return newKernel(fd)
		}
		return newLibrary(root)
	case "openat2":
		if err := probe(fd); err != nil {
			return nil, fmt.Errorf("the kernel does not offer openat2 (%w); use the resolver os.Root", err)
		}
		return newKernel(fd)
	case "os.Root":
		return newLibrary(root)
	}
	return nil, fmt.Errorf("there is no resolver %q; use openat2, os.Root, or leave it empty", want)
}

// probe tries openat2: kernels before 5.6 have none, and sandboxes forbid it.
func probe(fd int) error {
	got, err := unix.Openat2(fd, ".", beneath(unix.O_PATH))
	if err == nil {
		unix.Close(got)
	}
	return err
}

// beneath is how a name is opened: absolute links and ".." stay in the root,
// and links of /proc that lead anywhere are refused.
func beneath(flags int) *unix.OpenHow {
	return &unix.OpenHow{
		Flags:   uint64(flags | unix.O_CLOEXEC),
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	}
}

// kernel is the resolver of Linux itself: one system call for a whole name.
type kernel struct {
	mu   sync.RWMutex // so that fd is not closed, and reused, under an open
	fd   int
	shut bool
}

func newKernel(fd int) (resolver, error) {
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	return &kernel{fd: own}, err
}

func (k *kernel) open(rel string, flags int) (int, error) { return k.resolve(rel, beneath(flags)) }

func (k *kernel) straight(rel string, flags int) (int, error) {
	how := beneath(flags)
	how.Resolve |= unix.RESOLVE_NO_SYMLINKS
	return k.resolve(rel, how)
}

func (k *kernel) resolve(rel string, how *unix.OpenHow) (int, error) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.shut {
		return -1, ferry.ErrClosed
	}
	// EAGAIN says that something was renamed on the way and the kernel cannot
	// vouch that ".." stayed inside. A busy tree does that for a moment only.
	var fd int
	err := error(unix.EAGAIN)
	for tries := 0; err == unix.EAGAIN && tries < 1000; tries++ {
		fd, err = RetryEINTR(func() (int, error) { return unix.Openat2(k.fd, rel, how) })
	}
	return fd, err
}

func (k *kernel) name() string { return "openat2" }

func (k *kernel) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.shut {
		return nil
	}
	k.shut = true
	return unix.Close(k.fd)
}

// library is the resolver for where there is no openat2: os.Root walks, one
// open per element, and never leaves the root. What it would refuse although
// it is inside (an absolute link, ".." beyond the root, more than 8 links) is
// put in plain terms first, link by link, and then walked by os.Root again, so
// a link that is swapped meanwhile can lead to an error and not outside.
//
// It differs from openat2 in four things: it takes more system calls; every
// directory on the way must be readable, not only searchable; a link that leads
// through a missing name or a file and back by ".." works; and a link of /proc
// means what its text says, beneath the root, where openat2 refuses it.
type library struct {
	root *os.Root
}

func newLibrary(root string) (resolver, error) {
	r, err := os.OpenRoot(root)
	return &library{root: r}, err
}

func (l *library) open(rel string, flags int) (int, error) {
	fd, err := l.direct(rel, flags)
	if err != errDetour {
		return fd, err
	}
	plain, err := l.expand(rel)
	if err != nil {
		return -1, err
	}
	if fd, err = l.direct(plain, flags); err == errDetour {
		err = unix.ELOOP
	}
	return fd, err
}

// errDetour says that os.Root refused a way that may still lie inside.
var errDetour = errors.New("not a way that os.Root goes")

// direct lets os.Root go the whole way.
func (l *library) direct(rel string, flags int) (int, error) {
	rel = strings.TrimLeft(rel, "/")
	if rel == "" {
		rel = "."
	}
	f, err := l.root.OpenFile(rel, flags, 0)
	if err != nil {
		return -1, refusal(err)
	}
	defer f.Close()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil || flags&unix.O_PATH == 0 || flags&unix.O_NOFOLLOW != 0 {
		return fd, err
	}
	// os.Root opens with O_NOFOLLOW, and together with O_PATH that gives the
	// link itself.
	var st unix.Stat_t
	if err = unix.Fstat(fd, &st); err == nil && IsLink(&st) {
		err = errDetour
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// refusal tells os.Root's own refusals from errors of the system.
func refusal(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return ferry.ErrClosed
	}
	var errno unix.Errno
	if errors.As(err, &errno) && errno != unix.ELOOP {
		return errno
	}
	return errDetour
}

// straight goes element by element, each from the directory before it.
func (l *library) straight(rel string, flags int) (int, error) {
	at, err := l.direct(".", unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return -1, err
	}
	defer func() { unix.Close(at) }()
	elements := strings.Split(strings.Trim(rel, "/"), "/")
	for _, element := range elements[:len(elements)-1] {
		next, err := openNoLink(at, element, unix.O_PATH)
		if err != nil {
			return -1, err
		}
		unix.Close(at)
		at = next
	}
	return openNoLink(at, elements[len(elements)-1], flags)
}

// openNoLink opens the entry of a directory, unless it is a link.
func openNoLink(dir int, element string, flags int) (int, error) {
	fd, err := RetryEINTR(func() (int, error) {
		return unix.Openat(dir, element, flags&^unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return -1, err
	}
	// With O_PATH a link itself is opened; and O_DIRECTORY would call it no directory.
	var st unix.Stat_t
	if err = unix.Fstat(fd, &st); err == nil && IsLink(&st) {
		err = unix.ELOOP
	}
	if err == nil && flags&unix.O_DIRECTORY != 0 && !IsDir(&st) {
		err = unix.ENOTDIR
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// expand puts what each link on the way points to in the link's place.
func (l *library) expand(rel string) (string, error) {
	var done []string
	rest := strings.Split(rel, "/")
	for links := 0; len(rest) > 0; {
		element := rest[0]
		rest = rest[1:]
		switch element {
		case "", ".":
			continue
		case "..":
			done = done[:max(0, len(done)-1)]
			continue
		}
		target, err := l.root.Readlink(path.Join(path.Join(done...), element))
		if err != nil { // not a link, or a matter for the open that follows
			if errors.Is(err, fs.ErrPermission) {
				return "", unix.EACCES
			}
			done = append(done, element)
			continue
		}
		if links++; links > maxLinks {
			return "", unix.ELOOP
		}
		if strings.HasPrefix(target, "/") {
			done = nil
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return path.Join(done...), nil
}

func (l *library) name() string { return "os.Root" }

func (l *library) Close() error { return l.root.Close() }
