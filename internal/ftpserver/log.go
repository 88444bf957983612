package ftpserver

import (
	"context"
	"log/slog"
	"net/netip"
	"runtime/debug"

	"ferry"
	"ferry/internal/gate"
)

// log is the server's logger with what names this session.
func (c *conn) log() *slog.Logger { return c.report.Log() }

// nameLog makes the log, and what is reported there, name the session as it is now.
func (c *conn) nameLog() {
	srv, id, peer, user := c.srv, c.gateConn.ID(), c.peer, ""
	if c.sess != nil {
		user = c.sess.User().Name
	}
	c.report.Log = func() *slog.Logger { return srv.sessionLog(id, peer, user) }
	c.next.LogTo(c.report.Log)
}

// sessionLog is the server's logger with what names a session; user is "" before the
// login.
func (s *Server) sessionLog(id string, peer netip.AddrPort, user string) *slog.Logger {
	l := s.cfg.Log.With("session", id, "peer", peer)
	if user != "" {
		l = l.With("user", user)
	}
	return l
}

func (c *conn) debugCommand(r request) {
	if !c.srv.cfg.Log.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	verb, arg := r.Verb, r.Arg
	switch {
	case verb == "PASS" || verb == "ACCT":
		arg = "(hidden)"
	case r.row.verb == "":
		verb, arg = "(unknown)", "(hidden)" // it may be a password that slipped into the wrong line
	}
	c.log().Debug("command", "verb", verb, "argument", arg)
}

// tellPanic tells of p, which was just recovered, and gives why the session ends.
func tellPanic(c *gate.Conn, p any) error {
	err := &ferry.PanicError{Value: p, Stack: debug.Stack()}
	c.Panicked(err)
	return err
}
