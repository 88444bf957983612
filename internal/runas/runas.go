// Package runas runs functions with the rights of another user of the host (Linux): with
// the fsuid, fsgid and supplementary groups by which the kernel judges what is done to
// files. They belong to a thread, so the goroutine has one for itself meanwhile.
//
// What runs so must be short, and wait for nobody: a few system calls that name files.
// Open descriptors need none of this, for rights are judged when a file is opened.
//
// It speaks no RFC; credentials(7), capabilities(7) and setfsuid(2) are the specification.
package runas

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"ferry"
)

// User is who functions run as. Nil: the process as it is, at no cost.
type User struct {
	to  credentials
	own credentials // of the process, which every thread has otherwise
}

// credentials are what a thread is judged by.
type credentials struct {
	uid, gid int
	groups   []int
}

// New is the user of an identity; nil for that of the server. It tries whether the
// process may run as that user, and whether it has the user's rights then and no others.
func New(id ferry.Identity) (*User, error) {
	if id.IsServer() {
		return nil, nil
	}
	if id.UID == 0 {
		return nil, errors.New("cannot use files as uid 0: that is the server's own right where it has it, and no user's; give the user a uid")
	}
	groups, err := unix.Getgroups()
	if err != nil {
		return nil, fmt.Errorf("cannot ask for the server's own groups: %w", err)
	}
	u := &User{
		to:  credentials{uid: int(id.UID), gid: int(id.GID)},
		own: credentials{os.Geteuid(), os.Getegid(), groups},
	}
	for _, g := range id.Groups {
		u.to.groups = append(u.to.groups, int(g))
	}
	return u, u.Do(noRightsOverFiles)
}

// UID is whose files those are that are made; -1 of nil.
func (u *User) UID() int {
	if u == nil {
		return -1
	}
	return u.to.uid
}

// Do runs f as u. F must neither call Do nor wait for another goroutine.
func (u *User) Do(f func() error) error {
	if u == nil {
		return f()
	}
	runtime.LockOSThread()
	// Whatever becomes of f: a thread that is not as before is nobody else's any more. It
	// ends with its goroutine, which has no right that it had not before.
	defer func() {
		if u.own.take() == nil {
			runtime.UnlockOSThread()
		}
	}()
	if was, _ := unix.SetfsuidRetUid(-1); was != u.own.uid {
		panic("runas: within another Do")
	}
	if err := u.to.take(); err != nil {
		return fmt.Errorf("cannot use files as uid %d: %w; the server needs CAP_SETUID and CAP_SETGID for that", u.to.uid, err)
	}
	return f()
}

// take makes c those of this thread. The uid is changed first where it is gained and last
// where it is given away, but the order does not matter: CAP_SETGID stays.
func (c *credentials) take() error {
	if err := unix.Setgroups(c.groups); err != nil { // of this thread alone, unlike syscall.Setgroups
		return err
	}
	// These two report no errors, but what was before: so they are asked once more.
	_, _ = unix.SetfsgidRetGid(c.gid)
	_, _ = unix.SetfsuidRetUid(c.uid)
	gid, _ := unix.SetfsgidRetGid(-1)
	uid, _ := unix.SetfsuidRetUid(-1)
	if uid != c.uid || gid != c.gid {
		return unix.EPERM
	}
	return nil
}

// rightsOverFiles are the capabilities that the kernel takes from a thread whose fsuid
// leaves 0, where securebits do not forbid it.
const rightsOverFiles = 1<<unix.CAP_CHOWN | 1<<unix.CAP_DAC_OVERRIDE | 1<<unix.CAP_DAC_READ_SEARCH |
	1<<unix.CAP_FOWNER | 1<<unix.CAP_FSETID | 1<<unix.CAP_LINUX_IMMUTABLE | 1<<unix.CAP_MKNOD

// noRightsOverFiles answers an error where the thread has a right over files that the
// user has not: a server that is not root has given it to itself.
func noRightsOverFiles() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return fmt.Errorf("cannot ask for the capabilities of a thread: %w", err)
	}
	if data[0].Effective&rightsOverFiles != 0 {
		return errors.New("cannot use files as another user: the server has capabilities over all files (CAP_DAC_OVERRIDE or the like) that it would keep; take them from it")
	}
	return nil
}
