package event

import (
	"context"
	"io/fs"
	"iter"

	"ferry"
)

// Watch is files with tell called for every change of the tree that succeeded, and for
// every operation that was refused, by a rule or by the host. Uploads and downloads are
// told by whoever counts their bytes, when they end.
func Watch(files ferry.FS, tell ferry.Sink) ferry.FS { return &watched{files, tell} }

// watched embeds no FS, so that the compiler asks for an event, or for none, when
// a method is added to the interface.
type watched struct {
	files ferry.FS
	tell  ferry.Sink
}

// done tells of e when err is nil, or that it was refused, and gives err back.
func (w *watched) done(err error, e ferry.Event) error {
	if err == nil {
		w.tell(e)
		return nil
	}
	if d, told := ferry.Denial(e.Kind.String(), e.Name, err); told {
		d.To = e.To
		w.tell(d)
	}
	return err
}

// refused tells of it when err is a refusal of op, and gives err back.
func (w *watched) refused(err error, op string, name ferry.Name) error {
	if e, told := ferry.Denial(op, name, err); told {
		w.tell(e)
	}
	return err
}

func (w *watched) Mkdir(ctx context.Context, name ferry.Name, perm *fs.FileMode) error {
	return w.done(w.files.Mkdir(ctx, name, perm), ferry.Event{Kind: ferry.EventMkdir, Name: name})
}

func (w *watched) Remove(ctx context.Context, name ferry.Name) error {
	return w.done(w.files.Remove(ctx, name), ferry.Event{Kind: ferry.EventRemove, Name: name})
}

func (w *watched) RemoveUnchanged(ctx context.Context, name ferry.Name, was ferry.Info) error {
	return w.done(w.files.RemoveUnchanged(ctx, name, was), ferry.Event{Kind: ferry.EventRemove, Name: name})
}

func (w *watched) Rmdir(ctx context.Context, name ferry.Name) error {
	return w.done(w.files.Rmdir(ctx, name), ferry.Event{Kind: ferry.EventRmdir, Name: name})
}

func (w *watched) Rename(ctx context.Context, from, to ferry.Name, replace bool) error {
	return w.done(w.files.Rename(ctx, from, to, replace), ferry.Event{Kind: ferry.EventRename, Name: from, To: string(to)})
}

func (w *watched) SetAttr(ctx context.Context, name ferry.Name, a ferry.Attr) error {
	return w.done(w.files.SetAttr(ctx, name, a), ferry.Event{Kind: ferry.EventSetAttr, Name: name})
}

func (w *watched) Symlink(ctx context.Context, target string, name ferry.Name) error {
	return w.done(w.files.Symlink(ctx, target, name), ferry.Event{Kind: ferry.EventSymlink, Name: name, To: target})
}

func (w *watched) Link(ctx context.Context, from, name ferry.Name) error {
	return w.done(w.files.Link(ctx, from, name), ferry.Event{Kind: ferry.EventLink, Name: name, To: string(from)})
}

// The others change no tree.

func (w *watched) Stat(ctx context.Context, name ferry.Name) (ferry.Info, error) {
	i, err := w.files.Stat(ctx, name)
	return i, w.refused(err, "stat", name)
}

func (w *watched) Lstat(ctx context.Context, name ferry.Name) (ferry.Info, error) {
	i, err := w.files.Lstat(ctx, name)
	return i, w.refused(err, "lstat", name)
}

func (w *watched) List(ctx context.Context, dir ferry.Name, d ferry.Detail) iter.Seq2[ferry.Info, error] {
	return func(yield func(ferry.Info, error) bool) {
		for i, err := range w.files.List(ctx, dir, d) {
			if !yield(i, w.refused(err, "list", dir)) {
				return
			}
		}
	}
}

func (w *watched) Open(ctx context.Context, name ferry.Name, o ferry.OpenOptions) (ferry.Handle, error) {
	h, err := w.files.Open(ctx, name, o)
	switch {
	case err == nil || o.Try:
		return h, err
	case o.Mode == ferry.Read:
		return h, w.refused(err, "read", name)
	}
	return h, w.refused(err, "write", name)
}

// Part is asked by protocols, and not by clients.
func (w *watched) Part(ctx context.Context, name ferry.Name) (ferry.Info, error) {
	return w.files.Part(ctx, name)
}

func (w *watched) Readlink(ctx context.Context, name ferry.Name) (string, error) {
	target, err := w.files.Readlink(ctx, name)
	return target, w.refused(err, "readlink", name)
}

func (w *watched) Space(ctx context.Context, name ferry.Name) (ferry.Space, error) {
	space, err := w.files.Space(ctx, name)
	return space, w.refused(err, "space", name)
}

func (w *watched) Straight() ferry.FS { return &watched{w.files.Straight(), w.tell} }

func (w *watched) Close() error { return w.files.Close() }
