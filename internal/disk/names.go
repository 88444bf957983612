package disk

import "golang.org/x/sys/unix"

// renameNew renames to a name that must be free, decided by the kernel.
func renameNew(dir int, base string, newDir int, newBase string) error {
	_, err := again(func() (int, error) {
		return 0, unix.Renameat2(dir, base, newDir, newBase, unix.RENAME_NOREPLACE)
	})
	if err != unix.EINVAL && err != unix.ENOSYS {
		return err
	}
	// The file system cannot do that (or a directory is to go into itself). A
	// hard link is as atomic; there is a moment with both names, and none
	// with neither.
	_, err = again(func() (int, error) { return 0, unix.Linkat(dir, base, newDir, newBase, 0) })
	if err == nil {
		_, err = again(func() (int, error) { return 0, unix.Unlinkat(dir, base, 0) })
		return err
	}
	if err == unix.EEXIST {
		return err
	}
	// Directories, and file systems without hard links: look, then rename.
	var st unix.Stat_t
	if err := statAt(newDir, newBase, &st); err != unix.ENOENT {
		if err == nil {
			err = unix.EEXIST
		}
		return err
	}
	_, err = again(func() (int, error) { return 0, unix.Renameat(dir, base, newDir, newBase) })
	return err
}

func rmdirAt(p *place) error {
	_, err := again(func() (int, error) { return 0, unix.Unlinkat(p.dir, p.base, unix.AT_REMOVEDIR) })
	return err
}

func unlink(dir int, name string) error {
	_, err := again(func() (int, error) { return 0, unix.Unlinkat(dir, name, 0) })
	return err
}
