package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"ferry"
	"ferry/internal/beneath"
)

// host is this machine as me knows it: the names of files and of users.
type host struct{ me *user.User }

// Clean is ferry.Clean, with ".." behind a link as the kernel takes it: what lies above
// the directory that the link leads to.
func (h host) Clean(cwd ferry.Name, given string) (ferry.Name, error) {
	if !path.IsAbs(given) {
		given = string(cwd) + "/" + given
	}
	if strings.HasSuffix(given, "/") { // which asks for a directory
		if _, err := os.Stat(given); errors.Is(err, syscall.ENOTDIR) {
			return "", ferry.ErrNotDir
		}
	}
	up := strings.LastIndex(given+"/", "/../")
	if up < 0 {
		return ferry.Clean(cwd, given)
	}
	above, err := filepath.EvalSymlinks(given[:up+len("/..")])
	if err != nil {
		return "", reasonOf(err)
	}
	return ferry.Clean(ferry.Root, above+given[up+len("/.."):])
}

// Realpath is where a name leads, links followed. Its last element may be missing.
func (h host) Realpath(name ferry.Name) (ferry.Name, error) {
	const mostLinks = 40 // as Linux follows
	at := string(name)
	for range mostLinks {
		real, err := filepath.EvalSymlinks(at)
		if err == nil {
			return ferry.Clean(ferry.Root, real)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", reasonOf(err)
		}
		dir, err := filepath.EvalSymlinks(path.Dir(at))
		if err != nil {
			return "", reasonOf(err)
		}
		at = path.Join(dir, path.Base(at))
		target, err := os.Readlink(at)
		switch {
		case err != nil:
			return ferry.Clean(ferry.Root, at)
		case path.IsAbs(target):
			at = target
		default:
			at = dir + "/" + target
		}
	}
	return "", ferry.ErrLoop
}

// reasonOf is an error of the system in the words of ferry.FS. Of too many links package
// filepath has a text only.
func reasonOf(err error) error {
	if errno := syscall.Errno(0); errors.As(err, &errno) {
		return beneath.Meaning(errno)
	}
	return ferry.ErrLoop
}

// HomeOf is the home directory of a user; "" is me.
func (h host) HomeOf(name string) (ferry.Name, error) {
	who := h.me
	if name != "" && name != who.Username {
		var err error
		if who, err = user.Lookup(name); err != nil {
			return "", fs.ErrNotExist
		}
	}
	return ferry.Clean(ferry.Root, who.HomeDir)
}

// expand is the directory that -d means: "~", "~user", and %d, %u and %% are replaced.
func (h host) expand(given string) (string, error) {
	given, err := h.fromHome(given)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(given, "%")
		b.WriteString(before)
		switch {
		case !found:
			return b.String(), nil
		case strings.HasPrefix(after, "%"):
			b.WriteString("%")
		case strings.HasPrefix(after, "d"):
			b.WriteString(h.me.HomeDir)
		case strings.HasPrefix(after, "u"):
			b.WriteString(h.me.Username)
		default:
			return "", errors.New("after % there must be %, d (the home directory) or u (the user's name)")
		}
		given = after[1:]
	}
}

// fromHome puts a home directory in the place of "~" and "~user".
func (h host) fromHome(given string) (string, error) {
	if !strings.HasPrefix(given, "~") {
		return given, nil
	}
	who, rest, _ := strings.Cut(given[1:], "/")
	home, err := h.HomeOf(who)
	if err != nil {
		return "", fmt.Errorf("there is no user %q", who)
	}
	return path.Join(string(home), rest), nil
}

// hideProcess keeps the process's own memory out of reach by /proc/self/mem, which a
// session sees as it sees all of the host: writing there would run programs, and who may
// only transfer files may not do that.
func hideProcess() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("cannot keep /proc/self from the session: %w", err)
	}
	return nil
}
