package gate

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"ferry"
)

// errStale: a Refresh came between the look at the account and the beginning
// of the session, which would have missed it.
var errStale = errors.New("gate: the account was looked at before the last Refresh")

// Session is a connection that is logged in. Its methods may be called from several
// goroutines at once.
type Session struct {
	conn        *Conn
	user        atomic.Pointer[ferry.User] // as the account is now
	account     *account
	fs          ferry.FS
	releaseSeat func()
	ctx         context.Context // ends with the session or the connection
	cancel      context.CancelCauseFunc
	stopWake    func() bool
	up, down    turnsOf // of the bandwidth

	mu     sync.Mutex
	open   []*transfer
	expiry *time.Timer // ends the session with the account; nil: it does not expire
	ended  bool
}

// begin makes u's session. Whatever was taken is given back when it fails.
func (c *Conn) begin(ctx context.Context, u ferry.User, generation int) (*Session, error) {
	g := c.gate
	release, err := g.hold(ctx, "user/"+u.Name, u.Limits.Sessions, ferry.ErrUserFull)
	if err != nil {
		return nil, err
	}
	s := &Session{conn: c, releaseSeat: release}
	s.user.Store(&u)
	if s.fs, err = g.files(ctx, s); err != nil {
		release()
		return nil, noHome{err}
	}
	s.account = g.enter(u)
	s.ctx, s.cancel = context.WithCancelCause(c.ctx)
	s.stopWake = context.AfterFunc(s.ctx, s.interruptTransfers)
	if err := c.install(s, generation); err != nil {
		s.end(err)
		return nil, err
	}
	s.expireWith(u)
	return s, nil
}

// noHome is why the files of a user could not be opened: that for the log, and
// ferry.ErrNoHome for who compares.
type noHome struct{ error }

func (e noHome) Unwrap() []error { return []error{ferry.ErrNoHome, e.error} }

// install makes s the connection's session, unless that came too late.
func (c *Conn) install(s *Session, generation int) error {
	// Both locks, so that Refresh either counts up before this and is noticed,
	// or after it and sees the session.
	c.gate.mu.Lock()
	defer c.gate.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx.Err() != nil {
		return context.Cause(c.ctx)
	}
	if c.gate.refreshes != generation {
		return errStale
	}
	if !c.gate.before.remove(c) {
		return ferry.ErrCrowded // it has given way to another one meanwhile
	}
	c.session = s
	return nil
}

// User is whose session it is, as the account is now: see Gate.Refresh.
func (s *Session) User() ferry.User { return *s.user.Load() }

// Share names whose part of what is given out in turns the session takes: its user's,
// so that several sessions gain nothing, or, where nobody knows who that is, its
// address's.
func (s *Session) Share() string {
	if u := s.User(); !u.Anonymous {
		return "user/" + u.Name
	}
	return "ip/" + s.conn.peer.Addr().String()
}

// FS is what Config.Files gave: the user's tree with rights, limits and events. It
// lasts until End. A handle opened for Read ends with Commit when what was asked for
// was sent; with Abort and the cause when not; and with Abort(nil) when it was
// no download (HASH), which then is no event.
//
// While SendTo and ReceiveFrom run, how long they wait for their connection is the
// gate's to say; afterwards there is no bound.
func (s *Session) FS() ferry.FS { return s.fs }

// Rights says what the user may do at name, which is clean.
func (s *Session) Rights(name ferry.Name) ferry.Right { return ferry.RightsAt(s.User().Rules, name) }

// Need is nil where the user has right want at name. Else it is told that op was refused.
func (s *Session) Need(op string, name ferry.Name, want ferry.Right) error {
	rules := s.User().Rules
	if ferry.RightsAt(rules, name).Has(want) {
		return nil
	}
	err := ferry.LacksRight(rules, name, want)
	if e, told := ferry.Denial(op, name, err); told {
		s.Emit(e)
	}
	return err
}

// Transfer describes a file that the session has open.
type Transfer struct {
	Name    ferry.Name
	Upload  bool
	Bytes   int64 // moved so far
	Size    int64 // of the file that is downloaded; -1 where that is not known
	Started time.Time
}

// Transfers describes the files that are open now, oldest first.
func (s *Session) Transfers() []Transfer {
	open := s.handles()
	list := make([]Transfer, len(open))
	for i, t := range open {
		list[i] = t.describe()
	}
	return list
}

func (s *Session) handles() []*transfer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.open)
}

// End ends the login, not the connection: transfers that still run are stopped and
// aborted, the tree is closed, the user's seat is given back. It may be called
// more than once.
func (s *Session) End() { s.end(nil) }

func (s *Session) end(cause error) {
	if cause == nil {
		cause = ferry.ErrAborted
	}
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return
	}
	s.ended = true
	if s.expiry != nil {
		s.expiry.Stop()
	}
	s.mu.Unlock()

	s.stopWake()
	s.cancel(cause)
	s.interruptTransfers()
	for _, t := range s.handles() {
		_ = t.Abort(cause) // nobody is left to tell; the event has been sent
	}
	_ = s.fs.Close()
	s.conn.gate.leave(s.account)
	s.releaseSeat()
	if s.conn.loggedOut(s) {
		s.conn.gate.awaitLogin(s.conn)
	}
}

// interruptTransfers ends the waiting of every transfer for its connection, with why
// the session ends.
func (s *Session) interruptTransfers() {
	for _, t := range s.handles() {
		t.interrupt(context.Cause(s.ctx))
	}
}

// add makes t one of the session's open handles, unless the session has ended.
func (s *Session) add(t *transfer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return context.Cause(s.ctx)
	}
	s.open = append(s.open, t)
	return nil
}

func (s *Session) drop(t *transfer) {
	t.closed()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = slices.DeleteFunc(s.open, func(o *transfer) bool { return o == t })
}

// Emit tells the gate's sink of e, as this session's. It is a ferry.Sink.
func (s *Session) Emit(e ferry.Event) {
	u := s.user.Load()
	e.User, e.Anon = u.Name, u.Anonymous
	s.conn.emit(e)
}
