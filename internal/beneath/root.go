package beneath

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"ferry"
	"ferry/internal/quota"
	"ferry/internal/runas"
)

// Root is a directory of the host and everything beneath it, by names that cannot
// leave it. It is safe for concurrent use.
type Root struct {
	names    resolver
	as       *runas.User // who all that names a file is done as
	straight bool        // no link is followed
	mounts   *mounts
	paths    []string       // of the host that are the root; none: it is the host's own
	proc     bool           // /proc is there, so an open object can be opened again
	account  *quota.Account // what is counted of changes; nil: nothing is
	special  bool           // devices, and file systems of the kernel, are served too
}

// Straight is r by names as they are: where a link would have to be followed, on the
// way or in the last element, the answer is ELOOP. Closing r closes it.
func (r *Root) Straight() *Root {
	s := *r
	s.straight = true
	return &s
}

// As is r for what is done as that user. Closing either closes both.
func (r *Root) As(u *runas.User) *Root {
	s := *r
	s.as = u
	return &s
}

// Counted is r with what is changed counted by a.
func (r *Root) Counted(a *quota.Account) *Root {
	s := *r
	s.account = a
	return &s
}

// CountedFor is r with what is changed counted where it is, for who has those limits.
func (r *Root) CountedFor(limits func() ferry.Limits) *Root {
	return r.Counted(r.account.For(limits))
}

// Written is for a file that was opened to be written, by fd; it is to be told when that is
// closed.
func (r *Root) Written(fd int) *quota.File { return r.account.Opened(fd) }

// run does f as the user whose names they are. Every system call by which the kernel
// judges whether a user may do something is made within one run, and only the descriptors
// that come of it are used outside.
func (r *Root) run(f func() error) error { return r.as.Do(f) }

// call is run for one system call, repeated until no signal has interrupted it.
func (r *Root) call(f func() error) error {
	return r.run(func() error {
		_, err := RetryEINTR(func() (int, error) { return 0, f() })
		return err
	})
}

// openAs is call for one that opens a file.
func (r *Root) openAs(f func() (int, error)) (fd int, err error) {
	err = r.run(func() (err error) {
		fd, err = RetryEINTR(f)
		return err
	})
	if err != nil {
		return -1, err
	}
	return fd, nil
}

// open opens what the path rel leads to.
func (r *Root) open(rel string, flags int) (int, error) {
	if r.straight {
		return r.names.straight(rel, flags)
	}
	return r.names.open(rel, flags)
}

// Open prepares the directory path; want is who is to resolve names: "openat2",
// "os.Root", or "" for the first of the two that works here. Its errors are one
// sentence each, for the operator.
func Open(path, want string) (*Root, error) { return open(path, want, false) }

// OpenAll is Open, by names that lead to devices and into the file systems of the kernel,
// too: for who may do on the host what the process may.
func OpenAll(path, want string) (*Root, error) { return open(path, want, true) }

func open(path, want string, special bool) (*Root, error) {
	dir, err := openDirectory(path)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	fd := int(dir.Fd())
	r := &Root{proc: procWorks(fd), mounts: &mounts{none: special}, paths: spellings(path), special: special}
	if err := r.mounts.start(fd); err != nil {
		return nil, fmt.Errorf("cannot serve %s: it lies in a file system of the kernel (procfs, sysfs or the like); choose a directory of files", path)
	}
	if r.names, err = newResolver(want, path, fd); err != nil {
		return nil, fmt.Errorf("cannot serve %s: %w", path, err)
	}
	return r, nil
}

// Resolver is who resolves names: "openat2" or "os.Root".
func (r *Root) Resolver() string { return r.names.name() }

// Top opens the root itself, as an O_PATH descriptor.
func (r *Root) Top() (fd int, err error) {
	err = r.run(func() (err error) { fd, err = r.open(".", unix.O_PATH|unix.O_DIRECTORY); return err })
	return fd, err
}

// Close gives the root back.
func (r *Root) Close() error { return r.names.Close() }

// openDirectory opens the directory to serve, and says in words what is wrong.
func openDirectory(path string) (*os.File, error) {
	dir, err := os.OpenFile(path, unix.O_DIRECTORY|unix.O_NONBLOCK, 0)
	switch {
	case err == nil:
		return dir, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("cannot serve %s: there is no such directory; create it or name another", path)
	case errors.Is(err, unix.ENOTDIR):
		return nil, fmt.Errorf("cannot serve %s: it is not a directory; name the directory that holds it", path)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("cannot serve %s: the user this server runs as (uid %d) may not read it; change its permissions or its owner", path, os.Geteuid())
	}
	return nil, fmt.Errorf("cannot serve %s: %w", path, errors.Unwrap(err))
}

// HasProc tells whether /proc is there.
func (r *Root) HasProc() bool { return r.proc }

// WithoutProc makes r what it is where /proc is missing.
func (r *Root) WithoutProc() { r.proc = false }

// SyncFileSystem makes everything durable that the file system of the directory dir
// holds, where dir itself cannot be opened to be synced: by the root, if that lies in
// the same file system, else by syncing all there are.
func (r *Root) SyncFileSystem(dir int) error {
	top, err := r.open(".", unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		unix.Sync()
		return nil
	}
	defer unix.Close(top)
	var here, there unix.Stat_t
	if unix.Fstat(top, &here) != nil || unix.Fstat(dir, &there) != nil || here.Dev != there.Dev {
		unix.Sync()
		return nil
	}
	return Syncfs(top)
}

// Syncfs makes everything durable that the file system of the open file fd holds.
func Syncfs(fd int) error {
	_, err := RetryEINTR(func() (int, error) { return 0, unix.Syncfs(fd) })
	return err
}

// Fsync makes the content of the open file durable.
func Fsync(fd int) error {
	_, err := RetryEINTR(func() (int, error) { return 0, unix.Fsync(fd) })
	if err == unix.EINVAL { // a device or a file of the kernel, which has nothing to sync
		err = nil
	}
	return err
}
