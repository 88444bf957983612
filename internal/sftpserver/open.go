package sftpserver

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"strings"

	"ferry"
	"ferry/internal/sftpfacts"
	"ferry/internal/sftporder"
	"ferry/internal/sftpwire"
)

// planOpen is OPEN (draft-02 §6.3).
func (c *session) planOpen(r *sftpwire.Open) *op {
	o := c.onName(r.Name, r.Flags&^sftpwire.OpenRead != 0, func(name ferry.Name) answer { return c.open(name, r) })
	c.sharing(o)
	if r.Flags&sftpwire.OpenWrite != 0 {
		o.Quickness = new(sftporder.Quickness) // it may wait for another session
	}
	return o
}

// sharing is for what opens a file by its name: to open what the session writes
// publishes it, and so changes what the name shows.
func (c *session) sharing(o *op) {
	for i := range o.Touches {
		t := &o.Touches[i]
		t.Changes = t.Changes || c.files.writing(t.Name) != nil
	}
}

func (c *session) open(name ferry.Name, r *sftpwire.Open) answer {
	if c.cfg.ReadOnly && r.Flags&(sftpwire.OpenWrite|sftpwire.OpenAppend|sftpwire.OpenCreate|sftpwire.OpenTruncate) != 0 {
		return say(sftpwire.PermissionDenied)
	}
	if !c.files.reserve() {
		return c.failed("open", name, &ferry.TooManyOpen{Open: maxFiles, Whose: "this session"})
	}
	var f *file
	err := FileFor(c.ctx, c.cfg.FS, r.Name, name)
	if err == nil {
		f, err = c.openFile(name, r.Flags, sftpfacts.Perm(r.Attrs))
	}
	if err != nil {
		c.files.giveUp()
		return c.failed("open", name, err)
	}
	return answer{reply: &sftpwire.Handle{Handle: c.files.add(f)}}
}

// FileFor tells whether the name, that the client gave as raw, can be a file's.
// One that ends with a slash is a directory's (POSIX XBD 4.16): who copies to
// "new/" wants the file in there, and not as "new".
func FileFor(ctx context.Context, tree ferry.FS, raw string, name ferry.Name) error {
	if !strings.HasSuffix(raw, "/") {
		return nil
	}
	i, err := tree.Stat(ctx, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, above := tree.Stat(ctx, name.Dir()); above != nil {
			return above
		}
		return ferry.ErrIsDir
	case err == nil && !i.IsDir():
		return ferry.ErrNotDir
	}
	return err
}

// openFile opens by what the flags mean:
//
//	READ                     the file as it stands
//	WRITE CREAT EXCL         new content under a new name, staged
//	WRITE TRUNC              new content, staged
//	WRITE APPEND             in place at the end; a new file staged
//	WRITE CREAT              a new file staged; one that stands is undecided:
//	                         see file.undecided
//	WRITE, READ WRITE CREAT  a file that stands in place
//
// Where no file stands and a part is kept, what does not truncate goes on with the
// part (reput), if its first write begins at the part's end: see file.begin. A file
// that stands is what is meant, whatever is kept beside it.
// Without CREAT the file must be there. A file that the session itself writes
// is shared first, unless its content is to go: see share.
func (c *session) openFile(name ferry.Name, flags sftpwire.OpenFlags, perm *fs.FileMode) (*file, error) {
	has := func(want sftpwire.OpenFlags) bool { return flags&want == want }
	if own := c.files.writing(name); own != nil && flags&(sftpwire.OpenTruncate|sftpwire.OpenExclusive) == 0 {
		if err := c.share(own, name); err != nil {
			return nil, err
		}
	}
	if !has(sftpwire.OpenWrite) {
		return c.openRead(name, flags, perm)
	}
	if !has(sftpwire.OpenCreate) {
		if err := c.mustStand(name, !has(sftpwire.OpenTruncate)); err != nil {
			return nil, err
		}
	}
	o := ferry.OpenOptions{Mode: ferry.Resume, Perm: perm, At: whereTo(flags), KeepRest: true}
	switch {
	case has(sftpwire.OpenCreate | sftpwire.OpenExclusive):
		o.Mode = ferry.Exclusive
	case has(sftpwire.OpenTruncate):
		o.Mode = ferry.Replace
	default:
		f, err := c.openStanding(name, flags)
		if f != nil || err != nil && !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
		o.OnlyPart = err != nil
	}
	h, _, err := c.openUpload(name, o)
	if errors.Is(err, ferry.ErrChanged) && c.ctx.Err() == nil {
		return c.openFile(name, flags, perm) // the file was published meanwhile
	}
	if err != nil {
		return nil, err
	}
	f := newFile(name, flags, h)
	f.onPart = o.Mode == ferry.Resume && h.Start() > 0
	if told := c.told.Load(); o.OnlyPart && told != nil && told.name == name && told.size < h.Start() {
		f.seen = told.size
	}
	f.keepOrder()
	return f, nil
}

// openUpload opens for writing. What another session of the user still writes is
// waited for, as long as the client is there.
func (c *session) openUpload(name ferry.Name, o ferry.OpenOptions) (h ferry.Handle, waited bool, err error) {
	h, err = c.cfg.FS.Open(c.ctx, name, o)
	if o.Wait = cmp.Or(c.cfg.PartWait, ferry.PartWait); o.Wait > 0 && errors.Is(err, ferry.ErrBusy) {
		h, err = c.cfg.FS.Open(c.present, name, o)
		return h, true, err
	}
	return h, false, err
}

