package ftpserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/text/encoding"

	"ferry"
	"ferry/internal/ftpdata"
	"ferry/internal/ftpparam"
	"ferry/internal/ftpport"
	"ferry/internal/ftpreply"
	"ferry/internal/ftptree"
	"ferry/internal/ftpwire"
	"ferry/internal/gate"
)

const (
	maxLine      = 8 << 10          // bytes of one command: a verb and the longest name
	maxQueue     = 256 << 10        // bytes of memory for commands that wait for a running job
	maxReplies   = 64 << 10         // bytes of replies that are gathered before they are written
	writeTimeout = 30 * time.Second // for the client to take a reply
	goodbyeTime  = time.Second      // the same, where the server ends the connection
	keepAlive    = 8 * time.Second  // between the lines that show a long job is alive

	// aloneAfterQuit is how long a job without a data connection goes on after
	// its client has said QUIT and closed the connection in its direction.
	aloneAfterQuit = 10 * time.Second
)

// conn is one session on a control connection. The goroutine in serve owns
// every field; a job gets values and posts its reply to job.done.
type conn struct {
	srv      *Server
	raw      net.Conn    // the connection itself; its deadlines are everybody's
	ctl      net.Conn    // what is read and written: raw, or TLS over it
	tls      *protection // nil: AUTH was not given
	in       *ftpwire.Reader
	out      []byte // replies not yet written
	gateConn *gate.Conn
	peer     netip.AddrPort
	local    netip.AddrPort
	start    time.Time
	// implicit: TLS is there from the start.
	implicit bool
	// loginBy is until when there must be a login.
	loginBy time.Time

	sess     *gate.Session // nil before login
	userName string        // as USER gave it; "" if there was none
	hostName string        // as HOST gave it
	client   string        // as CLNT or CSID said what it is
	noted    map[string]bool
	idle     time.Duration // SITE IDLE may change it

	files     *ftptree.Files // of the login; nil before it
	params    ftpparam.Params
	charset   encoding.Encoding // of names; nil: UTF-8, or whatever bytes they are
	next      *ftpport.Next     // how the next data connection comes about
	job       *job              // what runs now; nil: nothing
	queue     []request         // what waits for the job's end
	queueSize int               // bytes in queue
	quitSoon  atomic.Bool       // QUIT is in the queue: the job may outlive the control connection
	closing   bool              // the last reply is said
	report    ftpreply.Reporter
	cause     error // why the connection ends; nil: QUIT
}

func newConn(s *Server, nc net.Conn, gateConn *gate.Conn, peer, local netip.AddrPort, implicit bool) *conn {
	c := &conn{
		srv: s, raw: nc, ctl: nc, gateConn: gateConn, peer: peer, local: local, implicit: implicit,
		in: ftpwire.NewReader(nc, maxLine), start: time.Now(),
	}
	c.next = ftpport.For(ftpport.Client{
		Session: ftpdata.Session{ID: gateConn.ID(), Local: local}, Peer: peer, Penalize: gateConn.Penalize,
	}, s.data, &s.cfg.Ports)
	c.nameLog()
	c.loginBy = c.start.Add(s.cfg.LoginTimeout)
	c.in.OnRefusal(func() { c.takeRefusals(); c.flush() })
	c.resetParameters()
	return c
}

// takeRefusals queues the refusals of Telnet options (RFC 1123 §4.1.2.12).
func (c *conn) takeRefusals() { c.out = append(c.out, c.in.TakeTelnetReply()...) }

// resetParameters brings what a client may set back to what it is at the
// start of a connection (RFC 959 §4.1.1 REIN, RFC 3659 §7.7, RFC 7151 §3.2).
func (c *conn) resetParameters() {
	c.params = ftpparam.Initial(c.srv.cfg.ModeZ)
	c.hostName = ""
	c.idle = c.srv.cfg.IdleTimeout
	c.next.Reset()
}

