// Package gatetest puts together, for tests of what speaks behind a gate, what a
// server puts around the files of a session: rights, the gate's meter, and events.
package gatetest

import (
	"context"

	"ferry"
	"ferry/internal/access"
	"ferry/internal/event"
	"ferry/internal/gate"
)

// Files is a gate.Config's: the trees that open gives, in the layers of a server.
func Files(open func(u ferry.User) ferry.FS) func(context.Context, *gate.Session) (ferry.FS, error) {
	return func(_ context.Context, s *gate.Session) (ferry.FS, error) {
		return event.Watch(s.Meter(access.New(open(s.User()), s.User)), s.Emit), nil
	}
}
