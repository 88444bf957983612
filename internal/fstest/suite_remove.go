package fstest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"ferry"
)

// seenOpen opens name and describes what is open.
func (e *env) seenOpen(f ferry.FS, name ferry.Name) (ferry.Handle, ferry.Info) {
	e.Helper()
	h := e.open(f, name, ferry.Read)
	was, err := h.Stat()
	e.must(err)
	return h, was
}

func removeUnchanged(e *env) {
	f, bob := e.as("alice"), e.as("bob")
	ctx := context.Background()
	e.mkdir(f, "/dir")
	e.upload(f, "/a", "text")
	e.symlink(f, "a", "/link")

	h, was := e.seenOpen(f, "/a")
	e.want(f.RemoveUnchanged(ctx, "/dir", was), ferry.ErrIsDir, "/dir")
	e.want(f.RemoveUnchanged(ctx, "/", was), ferry.ErrIsDir, "/")
	e.want(f.RemoveUnchanged(ctx, "/missing", was), fs.ErrNotExist, "/missing")
	e.want(f.RemoveUnchanged(ctx, "/a", ferry.Info{}), ferry.ErrChanged, "/a")
	e.want(f.RemoveUnchanged(ctx, "/link", was), ferry.ErrChanged, "/link")

	e.silence()
	end := e.openFor(bob, "/a", ferry.OpenOptions{Mode: ferry.Update, At: ferry.AtEnd})
	e.put(end, " and more", 4)
	e.must(end.Commit())
	e.want(f.RemoveUnchanged(ctx, "/a", was), ferry.ErrChanged, "/a")
	e.must(h.Abort(nil))
	e.holds(f, "/a", "text and more")

	h, was = e.seenOpen(f, "/a")
	e.upload(bob, "/a", "new")
	e.want(f.RemoveUnchanged(ctx, "/a", was), ferry.ErrChanged, "/a")
	e.must(h.Abort(nil))
	e.holds(f, "/a", "new")

	e.broken(f, "/a", "half of the next")
	h, was = e.seenOpen(f, "/a")
	e.must(f.RemoveUnchanged(ctx, "/a", was))
	e.must(h.Abort(nil))
	e.refused(f, "/a", ferry.Read, fs.ErrNotExist)
	e.part(f, "/a", 16)
	e.must(f.RemoveUnchanged(ctx, "/link", e.lstat(f, "/link")))
	e.lists(f, "/", "dir")
}

// twin puts another file of the size and time of was under the name.
func twin(e *env, f ferry.FS, name ferry.Name, text string, was ferry.Info) {
	h := e.open(f, name, ferry.Replace)
	e.put(h, text, 0)
	e.must(h.SetAttr(ferry.Attr{ModTime: &was.ModTime}))
	e.must(h.Commit())
}

func removeTwin(e *env) {
	f := e.as("alice")
	e.upload(f, "/a", "text")
	h, was := e.seenOpen(f, "/a")
	twin(e, e.as("bob"), "/a", "TEXT", was)
	e.want(f.RemoveUnchanged(context.Background(), "/a", was), ferry.ErrChanged, "/a")
	e.must(h.Abort(nil))
	e.holds(f, "/a", "TEXT")
}

// removeTwinUnseen: a file of the same size and time is taken for the one that was
// seen.
func removeTwinUnseen(e *env) {
	f := e.as("alice")
	e.upload(f, "/a", "text")
	h, was := e.seenOpen(f, "/a")
	twin(e, e.as("bob"), "/a", "TEXT", was)
	e.must(f.RemoveUnchanged(context.Background(), "/a", was))
	e.must(h.Abort(nil))
	e.missing(f, "/a")
}

// removeBesideUploads: of many uploads to one name, each acknowledged, those are gone
// that were read before they were removed, or that another upload replaced.
func removeBesideUploads(e *env) {
	f, bob := e.as("alice"), e.as("bob")
	ctx := context.Background()
	const last = 200
	uploaded := make(chan error, 1)
	go func() {
		for n := range last + 1 {
			h, err := bob.Open(ctx, "/a", ferry.OpenOptions{Mode: ferry.Replace})
			if err == nil {
				_, err = fmt.Fprintf(&writer{h: h}, "%d", n)
				err = errors.Join(err, h.Commit())
			}
			if err != nil {
				uploaded <- err
				return
			}
		}
		uploaded <- nil
	}()
	removed, done := "", false
	for !done {
		select {
		case err := <-uploaded:
			e.must(err)
			done = true
		default:
		}
		h, err := f.Open(ctx, "/a", ferry.OpenOptions{Mode: ferry.Read})
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		e.must(err)
		was, err := h.Stat()
		e.must(err)
		text := e.seen(h)
		err = f.RemoveUnchanged(ctx, "/a", was)
		switch {
		case err == nil:
			removed = text
		case !errors.Is(err, ferry.ErrChanged) && !errors.Is(err, fs.ErrNotExist):
			e.must(err)
		}
		e.must(h.Abort(nil))
	}
	if removed != fmt.Sprint(last) {
		e.holds(f, "/a", fmt.Sprint(last))
	}
}

// removeAfterUpload: one after the other it is as certain.
func removeAfterUpload(e *env) {
	f := e.as("alice")
	e.upload(f, "/a", "first")
	h, was := e.seenOpen(f, "/a")
	e.must(h.Abort(nil))
	e.upload(e.as("bob"), "/a", "second")
	e.want(f.RemoveUnchanged(context.Background(), "/a", was), ferry.ErrChanged, "/a")
	e.holds(f, "/a", "second")
}

// writer writes to a handle from its beginning on.
type writer struct {
	h  ferry.Handle
	at int64
}

func (w *writer) Write(p []byte) (int, error) {
	n, err := w.h.WriteAt(p, w.at)
	w.at += int64(n)
	return n, err
}