// serve runs the session and returns why it ended, nil for a QUIT.
func (c *conn) serve() error {
	stopDrain := context.AfterFunc(c.srv.drain, c.wake)
	defer stopDrain()
	stopGate := context.AfterFunc(c.gateConn.Context(), c.wakeToLeave)
	defer stopGate()
	defer c.end()
	defer c.recoverPanic()
	c.greet()
	for !c.closing {
		c.step()
	}
	return c.cause
}

// greet says the first word, under TLS where the connection begins with it.
func (c *conn) greet() {
	if c.implicit {
		c.startImplicit()
	}
	if !c.closing {
		c.send(ftpreply.Say(220, c.greeting()))
	}
}

// step does one thing: says goodbye, reports a job that ended, runs a command
// that waited, or reads one.
//
// An idle session waits in ReadLine, and its stack is what it costs most. So
// step holds as little as can be, and the work is in functions of its own.
func (c *conn) step() {
	deadline, read := c.prepare()
	if !read {
		return
	}
	line, err := c.in.ReadLine()
	c.heard(line, err, deadline)
}

// prepare does what comes before reading; false means that it was enough.
// Otherwise deadline is when the read must return.
func (c *conn) prepare() (deadline time.Time, read bool) {
	switch {
	case c.job == nil && c.mustEnd():
		return deadline, false
	case c.job == nil && len(c.queue) > 0:
		c.execute(c.dequeue())
		return deadline, false
	case c.job != nil || !c.in.HasLine():
		if c.flush(); c.closing { // replies to pipelined commands leave in one write
			return deadline, false
		}
	}
	deadline = c.readDeadline()
	_ = c.raw.SetReadDeadline(deadline)
	// Whoever wakes us sets its flag before the deadline, so looking after we
	// have set ours loses no wake-up.
	return deadline, !c.happened()
}

// heard takes what a read brought.
func (c *conn) heard(line []byte, err error, deadline time.Time) {
	c.out = append(c.out, c.in.TakeTelnetReply()...)
	switch {
	case err == nil:
		c.take(c.srv.parse(line))
	case errors.Is(err, ftpwire.ErrLineTooLong):
		c.take(refuse(fmt.Sprintf("Command line too long; %d bytes are allowed.", maxLine)))
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.timedOut(deadline)
	case errors.Is(err, ftpwire.ErrNoLineEnd):
		c.send(ftpreply.Say(421, "A command line without an end; closing the connection."))
		c.lost(err)
	default:
		c.lost(err)
	}
}

// wake makes a blocked read return. Safe from every goroutine.
func (c *conn) wake() { _ = c.raw.SetReadDeadline(time.Unix(1, 0)) }

// wakeToLeave is wake for the end of the gate's connection: a client that does not
// take what it is told has no more time than goodbyeTime.
func (c *conn) wakeToLeave() {
	_ = c.raw.SetWriteDeadline(time.Now().Add(goodbyeTime))
	c.wake()
}

// readDeadline is when a read must return though nothing came.
func (c *conn) readDeadline() time.Time {
	switch {
	case c.job != nil && c.job.Progress != 0:
		return time.Now().Add(keepAlive)
	case c.job != nil:
		return time.Time{} // the job has deadlines of its own; idle is what a session without one is
	case c.sess == nil:
		return c.loginBy
	default:
		return time.Now().Add(c.idle)
	}
}

// happened deals with what does not come from the client: the end of the job,
// of the gate's connection, or of the server. It tells whether there was something.
func (c *conn) happened() bool {
	if c.job == nil {
		return c.mustEnd()
	}
	select {
	case r := <-c.job.done:
		c.finish(r)
		return true
	default:
		return false // the end of the gate's connection cancels the job too
	}
}

// mustEnd ends a session that has no job where the gate or the server has
// ended, and tells whether it did.
func (c *conn) mustEnd() bool {
	if c.gateConn.Context().Err() != nil {
		cause := context.Cause(c.gateConn.Context())
		c.close(ftpreply.Say(421, ftpreply.Sentence(cause)), cause)
		return true
	}
	if c.srv.drain.Err() != nil {
		c.close(ftpreply.Say(421, "The server is shutting down; try again later."), ferry.ErrShutdown)
		return true
	}
	return false
}

