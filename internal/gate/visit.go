package gate

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"ferry"
)

// errSessionOpen is an error of the protocol's code, not of a client.
var errSessionOpen = errors.New("gate: the visit's earlier session has not ended")

// Visit is one connection that was admitted. Login and Leave are for the one
// goroutine that serves the connection; everything else may be called from
// any.
type Visit struct {
	gate         *Gate
	id           string
	peer, local  netip.AddrPort
	started      time.Time
	ctx          context.Context
	cancel       context.CancelCauseFunc
	releaseSeats func()
	up, down     atomic.Int64 // bytes moved by all sessions

	mu       sync.Mutex
	protocol string
	fails    int
	session  *Session // nil: not logged in
	left     bool
}

// Speaks notes that the connection speaks another protocol from now on: AUTH
// TLS makes "ftps" of "ftp".
func (v *Visit) Speaks(protocol string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.protocol = protocol
}

// name is the protocol's.
func (v *Visit) name() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.protocol
}

// ID is a short name that all events of this connection share; no two live
// connections have the same.
func (v *Visit) ID() string { return v.id }

// Context ends when the visit does, by Kick, by Leave or with the context of
// Admit; context.Cause says why.
func (v *Visit) Context() context.Context { return v.ctx }

// Login lets the client in as it claims; what a claim says of the connection
// is the visit's to fill in. The errors are:
//
//   - ferry.ErrPartial, at once: what was shown is right, and the same with the
//     password (ferry.Claim's Both) is to be tried. Nothing is decided or counted.
//   - ferry.ErrLogin: the claim does not hold, or the account is not usable;
//     it comes after Limits.FailDelay.
//   - ferry.ErrTooManyLogins: the same, and the connection must close.
//   - ferry.ErrBanned: the address is shut out, be it that another attempt of its
//     was the last one while this one waited; the connection must close.
//   - ferry.ErrUserFull: the user has as many sessions as allowed.
//   - the cause, when ctx or the visit ends meanwhile.
//   - any other: it could not be found out; nothing is counted.
//
// A visit has one session at a time: the earlier one must have been ended.
func (v *Visit) Login(ctx context.Context, claim ferry.Claim) (*Session, error) {
	if err := v.mayTry(); err != nil {
		return nil, err
	}
	ctx, stop := v.within(ctx)
	defer stop()
	claim.Protocol, claim.Peer, claim.Local = v.name(), v.peer, v.local
	if err := v.gate.bans.begin(ctx, v.peer.Addr()); err != nil {
		return nil, err
	}
	s, err := v.tryLogin(ctx, claim)
	if err != nil && !errors.Is(err, ferry.ErrPartial) {
		v.countFailure(ctx, claim, err) // before the attempt ends, or another would begin in its place
	}
	v.gate.bans.end(v.peer.Addr())
	switch {
	case errors.Is(err, ferry.ErrPartial):
		return nil, ferry.ErrPartial
	case err != nil:
		return nil, v.loginFailed(ctx, err)
	}
	s.Emit(ferry.Event{Kind: ferry.EventLogin, By: claim.By()})
	return s, nil
}

// tryLogin finds out whose claim it is and begins the session.
func (v *Visit) tryLogin(ctx context.Context, claim ferry.Claim) (*Session, error) {
	for {
		generation := v.gate.generation()
		u, err := v.authenticate(ctx, claim)
		if err != nil {
			return nil, err
		}
		if v.gate.bans.holds(v.peer.Addr(), time.Now()) {
			return nil, ferry.ErrBanned // for what the address did meanwhile
		}
		if s, err := v.begin(ctx, u, generation); !errors.Is(err, errStale) {
			return s, err
		}
	}
}

// Offer tells whether a claim by a key or a certificate would let the client
// in, or be half the way, without letting it in: clients ask with each key they
// have before they prove to hold one (RFC 4252 §7). That counts as no failed
// login, since nothing can be tried by it but what is public. The answer to a
// claim with a password is no.
func (v *Visit) Offer(ctx context.Context, claim ferry.Claim) bool {
	if _, password := claim.Shows(); password || v.mayTry() != nil {
		return false
	}
	ctx, stop := v.within(ctx)
	defer stop()
	claim.Protocol, claim.Peer, claim.Local = v.name(), v.peer, v.local
	_, err := v.authenticate(ctx, claim)
	return err == nil || errors.Is(err, ferry.ErrPartial)
}

