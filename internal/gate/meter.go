package gate

import (
	"context"
	"io/fs"
	"iter"

	"ferry"
)

// Meter is files with every handle counted and limited, as this session's: its
// transfers are among Transfers, and end with it. What is open, directories that are
// listed too, takes a place of Limits.OpenFiles; *ferry.TooManyOpen: there is none.
func (s *Session) Meter(files ferry.FS) ferry.FS { return &meter{files, s} }

// meter embeds the FS: what is neither Open nor List moves no bytes and keeps nothing
// open.
type meter struct {
	ferry.FS
	session *Session
}

// Straight is metered as m is.
func (m *meter) Straight() ferry.FS { return &meter{m.FS.Straight(), m.session} }

func (m *meter) Open(ctx context.Context, name ferry.Name, o ferry.OpenOptions) (ferry.Handle, error) {
	closed, err := m.place("open", name)
	if err != nil {
		return nil, err
	}
	h, err := m.FS.Open(ctx, name, o)
	if err != nil {
		closed()
		return nil, err
	}
	t := newTransfer(m.session, h, name, o, closed)
	if err := m.session.add(t); err != nil {
		_ = h.Abort(err)
		closed()
		return nil, err
	}
	return t, nil
}

func (m *meter) List(ctx context.Context, dir ferry.Name, d ferry.Detail) iter.Seq2[ferry.Info, error] {
	return func(yield func(ferry.Info, error) bool) {
		closed, err := m.place("list", dir)
		if err != nil {
			yield(ferry.Info{}, err)
			return
		}
		defer closed()
		m.FS.List(ctx, dir, d)(yield)
	}
}

// place takes one of the places for what is open, or tells that there is none.
func (m *meter) place(op string, name ferry.Name) (closed func(), err error) {
	closed, err = m.session.conn.gate.open.take(m.session)
	if err != nil {
		return nil, &fs.PathError{Op: op, Path: string(name), Err: err}
	}
	return closed, nil
}