// timedOut is called when a read ended by its deadline: somebody woke us, or
// the client was silent for too long.
func (c *conn) timedOut(deadline time.Time) {
	if c.happened() || time.Now().Before(deadline) {
		// A job's wake-up may come after a command of the client has already
		// made the loop look, and take the job's reply: not the client's fault.
		return
	}
	switch {
	case c.job != nil && c.job.Progress != 0:
		c.stillWorking()
	case c.job != nil:
	case c.sess == nil:
		if !time.Now().Before(c.loginBy) {
			c.close(ftpreply.Say(421, "Login takes too long; closing the connection."), errLoginTimeout)
		}
	default:
		c.close(ftpreply.Say(421, fmt.Sprintf("No command for %s; closing the connection.", c.idle)), errIdle)
	}
}

// answer sends what a command brought, and starts what goes on behind it.
func (c *conn) answer(r ftpreply.Reply) {
	c.send(r)
	if r.Then != nil {
		c.begin(*r.Then)
	}
}

// send queues a reply; step writes it. One without a code says nothing.
func (c *conn) send(r ftpreply.Reply) {
	if r.Code == 0 {
		return
	}
	if c.job != nil && c.job.spoke && r.Code != c.job.Progress {
		// Lines of a multi-line reply went out already; it must end with its
		// own code (RFC 959 §4.2).
		r = ftpreply.Reply{Code: c.job.Progress, Text: "Not done: " + r.Text}
	}
	c.out = c.appendReply(c.out, r)
	if c.srv.cfg.Log.Enabled(context.Background(), slog.LevelDebug) {
		c.log().Debug("reply", "code", r.Code, "text", r.Text)
	}
}

// flush writes the replies that wait. A client that does not take them is lost.
func (c *conn) flush() {
	err := c.write()
	switch {
	case err == nil || c.closing:
	case c.job == nil || errors.Is(err, os.ErrDeadlineExceeded):
		c.lost(err)
	default:
		// A client that is gone is noticed by the next read, behind a QUIT
		// that it may have said before.
	}
}

// write writes the replies that wait, if there are any.
func (c *conn) write() error {
	if len(c.out) == 0 {
		return nil
	}
	_ = c.raw.SetWriteDeadline(time.Now().Add(writeTimeout))
	if c.ctx().Err() != nil { // looked at now, so that wakeToLeave is not undone
		_ = c.raw.SetWriteDeadline(time.Now().Add(goodbyeTime))
	}
	_, err := c.ctl.Write(c.out)
	if c.out = c.out[:0]; cap(c.out) > 4<<10 {
		c.out = nil
	}
	return err
}

// close says a last reply and ends the session; cause nil means that the
// client wanted it.
func (c *conn) close(r ftpreply.Reply, cause error) {
	c.send(r)
	c.closing, c.cause = true, cause
}

// end gives back what the connection holds, whatever way it ended. The login
// ends with the gate's connection, so that the last event still knows whose it was.
func (c *conn) end() {
	if c.tls != nil {
		c.srv.tlsSessions.Remove(c.tls.session) // before a client that was told comes back
	}
	c.flush()
	if c.tls != nil && c.covered() && !errors.Is(c.cause, errHandshake) {
		_ = c.tls.conn.CloseWrite()
	}
	c.next.Close()
}

// recoverPanic ends a session whose handler panicked with 421 and a logged
// stack. The server goes on.
func (c *conn) recoverPanic() {
	p := recover()
	if p == nil {
		return
	}
	logPanic(c.log(), p)
	c.job = nil
	c.close(internalError(), errPanic)
}

// ctx ends when the session must.
func (c *conn) ctx() context.Context { return c.gateConn.Context() }

// fs is the user's tree. Only for commands that the table lets through after
// login.
func (c *conn) fs() ferry.FS { return c.sess.FS() }