// toldSize is what STAT has told of an unfinished upload, in bytes.
type toldSize struct {
	name ferry.Name
	size int64
}

// whereTo is where a file that is not truncated is to be written.
func whereTo(flags sftpwire.OpenFlags) int64 {
	if flags&sftpwire.OpenAppend != 0 {
		return ferry.AtEnd
	}
	return ferry.Anywhere
}

// share publishes a file that the session writes, as fsync does, because the
// session opens it a second time: a client that does so uploads nothing, but
// has programs that share a file (sshfs), and both handles must mean the same
// content. What nobody has written to yet stands there anyway.
func (c *session) share(own *file, name ferry.Name) error {
	if own.undecided || own.onPart {
		return nil
	}
	if err := own.whole(); err != nil {
		return err
	}
	if err := own.fill(c.ctx, c.buffers); err != nil {
		return err
	}
	c.log.Debug("file is published before it is closed", "user", c.cfg.User.Name, "name", name, "reason", "its session has opened it again")
	return own.handle.Sync()
}

// openStanding opens for changes in place, or undecided; nothing and no error: the
// user may only add to it.
func (c *session) openStanding(name ferry.Name, flags sftpwire.OpenFlags) (*file, error) {
	h, _, err := c.openUpload(name, ferry.OpenOptions{Mode: ferry.Update, At: whereTo(flags), Try: true})
	if errors.Is(err, fs.ErrPermission) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	f := newFile(name, flags, h)
	if flags&(sftpwire.OpenRead|sftpwire.OpenCreate|sftpwire.OpenAppend) == sftpwire.OpenCreate {
		f.undecided = true
	}
	f.besidePart = f.flags&sftpwire.OpenAppend == 0 && c.hasPart(name)
	f.keepOrder()
	return f, nil
}

// openToRead opens what the name shows the session: its own unfinished file, too, which
// is shared by that.
func (c *session) openToRead(ctx context.Context, name ferry.Name) (ferry.Handle, error) {
	h, err := c.cfg.FS.Open(ctx, name, ferry.OpenOptions{Mode: ferry.Read})
	own := c.files.writing(name)
	if own == nil || err == nil && mustDiffer(h, own.handle) == errSameFile { // in place
		return h, err
	}
	if err == nil {
		_ = h.Abort(nil)
	}
	if err := c.share(own, name); err != nil {
		return nil, err
	}
	return c.cfg.FS.Open(ctx, name, ferry.OpenOptions{Mode: ferry.Read})
}

// openRead opens for reading. With CREAT a missing file is made first, as
// open(2) does with O_RDONLY|O_CREAT (flock(1) over sshfs asks for that).
func (c *session) openRead(name ferry.Name, flags sftpwire.OpenFlags, perm *fs.FileMode) (*file, error) {
	h, err := c.cfg.FS.Open(c.ctx, name, ferry.OpenOptions{Mode: ferry.Read})
	if errors.Is(err, fs.ErrNotExist) && flags&sftpwire.OpenCreate != 0 {
		if err := c.create(name, perm); err != nil {
			return nil, err
		}
		h, err = c.cfg.FS.Open(c.ctx, name, ferry.OpenOptions{Mode: ferry.Read})
	}
	if err != nil {
		return nil, err
	}
	return newFile(name, flags, h), nil
}

// create makes an empty file.
func (c *session) create(name ferry.Name, perm *fs.FileMode) error {
	h, err := c.cfg.FS.Open(c.ctx, name, ferry.OpenOptions{Mode: ferry.Exclusive, Perm: perm})
	if err != nil {
		return err
	}
	return h.Commit()
}

// mustStand is for what may not create: the file has to be there, or, where
// that counts, a part of it.
func (c *session) mustStand(name ferry.Name, partCounts bool) error {
	i, err := c.cfg.FS.Stat(c.ctx, name)
	if err == nil && i.Unfinished && !partCounts {
		return fs.ErrNotExist
	}
	return err
}

// hasPart tells whether an unfinished upload of the user's is kept for name.
func (c *session) hasPart(name ferry.Name) bool {
	_, err := c.cfg.FS.Part(c.ctx, name)
	return err == nil
}

// planClose takes the file out of the table at once: what comes after CLOSE
// finds no handle. Under its name the session's requests that came before find
// it until it is closed.
func (c *session) planClose(r *sftpwire.Close) *op {
	if f := c.files.removeFile(r.Handle); f != nil {
		name := c.files.nameOf(f)
		t := c.touchFile(f, 0, sftporder.Whole, true)
		t.Changes = f.writes()
		return &op{
			Cost:    opCost,
			Touches: []touch{t},
			Do: func() answer {
				defer c.files.closed(f)
				return c.done("close", name, f.close(c.ctx, c.buffers))
			},
			Drop: f.abort,
		}
	}
	if d := c.files.removeDir(r.Handle); d != nil {
		return &op{
			Cost:    opCost,
			Touches: []touch{c.touchDir(d)},
			Do:      func() answer { d.end(); return say(sftpwire.OK) },
			Drop:    func(error) { d.end() },
		}
	}
	return c.immediately(say(sftpwire.NoSuchFile))
}
