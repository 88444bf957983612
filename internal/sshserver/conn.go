package sshserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"ferry"
	"ferry/internal/gate"
	"ferry/internal/listen"
	"ferry/internal/sftpio"
	"ferry/internal/sftpserver"
)

// Why a connection ended that the client did not end.
var (
	errIdle     = errors.New("idle for too long")
	errVanished = errors.New("the client no longer answers")
	errNoLogin  = errors.New("ended without a login")
	errLate     = errors.New("no login in time")
	errLastWork = errors.New("what was left to do took too long")
	// errHandshake: the log has the rest already.
	errHandshake = errors.New("the SSH handshake failed")
)

// lastWork is how long programs may go on whose client has hung up.
const lastWork = 10 * time.Second

// maxChannels is how many programs one connection may run at once: as many as
// OpenSSH's MaxSessions.
const maxChannels = 10

// sshConn is one SSH connection. The goroutine in serve owns it; each of its
// channels has one of its own.
type sshConn struct {
	srv      *Server
	conn     *bufferedConn
	gateConn *gate.Conn
	peer     netip.AddrPort
	log      *slog.Logger
	ctx      context.Context // ends with the connection; its cause says why
	cancel   context.CancelCauseFunc
	// clientHere ends, before ctx, when the client has hung up: what nobody waits for
	// any more need not be found out.
	clientHere context.Context
	hungUp     context.CancelFunc
	// drain ends, before ctx, when programs shall come to their end.
	drain      context.Context
	startDrain context.CancelFunc

	version  string                // what the client calls itself; there when a channel is
	preAuth  ssh.ServerPreAuthConn // until the login
	claimed  string                // the name that the client would log in with
	hasTried bool                  // it has shown something for that
	session  atomic.Pointer[gate.Session]
	onlySFTP bool         // no commands; set before the first channel
	moved    atomic.Int64 // when a byte went over a channel, in ns of Unix time
	busy     atomic.Int32 // requests of SFTP that are being done
	channels atomic.Int32
	room     sftpio.Room     // what all sessions of SFTP have on their way
	dirs     sftpserver.Dirs // that all of them have open
	programs sync.WaitGroup

	mu      sync.Mutex
	running map[*stream]struct{} // what programs run on
}

func newSSHConn(s *Server, nc net.Conn, gateConn *gate.Conn) *sshConn {
	c := &sshConn{srv: s, gateConn: gateConn, peer: listen.AddrPort(nc.RemoteAddr()), log: s.cfg.Log.With("session", gateConn.ID()), running: map[*stream]struct{}{}}
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	c.conn = newBufferedConn(c.ctx, nc, &s.writeBuffers)
	c.clientHere, c.hungUp = context.WithCancel(c.ctx)
	c.drain, c.startDrain = context.WithCancel(c.ctx)
	c.touch()
	return c
}

// serve runs the connection and returns why it ended, nil where the client
// ended it.
func (c *sshConn) serve() (cause error) {
	defer c.recoverPanic(&cause)
	stop := context.AfterFunc(c.ctx, func() { _ = c.conn.Close() })
	defer stop()
	// The gate ends it when somebody kicks the client, and when the server does
	// not wait any longer.
	gateCtx := c.gateConn.Context()
	stopGate := context.AfterFunc(gateCtx, func() { c.closeWith(context.Cause(gateCtx)) })
	defer stopGate()

	late := time.AfterFunc(c.srv.cfg.LoginTimeout, func() { c.closeWith(errLate) })
	_ = c.conn.SetDeadline(time.Now().Add(c.srv.cfg.LoginTimeout + farewellTime))
	sc, channels, requests, err := ssh.NewServerConn(c.conn, c.handshake())
	late.Stop()
	if err != nil {
		return c.handshakeFailed(err)
	}
	defer func() { _ = sc.Close() }()
	_ = c.conn.SetDeadline(time.Time{})
	c.conn.ahead.Store(true)
	who, err := admittedBy(sc.Permissions)
	if err != nil {
		return err
	}
	c.onlySFTP = who.onlySFTP
	c.version = string(sc.ClientVersion())
	c.session.Store(who.session)

	// Forwarding and whatever else is asked of the connection is refused,
	// which is all that a keepalive wants to hear.
	go c.conn.backlog.refuse(requests)
	go c.watch(sc)
	for offered := range channels {
		c.conn.backlog.during(func() { c.open(offered) })
	}
	cause = c.ended(sc.Wait())
	c.hungUp()
	if cause == nil {
		// What it has sent it meant, though it waits for no answer. The programs
		// find the end of it themselves, and have to be quick.
		late := time.AfterFunc(lastWork, func() { c.cancel(errLastWork) })
		c.programs.Wait()
		late.Stop()
	}
	c.cancel(cause)
	c.programs.Wait()
	return cause
}

// ended is why the connection ended, err being what the transport says of it.
func (c *sshConn) ended(err error) error {
	switch {
	case c.ctx.Err() != nil:
		return context.Cause(c.ctx)
	case err == nil, errors.Is(err, io.EOF), strings.HasPrefix(err.Error(), "ssh: disconnect, reason 11"):
		return nil // SSH_DISCONNECT_BY_APPLICATION, or hung up
	}
	return err
}

