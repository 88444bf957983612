package gate_test

import (
	"errors"
	"io"
	"io/fs"
	"testing"

	"ferry"
	"ferry/internal/gate"
)

// What tests do with an open file.

func reads(h ferry.Handle) error {
	_, err := h.ReadAt(make([]byte, 1), 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return err
}

func writes(at int64) func(ferry.Handle) error {
	return func(h ferry.Handle) error {
		_, err := h.WriteAt([]byte("x"), at)
		return err
	}
}

func sets(a ferry.Attr) func(ferry.Handle) error {
	return func(h ferry.Handle) error { return h.SetAttr(a) }
}

func mode() ferry.Attr { m := fs.FileMode(0o600); return ferry.Attr{Mode: &m} }

// storage is a gate in front of one file, /old.
func storage(t *testing.T, u ferry.User) *house {
	h := newHouse(t, gate.Limits{}, u)
	h.put("/old", "old")
	return h
}
