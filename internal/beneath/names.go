package beneath

import (
	"golang.org/x/sys/unix"

	"ferry"
)

// OpenAt opens the entry of a directory, no link, or makes it.
func (r *Root) OpenAt(dir int, base string, flags int, mode uint32) (fd int, err error) {
	if flags&unix.O_CREAT == 0 {
		return r.openAt(dir, base, flags, mode)
	}
	err = r.account.Make(func() error { fd, err = r.openAt(dir, base, flags, mode); return err })
	return fd, err
}

// MakePart makes the part of an upload; replaces tells that it is to take the place of a file.
func (r *Root) MakePart(dir int, base string, mode uint32, replaces bool) (fd int, err error) {
	fd = -1
	err = r.account.MakePart(replaces, func() error {
		fd, err = r.openAt(dir, base, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, mode)
		return err
	})
	return fd, err
}

func (r *Root) openAt(dir int, base string, flags int, mode uint32) (int, error) {
	return r.openAs(func() (int, error) { return unix.Openat(dir, base, flags|unix.O_NOFOLLOW|unix.O_CLOEXEC, mode) })
}

// Writable asks whether what stands at the place may be written.
func (r *Root) Writable(p *Place) error {
	const how = unix.AT_EACCESS | unix.AT_SYMLINK_NOFOLLOW
	if r.as == nil {
		return r.call(func() error { return unix.Faccessat(p.Dir, p.Base, unix.W_OK, how) })
	}
	// Faccessat answers for the process where the kernel cannot for the thread.
	return r.call(func() error { return unix.Faccessat2(p.Dir, p.Base, unix.W_OK, how) })
}

// Mkdir makes a directory of that mode, whatever the umask of the process is; failing at
// the latter changes nothing for the worse.
func (r *Root) Mkdir(p *Place, mode uint32) error {
	make := func() error { return r.call(func() error { return unix.Mkdirat(p.Dir, p.Base, mode) }) }
	if err := r.account.Make(make); err != nil {
		return err
	}
	o, err := r.LookAt(p)
	if err != nil {
		return nil
	}
	defer o.Close()
	if IsDir(&o.St) && o.St.Mode&0o1777 != mode {
		_ = r.Chmod(o.Fd, mode|o.St.Mode&unix.S_ISGID)
	}
	return nil
}

// Symlink makes a link, whose target is kept as it is.
func (r *Root) Symlink(target string, p *Place) error {
	return r.account.Make(func() error { return r.call(func() error { return unix.Symlinkat(target, p.Dir, p.Base) }) })
}

// Link makes p another name of the file, or the link, at old.
func (r *Root) Link(old, p *Place) error {
	return r.account.Make(func() error {
		return r.call(func() error { return unix.Linkat(old.Dir, old.Base, p.Dir, p.Base, 0) })
	})
}

// Rename is renameat, which replaces.
func (r *Root) Rename(dir int, base string, newDir int, newBase string) error {
	victim := func() *unix.Stat_t {
		var from, to unix.Stat_t
		if r.StatAt(newDir, newBase, &to) != nil || r.StatAt(dir, base, &from) == nil && Same(&from, &to) {
			return nil // of two names of one file both stay
		}
		return &to
	}
	return r.account.Remove(victim, func() error {
		return r.call(func() error { return unix.Renameat(dir, base, newDir, newBase) })
	})
}

// RenameNew renames to a name that must be free, decided by the kernel.
func (r *Root) RenameNew(dir int, base string, newDir int, newBase string) error {
	return r.account.Remove(nothing, func() error {
		return r.run(func() error { return renameNew(dir, base, newDir, newBase) })
	})
}

// Rmdir removes the empty directory at the place.
func (r *Root) Rmdir(p *Place) error {
	return r.account.Remove(r.standing(p.Dir, p.Base), func() error {
		return r.call(func() error { return unix.Unlinkat(p.Dir, p.Base, unix.AT_REMOVEDIR) })
	})
}

// Unlink removes the entry of a directory, which is no directory.
func (r *Root) Unlink(dir int, name string) error {
	return r.account.Remove(r.standing(dir, name), func() error {
		return r.call(func() error { return unix.Unlinkat(dir, name, 0) })
	})
}

// standing looks at what stands under a name.
func (r *Root) standing(dir int, base string) func() *unix.Stat_t {
	return func() *unix.Stat_t {
		st := new(unix.Stat_t)
		if r.StatAt(dir, base, st) != nil {
			return nil
		}
		return st
	}
}

func nothing() *unix.Stat_t { return nil }

// renameNew is RenameNew, in as many steps as the file system needs.
func renameNew(dir int, base string, newDir int, newBase string) error {
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
	if err := statAt(newDir, newBase, &st); err != unix.ENOENT {
		if err == nil {
			err = unix.EEXIST
		}
		return err
	}
	_, err = RetryEINTR(func() (int, error) { return 0, unix.Renameat(dir, base, newDir, newBase) })
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
	if err := r.Rename(p.Dir, p.Base, p.Dir, aside); err != nil {
		return err
	}
	moved := &Place{Dir: p.Dir, Base: aside, Exists: true}
	i, err := r.Describe(moved, ferry.Root)
	if err == nil && is(i) {
		return r.Unlink(p.Dir, aside)
	}
	// Something else had taken the name. It goes back, unless something newer yet
	// stands there, by which it would have been replaced.
	err = r.RenameNew(p.Dir, aside, p.Dir, p.Base)
	if err == unix.EEXIST {
		err = r.Unlink(p.Dir, aside)
	}
	if err != nil {
		return err
	}
	return ferry.ErrChanged
}
