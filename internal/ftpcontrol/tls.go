package ftpcontrol

import (
	"crypto/tls"
	"io"
	"time"

	"ferry/internal/ftptls"
)

// handshakeTimeout bounds a TLS handshake, and the wait for the client's end
// of TLS after CCC and REIN.
const handshakeTimeout = 30 * time.Second

// Encrypted tells whether TLS is on the connection now.
func (c *Conn) Encrypted() bool { return c.tls != nil }

// DropUnread drops what the client has said and ReadLine not returned: bytes that are no
// line yet, or below what was TLS once. None of it may be taken for something said
// under TLS. It returns how many bytes there were.
func (c *Conn) DropUnread() int {
	n := c.in.Discard()
	if w, ok := c.top.(*ftptls.Wire); ok {
		n += w.To - w.From
		c.top = w.Conn
	}
	return n
}

// StartTLS makes the handshake of the server (RFC 4217 §4). Where it fails, the
// connection is good for nothing any more, and the error says why: the alert that the
// client sent, if it did.
func (c *Conn) StartTLS(cfg *tls.Config) (tls.ConnectionState, error) {
	wire := ftptls.ControlWire(c.top, c.allowWriting)
	wire.Gather, wire.Prompt = true, true
	over := tls.Server(wire, cfg)
	c.allow(handshakeTimeout)
	defer c.allow(0)
	err := over.Handshake()
	wire.Prompt = false
	if sent := wire.Through(); err == nil { // also the alert that says what was wrong
		err = sent
	}
	if err != nil {
		return tls.ConnectionState{}, wire.Failure(err)
	}
	c.tls, c.wire, c.top = over, wire, over
	c.in.Reset(over)
	return over.ConnectionState(), nil
}

// EndTLS closes TLS from our side, waits for the client's close_notify, and goes on in
// clear. Some clients answer with none and just go on (curl --ftp-ssl-ccc-mode
// passive). Nobody gains by insisting: from here on whoever is on the way can say what
// he likes.
func (c *Conn) EndTLS() error {
	_ = c.tls.CloseWrite()
	c.allow(handshakeTimeout) // crypto/tls leaves a deadline in the past behind it
	var late [256]byte
	for {
		bare, err := c.wire.ClearAhead()
		if err != nil {
			return err
		}
		if bare {
			break
		}
		if _, err := c.tls.Read(late[:]); err == io.EOF && !c.wire.Ended {
			break
		} else if err != nil {
			return err
		}
	}
	c.allow(0)
	c.wire.Detach()
	c.top = c.wire
	c.in.Reset(c.wire)
	c.tls, c.wire = nil, nil
	return nil
}

// allow bounds what waits on the connection, beyond single lines and replies; 0: no
// more. A client that is to leave has no more time than it has.
func (c *Conn) allow(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var until time.Time
	if d > 0 {
		until = time.Now().Add(d)
	}
	if c.leaving {
		_ = c.raw.SetReadDeadline(longAgo())
		_ = c.raw.SetWriteDeadline(time.Now().Add(goodbyeTime))
		return
	}
	_ = c.raw.SetDeadline(until)
}
