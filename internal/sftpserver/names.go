package sftpserver

import (
	"io/fs"
	"strings"

	"ferry"
	"ferry/internal/sftpfacts"
	"ferry/internal/sftpwire"
)

// remove is REMOVE (draft-02 §6.5).
func (c *session) remove(name ferry.Name) answer {
	return c.done("remove", name, c.cfg.FS.Remove(c.ctx, name))
}

// mkdir is MKDIR (draft-02 §6.6).
func (c *session) mkdir(name ferry.Name, a sftpwire.Attrs) answer {
	return c.done("mkdir", name, c.cfg.FS.Mkdir(c.ctx, name, sftpfacts.Perm(a)))
}

// rmdir is RMDIR (draft-02 §6.6).
func (c *session) rmdir(name ferry.Name) answer {
	return c.done("rmdir", name, c.cfg.FS.Rmdir(c.ctx, name))
}

// rename is RENAME (draft-02 §6.5), which does not replace, and
// posix-rename@openssh.com, which does.
func (c *session) rename(from, to ferry.Name, replace bool) answer {
	err := c.cfg.FS.Rename(c.ctx, from, to, replace)
	if err == nil {
		c.files.renamed(from, to)
	}
	return c.done("rename", from+" to "+to, err)
}

// hardlink is hardlink@openssh.com.
func (c *session) hardlink(from, to ferry.Name) answer {
	return c.done("hardlink", from+" to "+to, c.cfg.FS.Link(c.ctx, from, to))
}

// symlink is SYMLINK (draft-02 §6.10). The target is stored as it was given.
func (c *session) symlink(target string, name ferry.Name) answer {
	if strings.IndexByte(target, 0) >= 0 {
		return c.failed("symlink", name, ferry.ErrBadName)
	}
	return c.done("symlink", name, c.cfg.FS.Symlink(c.ctx, target, name))
}

// readlink is READLINK (draft-02 §6.10).
func (c *session) readlink(name ferry.Name) answer {
	target, err := c.cfg.FS.Readlink(c.ctx, name)
	if err != nil {
		return c.failed("readlink", name, err)
	}
	return oneName(target)
}

// oneName answers with a name and nothing about it.
func oneName(name string) answer {
	return answer{reply: &sftpwire.Names{Entries: []sftpwire.Entry{{Name: name, Long: name}}}}
}

// planRealpath is REALPATH (draft-02 §6.11). An empty name is ".".
func (c *session) planRealpath(raw string) *op {
	if raw == "" {
		raw = "."
	}
	return c.onName(raw, false, c.realpath)
}

// realpath gives the clean name, or where it leads on the host. The last element may
// be missing; the directory that it would be in may not.
func (c *session) realpath(name ferry.Name) answer {
	if c.cfg.Host != nil {
		real, err := c.cfg.Host.Realpath(name)
		if err != nil {
			return c.failed("realpath", name, err)
		}
		return oneName(string(real))
	}
	dir := name.Dir()
	i, err := c.cfg.FS.Stat(c.ctx, dir)
	if err == nil && !i.IsDir() {
		err = &fs.PathError{Op: "realpath", Path: string(dir), Err: ferry.ErrNotDir}
	}
	if err != nil {
		return c.failed("realpath", name, err)
	}
	return oneName(string(name))
}

// planExpand is expand-path@openssh.com: REALPATH that knows the home
// directory. That of others is nobody's business.
func (c *session) planExpand(raw string) *op {
	if !strings.HasPrefix(raw, "~") {
		return c.planRealpath(raw)
	}
	who, rest, _ := strings.Cut(raw[1:], "/")
	home := c.cfg.Home
	switch {
	case who == "":
	case c.cfg.Host != nil:
		var err error
		if home, err = c.cfg.Host.HomeOf(who); err != nil {
			return c.immediately(answer{reply: sftpfacts.Status(err)})
		}
	case who != c.cfg.User.Name:
		return c.immediately(say(sftpwire.NoSuchFile))
	}
	return c.planRealpath(string(home) + "/" + rest)
}

// homeDirectory is home-directory (OpenSSH's PROTOCOL §4.11).
func (c *session) homeDirectory(user string) answer {
	if c.cfg.Host != nil {
		home, err := c.cfg.Host.HomeOf(user)
		if err != nil {
			return answer{reply: sftpfacts.Status(err)}
		}
		return oneName(string(home))
	}
	if user != "" && user != c.cfg.User.Name {
		return say(sftpwire.NoSuchFile)
	}
	return oneName(string(c.cfg.Home))
}
