package beneath

import (
	"golang.org/x/sys/unix"

	"ferry"
)

// RenameNew renames to a name that must be free, decided by the kernel.
func RenameNew(dir int, base string, newDir int, newBase string) error {
	_, err := RetryEINTR(func() (int, error) {
		return 0, unix.Renameat2(dir, base, newDir, newBase, unix.RENAME_NOREPLACE)
	})
	if err != unix.EINVAL && err != unix.ENOSYS {
		return err
	}
	// The file system cannot do that (or a directory is to go into itself). A
	// hard link is as atomic; there is a moment with both names, and none
	// with neither.
	_, err = RetryEINTR(func() (int, error) { return 0, unix.Linkat(dir, base, newDir, newBase, 0) })
	if err == nil {
		_, err = RetryEINTR(func() (int, error) { return 0, unix.Unlinkat(dir, base, 0) })
		return err
	}
	if err == unix.EEXIST {
		return err
	}
	// Directories, and file systems without hard links: look, then rename.
	var st unix.Stat_t
	if err := StatAt(newDir, newBase, &st); err != unix.ENOENT {
		if err == nil {
			err = unix.EEXIST
		}
		return err
	}
	_, err = RetryEINTR(func() (int, error) { return 0, unix.Renameat(dir, base, newDir, newBase) })
	return err
}

func RmdirAt(p *Place) error {
	_, err := RetryEINTR(func() (int, error) { return 0, unix.Unlinkat(p.Dir, p.Base, unix.AT_REMOVEDIR) })
	return err
}

func Unlink(dir int, name string) error {
	_, err := RetryEINTR(func() (int, error) { return 0, unix.Unlinkat(dir, name, 0) })
	return err
}

// RemoveIf removes what stands at the place, no directory, if it is what is says, else
// ferry.ErrChanged. No system call removes a name for what stands there; so it is moved
// aside first, to a name that nobody else uses, and looked at once more there. Whatever
// takes the name in between, by whatever process, is not touched.
func (r *Root) RemoveIf(p *Place, aside string, is func(ferry.Info) bool) error {
	i, err := r.Describe(p, ferry.Root)
	if err != nil {
		return err
	}
	if !is(i) {
		return ferry.ErrChanged
	}
	return r.removeAside(p, aside, is)
}

func (r *Root) removeAside(p *Place, aside string, is func(ferry.Info) bool) error {
	if _, err := RetryEINTR(func() (int, error) { return 0, unix.Renameat(p.Dir, p.Base, p.Dir, aside) }); err != nil {
		return err
	}
	moved := &Place{Dir: p.Dir, Base: aside, Exists: true}
	i, err := r.Describe(moved, ferry.Root)
	if err == nil && is(i) {
		return Unlink(p.Dir, aside)
	}
	// Something else had taken the name. It goes back, unless something newer yet
	// stands there, by which it would have been replaced.
	err = RenameNew(p.Dir, aside, p.Dir, p.Base)
	if err == unix.EEXIST {
		err = Unlink(p.Dir, aside)
	}
	if err != nil {
		return err
	}
	return ferry.ErrChanged
}