// handshakeFailed logs what an operator can do something about.
func (c *sshConn) handshakeFailed(err error) error {
	none := new(ssh.AlgorithmNegotiationError)
	switch {
	case c.ctx.Err() != nil:
		return context.Cause(c.ctx)
	case errors.As(err, &none):
		hint := "a client that is too old can be let in by sftp.legacy_networks"
		if strings.Contains(err.Error(), ssh.CipherChaCha20Poly1305) {
			hint = "this client wants ChaCha20, which sftp.chacha20 offers"
		}
		c.gateConn.HandshakeFailed(fmt.Errorf("no algorithm in common with the client: %s; %s", clip(err.Error()), hint), gate.Clumsy)
		return errHandshake
	}
	if strings.HasPrefix(err.Error(), "ssh: unexpected message type 5 ") { // SSH_MSG_SERVICE_REQUEST
		c.gateConn.HandshakeFailed(errors.New("the client has asked for the login service twice, which is not supported; "+
			"paramiko does so before its second attempt: give it the one way in that works (allow_agent=False, look_for_keys=False)"), gate.Blameless)
	}
	if refused := new(ssh.ServerAuthError); errors.As(err, &refused) || errors.Is(err, io.EOF) {
		if c.claimed != "" && !c.hasTried {
			c.gateConn.Refused(c.claimed, "", errors.New("the client has shown no key and no password"))
		}
		return errNoLogin // what was wrong with each attempt, the gate tells
	}
	if broken := net.Error(nil); errors.As(err, &broken) {
		if broken.Timeout() {
			return errLate
		}
		return errNoLogin // it has hung up
	}
	if c.claimed != "" {
		c.gateConn.Refused(c.claimed, "", err) // a signature that is wrong, say
		return err
	}
	c.gateConn.HandshakeFailed(fmt.Errorf("SSH handshake failed: %s", clip(err.Error())), gate.Clumsy)
	return errHandshake
}

// open makes a channel of what the client offers. The only ones there are, are
// sessions (RFC 4254 §6.1): nothing is forwarded.
func (c *sshConn) open(offered ssh.NewChannel) {
	switch {
	case offered.ChannelType() != "session":
		_ = offered.Reject(ssh.Prohibited, "only sessions are served")
		return
	case c.drain.Err() != nil:
		_ = offered.Reject(ssh.ResourceShortage, "the server is shutting down")
		return
	}
	if c.channels.Add(1) > maxChannels {
		c.channels.Add(-1)
		_ = offered.Reject(ssh.ResourceShortage, "too many sessions on this connection")
		return
	}
	channel, requests, err := offered.Accept()
	if err != nil {
		c.channels.Add(-1)
		return // the connection has ended, which serve finds out
	}
	s := c.newStream(channel)
	c.programStarted(s)
	c.programs.Go(func() {
		defer c.channels.Add(-1)
		defer c.programEnded(s)
		var cause error
		defer func() {
			if cause != nil {
				c.cancel(cause)
			}
		}()
		defer c.recoverPanic(&cause)
		c.runChannel(s, requests)
	})
}

// recoverPanic ends a connection whose code panicked, and no other.
func (c *sshConn) recoverPanic(cause *error) {
	if p := recover(); p != nil {
		err := &ferry.PanicError{Value: p, Stack: debug.Stack()}
		c.gateConn.Panicked(err)
		*cause = err
	}
}

// watch ends a connection that is not used, or whose client has vanished: a
// machine that was switched off says nothing, and its upload has to become a
// part that somebody can go on with.
func (c *sshConn) watch(sc ssh.Conn) {
	idle, alive := c.srv.cfg.IdleTimeout, c.srv.cfg.KeepAlive
	for {
		quiet := c.silence()
		next := alive - quiet%alive
		if idle > 0 {
			next = min(next, idle-quiet)
		}
		look := time.NewTimer(next)
		select {
		case <-c.ctx.Done():
			look.Stop()
			return
		case <-look.C:
		}
		switch quiet := c.silence(); {
		case c.busy.Load() > 0 && idle > 0 && quiet >= idle:
			c.touch() // it waits for us
		case idle > 0 && quiet >= idle:
			c.closeWith(errIdle)
			return
		case quiet >= alive:
			c.ask(sc)
		}
	}
}

// ask asks the client whether it is there, as OpenSSH's server does. Its answer lies
// behind what it has sent before, which may wait for us.
func (c *sshConn) ask(sc ssh.Conn) {
	answered := make(chan struct{})
	defer close(answered)
	go func() {
		for tries := 1; c.answersLate(answered) && c.conn.backlog.holdsBack() && tries < mostTries; tries++ {
		}
		select {
		case <-answered:
		default:
			c.cancel(errVanished)
		}
	}()
	_, _, _ = sc.SendRequest("keepalive@openssh.com", true, nil) // "no" is an answer
}

// mostTries is how often a client may be late whom we do not hear.
const mostTries = 60

// answersLate waits for an answer as long as one may take, and tells whether that was too
// short.
func (c *sshConn) answersLate(answered <-chan struct{}) bool {
	late := time.NewTimer(c.srv.cfg.KeepAlive)
	defer late.Stop()
	select {
	case <-answered:
		return false
	case <-c.ctx.Done():
		return false
	case <-late.C:
		return true
	}
}

// touch notes that the connection is in use, quiet is how long it has not been.
func (c *sshConn) touch()                 { c.moved.Store(time.Now().UnixNano()) }
func (c *sshConn) silence() time.Duration { return time.Since(time.Unix(0, c.moved.Load())) }
