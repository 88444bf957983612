package ftpserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// errDataTLS: the handshake on a data connection failed (522, RFC 4217 §9).
var errDataTLS = errors.New("the TLS handshake on the data connection failed")

// secureConn is a private data connection.
type secureConn struct {
	*tls.Conn
	raw     net.Conn
	wire    *tlsWire
	upload  bool
	own     *habits // of the session, where the client has shown a ticket of its own
	unclean func()  // nil: an end without close_notify is an error; else it is told
}

// secure makes the handshake on a data connection. The server of FTP is the
// server of TLS, whoever connected to whom (RFC 4217 §7).
func (c *conn) secure(ctx context.Context, raw net.Conn, s *shield, upload bool) (*secureConn, error) {
	var from shownTicket
	var wire *tlsWire
	late := func(bool) bool { return false }
	if upload {
		wire = uploadWire(raw, c.srv.wires)
		late = func(resumed bool) bool { return s.ticketAtEnd(resumed, from) }
	} else {
		wire = downloadWire(raw, c.srv.wires)
	}
	cfg := s.session.config(s.base, &from, func(resumed bool) owner {
		o := c.srv.tlsSessions.grant(s.session, resumed, from.owner)
		o.late = late(resumed)
		return o
	})
	cfg = wire.holdTickets(cfg, late)
	var offer string
	tc := tls.Server(wire, offered(cfg, &offer))
	sc := &secureConn{Conn: tc, raw: raw, wire: wire, upload: upload}
	if s.lenient {
		sc.unclean = func() {
			c.log().Warn("upload ended without close_notify; it counts, as configured", "client", s.client)
		}
	}
	_ = raw.SetDeadline(time.Now().Add(c.srv.cfg.DataTimeout))
	wire.prompt = true
	err := context.Cause(ctx)
	if err == nil {
		err = tc.Handshake()
	}
	wire.prompt = false
	if err != nil {
		_ = wire.flush() // the alert that says what was wrong
	} else if !wire.hold {
		err = wire.flush() // a client that is refused now shall not take it for a handshake that failed
	}
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return sc, cause
	}
	if err != nil {
		c.log().Warn("TLS handshake failed on a data connection", "err", brief([]string{wire.failure(err).Error()}), "offer", offer)
		return sc, errDataTLS
	}
	_ = raw.SetDeadline(time.Time{})
	if s.binding != BindOff {
		c.srv.tlsSessions.awaitLogin(ctx, s.session, tc.ConnectionState().DidResume, from.owner)
		if cause := context.Cause(ctx); cause != nil {
			return sc, cause
		}
	}
	verdict := c.srv.tlsSessions.judge(s.session, tc.ConnectionState().DidResume, from.owner)
	loose, err := s.session.admit(s.binding, verdict)
	if err != nil {
		c.log().Warn("data connection refused: it did not resume the TLS session of its control connection",
			"binding", s.binding.String(), "resumed", tc.ConnectionState().DidResume, "other_user", verdict == foreign)
		return sc, err
	}
	if verdict == own {
		sc.own = &s.session.habits
		sc.own.show(from, wire.hold)
	}
	if loose && s.binding == BindObserve {
		c.srv.unbound.Add(1)
		c.log().Warn("data connection would be refused by binding = enforce: it did not resume the TLS session of its control connection",
			"resumed", tc.ConnectionState().DidResume, "client", s.client, "so_far", c.srv.unbound.Load())
	}
	return sc, nil
}

// ticketAtEnd tells whether an upload gives its ticket at its end: a client that
// closes without having read it would lose what it has still to send. Modes that
// always want one have to give it before to clients that need another each time.
func (s *shield) ticketAtEnd(resumed bool, from shownTicket) bool {
	insists := s.binding == BindEnforce || s.binding == BindObserve
	return !resumed || s.lenient || !insists || s.session.habits.willShowAgain(from)
}

// Read tells an end of TLS from an end of the transport: only the client's
// close_notify says that the file is whole (RFC 8446 §6.1).
func (s *secureConn) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p)
	if err != io.EOF || !s.wire.ended {
		return n, err
	}
	if s.unclean != nil {
		s.unclean()
		return n, err
	}
	return n, fmt.Errorf("TLS ended without close_notify: %w", io.ErrUnexpectedEOF)
}

// broke notes that the connection did not come to its end.
func (s *secureConn) broke() {
	if s.own != nil {
		s.own.lost.Store(true)
	}
}

// finish sends what is gathered, and close_notify, in one write. After an
// upload it is a courtesy: the client may have gone. A download that was
// aborted ends without, for close_notify says that the file is whole.
func (s *secureConn) finish(ctx context.Context, stall time.Duration) error {
	s.wire.closing = true
	err := s.Conn.CloseWrite()
	// crypto/tls leaves a deadline in the past behind it.
	_ = s.raw.SetWriteDeadline(time.Now().Add(stall))
	if cause := context.Cause(ctx); cause != nil && !s.upload {
		return cause // whoever ended ctx set the deadline before we did
	}
	if ferr := s.wire.through(); err == nil {
		err = ferr
	}
	if s.upload {
		return nil
	}
	return err
}
