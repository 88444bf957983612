package sftpclient

import (
	"context"
	"errors"
	"io/fs"

	"ferry"
	"ferry/internal/sftpconn"
	"ferry/internal/sftpwire"
)

// Commit is ferry.Handle's. What was staged gets its name by a rename, after
// the server has said of CLOSE that all was written.
func (h *handle) Commit() error { return fail("commit", h.name, h.commit(h.fs.life)) }

func (h *handle) commit(ctx context.Context) error {
	h.changing.Lock()
	defer h.changing.Unlock()
	if err := h.state(); err != nil {
		return err
	}
	if h.readOnly {
		h.close(ferry.ErrClosed)
		return nil
	}
	u := h.staged()
	err := h.publish(ctx, u, func() error {
		if h.fs.opts.Durable {
			if err := h.fsync(ctx); err != nil {
				return err
			}
		}
		return h.closeAndWait(ctx)
	})
	h.close(ferry.ErrClosed) // where it did not come so far
	if err != nil && u.part != "" && !h.fs.keeps() {
		_ = h.fs.tidyLater(&sftpwire.Remove{Name: u.part}) // err says what matters
	}
	return err
}

// Sync is ferry.Handle's: errors.ErrUnsupported where the server has no
// fsync@openssh.com.
func (h *handle) Sync() error { return fail("sync", h.name, h.sync(h.fs.life)) }

func (h *handle) sync(ctx context.Context) error {
	h.changing.Lock()
	defer h.changing.Unlock()
	if err := h.state(); err != nil {
		return err
	}
	if h.readOnly {
		return nil
	}
	if !h.fs.hello.Has(new(sftpwire.Fsync)) {
		return errors.ErrUnsupported
	}
	err := h.publish(ctx, h.staged(), func() error { return h.fsync(ctx) })
	if err == nil {
		h.forget()
	}
	return err
}

func (h *handle) fsync(ctx context.Context) error {
	_, err := h.ask(ctx, func(id string) sftpwire.Request { return &sftpwire.Fsync{Handle: id} })
	return err
}

// publish gives the part its name once settle, which sees to it that all is
// written, has succeeded. In place only settle is left to do.
func (h *handle) publish(ctx context.Context, u upload, settle func() error) error {
	if u.removed {
		return fs.ErrNotExist
	}
	if u.part == "" {
		return settle()
	}
	if err := h.prepare(ctx, u); err != nil {
		return err
	}
	if u.times.Flags != 0 {
		if err := h.change(ctx, u.times); err != nil {
			return err
		}
	}
	if err := settle(); err != nil {
		return err
	}
	if u.exclusive {
		return u.unlessThere(ctx, h.fs, h.fs.conn.Do(ctx, &sftpwire.Rename{From: u.part, To: u.target()}))
	}
	return u.unlessThere(ctx, h.fs, h.fs.overwrite(ctx, u.part, u.target()))
}

