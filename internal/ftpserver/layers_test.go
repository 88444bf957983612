package ftpserver

import (
	"ferry"
	"ferry/internal/access"
	"ferry/internal/event"
	"ferry/internal/gate"
)

// layered is files with what a server puts around them.
func layered(s *gate.Session, files ferry.FS) ferry.FS {
	return event.Watch(s.Meter(access.New(files, s.User)), s.Emit)
}
