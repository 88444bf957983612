package gate_test

import (
	"context"
	"errors"
	"io/fs"

	"ferry"
)

// withResumeNew adds the mode ResumeNew to a storage that lacks it, as well as
// that goes from outside: it looks and then acts, where a storage decides in
// one step. It goes when mem has the mode.
type withResumeNew struct{ ferry.FS }

func (w withResumeNew) Open(ctx context.Context, name string, m ferry.Mode, perm fs.FileMode) (ferry.Handle, error) {
	if m != ferry.ResumeNew {
		return w.FS.Open(ctx, name, m, perm)
	}
	if _, err := w.FS.Stat(ctx, name); err == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrExist}
	}
	if _, err := w.FS.Part(ctx, name); errors.Is(err, fs.ErrNotExist) {
		return w.FS.Open(ctx, name, ferry.Exclusive, perm)
	}
	h, err := w.FS.Open(ctx, name, ferry.Resume, perm)
	if err != nil {
		return nil, err
	}
	return &neverReplaces{Handle: h, tree: w.FS, name: name}, nil
}

// neverReplaces is a handle whose Commit fails where a file stands.
type neverReplaces struct {
	ferry.Handle
	tree ferry.FS
	name string
}

func (n *neverReplaces) Commit() error {
	// Opened, not described: a session sees its own upload under that name.
	h, err := n.tree.Open(context.Background(), n.name, ferry.Read, 0)
	if err != nil {
		return n.Handle.Commit()
	}
	_ = h.Abort(nil)
	_ = n.Abort(fs.ErrExist)
	return &fs.PathError{Op: "commit", Path: n.name, Err: fs.ErrExist}
}
