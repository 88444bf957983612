package privilege

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// User is an account of the host.
type User struct {
	Name     string
	UID, GID int
	Groups   []int // all, that of GID among them
}

// Lookup is the account of that name, which is not root.
func Lookup(name string) (*User, error) {
	account, err := user.Lookup(name)
	if err != nil {
		return nil, fmt.Errorf("there is no user %q on this machine: make one (useradd --system %s), or name another", name, name)
	}
	groups, err := account.GroupIds()
	if err != nil {
		return nil, fmt.Errorf("cannot find the groups of user %q: %w", name, err)
	}
	u := &User{Name: name}
	if u.UID, err = strconv.Atoi(account.Uid); err != nil {
		return nil, err
	}
	if u.GID, err = strconv.Atoi(account.Gid); err != nil {
		return nil, err
	}
	for _, g := range groups {
		id, err := strconv.Atoi(g)
		if err != nil {
			return nil, err
		}
		u.Groups = append(u.Groups, id)
	}
	if u.UID == 0 {
		return nil, fmt.Errorf("%q is root: name an ordinary user", name)
	}
	return u, nil
}

// GiveDirectory makes the directory path u's, where it is missing or root's: with all that
// is in it, which then nobody but root has put there. One that has been given before is
// left alone, for whoever it belongs to could have put anything in the way.
func GiveDirectory(path string, u *User) error {
	if os.Geteuid() != 0 {
		return nil
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	if st.Uid != 0 || st.Mode&0o022 != 0 {
		return nil
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return err
	}
	defer root.Close()
	var names []string
	walk := fs.WalkDir(root.FS(), ".", func(name string, _ fs.DirEntry, err error) error {
		names = append(names, name)
		return err
	})
	// The directory itself is the last: what was begun and not ended is begun again.
	for i := len(names) - 1; i >= 0; i-- {
		walk = errors.Join(walk, root.Lchown(filepath.FromSlash(names[i]), u.UID, u.GID))
	}
	if walk != nil {
		return fmt.Errorf("cannot give the directory %s to user %q: %w", path, u.Name, walk)
	}
	return nil
}