// prepare tells whether the part can be published, and gives it what a replaced
// file hands on.
func (h *handle) prepare(ctx context.Context, u upload) error {
	mine, err := h.Begin(ctx, func(id string) sftpwire.Request { return &sftpwire.Fstat{Handle: id} })
	if err != nil {
		return err
	}
	defer mine.Leave()
	there, err := h.fs.conn.Begin(ctx, &sftpwire.Stat{Name: u.part})
	if err != nil {
		return err
	}
	defer there.Leave()
	old, err := h.fs.conn.Begin(ctx, &sftpwire.Lstat{Name: u.target()})
	if err != nil {
		return err
	}
	defer old.Leave()
	a, err := h.same(ctx, mine, there)
	if err != nil {
		return err
	}
	answer, err := old.Wait(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	standing := answer.Reply.(*sftpwire.AttrsReply).Attrs
	switch mode := sftpwire.FileMode(standing.Mode); {
	case u.exclusive:
		return fs.ErrExist
	case mode.IsDir():
		return ferry.ErrIsDir
	case mode.IsRegular():
		return h.inherit(ctx, u, a, standing)
	}
	return nil
}

// same tells whether what stands there as the part still is what the handle
// has written: another client of this user may have begun anew. Version 3 knows
// no better sign than size and time.
func (h *handle) same(ctx context.Context, mine, there *sftpconn.Call) (sftpwire.Attrs, error) {
	answer, err := mine.Wait(ctx)
	if err != nil {
		return sftpwire.Attrs{}, h.Noticed(err)
	}
	a := answer.Reply.(*sftpwire.AttrsReply).Attrs
	if answer, err = there.Wait(ctx); err != nil {
		return a, err
	}
	if b := answer.Reply.(*sftpwire.AttrsReply).Attrs; a.Size != b.Size || a.Modified != b.Modified {
		return a, h.Noticed(ferry.ErrTakenOver)
	}
	return a, nil
}

// inherit gives the part the owner and the permissions of the file that it
// replaces, as far as the server lets it.
func (h *handle) inherit(ctx context.Context, u upload, now, old sftpwire.Attrs) error {
	const permissions = 0o777
	if !u.ownerSet && (now.UID != old.UID || now.GID != old.GID) {
		owner := sftpwire.Attrs{Flags: sftpwire.AttrOwner, UID: old.UID, GID: old.GID}
		if err := ignoreRefusal(h.change(ctx, owner)); err != nil {
			return err
		}
	}
	if !u.modeSet && (now.Mode^old.Mode)&permissions != 0 {
		mode := sftpwire.Attrs{Flags: sftpwire.AttrMode, Mode: old.Mode & permissions}
		return ignoreRefusal(h.change(ctx, mode))
	}
	return nil
}

// unlessThere says of a rename that failed without a reason that something
// stands in its way, if it does.
func (u upload) unlessThere(ctx context.Context, f *FS, err error) error {
	if !sftpconn.Unclear(err) {
		return err
	}
	a, look := f.conn.AskAttrs(ctx, &sftpwire.Lstat{Name: u.target()})
	switch {
	case look != nil:
		return err
	case u.exclusive:
		return sftpconn.Meaning(err, fs.ErrExist)
	case sftpwire.FileMode(a.Mode).IsDir():
		return sftpconn.Meaning(err, ferry.ErrIsDir)
	}
	return err
}

// Abort is ferry.Handle's. The part is closed and stays where it is, or is
// removed.
func (h *handle) Abort(cause error) error {
	h.changing.Lock()
	defer h.changing.Unlock()
	f, part := h.fs, h.staged().part
	keep := f.keeps() && !ferry.Discarded(cause)
	if gap := h.broken.Load(); part != "" && keep && gap != whole {
		_ = h.change(f.life, sftpwire.Attrs{Flags: sftpwire.AttrSize, Size: uint64(gap)}) // as far as that is possible
	}
	if h.readOnly {
		h.close(ferry.ErrClosed)
		return nil
	}
	_ = h.closeAndWait(f.life) // it was not to succeed
	if part != "" && !keep {
		_ = f.conn.Do(f.life, &sftpwire.Remove{Name: part})
	}
	return nil
}

// closeAndWait ends the use of the handle and says what the server said of it.
func (h *handle) closeAndWait(ctx context.Context) error {
	if !h.finish(ferry.ErrClosed) {
		return nil
	}
	err := h.fs.conn.Do(ctx, &sftpwire.Close{Handle: h.id})
	if why := revoked(err); why != nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.ended = why
	}
	return err
}

// close is closeAndWait that waits for nothing.
func (h *handle) close(why error) {
	if h.finish(why) {
		h.fs.conn.Post(&sftpwire.Close{Handle: h.id})
	}
}

// revoke takes the part away from the handle and wakes a ReceiveFrom that
// waits for its peer.
func (h *handle) revoke(why error) {
	h.close(why)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.source != nil {
		h.source.Interrupt(why)
	}
}

// finish makes the handle one that is done with; false: it was.
func (h *handle) finish(why error) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended != nil {
		return false
	}
	h.ended = why
	h.forget()
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	delete(h.fs.handles, h)
	return true
}

// forget makes the handle one that is in place.
func (h *handle) forget() {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	h.part, h.times = "", sftpwire.Attrs{}
}

var _ ferry.Handle = (*handle)(nil)
