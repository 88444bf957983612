package ftpserver

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime/debug"

	"ferry/internal/ftpwire"
)

// log is the server's logger with what names this session.
func (c *conn) log() *slog.Logger {
	user := ""
	if c.sess != nil {
		user = c.sess.User().Name
	}
	return c.srv.sessionLog(c.gateConn.ID(), c.peer, user)
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

func (c *conn) debugCommand(cmd ftpwire.Command) {
	if !c.srv.cfg.Log.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	verb, arg := cmd.Verb, cmd.Arg
	switch {
	case verb == "PASS" || verb == "ACCT":
		arg = "(hidden)"
	case c.srv.commands[verb] == nil:
		verb, arg = "(unknown)", "(hidden)" // it may be a password that slipped into the wrong line
	}
	c.log().Debug("command", "verb", verb, "argument", arg)
}

func (c *conn) logPanic(p any) {
	c.log().Error("panic in a session", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
}
