package ftpdata

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// AnyPort as Config.ActivePort: active connections come from whatever port is free.
const AnyPort = -1

// dial makes an active connection. It comes from the port below the control
// connection's (RFC 959 §3.2: L-1, 20 for 21), which firewalls of clients look for, or
// from the one that is configured. Many connections share that port, each to another
// peer or port; where it cannot be had for this one, any port will do.
func (s *Service) dial(ctx context.Context, who Session, to netip.AddrPort) (net.Conn, error) {
	if port := s.activePort(who); port != 0 {
		nc, err := s.ports.net.Dial(ctx, netip.AddrPortFrom(who.Local.Addr(), port), to)
		if err == nil || !isTaken(err) {
			return nc, err
		}
		s.noteFallback(ctx, who, port, err)
	}
	return s.ports.net.Dial(ctx, netip.AddrPortFrom(who.Local.Addr(), 0), to)
}

// activePort is where active connections of a session come from; 0: anywhere.
func (s *Service) activePort(who Session) uint16 {
	switch {
	case s.cfg.ActivePort == AnyPort:
		return 0
	case s.cfg.ActivePort > 0:
		return uint16(s.cfg.ActivePort)
	case who.Reached.Port() > 1:
		return who.Reached.Port() - 1
	}
	return 0
}

// isTaken tells whether it was the port of ours that could not be had: it wants a
// privilege, a listener has it, or there is a connection from it to the very port of
// the peer, be it one that ended a minute ago (TIME_WAIT).
func isTaken(err error) bool {
	return slices.ContainsFunc([]error{syscall.EACCES, syscall.EPERM, syscall.EADDRINUSE, syscall.EADDRNOTAVAIL},
		func(reason error) bool { return errors.Is(err, reason) })
}

// noteFallback says once in the log that another port is used, and then in detail only.
func (s *Service) noteFallback(ctx context.Context, who Session, port uint16, err error) {
	level := slog.LevelDebug
	if s.fellBack.CompareAndSwap(false, true) {
		level = slog.LevelWarn
	}
	who.Log().Log(ctx, level, "an active data connection comes from a random port, not from ftp.active_port: said once",
		"port", port, "error", err)
}

// shareLocalPort lets many connections come from one port, also where an earlier one
// from it has not been forgotten yet.
func shareLocalPort(_, _ string, c syscall.RawConn) error {
	var err error
	cerr := c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1) })
	return errors.Join(cerr, err)
}
