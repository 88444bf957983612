package gate

import (
	"context"

	"ferry"
)

// meter is an FS whose handles count and limit the bytes they move.
type meter struct {
	ferry.FS
	session *Session
}

func (m *meter) Open(ctx context.Context, name ferry.Name, o ferry.OpenOptions) (ferry.Handle, error) {
	h, err := m.FS.Open(ctx, name, o)
	if err != nil {
		return nil, err
	}
	t := newTransfer(m.session, h, name, o.Mode)
	if err := m.session.add(t); err != nil {
		_ = h.Abort(err)
		return nil, err
	}
	return t, nil
}
