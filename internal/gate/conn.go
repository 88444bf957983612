package gate

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ferry"
)

// errSessionOpen is an error of the protocol's code, not of a client.
var errSessionOpen = errors.New("gate: the connection's earlier session has not ended")

// Conn is one connection that was admitted. Login and Close are for the one
// goroutine that serves the connection; everything else may be called from
// any.
type Conn struct {
	gate         *Gate
	id           string
	peer, local  netip.AddrPort
	started      time.Time
	ctx          context.Context
	cancel       context.CancelCauseFunc
	releaseSeats func()
	up, down     atomic.Int64 // bytes moved by all sessions

	mu      sync.Mutex
	spoken  string // the protocol
	fails   int
	untold  []ferry.Event // refusals that are no news once the client has got in
	session *Session      // nil: not logged in
	closed  bool
}

// Speaks notes that the connection speaks another protocol from now on: AUTH
// TLS makes "ftps" of "ftp".
func (c *Conn) Speaks(protocol string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spoken = protocol
}

// protocol is what is spoken now: "ftp", "ftps" or "sftp".
func (c *Conn) protocol() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.spoken
}

// ID is a short name that all events of this connection share; no two live
// connections have the same.
func (c *Conn) ID() string { return c.id }

// Context ends when the connection does, by Kick, by Close or with the context of
// Admit; context.Cause says why.
func (c *Conn) Context() context.Context { return c.ctx }

// Login lets the client in as it claims; what a claim says of the connection
// is the connection's to fill in. The errors are:
//
//   - ferry.ErrPartial, at once: what was shown is right, and the same with the
//     password (ferry.Claim's Both) is to be tried. Nothing is decided or counted.
//   - ferry.ErrLogin: the claim does not hold, or the account is not usable;
//     it comes after Limits.FailDelay.
//   - ferry.ErrTooManyLogins: the same, and the connection must close.
//   - ferry.ErrBanned: the address is shut out, be it that another attempt of its
//     was the last one while this one waited; the connection must close.
//   - ferry.ErrUserFull: the user has as many sessions as allowed.
//   - ferry.ErrNoHome: the claim holds, and the user's files cannot be opened.
//   - the cause, when ctx or the connection ends meanwhile.
//   - any other: it could not be found out; nothing is counted.
//
// Whatever it is, an event has told of it, with the reason.
// A connection has one session at a time: the earlier one must have been ended.
func (c *Conn) Login(ctx context.Context, claim ferry.Claim) (*Session, error) {
	if err := c.mayTry(); err != nil {
		return nil, c.turnedAway(claim, err)
	}
	ctx, stop := c.within(ctx)
	defer stop()
	claim.Protocol, claim.Peer, claim.Local = c.protocol(), c.peer, c.local
	if err := c.gate.bans.begin(ctx, c.peer.Addr()); err != nil {
		return nil, c.turnedAway(claim, err)
	}
	s, err := c.tryLogin(ctx, claim)
	if err != nil && !errors.Is(err, ferry.ErrPartial) {
		c.countFailure(ctx, claim, err) // before the attempt ends, or another would begin in its place
	}
	c.gate.bans.end(c.peer.Addr())
	switch {
	case errors.Is(err, ferry.ErrPartial):
		return nil, ferry.ErrPartial
	case err != nil:
		return nil, c.loginFailed(ctx, err)
	}
	c.mu.Lock()
	c.untold = nil
	c.mu.Unlock()
	s.Emit(ferry.Event{Kind: ferry.EventLogin, By: claim.By()})
	return s, nil
}

// tryLogin finds out whose claim it is and begins the session.
func (c *Conn) tryLogin(ctx context.Context, claim ferry.Claim) (*Session, error) {
	for {
		generation := c.gate.generation()
		u, err := c.authenticate(ctx, claim)
		if err != nil {
			return nil, err
		}
		if c.gate.bans.holds(c.peer.Addr(), time.Now()) {
			return nil, ferry.ErrBanned // for what the address did meanwhile
		}
		if s, err := c.begin(ctx, u, generation); !errors.Is(err, errStale) {
			return s, err
		}
	}
}

// Offer tells whether a claim by a key or a certificate would let the client
// in, or be half the way, without letting it in: clients ask with each key they
// have before they prove to hold one (RFC 4252 §7). That counts as no failed
// login, since nothing can be tried by it but what is public; why it would not is
// told as by Refused. The answer to a claim with a password is no.
func (c *Conn) Offer(ctx context.Context, claim ferry.Claim) bool {
	if _, password := claim.Shows(); password || c.mayTry() != nil {
		return false
	}
	ctx, stop := c.within(ctx)
	defer stop()
	claim.Protocol, claim.Peer, claim.Local = c.protocol(), c.peer, c.local
	_, err := c.authenticate(ctx, claim)
	if err == nil || errors.Is(err, ferry.ErrPartial) {
		return true
	}
	if ctx.Err() == nil {
		c.Refused(claim.Name, claim.By(), err)
	}
	return false
}

// maxUntold are the refusals that are kept of one connection: as many as the keys
// that an agent may offer.
const maxUntold = 20

// Refused notes that a way to log in as name was not open to the client, and why. by
// says what it was, as Claim.By does. It counts for nothing, and is told when the
// connection ends without a login: clients try one way after the other, and what did
// not work is no news once one of them did.
func (c *Conn) Refused(name, by string, reason error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.untold) < maxUntold {
		c.untold = append(c.untold, ferry.Event{Time: time.Now(), Kind: ferry.EventLoginRefused, User: shown(name), By: by, Err: reason})
	}
}

