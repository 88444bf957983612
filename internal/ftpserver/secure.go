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
	from    shownTicket // by the client, in the handshake
	offer   string      // of the client, for the log
	own     *habits     // of the session, where the client has shown a ticket of its own
	unclean func()      // nil: an end without close_notify is an error; else it is told
}

// shield is what a data connection needs to be private.
type shield struct {
	session *tlsSession
	base    *tls.Config
	binding Binding
	lenient bool // an end without close_notify counts as an end
	client  string
}

// secure makes raw private. The server of FTP is the server of TLS, whoever
// connected to whom (RFC 4217 §7). The connection is not nil, whatever the error: its
// wire is to be released.
func (s *service) secure(ctx context.Context, who party, raw net.Conn, d *shield, upload bool) (*secureConn, error) {
	sc := s.layer(who, raw, d, upload)
	if err := sc.handshake(ctx, who, s.cfg.DataTimeout); err != nil {
		return sc, err
	}
	return sc, s.bind(ctx, who, sc, d)
}

// layer puts TLS over raw, without a byte.
func (s *service) layer(who party, raw net.Conn, d *shield, upload bool) *secureConn {
	sc := &secureConn{raw: raw, upload: upload}
	late := func(bool) bool { return false }
	if upload {
		sc.wire = uploadWire(raw, s.wires)
		late = func(resumed bool) bool { return d.ticketAtEnd(resumed, sc.from) }
	} else {
		sc.wire = downloadWire(raw, s.wires)
	}
	cfg := d.session.config(d.base, &sc.from, func(resumed bool) owner {
		o := s.tlsSessions.grant(d.session, resumed, sc.from.owner)
		o.late = late(resumed)
		return o
	})
	sc.Conn = tls.Server(sc.wire, offered(sc.wire.holdTickets(cfg, late), &sc.offer))
	if d.lenient {
		sc.unclean = func() {
			who.log().Warn("upload ended without close_notify; it counts, as configured", "client", d.client)
		}
	}
	return sc
}

// handshake is that of TLS.
func (sc *secureConn) handshake(ctx context.Context, who party, timeout time.Duration) error {
	_ = sc.raw.SetDeadline(time.Now().Add(timeout))
	sc.wire.prompt = true
	err := context.Cause(ctx)
	if err == nil {
		err = sc.Conn.Handshake()
	}
	sc.wire.prompt = false
	if err != nil {
		_ = sc.wire.flush() // the alert that says what was wrong
	} else if !sc.wire.hold {
		err = sc.wire.flush() // a client that is refused now shall not take it for a handshake that failed
	}
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	if err != nil {
		who.log().Warn("TLS handshake failed on a data connection", "error", brief([]string{sc.wire.failure(err).Error()}), "offer", sc.offer)
		return errDataTLS
	}
	_ = sc.raw.SetDeadline(time.Time{})
	return nil
}

// bind finds out whether the connection belongs to its session, and refuses one that
// has to and does not.
func (s *service) bind(ctx context.Context, who party, sc *secureConn, d *shield) error {
	resumed := sc.ConnectionState().DidResume
	if d.binding != BindOff {
		s.tlsSessions.awaitLogin(ctx, d.session, resumed, sc.from.owner)
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
	}
	verdict := s.tlsSessions.judge(d.session, resumed, sc.from.owner)
	loose, err := d.session.admit(d.binding, verdict)
	if err != nil {
		who.log().Warn("data connection refused: it did not resume the TLS session of its control connection",
			"binding", d.binding.String(), "resumed", resumed, "other_user", verdict == foreign)
		return err
	}
	if verdict == own {
		sc.own = &d.session.habits
		sc.own.show(sc.from, sc.wire.hold)
	}
	if loose && d.binding == BindObserve {
		s.unbound.Add(1)
		who.log().Warn("data connection would be refused by binding = enforce: it did not resume the TLS session of its control connection",
			"resumed", resumed, "client", d.client, "so_far", s.unbound.Load())
	}
	return nil
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
