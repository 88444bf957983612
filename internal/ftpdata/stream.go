package ftpdata

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"

	"ferry"
	"ferry/internal/ftptls"
)

// Form is how bytes look on the data connection.
type Form struct {
	Ascii bool // lines end in CR LF (RFC 959 §3.1.1.1)
	Z     bool // MODE Z: deflate in zlib's frame (RFC 1950)
	Level int  // of compression

	Upload bool     // the client sends
	TLS    *DataTLS // TLS; nil: in clear
}

// With brings the data connection, lets use move bytes over it in the form
// f, and closes it: cleanly only when all went well, or the client wanted the
// end. A plain binary transfer gets the bare connection, so that the kernel
// can move the bytes.
func (s *Service) With(ctx context.Context, who Session, at Endpoint, f Form, use func(*ferry.DataConn) error) error {
	raw, err := s.Open(ctx, who, at)
	if err != nil {
		return err
	}
	clean := false
	defer func() {
		if !clean {
			ftptls.Reset(raw)
		}
		_ = raw.Close()
	}()
	data := ferry.NewDataConn(raw)
	defer data.InterruptAfter(ctx)()
	finish, broke := func() error { return nil }, func() {}
	if f.TLS != nil {
		private, err := s.secure(ctx, who, data, f.TLS, f.Upload)
		defer private.wire.Release()
		if err != nil {
			return err
		}
		data.Over(private)
		finish, broke = func() error { return private.finish(s.cfg.StallTimeout) }, private.broke
	}
	if f.Z {
		z, below := newZConn(data.Conn(), f.Level), finish
		defer z.end(raw)
		data.Over(z)
		finish = func() error { return errors.Join(z.finish(), below()) }
	}
	if f.Ascii {
		data.Over(&asciiConn{Conn: data.Conn()})
	}
	err = use(data)
	switch {
	case err == nil:
		err = finish()
	case errors.Is(err, ferry.ErrAborted) && ctx.Err() != nil && f.Upload && f.TLS != nil && !f.Z:
		data.Interrupt(context.Cause(ctx)) // before finish, which may still write
		_ = finish()                       // nothing of ours is cut short
	}
	if err != nil {
		broke()
	}
	clean = err == nil || errors.Is(err, ferry.ErrAborted)
	return err
}

// asciiConn translates line ends: LF of a file is CR LF on the network. A CR
// LF in a file is sent as it is, a line end already: files that came in
// binary from systems with such ends would double them otherwise. A lone CR is
// kept in both directions.
type asciiConn struct {
	net.Conn
	lastCR bool   // the last byte written was a CR
	held   bool   // a CR was read whose next byte is not known yet
	spare  []byte // was translated and not asked for yet
	buf    []byte // of Write
}

func (a *asciiConn) Write(p []byte) (int, error) {
	a.buf = a.buf[:0]
	for _, b := range p {
		if b == '\n' && !a.lastCR {
			a.buf = append(a.buf, '\r')
		}
		a.buf = append(a.buf, b)
		a.lastCR = b == '\r'
	}
	if _, err := a.Conn.Write(a.buf); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (a *asciiConn) Read(p []byte) (int, error) {
	if len(p) == 1 && len(a.spare) == 0 {
		var two [2]byte // a CR can only be judged with what follows it
		n, err := a.translate(two[:])
		if n == 0 {
			return 0, err
		}
		a.spare = append(a.spare, two[:n]...)
	}
	if len(a.spare) > 0 {
		n := copy(p, a.spare)
		a.spare = a.spare[n:]
		return n, nil
	}
	return a.translate(p)
}

// translate is Read for at least two bytes.
func (a *asciiConn) translate(p []byte) (int, error) {
	for {
		at := 0
		if a.held {
			p[0], at = '\r', 1
		}
		n, err := a.Conn.Read(p[at:])
		n += at
		// Only the end of the file tells that nothing follows a CR; after any
		// other error, as of a deadline, reading may go on.
		a.held = n > 0 && p[n-1] == '\r' && !errors.Is(err, io.EOF)
		if a.held {
			n--
		}
		if n = dropCR(p[:n]); n > 0 || err != nil {
			return n, err
		}
	}
}

// dropCR removes each CR before a LF from p, in place.
func dropCR(p []byte) int {
	if bytes.IndexByte(p, '\r') < 0 {
		return len(p)
	}
	w := 0
	for i, b := range p {
		if b == '\r' && i+1 < len(p) && p[i+1] == '\n' {
			continue
		}
		p[w] = b
		w++
	}
	return w
}
