// Package ftpcontrol is the control connection of an FTP session (RFC 959 §2.3): command
// lines in, replies out, in the charset of the client's names (RFC 2640), with the
// refusals of Telnet options between them (RFC 1123 §4.1.2.12); TLS that begins with
// AUTH and may end with CCC or REIN (RFC 4217); and how it ends.
//
// The session reads and writes in one goroutine. Others may wake it (Wake), tell it to
// go (Leave), and ask whether the client is still there (Fate). All this works by
// deadlines of the net.Conn below, which are set here alone, so that none of them undoes
// another.
package ftpcontrol

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/text/encoding"

	"ferry/internal/ftptls"
	"ferry/internal/ftpwire"
)

const (
	// MaxLine is how many bytes one command may have: a verb and the longest name.
	MaxLine = 8 << 10
	// writeTimeout is how long the client may take to read a reply.
	writeTimeout = 30 * time.Second
	// goodbyeTime is the same, where the server ends the connection.
	goodbyeTime = time.Second
	// keepOut is the largest buffer of replies that is kept for the next ones.
	keepOut = 4 << 10
)

// ErrWoken is what ReadLine returns after a Wake.
var ErrWoken = errors.New("woken")

// UnsentError is why a refusal of a Telnet option could not be sent, which happens
// while a line is read.
type UnsentError struct{ Err error }

func (e *UnsentError) Error() string { return e.Err.Error() }

// Conn is a control connection. Its methods are for one goroutine, but for Wake and
// Leave.
type Conn struct {
	raw     net.Conn // the connection itself
	top     net.Conn // what is read and written: raw, TLS over it, or what TLS has left
	tls     *tls.Conn
	wire    *ftptls.Wire // below tls
	in      *ftpwire.Reader
	out     []byte // replies not yet written
	unsent  error  // see UnsentError
	charset encoding.Encoding

	settled   chan struct{} // nil: nobody has asked; see settledChan
	isSettled bool

	mu      sync.Mutex // guards the deadlines of raw, and what follows
	woken   bool       // the next ReadLine returns at once
	leaving bool
}

// New is the control connection over nc, which stays the caller's to close.
func New(nc net.Conn) *Conn {
	c := &Conn{raw: nc, top: nc, in: ftpwire.NewReader(nc, MaxLine)}
	c.in.OnRefusal(c.sendRefusals)
	return c
}

// longAgo is a deadline that has passed: whatever waits, or will, returns at once.
func longAgo() time.Time { return time.Unix(1, 0) }

// Wake makes ReadLine return ErrWoken: the one that waits, or else the next. Safe from
// every goroutine.
func (c *Conn) Wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wake()
}

func (c *Conn) wake() {
	c.woken = true
	_ = c.raw.SetReadDeadline(longAgo())
}

// Leave is Wake where the session must end: from now on a client that does not take
// what it is told has no more time than a second. Safe from every goroutine.
func (c *Conn) Leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leaving = true
	_ = c.raw.SetWriteDeadline(time.Now().Add(goodbyeTime))
	c.wake()
}

// ReadLine waits for a command line, which is valid until the next call, until a time;
// the zero time is none. ErrWoken, os.ErrDeadlineExceeded, ftpwire.ErrLineTooLong and an
// UnsentError leave the connection as it was; whatever else happens is its end.
func (c *Conn) ReadLine(until time.Time) ([]byte, error) {
	if !c.await(until) {
		return nil, ErrWoken
	}
	line, err := c.in.ReadLine()
	return line, c.whyRead(err, until)
}

// await sets the deadline of a read, unless somebody has woken it.
func (c *Conn) await(until time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.woken {
		c.woken = false
		return false
	}
	_ = c.raw.SetReadDeadline(until)
	return true
}

// whyRead tells a wake-up from a client that was silent for too long.
func (c *Conn) whyRead(err error, until time.Time) error {
	c.takeRefusals()
	if unsent := c.unsent; unsent != nil {
		c.unsent = nil
		return &UnsentError{unsent}
	}
	if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.woken || until.IsZero() || time.Now().Before(until) {
		c.woken = false
		return ErrWoken
	}
	return err
}

// HasLine tells whether the next line is there already.
func (c *Conn) HasLine() bool { return c.in.HasLine() }

// takeRefusals queues the refusals of Telnet options.
func (c *Conn) takeRefusals() { c.out = append(c.out, c.in.TakeTelnetReply()...) }

// sendRefusals sends them to a client that may be waiting for them before it goes on.
func (c *Conn) sendRefusals() {
	c.takeRefusals()
	if err := c.Flush(); err != nil {
		c.unsent = err
		c.Wake()
	}
}

// Send queues a reply of one or more lines, in the charset of the client.
func (c *Conn) Send(code int, lines ...string) {
	for i := range lines {
		lines[i] = c.encode(lines[i])
	}
	c.out = ftpwire.Printer{Telnet: c.charset == nil}.AppendReply(c.out, code, lines...)
}

// SendPart queues what is not yet a whole reply, as it is.
func (c *Conn) SendPart(text string) { c.out = append(c.out, text...) }

// Unsent is how many bytes of replies wait.
func (c *Conn) Unsent() int { return len(c.out) }

// Flush writes what waits, if there is anything. What a client has not taken in time
// is lost.
func (c *Conn) Flush() error {
	if len(c.out) == 0 {
		return nil
	}
	c.allowWriting()
	_, err := c.top.Write(c.out)
	if c.out = c.out[:0]; cap(c.out) > keepOut {
		c.out = nil
	}
	return err
}

func (c *Conn) allowWriting() {
	c.mu.Lock()
	defer c.mu.Unlock()
	allowed := writeTimeout
	if c.leaving {
		allowed = goodbyeTime
	}
	_ = c.raw.SetWriteDeadline(time.Now().Add(allowed))
}

// Refuse says one reply to a connection that gets no session, and closes it.
func Refuse(nc net.Conn, code int, text string) {
	_ = nc.SetWriteDeadline(time.Now().Add(writeTimeout))
	_, _ = nc.Write(ftpwire.AppendReply(nil, code, text))
	_ = nc.Close()
}
