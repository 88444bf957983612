package gate

import (
	"context"
	"io/fs"

	"ferry"
)

// events is an FS that tells the sink of every change that succeeded. Uploads
// and downloads are told by the transfer, when it ends.
type events struct {
	ferry.FS
	session *Session
}

// done sends e when err is nil, and gives err back.
func (e *events) done(err error, ev ferry.Event) error {
	if err == nil {
		e.session.emit(ev)
	}
	return err
}

func (e *events) Mkdir(ctx context.Context, name ferry.Name, perm fs.FileMode) error {
	return e.done(e.FS.Mkdir(ctx, name, perm), ferry.Event{Kind: ferry.EventMkdir, Name: name})
}

func (e *events) Remove(ctx context.Context, name ferry.Name) error {
	return e.done(e.FS.Remove(ctx, name), ferry.Event{Kind: ferry.EventRemove, Name: name})
}

func (e *events) Rmdir(ctx context.Context, name ferry.Name) error {
	return e.done(e.FS.Rmdir(ctx, name), ferry.Event{Kind: ferry.EventRmdir, Name: name})
}

func (e *events) Rename(ctx context.Context, from, to ferry.Name, replace bool) error {
	return e.done(e.FS.Rename(ctx, from, to, replace), ferry.Event{Kind: ferry.EventRename, Name: from, To: string(to)})
}

func (e *events) SetAttr(ctx context.Context, name ferry.Name, a ferry.Attr) error {
	return e.done(e.FS.SetAttr(ctx, name, a), ferry.Event{Kind: ferry.EventSetAttr, Name: name})
}

func (e *events) Symlink(ctx context.Context, target string, name ferry.Name) error {
	return e.done(e.FS.Symlink(ctx, target, name), ferry.Event{Kind: ferry.EventSymlink, Name: name, To: target})
}
