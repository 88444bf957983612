package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// root is a directory of the host and everything beneath it, by names that cannot
// leave it. It is safe for concurrent use.
type root struct {
	names  resolver
	mounts mounts
	proc   bool // /proc is there, so an open object can be opened again
}

// openRoot prepares the directory path; want is who is to resolve names: "openat2",
// "os.Root", or "" for the first of the two that works here. Its errors are one
// sentence each, for the operator.
func openRoot(path, want string) (*root, error) {
	dir, err := openDirectory(path)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	fd := int(dir.Fd())
	r := &root{proc: procWorks(fd)}
	if err := r.mounts.start(fd); err != nil {
		return nil, fmt.Errorf("cannot serve %s: it lies in a file system of the kernel (procfs, sysfs or the like); choose a directory of files", path)
	}
	if r.names, err = newResolver(want, path, fd); err != nil {
		return nil, fmt.Errorf("cannot serve %s: %w", path, err)
	}
	return r, nil
}

// resolver is who resolves names: "openat2" or "os.Root".
func (r *root) resolver() string { return r.names.name() }

// top opens the root itself, as an O_PATH descriptor.
func (r *root) top() (int, error) { return r.names.open(".", unix.O_PATH|unix.O_DIRECTORY) }

// close gives the root back.
func (r *root) close() error { return r.names.close() }

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

// hasProc tells whether /proc is there.
func (r *root) hasProc() bool { return r.proc }

// withoutProc makes r what it is where /proc is missing.
func (r *root) withoutProc() { r.proc = false }
