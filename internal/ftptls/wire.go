package ftptls

import (
	"crypto/tls"
	"io"
	"net"
	"sync"
)

const (
	// Where little comes, little is read ahead; below an upload as much as is
	// worth one system call.
	littleAhead = 1 << 10
	muchAhead   = 128 << 10
	// gatherFull is how many bytes of records are written at once.
	gatherFull = 128 << 10
	gatherRoom = gatherFull + (17 << 10) // and the record that fills it up
)

// Wire is the connection below a tls.Conn. crypto/tls makes a system call
// of every record and more than one of every read; the wire makes one of many.
//
// On control connections it hands the records on one by one, so that nothing
// behind the end of TLS (CCC, REIN) disappears in the buffers of crypto/tls:
// after detach the wire goes on with those bytes in clear.
//
// One goroutine reads and writes; deadlines and Close may come from others.
type Wire struct {
	net.Conn
	pools *Pools // where the large buffer of a data connection comes from

	in       []byte // read ahead: in[from:to]
	From, To int
	whole    bool    // hand on records one by one
	allow    func()  // see ControlWire
	header   [5]byte // of the record that is being handed on
	have     int     // bytes of header seen
	left     int     // bytes of the record's body not yet handed on

	out    []byte // gathered
	Gather bool
	ticket bool // the next write ends with a session ticket
	// Hold keeps back what is gathered while the client sends: the session
	// tickets of a server that only receives. Clients close an upload without
	// reading them, and a socket that is closed with something unread resets
	// the connection and loses what it had still to send.
	Hold bool
	// Closing gathers what comes now, however much there is: crypto/tls gives
	// the alert that closes TLS no more than five seconds.
	Closing bool
	Ended   bool // the transport's end was read: TLS did not end before it
	// Prompt acknowledges at once what comes. GnuTLS sends the end of its
	// handshake in two segments, the second when the first is acknowledged,
	// for which kernels wait 40 ms; a small file takes one.
	Prompt bool
}

// Pools are where the large buffers come from.
type Pools struct{ in, out sync.Pool }

func NewPools() *Pools {
	return &Pools{
		in:  sync.Pool{New: func() any { return new([muchAhead]byte) }},
		out: sync.Pool{New: func() any { return new([gatherRoom]byte) }},
	}
}

// ControlWire is a wire for a control connection; allow is called before each write, to
// say how long it may take. crypto/tls also writes by itself while it reads, to answer a
// KeyUpdate (RFC 8446 §4.6.3), when the deadline of the last reply has long passed.
func ControlWire(nc net.Conn, allow func()) *Wire {
	return &Wire{Conn: nc, in: make([]byte, littleAhead), whole: true, allow: allow}
}

// UploadWire and downloadWire are wires for data connections. They must be
// released.
func UploadWire(nc net.Conn, pools *Pools) *Wire {
	return &Wire{Conn: nc, pools: pools, in: pools.in.Get().(*[muchAhead]byte)[:], Gather: true}
}

func DownloadWire(nc net.Conn, pools *Pools) *Wire {
	return &Wire{Conn: nc, pools: pools, in: make([]byte, littleAhead), out: pools.out.Get().(*[gatherRoom]byte)[:0], Gather: true}
}

// Read implements net.Conn. What is gathered goes out first: the client waits
// for it, in a handshake.
func (w *Wire) Read(p []byte) (int, error) {
	if !w.Hold {
		if err := w.Flush(); err != nil {
			return 0, err
		}
	}
	if w.From == w.To {
		if err := w.fill(); err != nil {
			return 0, err
		}
	}
	n := min(len(p), w.To-w.From)
	if w.whole {
		n = min(n, w.inRecord())
	}
	copy(p, w.in[w.From:w.From+n])
	if w.whole {
		w.follow(w.in[w.From : w.From+n])
	}
	w.From += n
	return n, nil
}

// fill reads ahead.
func (w *Wire) fill() error {
	if w.Prompt {
		acknowledge(w.Conn)
	}
	n, err := w.Conn.Read(w.in)
	w.From, w.To = 0, n
	if n > 0 {
		return nil // an error comes again
	}
	if err == io.EOF {
		w.Ended = true
	}
	return err
}

// inRecord is how many bytes may be handed on without leaving the record.
func (w *Wire) inRecord() int {
	if w.left > 0 {
		return w.left
	}
	return len(w.header) - w.have
}

