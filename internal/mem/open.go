package mem

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"ferry"
)

func (s *session) Open(ctx context.Context, name ferry.Name, o ferry.OpenOptions) (ferry.Handle, error) {
	patience := ctx
	if o.Wait > 0 {
		var cancel context.CancelFunc
		patience, cancel = context.WithTimeoutCause(ctx, o.Wait, ferry.ErrBusy)
		defer cancel()
	}
	for {
		h, held, err := s.tryOpen(name, o)
		if err == nil {
			return h, nil
		}
		if held != nil && o.Wait > 0 {
			if err = held.wait(patience); err == nil {
				continue
			}
		}
		return nil, fail("open", name, err)
	}
}

// tryOpen opens, or says who holds the part in another session.
func (s *session) tryOpen(name ferry.Name, o ferry.OpenOptions) (*handle, *held, error) {
	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	h, err := s.open(name, o)
	if errors.Is(err, ferry.ErrBusy) {
		return nil, s.heldBy(name, o), err
	}
	if err != nil {
		return nil, nil, err
	}
	h.node.open++
	s.handles[h] = true
	return h, nil, nil
}

// held is a part in the hands of another session.
type held struct {
	changed <-chan struct{} // closed when it is not any more
	left    time.Duration   // until it may be taken over, if nothing moves
}

// heldBy gives what keeps the session from opening name; nil: it does itself.
func (s *session) heldBy(name ferry.Name, o ferry.OpenOptions) *held {
	at, err := s.walk(name, !o.Mode.MustBeNew())
	if err != nil {
		return nil
	}
	p := s.partAt(at)
	if p == nil || p.holder == nil || s.handles[p.holder] {
		return nil
	}
	return &held{p.changed, ferry.TakeoverAfter - time.Since(p.holder.moved)}
}

func (w *held) wait(ctx context.Context) error {
	select {
	case <-w.changed:
	case <-time.After(w.left):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

func (s *session) open(name ferry.Name, o ferry.OpenOptions) (*handle, error) {
	if s.closed {
		return nil, ferry.ErrClosed
	}
	o, err := o.Clean()
	if err != nil {
		return nil, err
	}
	at, err := s.walk(name, !o.Mode.MustBeNew())
	if err != nil {
		return nil, err
	}
	s.tree.opened++
	h := &handle{session: s, name: name, number: s.tree.opened, moved: time.Now()}
	switch o.Mode {
	case ferry.Read:
		return h, h.openExisting(at)
	case ferry.Exclusive:
		return h, h.openExclusive(at, o.Perm)
	case ferry.Replace:
		return h, h.openReplace(at, o.Perm)
	case ferry.Revise:
		return h, h.openRevise(at, o.Perm)
	case ferry.Update, ferry.Resume, ferry.ResumeNew:
		return h, h.openAt(at, o)
	}
	return nil, fs.ErrInvalid
}

func (h *handle) openExisting(at place) error {
	if at.node == nil {
		return fs.ErrNotExist
	}
	if at.node.isDir() {
		return ferry.ErrIsDir
	}
	h.node = at.node
	h.readOnly = true
	return nil
}

func (h *handle) openExclusive(at place, perm *fs.FileMode) error {
	if at.node != nil || at.reserved(nil) {
		return fs.ErrExist
	}
	if err := h.openReplace(at, perm); err != nil {
		return err
	}
	if h.part != nil {
		h.part.exclusive = true
	}
	return nil
}

// openReplace begins new content: staged, unless the user or the file's other
// names want it in place.
func (h *handle) openReplace(at place, perm *fs.FileMode) error {
	s := h.session
	if at.node != nil && at.node.isDir() {
		return ferry.ErrIsDir
	}
	if p := s.partAt(at); p != nil {
		if err := p.claim(); err != nil {
			return err
		}
		s.tree.discard(p)
	}
	switch {
	case at.node != nil && (s.direct || at.node.links > 1):
		h.node = at.node
		return s.tree.truncate(h.node, 0)
	case s.direct:
		h.node = s.tree.newFile(perm)
		at.dir.put(at.base, h.node)
		return nil
	}
	h.part = s.stage(at, perm, h)
	h.node = h.part.node
	return nil
}

// openRevise is openReplace that truncates nothing.
func (h *handle) openRevise(at place, perm *fs.FileMode) error {
	if at.node != nil && !at.node.isDir() && (h.session.direct || at.node.links > 1) {
		h.node = at.node
		return nil
	}
	if at.node == nil {
		return fs.ErrNotExist
	}
	return h.openReplace(at, perm)
}

// openAt opens for changes what o says is to be gone on with.
func (h *handle) openAt(at place, o ferry.OpenOptions) error {
	p := h.session.partAt(at)
	switch {
	case o.Mode.MustBeNew() && (at.node != nil || at.reserved(p)):
		return fs.ErrExist
	case o.Mode == ferry.Update && at.node == nil:
		return fs.ErrNotExist
	case at.node != nil && at.node.isDir():
		return ferry.ErrIsDir
	}
	file, part := int64(-1), int64(-1)
	if at.node != nil {
		file = at.node.content.size
	}
	if p != nil {
		part = p.node.content.contiguous()
	}
	shows, start, err := o.GoesOn(file, part)
	if p != nil && p.moves() && (errors.Is(err, ferry.ErrStalePart) || errors.Is(err, ferry.ErrBeyondEnd)) {
		err = ferry.ErrBusy // it has not broken yet, and may still grow
	}
	if err != nil {
		return err
	}
	h.start, h.appends = start, o.Appends()
	switch {
	case shows == ferry.ShowsFile:
		h.node = at.node
		return nil
	case shows == ferry.ShowsPart:
		return h.goOn(p, o)
	case o.Mode.MustBeNew():
		return h.openExclusive(at, o.Perm)
	}
	return h.openReplace(at, o.Perm)
}

// goOn makes h the one that writes the part, from where it starts or its first gap
// on: what lies behind a gap would be taken for content that has arrived.
func (h *handle) goOn(p *part, o ferry.OpenOptions) error {
	if err := p.claim(); err != nil {
		return err
	}
	p.holder = h
	p.exclusive = o.Mode.MustBeNew()
	p.modeSet, p.uidSet, p.gidSet = false, false, false
	p.node.mode = h.session.tree.fileMode(o.Perm)
	h.part = p
	h.node = p.node
	end := h.start
	if o.KeepRest {
		end = p.node.content.contiguous()
	}
	if end < p.node.content.size {
		return h.session.tree.truncate(p.node, end)
	}
	return nil
}
