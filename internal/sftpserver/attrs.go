package sftpserver

import (
	"io/fs"
	"math"
	"strings"

	"ferry"
	"ferry/internal/sftpwire"
)

// attrsOf is i in the words of the protocol.
func attrsOf(i ferry.Info) sftpwire.Attrs {
	access := i.Access
	if access.IsZero() {
		access = i.ModTime
	}
	return sftpwire.Attrs{
		Flags:    sftpwire.AttrSize | sftpwire.AttrOwner | sftpwire.AttrMode | sftpwire.AttrTimes,
		Size:     uint64(max(i.Size, 0)),
		UID:      i.UID,
		GID:      i.GID,
		Mode:     sftpwire.PosixMode(i.Mode),
		Access:   sftpwire.Seconds(access),
		Modified: sftpwire.Seconds(i.ModTime),
	}
}

// changesOf is what a client wants to be changed. Extended attributes are
// ignored, as the draft has it (§5).
func changesOf(a sftpwire.Attrs) (ferry.Attr, error) {
	var changes ferry.Attr
	if a.Flags&sftpwire.AttrSize != 0 {
		if a.Size > math.MaxInt64 {
			return changes, fs.ErrInvalid
		}
		size := int64(a.Size)
		changes.Size = &size
	}
	if a.Flags&sftpwire.AttrOwner != 0 {
		changes.UID, changes.GID = &a.UID, &a.GID
	}
	if a.Flags&sftpwire.AttrMode != 0 {
		mode := sftpwire.FileMode(a.Mode) &^ fs.ModeType
		changes.Mode = &mode
	}
	if a.Flags&sftpwire.AttrTimes != 0 {
		access, modified := sftpwire.Time(a.Access), sftpwire.Time(a.Modified)
		changes.Access, changes.ModTime = &access, &modified
	}
	return changes, nil
}

// described answers with attributes.
func (c *session) described(request string, name ferry.Name, i ferry.Info, err error) answer {
	if err != nil {
		return c.failed(request, name, err)
	}
	return answer{reply: &sftpwire.AttrsReply{Attrs: attrsOf(i)}}
}

// stat is STAT (draft-02 §6.8). Where there is only an unfinished upload of the
// user, that is what it means: clients that go on with an upload (reput) ask so
// where to.
func (c *session) stat(name ferry.Name) answer {
	i, err := c.cfg.FS.Stat(c.ctx, name)
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
	if err == nil && i.Unfinished && own == nil && !strings.HasSuffix(string(name), partial) {
		err = fs.ErrNotExist // which could not be read either
	}
	return c.described("lstat", name, withBelow(i, own), err)
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
	changes, err := changesOf(a)
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
	changes, err := changesOf(a)
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
