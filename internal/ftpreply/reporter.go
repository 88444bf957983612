package ftpreply

import (
	"context"
	"log/slog"

	"ferry"
)

// Reporter makes replies of errors, and puts the cause, which the client is not
// told, in the log of the session.
type Reporter struct {
	Log func() *slog.Logger // called where there is something to log
}

// Failed is For with a line in the log.
func (p Reporter) Failed(verb string, name ferry.Name, err error) Reply {
	r := For(err)
	p.log(verb, name, r, err)
	return r
}

// StoreFailed is ForStore with a line in the log.
func (p Reporter) StoreFailed(verb string, name ferry.Name, err error) Reply {
	r := ForStore(err)
	p.log(verb, name, r, err)
	return r
}

func (p Reporter) log(verb string, name ferry.Name, r Reply, err error) {
	level := slog.LevelDebug
	if r.Code == 451 || r.Code == 452 {
		level = slog.LevelError
	}
	p.Log().Log(context.Background(), level, "command failed", "verb", verb, "name", name, "code", r.Code, "error", err)
}