// follow keeps track of where in a record the bytes handed on end
// (RFC 8446 §5.1: type, version, and a length of two bytes).
func (w *Wire) follow(p []byte) {
	if w.left > 0 {
		w.left -= len(p)
		return
	}
	w.have += copy(w.header[w.have:], p)
	if w.have == len(w.header) {
		w.have, w.left = 0, int(w.header[3])<<8|int(w.header[4])
	}
}

// Write implements net.Conn.
func (w *Wire) Write(p []byte) (int, error) {
	if w.allow != nil {
		w.allow()
	}
	if !w.Gather {
		return w.Conn.Write(p)
	}
	// A write of crypto/tls is one record, or the few of a handshake: it fits.
	w.out = append(w.out, p...)
	if w.ticket {
		return len(p), w.holdTicket()
	}
	if len(w.out) >= gatherFull && !w.Closing {
		if err := w.Flush(); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// Flush writes what is gathered.
func (w *Wire) Flush() error {
	if len(w.out) == 0 {
		return nil
	}
	_, err := w.Conn.Write(w.out)
	w.out = w.out[:0]
	return err
}

// HoldTickets keeps the session ticket of cfg's handshake back until through,
// where late says so. In TLS 1.2 it is part of the handshake, and every client
// waits for it.
func (w *Wire) HoldTickets(cfg *tls.Config, late func(resumed bool) bool) *tls.Config {
	wrap := cfg.WrapSession
	cfg.WrapSession = func(cs tls.ConnectionState, ss *tls.SessionState) ([]byte, error) {
		w.ticket = cs.Version >= tls.VersionTLS13 && late(cs.DidResume)
		return wrap(cs, ss)
	}
	return cfg
}

// holdTicket writes what is gathered but for its last record. crypto/tls gives
// out a ticket as early as it can, together with the records of its handshake
// that the client waits for.
func (w *Wire) holdTicket() error {
	w.ticket, w.Hold = false, true
	ticket := w.out
	for size := recordSize(ticket); size < len(ticket); size = recordSize(ticket) {
		ticket = ticket[size:]
	}
	_, err := w.Conn.Write(w.out[:len(w.out)-len(ticket)])
	w.out = w.out[:copy(w.out, ticket)]
	return err
}

// recordSize is that of the record at the beginning of p, with its header
// (RFC 8446 §5.1: type, version, and a length of two bytes).
func recordSize(p []byte) int { return 5 + (int(p[3])<<8 | int(p[4])) }

// Through writes what is gathered, and from now on everything at once: the
// alert that closes TLS must not wait, for crypto/tls forbids all writing
// behind it by a deadline in the past.
func (w *Wire) Through() error {
	w.Hold = false
	err := w.Flush()
	w.Gather = false
	return err
}

// ClearAhead waits for something to read, and tells whether it is no record of
// TLS: their types are 20 to 24 (RFC 8446 §5.1, RFC 6520), and no command
// begins with such a byte.
func (w *Wire) ClearAhead() (bool, error) {
	if w.From == w.To {
		if err := w.fill(); err != nil {
			return false, err
		}
	}
	between := w.have == 0 && w.left == 0
	return between && (w.in[w.From] < 20 || w.in[w.From] > 24), nil
}

// Failure is why a handshake failed with err: the alert that the client sent
// last, if it did. OpenSSL's send one in clear where crypto/tls expects it
// encrypted, and all that is seen of it is a record that cannot be opened.
func (w *Wire) Failure(err error) error {
	const record = 7 // type 21, version, length 2; level and description (RFC 8446 §6)
	if w.To < record {
		return err
	}
	last := w.in[w.To-record : w.To]
	if last[0] != 21 || last[1] != 3 || last[3] != 0 || last[4] != 2 {
		return err
	}
	return &net.OpError{Op: "remote error", Err: tls.AlertError(last[6])}
}

// Detach ends the handing on by records: TLS is over, and what comes now is
// in clear.
func (w *Wire) Detach() { w.whole = false }

// Release gives the large buffer back. Nothing may use the wire any more.
func (w *Wire) Release() {
	if cap(w.in) == muchAhead {
		w.pools.in.Put((*[muchAhead]byte)(w.in))
	}
	if cap(w.out) == gatherRoom {
		w.pools.out.Put((*[gatherRoom]byte)(w.out[:gatherRoom]))
	}
	w.in, w.out = nil, nil
}
