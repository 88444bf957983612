package ferry

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// DataConn is a connection that the bytes of a file go over, for as long as a
// transfer takes: RFC 959's data connection, or any other stream. It has one
// owner, who says how long to wait (WaitUntil), and any number of others who may
// end the waiting for good (Interrupt). Both are deadlines of the net.Conn below;
// nobody else may set those, or an interruption could be overwritten.
type DataConn struct {
	mu    sync.Mutex
	conn  net.Conn
	cause error // of the interruption; nil: there was none
}

// longAgo is a deadline that has passed: whatever waits, or will, returns at once.
func longAgo() time.Time { return time.Unix(1, 0) }

// NewDataConn makes a DataConn of conn, which stays the caller's to close.
func NewDataConn(conn net.Conn) *DataConn { return &DataConn{conn: conn} }

// Over puts a layer, as TLS, between the bytes of the file and the connection: top
// lies over what Conn returned before, and passes deadlines down.
func (d *DataConn) Over(top net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.conn = top
	if d.cause != nil {
		_ = top.SetDeadline(longAgo())
	}
}

// Conn is what the bytes go over. Where it is a *net.TCPConn the kernel can move
// them alone (sendfile, splice); errors met there go through Why.
func (d *DataConn) Conn() net.Conn {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.conn
}

// Read is io.Reader's.
func (d *DataConn) Read(p []byte) (int, error) {
	n, err := d.Conn().Read(p)
	return n, d.Why(err)
}

// Ended waits for what comes next, and tells whether that is the end. If it is not, a byte
// is lost: it is for who will take no more.
func (d *DataConn) Ended() (bool, error) {
	n, err := io.ReadFull(d, make([]byte, 1))
	if n > 0 || err != io.EOF {
		return false, err
	}
	return true, nil
}

// Write is io.Writer's.
func (d *DataConn) Write(p []byte) (int, error) {
	n, err := d.Conn().Write(p)
	return n, d.Why(err)
}

// Interrupt ends all waiting, at once and for good: what reads or writes fails with
// cause, and so does what begins after. Only the first cause counts. It may be
// called from any goroutine.
func (d *DataConn) Interrupt(cause error) {
	if cause == nil {
		cause = net.ErrClosed
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cause == nil {
		d.cause = cause
		_ = d.conn.SetDeadline(longAgo())
	}
}

// InterruptAfter interrupts when ctx ends, with its cause, unless stop is called before.
func (d *DataConn) InterruptAfter(ctx context.Context) (stop func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	undo := context.AfterFunc(ctx, func() { d.Interrupt(context.Cause(ctx)) })
	return func() { undo() }
}

// Interrupted is the cause of the interruption, nil if there was none.
func (d *DataConn) Interrupted() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.cause
}

// Why is err, or the cause of the interruption where that is what made err.
func (d *DataConn) Why(err error) error {
	if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	if cause := d.Interrupted(); cause != nil {
		return cause
	}
	return err
}

// WaitUntil bounds what waits, and what will: beyond t it fails with
// os.ErrDeadlineExceeded. The zero time is no bound. An interruption stands.
func (d *DataConn) WaitUntil(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cause == nil {
		_ = d.conn.SetDeadline(t)
	}
}

// WaitToWriteUntil is WaitUntil of writing alone. It holds also where a layer has set
// a deadline of its own, as crypto/tls does when it closes.
func (d *DataConn) WaitToWriteUntil(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cause != nil {
		t = longAgo()
	}
	_ = d.conn.SetWriteDeadline(t)
}
