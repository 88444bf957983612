package gate

import (
	"context"
	"io/fs"

	"ferry"
)

// meter is an FS whose handles count and limit the bytes they move.
type meter struct {
	ferry.FS
	session *Session
}

func (m *meter) Open(ctx context.Context, name string, mode ferry.Mode, perm fs.FileMode) (ferry.Handle, error) {
	h, err := m.FS.Open(ctx, name, mode, perm)
	if err != nil {
		return nil, err
	}
	t := newTransfer(m.session, h, name, mode)
	if err := m.session.add(t); err != nil {
		_ = h.Abort(err)
		return nil, err
	}
	return t, nil
}
