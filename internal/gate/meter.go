package gate

import (
	"context"

	"ferry"
)

// Meter is files with every handle counted and limited, as this session's: its
// transfers are among Transfers, and end with it.
func (s *Session) Meter(files ferry.FS) ferry.FS { return &meter{files, s} }

// meter embeds the FS: what is not Open moves no bytes.
type meter struct {
	ferry.FS
	session *Session
}

// Straight is metered as m is.
func (m *meter) Straight() ferry.FS { return &meter{m.FS.Straight(), m.session} }

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
