package sftpclient

import (
	"context"
	"errors"
	"io/fs"

	"ferry"
	"ferry/internal/sftpconn"
	"ferry/internal/sftpfacts"
	"ferry/internal/sftppath"
	"ferry/internal/sftpwire"
)

// What files are opened with.
const (
	readWrite = sftpwire.OpenRead | sftpwire.OpenWrite
	newFile   = readWrite | sftpwire.OpenCreate | sftpwire.OpenExclusive
)

// Open is ferry.FS's. What the modes become:
//
//	Read                      OPEN READ
//	Update                    OPEN READ WRITE, with APPEND where o appends
//	Replace, Revise           a new part, renamed over the name at Commit
//	Exclusive                 a new part, renamed at Commit if the name is free
//	Resume, ResumeNew         the kept part, Update or a new part: see ferry.Resume
//
// Of a user with DirectUploads new content is opened under its name instead:
// CREAT TRUNC, CREAT EXCL, CREAT.
//
// What a name means is asked before it is opened: OPEN of a FIFO would stop
// OpenSSH's server until somebody comes to its other end.
func (f *FS) Open(ctx context.Context, name ferry.Name, o ferry.OpenOptions) (ferry.Handle, error) {
	h, err := f.open(ctx, name, o)
	if err == nil && !f.register(h) {
		_ = h.Abort(ferry.ErrClosed)
		err = ferry.ErrClosed
	}
	if err != nil {
		return nil, fail("open", name, err)
	}
	return h, nil
}

func (f *FS) open(ctx context.Context, name ferry.Name, o ferry.OpenOptions) (*handle, error) {
	if err := check(name); err != nil {
		return nil, err
	}
	o, err := o.Clean()
	if err != nil {
		return nil, err
	}
	m := o.Mode
	if f.isClosed() {
		return nil, ferry.ErrClosed
	}
	switch {
	case m == ferry.Read:
		return f.openStanding(ctx, name, sftpwire.OpenRead)
	case o.AsItStands(), m == ferry.Revise && f.opts.User.DirectUploads:
		return f.openStanding(ctx, name, readWrite)
	}
	onlyNew := m.MustBeNew()
	at, err := f.paths.Resolve(ctx, name, !onlyNew)
	if f.opts.User.DirectUploads && errors.Is(err, fs.ErrPermission) {
		at, err = sftppath.Place{}, nil // who may write need not be allowed to look
	}
	if err != nil {
		return nil, err
	}
	switch {
	case onlyNew && (at.There || f.reserved(at, nil) && !f.goesOn(m, at)):
		return nil, fs.ErrExist
	case at.There && at.Mode.IsDir():
		return nil, ferry.ErrIsDir
	case at.There && !at.Mode.IsRegular():
		return nil, ferry.ErrNotRegular
	case !at.There && (m == ferry.Revise || m == ferry.Update && at.Dir != ""):
		return nil, fs.ErrNotExist
	case m.Resumes() || m == ferry.Update:
		return f.openAt(ctx, name, at, o)
	}
	return f.openFresh(ctx, name, at, o)
}

// goesOn tells whether an upload of this session that reserves the place is the
// one that m would go on with.
func (f *FS) goesOn(m ferry.Mode, at sftppath.Place) bool {
	return m == ferry.ResumeNew && f.keeps() && f.writer(f.partFor(at)) != nil
}

// openFresh begins new content.
func (f *FS) openFresh(ctx context.Context, name ferry.Name, at sftppath.Place, o ferry.OpenOptions) (*handle, error) {
	if f.opts.User.DirectUploads {
		return f.openDirect(ctx, name, o)
	}
	h := f.newUpload(name, at, o)
	return h, h.stage(ctx, f.partFor(at), o.Perm)
}

func (f *FS) newUpload(name ferry.Name, at sftppath.Place, o ferry.OpenOptions) *handle {
	h := f.newHandle(name)
	h.dir, h.base = at.Dir, at.Base
	h.exclusive = o.Mode.MustBeNew()
	return h
}

