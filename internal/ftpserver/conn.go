package ftpserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"time"

	"ferry"
	"ferry/internal/ftpcontrol"
	"ferry/internal/ftpdata"
	"ferry/internal/ftpparam"
	"ferry/internal/ftpport"
	"ferry/internal/ftpreply"
	"ferry/internal/ftptree"
	"ferry/internal/ftpwire"
	"ferry/internal/gate"
	"ferry/internal/listen"
)

const (
	maxQueue   = 256 << 10       // bytes of memory for commands that wait for a running job
	maxReplies = 64 << 10        // bytes of replies that are gathered before they are written
	keepAlive  = 8 * time.Second // between the lines that show a long job is alive
)

// conn is one session on a control connection. The goroutine in serve owns
// every field; a job gets values and posts its reply to job.done.
type conn struct {
	srv      *Server
	ctl      *ftpcontrol.Conn
	tls      *protection // nil: AUTH was not given
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
	next      *ftpport.Next // how the next data connection comes about
	job       *job          // what runs now; nil: nothing
	queue     []request     // what waits for the job's end
	queueSize int           // bytes in queue
	quitSoon  bool          // QUIT is in the queue: the job may outlive the control connection
	closing   bool          // the last reply is said
	report    ftpreply.Reporter
	cause     error // why the connection ends; nil: QUIT
}

func newConn(s *Server, nc net.Conn, gateConn *gate.Conn, peer, local netip.AddrPort, implicit bool) *conn {
	c := &conn{
		srv: s, ctl: ftpcontrol.New(nc), gateConn: gateConn, peer: peer, local: local, implicit: implicit,
		start: time.Now(),
	}
	c.next = ftpport.For(ftpport.Client{
		Session: ftpdata.Session{ID: gateConn.ID(), Local: listen.Here(nc), Reached: local, Refused: func(err error) { gateConn.HandshakeFailed(err, gate.Blameless) }}, Peer: peer, Penalize: gateConn.Penalize,
	}, s.data, &s.cfg.Ports)
	c.nameLog()
	c.loginBy = c.start.Add(s.cfg.LoginTimeout)
	c.resetParameters()
	return c
}

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
	stopDrain := context.AfterFunc(c.srv.end.Asked, c.ctl.Wake)
	defer stopDrain()
	stopGate := context.AfterFunc(c.ctx(), c.ctl.Leave)
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
	if c.mustRead() {
		c.heard(c.ctl.ReadLine(c.readDeadline()))
	}
}

// mustRead does what comes before reading; false means that it was enough.
func (c *conn) mustRead() bool {
	switch {
	case c.job == nil && c.mustEnd():
		return false
	case c.job == nil && len(c.queue) > 0:
		c.execute(c.dequeue())
		return false
	case c.job != nil || !c.ctl.HasLine():
		c.flush() // replies to pipelined commands leave in one write
	}
	return !c.closing
}

// heard takes what a read brought.
func (c *conn) heard(line []byte, err error) {
	var unsent *ftpcontrol.UnsentError
	switch {
	case err == nil:
		c.take(c.srv.parse(line))
	case errors.Is(err, ftpcontrol.ErrWoken):
		c.woken()
	case errors.As(err, &unsent):
		c.notTaken(unsent.Err)
	case errors.Is(err, ftpwire.ErrLineTooLong):
		c.take(refuse(fmt.Sprintf("Command line too long; %d bytes are allowed.", ftpcontrol.MaxLine)))
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.timedOut()
	case errors.Is(err, ftpwire.ErrNoLineEnd):
		c.send(ftpreply.Say(421, "A command line without an end; closing the connection."))
		c.lost(err)
	default:
		c.lost(err)
	}
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

// woken deals with what does not come from the client: the end of the job. That of the
// gate's connection ends the job too, and that of the server waits for it.
func (c *conn) woken() {
	if c.job == nil {
		return
	}
	select {
	case r := <-c.job.done:
		c.finish(r)
	default:
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
	if c.srv.end.Asked.Err() != nil {
		c.close(ftpreply.Say(421, "The server is shutting down; try again later."), ferry.ErrShutdown)
		return true
	}
	return false
}

// timedOut is called when the client was silent for too long.
func (c *conn) timedOut() {
	switch {
	case c.job != nil && c.job.Progress != 0:
		c.stillWorking()
	case c.job != nil:
	case c.sess == nil:
		c.close(ftpreply.Say(421, "Login takes too long; closing the connection."), errLoginTimeout)
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

// send queues a reply; the loop writes it before it reads. One without a code says nothing.
func (c *conn) send(r ftpreply.Reply) {
	if r.Code == 0 {
		return
	}
	if c.job != nil && c.job.spoke && r.Code != c.job.Progress {
		// Lines of a multi-line reply went out already; it must end with its
		// own code (RFC 959 §4.2).
		r = ftpreply.Reply{Code: c.job.Progress, Text: "Not done: " + r.Text}
	}
	c.ctl.Send(r.Code, append([]string{r.Text}, r.More...)...)
	if c.srv.cfg.Log.Enabled(context.Background(), slog.LevelDebug) {
		c.log().Debug("reply", "code", r.Code, "text", r.Text)
	}
}

// flush writes the replies that wait.
func (c *conn) flush() {
	if err := c.ctl.Flush(); err != nil {
		c.notTaken(err)
	}
}

// notTaken deals with a client that does not take its replies: it is lost.
func (c *conn) notTaken(err error) {
	switch {
	case c.closing:
	case c.job == nil || errors.Is(err, os.ErrDeadlineExceeded):
		c.lost(err)
	default:
		// A client that is gone is noticed by the next read, behind a QUIT
		// that it may have said before.
	}
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
	c.ctl.Finish()
	c.next.Close()
}

// recoverPanic ends a session whose handler panicked with 421. The server goes
// on, and is told with the stack.
func (c *conn) recoverPanic() {
	p := recover()
	if p == nil {
		return
	}
	c.job = nil
	c.close(internalError(), tellPanic(c.gateConn, p))
}

// ctx ends when the session must.
func (c *conn) ctx() context.Context { return c.gateConn.Context() }

// fs is the user's tree. Only for commands that the table lets through after
// login.
func (c *conn) fs() ferry.FS { return c.sess.FS() }