// mayTry tells why not even the password is looked at.
func (v *Visit) mayTry() error {
	v.mu.Lock()
	fails, open := v.fails, v.session != nil
	v.mu.Unlock()
	switch {
	case v.ctx.Err() != nil:
		return context.Cause(v.ctx)
	case open:
		return errSessionOpen
	case fails >= v.gate.limits.MaxFails:
		return ferry.ErrTooManyLogins
	case v.gate.bans.holds(v.peer.Addr(), time.Now()):
		return ferry.ErrBanned
	}
	return nil
}

// within is ctx that ends with the visit too.
func (v *Visit) within(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(v.ctx, func() { cancel(context.Cause(v.ctx)) })
	return ctx, func() { stop(); cancel(nil) }
}

// authenticate asks whose claim it is, and whether that lets it in: an
// Authenticator that forgot to look is not the last word (one predicate,
// everywhere).
func (v *Visit) authenticate(ctx context.Context, c ferry.Claim) (ferry.User, error) {
	u, err := v.gate.auth.Authenticate(ctx, c)
	if err == nil {
		err = u.Admits(c, time.Now())
	}
	return u, err
}

// countFailure tells of a login that failed, and counts it against the connection
// and the address where the client was wrong.
func (v *Visit) countFailure(ctx context.Context, claim ferry.Claim, err error) {
	if ctx.Err() != nil {
		return
	}
	v.emit(ferry.Event{Kind: ferry.EventLoginFailed, User: claim.Name, By: claim.By(), Err: err})
	if !errors.Is(err, ferry.ErrLogin) {
		return
	}
	v.mu.Lock()
	v.fails++
	v.mu.Unlock()
	v.strike(err)
}

// loginFailed gives the error to answer, after the delay that it costs. The failure
// has been counted before, so that hanging up early does not save it.
func (v *Visit) loginFailed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if !errors.Is(err, ferry.ErrLogin) {
		return err
	}
	if err := sleep(ctx, v.gate.limits.FailDelay); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.fails >= v.gate.limits.MaxFails {
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

// Offend counts towards the ban of the client's address as a failed login
// does: for what no honest client sends, such as a PORT to somebody else's
// address or HTTP on the control connection. reason is for the log.
func (v *Visit) Offend(reason string) { v.strike(errors.New(reason)) }

func (v *Visit) strike(reason error) {
	if v.gate.bans.strike(v.peer.Addr(), time.Now()) {
		v.emit(ferry.Event{Kind: ferry.EventBan, Duration: v.gate.limits.BanFor, Err: reason})
	}
}

// Leave ends the visit: its session if there is one, and its seats. cause says
// why the connection ended, nil for the client's QUIT. It may be called more
// than once; the first call counts.
func (v *Visit) Leave(cause error) {
	v.mu.Lock()
	if v.left {
		v.mu.Unlock()
		return
	}
	v.left = true
	s := v.session
	v.mu.Unlock()

	user, anonymous := "", false
	if s != nil {
		u := s.User()
		user, anonymous = u.Name, u.Anonymous
		s.end(cause)
	}
	v.cancel(cause)
	v.gate.forget(v)
	v.releaseSeats()
	v.emit(ferry.Event{
		Kind: ferry.EventDisconnect, User: user, Anon: anonymous, Err: cause,
		Bytes: v.up.Load() + v.down.Load(), Duration: time.Since(v.started),
	})
}

func (v *Visit) info() SessionInfo {
	i := SessionInfo{
		ID: v.id, Protocol: v.name(), Peer: v.peer, Since: v.started,
		Uploaded: v.up.Load(), Downloaded: v.down.Load(),
	}
	if s := v.current(); s != nil {
		i.User = s.User().Name
		i.Transfers = s.Transfers()
	}
	return i
}

// current is the session of the visit; nil: nobody is logged in.
func (v *Visit) current() *Session {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.session
}

// emit fills in what is the same in all events of the visit.
func (v *Visit) emit(e ferry.Event) {
	e.Time = time.Now()
	e.Session, e.Protocol, e.Peer = v.id, v.name(), v.peer
	v.gate.events(e)
}