// openAt opens what o says is to be gone on with.
func (f *FS) openAt(ctx context.Context, name ferry.Name, at sftppath.Place, o ferry.OpenOptions) (*handle, error) {
	file, part := int64(-1), int64(-1)
	if at.There {
		file = sftpfacts.Info(at.Base, at.Attrs).Size
	}
	i, err := f.kept(ctx, at)
	switch {
	case err == nil:
		part = i.Size
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	shows, start, err := o.GoesOn(file, part)
	if err == ferry.ErrStalePart && f.moves(f.partFor(at)) {
		err = ferry.ErrBusy // it has not broken yet
	}
	if err != nil {
		return nil, err
	}
	var h *handle
	switch {
	case shows == ferry.ShowsFile && o.Appends():
		h, err = f.openStanding(ctx, name, readWrite|sftpwire.OpenAppend)
	case shows == ferry.ShowsFile:
		h, err = f.openStanding(ctx, name, readWrite)
	case shows == ferry.ShowsPart:
		h = f.newUpload(name, at, o)
		err = h.goOn(ctx, f.partFor(at), o.Perm, start, part, o.KeepRest)
	default:
		h, err = f.openFresh(ctx, name, at, o)
	}
	if err == nil {
		h.start, h.appends = start, o.Appends()
	}
	return h, err
}

// stage begins a new part in the place of a kept one.
func (h *handle) stage(ctx context.Context, part string, perm *fs.FileMode) error {
	f := h.fs
	if err := f.claim(part); err != nil {
		return err
	}
	// A server of ours says of what another session writes that it is busy, unless it
	// may be taken over. To remove it would end it.
	before, err := f.conn.Begin(ctx, &sftpwire.Open{Name: part, Flags: readWrite})
	if err != nil {
		return err
	}
	defer before.Leave()
	err = h.openAs(ctx, part, newFile, perm)
	kept, none := before.Wait(ctx)
	switch {
	case none == nil:
		f.conn.Post(&sftpwire.Close{Handle: kept.Reply.(*sftpwire.Handle).Handle})
		if err != nil {
			err = f.conn.Do(ctx, &sftpwire.Remove{Name: part})
		}
		if err == nil && h.id == "" {
			err = h.openAs(ctx, part, newFile, perm)
		}
	case sftpconn.Unclear(err) && !errors.Is(none, fs.ErrNotExist):
		err = none
	}
	h.part = part
	return err
}

// goOn goes on at start with a kept part of that size. Its permissions are those of
// this Open.
func (h *handle) goOn(ctx context.Context, part string, perm *fs.FileMode, start, size int64, keepRest bool) error {
	if err := h.fs.claim(part); err != nil {
		return err
	}
	if err := h.openAs(ctx, part, readWrite, nil); err != nil {
		return err
	}
	h.part = part
	i, err := h.info(ctx, h.name)
	mode := fs.FileMode(0o666)
	if perm != nil {
		mode = perm.Perm()
	}
	mode &^= h.fs.opts.Umask
	if err == nil && i.Mode.Perm() != mode {
		err = ignoreRefusal(h.change(ctx, sftpwire.Attrs{Flags: sftpwire.AttrMode, Mode: uint32(mode)}))
	}
	if keepRest {
		start = max(start, size)
	}
	h.written.Add(0, start)
	if err == nil && start < size {
		err = h.change(ctx, sftpwire.Attrs{Flags: sftpwire.AttrSize, Size: uint64(start)})
	}
	if err != nil {
		_ = h.Abort(err)
	}
	return err
}

// claim takes a part away from the handle of this session that writes it, if
// that has been silent for long enough.
func (f *FS) claim(part string) error {
	if f.moves(part) {
		return ferry.ErrBusy
	}
	if h := f.writer(part); h != nil {
		h.revoke(ferry.ErrTakenOver)
	}
	return nil
}

// moves tells whether a handle of this session writes the part and has not been
// silent for long enough to lose it.
func (f *FS) moves(part string) bool {
	h := f.writer(part)
	return h != nil && h.silent() < ferry.TakeoverAfter
}

// openStanding opens a regular file that must be there.
func (f *FS) openStanding(ctx context.Context, name ferry.Name, flags sftpwire.OpenFlags) (*handle, error) {
	a, err := f.conn.AskAttrs(ctx, &sftpwire.Stat{Name: f.paths.Remote(name)})
	if err != nil {
		return nil, f.paths.Because(ctx, name, true, err)
	}
	switch mode := sftpwire.FileMode(a.Mode); {
	case mode.IsDir():
		return nil, ferry.ErrIsDir
	case !mode.IsRegular():
		return nil, ferry.ErrNotRegular
	}
	h := f.newHandle(name)
	h.readOnly = flags == sftpwire.OpenRead
	h.known(sftpfacts.Info(name.Base(), a).Size)
	if err := h.openAs(ctx, f.paths.Remote(name), flags, nil); err != nil {
		return nil, f.paths.Because(ctx, name, true, err)
	}
	return h, nil
}

// openDirect opens new content under its own name.
func (f *FS) openDirect(ctx context.Context, name ferry.Name, o ferry.OpenOptions) (*handle, error) {
	flags := readWrite | sftpwire.OpenCreate
	switch o.Mode {
	case ferry.Replace:
		flags |= sftpwire.OpenTruncate
	case ferry.Exclusive, ferry.ResumeNew:
		flags |= sftpwire.OpenExclusive
	}
	h := f.newHandle(name)
	err := h.openAs(ctx, f.paths.Remote(name), flags, o.Perm)
	if flags&sftpwire.OpenExclusive != 0 {
		err = f.paths.Taken(ctx, name, err)
	}
	return h, err
}

// openAs sends OPEN.
func (h *handle) openAs(ctx context.Context, path string, flags sftpwire.OpenFlags, perm *fs.FileMode) error {
	answer, err := h.fs.conn.Ask(ctx, &sftpwire.Open{Name: path, Flags: flags, Attrs: permission(perm)})
	if err == nil {
		h.id = answer.Reply.(*sftpwire.Handle).Handle
	}
	return err
}

func (f *FS) newHandle(name ferry.Name) *handle {
	h := &handle{fs: f, name: name}
	h.broken.Store(whole)
	h.move()
	return h
}

// register makes h one of the open handles; false: the FS was closed.
func (f *FS) register(h *handle) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return false
	}
	f.opened++
	h.number = f.opened
	f.handles[h] = true
	return true
}

// ignoreRefusal is for what is only asked to be polite.
func ignoreRefusal(err error) error {
	if errors.As(err, new(*sftpconn.StatusError)) {
		return nil
	}
	return err
}
