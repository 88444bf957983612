package ftpdata

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"ferry"

	"ferry/internal/ftptls"
)

// errDataTLS: the handshake on a data connection failed (522, RFC 4217 §9).
var ErrDataTLS = errors.New("the TLS handshake on the data connection failed")

// secureConn is a private data connection.
type secureConn struct {
	*tls.Conn
	data    *ferry.DataConn // that this is a layer of
	raw     net.Conn        // below TLS
	wire    *ftptls.Wire
	upload  bool
	from    ftptls.ShownTicket // by the client, in the handshake
	offer   string             // of the client, for the log
	own     *ftptls.TicketUse  // of the session, where the client has shown a ticket of its own
	unclean func()             // nil: an end without close_notify is an error; else it is told
}

// DataTLS is what a data connection needs to be private.
type DataTLS struct {
	Session *ftptls.Session
	Base    *tls.Config
	Binding ftptls.Binding
	Lenient bool // an end without close_notify counts as an end
	Client  string
}

// secure makes raw private. The server of FTP is the server of TLS, whoever
// connected to whom (RFC 4217 §7). The connection is not nil, whatever the error: its
// wire is to be released.
func (s *Service) secure(ctx context.Context, who Session, data *ferry.DataConn, d *DataTLS, upload bool) (*secureConn, error) {
	sc := s.layer(who, data, d, upload)
	if err := sc.handshake(who, s.cfg.DataTimeout); err != nil {
		return sc, err
	}
	return sc, s.bind(ctx, who, sc, d)
}

// layer puts TLS over raw, without a byte.
func (s *Service) layer(who Session, data *ferry.DataConn, d *DataTLS, upload bool) *secureConn {
	raw := data.Conn()
	sc := &secureConn{data: data, raw: raw, upload: upload}
	late := func(bool) bool { return false }
	if upload {
		sc.wire = ftptls.UploadWire(raw, s.wires)
		late = func(resumed bool) bool { return d.ticketAtEnd(resumed, sc.from) }
	} else {
		sc.wire = ftptls.DownloadWire(raw, s.wires)
	}
	cfg := d.Session.Config(d.Base, &sc.from, func(resumed bool) ftptls.Owner {
		o := s.sessions.Grant(d.Session, resumed, sc.from.Owner)
		o.Late = late(resumed)
		return o
	})
	sc.Conn = tls.Server(sc.wire, ftptls.Offered(sc.wire.HoldTickets(cfg, late), &sc.offer))
	if d.Lenient {
		sc.unclean = func() {
			who.Log().Warn("upload ended without close_notify; it counts, as configured", "client", d.Client)
		}
	}
	return sc
}

// handshake is that of TLS.
func (sc *secureConn) handshake(who Session, timeout time.Duration) error {
	sc.data.WaitUntil(time.Now().Add(timeout))
	sc.wire.Prompt = true
	err := sc.Conn.Handshake()
	sc.wire.Prompt = false
	if err != nil {
		_ = sc.wire.Flush() // the alert that says what was wrong
	} else if !sc.wire.Hold {
		err = sc.wire.Flush() // a client that is refused now shall not take it for a handshake that failed
	}
	if cause := sc.data.Interrupted(); err != nil && cause != nil {
		return cause
	}
	if err != nil {
		who.Refused(ftptls.Failed("TLS handshake on a data connection", sc.wire.Failure(err), sc.offer))
		return ErrDataTLS
	}
	sc.data.WaitUntil(time.Time{})
	return nil
}

// bind finds out whether the connection belongs to its session, and refuses one that
// has to and does not.
func (s *Service) bind(ctx context.Context, who Session, sc *secureConn, d *DataTLS) error {
	resumed := sc.ConnectionState().DidResume
	if d.Binding != ftptls.BindOff {
		s.sessions.AwaitLogin(ctx, d.Session, resumed, sc.from.Owner)
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
	}
	verdict := s.sessions.Judge(d.Session, resumed, sc.from.Owner)
	loose, err := d.Session.Admit(d.Binding, verdict)
	if err != nil {
		who.Log().Warn("data connection refused: it did not resume the TLS session of its control connection",
			"binding", d.Binding.String(), "resumed", resumed, "other_user", verdict == ftptls.Foreign)
		return err
	}
	if verdict == ftptls.Own {
		sc.own = &d.Session.Use
		sc.own.Show(sc.from, sc.wire.Hold)
	}
	if loose && d.Binding == ftptls.BindObserve {
		s.unbound.Add(1)
		who.Log().Warn("data connection would be refused by binding = enforce: it did not resume the TLS session of its control connection",
			"resumed", resumed, "client", d.Client, "so_far", s.unbound.Load())
	}
	return nil
}

// ticketAtEnd tells whether an upload gives its ticket at its end: a client that
// closes without having read it would lose what it has still to send. Modes that
// always want one have to give it before to clients that need another each time.
func (s *DataTLS) ticketAtEnd(resumed bool, from ftptls.ShownTicket) bool {
	insists := s.Binding == ftptls.BindEnforce || s.Binding == ftptls.BindObserve
	return !resumed || s.Lenient || !insists || s.Session.Use.WillShowAgain(from)
}

// Read tells an end of TLS from an end of the transport: only the client's
// close_notify says that the file is whole (RFC 8446 §6.1).
func (s *secureConn) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p)
	if err != io.EOF || !s.wire.Ended {
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
		s.own.Lost.Store(true)
	}
}

// finish sends what is gathered, and close_notify, in one write. After an
// upload it is a courtesy: the client may have gone. A download that was
// aborted ends without, for close_notify says that the file is whole.
func (s *secureConn) finish(stall time.Duration) error {
	s.wire.Closing = true
	err := s.Conn.CloseWrite()
	// crypto/tls leaves a deadline in the past behind it.
	until, cause := time.Now().Add(stall), s.data.Interrupted()
	switch {
	case cause == nil:
		s.data.WaitToWriteUntil(until)
	case s.upload:
		_ = s.raw.SetWriteDeadline(until) // last words, in spite of the interruption
	default:
		return cause
	}
	if ferr := s.wire.Through(); err == nil {
		err = ferr
	}
	if s.upload {
		return nil
	}
	return err
}