// turnedAway notes that a claim was not even looked at, where that is the client's
// doing, and gives err back.
func (c *Conn) turnedAway(claim ferry.Claim, err error) error {
	if errors.Is(err, ferry.ErrBanned) || errors.Is(err, ferry.ErrTooManyLogins) {
		c.Refused(claim.Name, claim.By(), err)
	}
	return err
}

// mayTry tells why not even the password is looked at.
func (c *Conn) mayTry() error {
	c.mu.Lock()
	fails, open := c.fails, c.session != nil
	c.mu.Unlock()
	switch {
	case c.ctx.Err() != nil:
		return context.Cause(c.ctx)
	case open:
		return errSessionOpen
	case fails >= c.gate.limits.Load().MaxFails:
		return ferry.ErrTooManyLogins
	case c.gate.bans.holds(c.peer.Addr(), time.Now()):
		return ferry.ErrBanned
	}
	return nil
}

// within is ctx that ends with the connection too.
func (c *Conn) within(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(c.ctx, func() { cancel(context.Cause(c.ctx)) })
	return ctx, func() { stop(); cancel(nil) }
}

// authenticate asks whose claim it is, and whether that lets it in: an
// Authenticator that forgot to look is not the last word (one predicate,
// everywhere).
func (c *Conn) authenticate(ctx context.Context, claim ferry.Claim) (ferry.User, error) {
	u, err := c.gate.auth.Authenticate(ctx, claim)
	if err == nil {
		err = u.Admits(claim, time.Now())
	}
	return u, err
}

// shown is a name that nobody vouches for, cut to what an honest one may have: a
// client fills the log with 8 KiB a line otherwise.
func shown(name string) string {
	const most = 128 // bytes
	if len(name) <= most {
		return name
	}
	return strings.ToValidUTF8(name[:most], "") + fmt.Sprintf("... (%d bytes)", len(name))
}

// countFailure tells of a login that failed, and counts it against the connection
// and the address where the client was wrong.
func (c *Conn) countFailure(ctx context.Context, claim ferry.Claim, err error) {
	if ctx.Err() != nil {
		return
	}
	c.emit(ferry.Event{Kind: ferry.EventLoginFailed, User: shown(claim.Name), By: claim.By(), Err: err})
	if !errors.Is(err, ferry.ErrLogin) {
		return
	}
	c.mu.Lock()
	c.fails++
	c.mu.Unlock()
	c.strike(err)
}

// loginFailed gives the error to answer, after the delay that it costs. The failure
// has been counted before, so that hanging up early does not save it.
func (c *Conn) loginFailed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if !errors.Is(err, ferry.ErrLogin) {
		return err
	}
	if err := sleep(ctx, c.gate.limits.Load().FailDelay); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fails >= c.gate.limits.Load().MaxFails {
		return ferry.ErrTooManyLogins
	}
	return ferry.ErrLogin
}

// sleep waits for d, or gives the cause of ctx's end.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Penalize counts towards the ban of the client's address as a failed login
// does: for what no honest client sends, such as a PORT to somebody else's
// address or HTTP on the control connection. reason is for the log.
func (c *Conn) Penalize(reason string) { c.strike(errors.New(reason)) }

func (c *Conn) strike(reason error) {
	if c.gate.bans.strike(c.peer.Addr(), time.Now()) {
		c.emit(ferry.Event{Kind: ferry.EventBan, Duration: c.gate.limits.Load().BanFor, Err: reason})
	}
}

// Panicked tells that code which served the connection has panicked. To end what it
// served, and nothing else, is up to who recovered.
func (c *Conn) Panicked(p *ferry.PanicError) {
	e := ferry.Event{Kind: ferry.EventPanic, Err: p}
	if s := c.current(); s != nil {
		s.Emit(e)
		return
	}
	c.emit(e)
}

// Close ends the connection: its session if there is one, and its seats. cause says
// why the connection ended, nil for the client's QUIT. It may be called more
// than once; the first call counts.
func (c *Conn) Close(cause error) {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return
	}
	c.closed = true
	s, untold := c.session, c.untold
	c.mu.Unlock()

	user, anonymous := "", false
	if s != nil {
		u := s.User()
		user, anonymous = u.Name, u.Anonymous
		s.end(cause)
	}
	c.cancel(cause)
	c.gate.forget(c)
	c.releaseSeats()
	for _, e := range untold {
		c.emit(e)
	}
	c.emit(ferry.Event{
		Kind: ferry.EventDisconnect, User: user, Anon: anonymous, Err: cause,
		Bytes: c.up.Load() + c.down.Load(), Duration: time.Since(c.started),
	})
}

func (c *Conn) info() SessionInfo {
	i := SessionInfo{
		ID: c.id, Protocol: c.protocol(), Peer: c.peer, Since: c.started,
		Uploaded: c.up.Load(), Downloaded: c.down.Load(),
	}
	if s := c.current(); s != nil {
		i.User = s.User().Name
		i.Transfers = s.Transfers()
	}
	return i
}

// current is the session of the connection; nil: nobody is logged in.
func (c *Conn) current() *Session {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session
}

// loggedOut notes that s has ended, and tells whether the connection goes on without
// a login.
func (c *Conn) loggedOut(s *Session) (goesOn bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session != s {
		return false
	}
	c.session = nil
	return !c.closed
}

// emit fills in what is the same in all events of the connection.
func (c *Conn) emit(e ferry.Event) {
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	e.Session, e.Protocol, e.Peer = c.id, c.protocol(), c.peer
	c.gate.events(e)
}
