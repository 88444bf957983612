package sftpserver

import (
	"io/fs"
	"strings"

	"ferry"
	"ferry/internal/sftpfacts"
	"ferry/internal/sftpwire"
)

// described answers with attributes.
func (c *session) described(request string, name ferry.Name, i ferry.Info, err error) answer {
	if err != nil {
		return c.failed(request, name, err)
	}
	return answer{reply: &sftpwire.AttrsReply{Attrs: sftpfacts.Attrs(i)}}
}

// stat is STAT (draft-02 §6.8). Where there is only an unfinished upload of the
// user, that is what it means: clients that go on with an upload (reput) ask so
// where to.
func (c *session) stat(name ferry.Name) answer {
	i, err := c.cfg.FS.Stat(c.ctx, name)
	c.tell(name, i, err)
	return c.described("stat", name, withBelow(i, c.files.writing(name)), err)
}

// partial ends the names under which WinSCP uploads large files, to rename
// them when they are whole. It asks by LSTAT how far a broken one has come.
const partial = ".filepart"

// lstat is LSTAT (draft-02 §6.8), by which mounts ask: what stands there, and an
// unfinished upload of this session, or of a partial.
func (c *session) lstat(name ferry.Name) answer {
	own := c.files.writing(name)
	i, err := c.cfg.FS.Lstat(c.ctx, name)
	c.tell(name, i, err)
	if err == nil && i.Unfinished && own == nil && !strings.HasSuffix(string(name), partial) {
		err = fs.ErrNotExist // which could not be read either
	}
	return c.described("lstat", name, withBelow(i, own), err)
}

// tell remembers what the client is told of an unfinished upload.
func (c *session) tell(name ferry.Name, i ferry.Info, err error) {
	if err == nil && i.Unfinished {
		c.told.Store(&toldSize{name, i.Size})
	}
}

// withBelow is the description of a name under which the session writes own,
// which may be nil.
func withBelow(i ferry.Info, own *file) ferry.Info {
	if own != nil && own.base != nil {
		i.Size = max(i.Size, own.base.limit)
	}
	return i
}

// fstat is FSTAT (draft-02 §6.8).
func (c *session) fstat(f *file) answer {
	i, err := f.info()
	return c.described("fstat", c.files.nameOf(f), i, err)
}

// setstat is SETSTAT (draft-02 §6.9), and lsetstat@openssh.com.
func (c *session) setstat(request string, name ferry.Name, a sftpwire.Attrs, noFollow bool) answer {
	changes, err := sftpfacts.Changes(a)
	if err != nil {
		return c.failed(request, name, err)
	}
	changes.NoFollow = noFollow
	if own := c.files.writing(name); own != nil {
		if err := own.fill(c.ctx, c.buffers); err != nil {
			return c.failed(request, name, err)
		}
	}
	return c.done(request, name, c.cfg.FS.SetAttr(c.ctx, name, changes))
}

// fsetstat is FSETSTAT (draft-02 §6.9).
func (c *session) fsetstat(f *file, a sftpwire.Attrs) answer {
	name := c.files.nameOf(f)
	changes, err := sftpfacts.Changes(a)
	if err == nil {
		err = c.decide(f, changes.Size != nil && *changes.Size == 0)
	}
	if err == nil && changes.Size != nil {
		err = f.cut(*changes.Size)
	}
	if err == nil && changes.ModTime != nil {
		err = f.fill(c.ctx, c.buffers) // which would change the time again
	}
	if err == nil {
		err = f.handle.SetAttr(changes)
	}
	return c.done("fsetstat", name, err)
}
