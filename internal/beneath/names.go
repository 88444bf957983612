package beneath

import "golang.org/x/sys/unix"

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
