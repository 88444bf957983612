package privilege

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/psx"
)

// Keep is what a process is left with.
type Keep struct {
	// User is who it is from now on; nil: who it is.
	User *User
	// Capabilities are those it keeps, of those that it has.
	Capabilities Set
}

// Drop leaves the process with that, for good: no program that it runs gets more, either.
// When it fails, the process has still some of what it was to give away, and must not go
// on.
func Drop(k Keep) error {
	have, err := Permitted()
	if err != nil {
		return err
	}
	keep := k.Capabilities & have
	for _, step := range []func() error{
		func() error { return control(unix.PR_SET_NO_NEW_PRIVS, 1, 0) },
		func() error { return bound(have, keep) },
		func() error { return become(k.User) },
		func() error { return set(keep) },
		func() error { return control(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0) },
		func() error { return left(k.User, keep) },
	} {
		if err := step(); err != nil {
			return fmt.Errorf("cannot give away what the server needs no more: %w", err)
		}
	}
	return nil
}

// bound makes keep the most that a program can get that the process runs. Without
// CAP_SETPCAP nothing can be said about that, but such a program gains nothing: Drop has
// asked for no_new_privs.
func bound(have, keep Set) error {
	if !have.Has(unix.CAP_SETPCAP) {
		return nil
	}
	for c := uint(0); c <= unix.CAP_LAST_CAP; c++ {
		if keep.Has(c) {
			continue
		}
		// EINVAL: the kernel is older than this capability.
		if err := control(unix.PR_CAPBSET_DROP, uintptr(c), 0); err != nil && !errors.Is(err, unix.EINVAL) {
			return fmt.Errorf("the bounding set: %w", err)
		}
	}
	return nil
}

// become makes the process u's. The groups go first: the right to change them goes with
// the user ID. Capabilities stay permitted, so that set can take of them what is kept.
func become(u *User) error {
	if u == nil {
		return nil
	}
	if u.UID == 0 {
		return errors.New("the user is root")
	}
	if err := control(unix.PR_SET_KEEPCAPS, 1, 0); err != nil {
		return err
	}
	if err := syscall.Setgroups(u.Groups); err != nil {
		return fmt.Errorf("the groups of user %q: %w", u.Name, err)
	}
	if err := syscall.Setresgid(u.GID, u.GID, u.GID); err != nil {
		return fmt.Errorf("the group %d of user %q: %w", u.GID, u.Name, err)
	}
	if err := syscall.Setresuid(u.UID, u.UID, u.UID); err != nil {
		return fmt.Errorf("the user %q: %w", u.Name, err)
	}
	return control(unix.PR_SET_KEEPCAPS, 0, 0)
}

// set makes keep all that every thread may do.
func set(keep Set) error {
	header := &unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	data := &[2]unix.CapUserData{}
	for i := range data {
		half := uint32(keep >> (32 * i))
		data[i] = unix.CapUserData{Effective: half, Permitted: half}
	}
	_, _, errno := psx.Syscall3(unix.SYS_CAPSET, uintptr(unsafe.Pointer(header)), uintptr(unsafe.Pointer(data)), 0)
	if errno != 0 {
		return fmt.Errorf("the capabilities: %w", errno)
	}
	return nil
}

// left tells whether the process is what it was to be.
func left(u *User, keep Set) error {
	have, err := Permitted()
	if err != nil {
		return err
	}
	if have != keep {
		return fmt.Errorf("it has the capabilities %s, and should have %s", have, keep)
	}
	if r, e, s := unix.Getresuid(); u != nil && (r != u.UID || e != u.UID || s != u.UID) {
		return fmt.Errorf("its user IDs are %d, %d and %d, and should be %d", r, e, s, u.UID)
	}
	return nil
}

// control is prctl(2) for every thread.
func control(option, a, b uintptr) error {
	_, _, errno := psx.Syscall6(unix.SYS_PRCTL, option, a, b, 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
