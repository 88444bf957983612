package ftptls

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"ferry"
)

// Binding says how a TLS data connection must show that it belongs to its
// control connection: by resuming the TLS session of it, which only the same
// client (and whoever shares its cache of sessions) can.
type Binding uint8

const (
	// BindAuto refuses a ticket of another user, and once a session has
	// resumed on a data connection, every later one that does not, where the
	// client must have a ticket (TicketUse). While a user has several sessions at
	// one address they may share a cache that is out of tickets.
	BindAuto Binding = iota
	// BindOff looks at nothing.
	BindOff
	// BindObserve looks, logs and counts what BindEnforce would refuse.
	BindObserve
	// BindEnforce refuses every data connection that does not resume a
	// session of the same user at the same address.
	BindEnforce
)

// String is the word that configuration and logs use.
func (b Binding) String() string {
	return [...]string{"auto", "off", "observe", "enforce"}[b]
}

// errUnbound: the data connection does not belong to this session, as far as
// TLS can tell.
var ErrUnbound = errors.New("the data connection did not resume the TLS session of its control connection")

// Owner is what a session ticket says of who got it. Tickets are encrypted
// and authenticated with keys of ours, so a client cannot write one.
type Owner struct {
	Session string // tlsSession.id
	User    string // who was logged in, or presumed to be about to, as login has it; "": nobody
	Late    bool   // it was given at the end of an upload, where not every client reads it
}

// What the extra data of our tickets begins with.
const (
	ownerMark     = "ferry\x02"
	lateOwnerMark = "ferry\x03"
)

func (o Owner) bytes() []byte {
	mark := ownerMark
	if o.Late {
		mark = lateOwnerMark
	}
	return []byte(mark + o.Session + "\x00" + o.User)
}

// parseOwner reads what bytes has made; false: e is not of ours.
func parseOwner(e []byte) (Owner, bool) {
	rest, ok := bytes.CutPrefix(e, []byte(ownerMark))
	late := false
	if !ok {
		rest, late = bytes.CutPrefix(e, []byte(lateOwnerMark))
	}
	session, user, whole := bytes.Cut(rest, []byte{0})
	return Owner{string(session), string(user), late}, (ok || late) && whole
}

// ownerOf finds the owner among the extra data of a ticket; the zero owner:
// there is none.
func ownerOf(extra [][]byte) Owner {
	for _, e := range extra {
		if o, ok := parseOwner(e); ok {
			return o
		}
	}
	return Owner{}
}

// ShownTicket is one that a client came with: its owner, and what tells it from
// others.
type ShownTicket struct {
	Owner
	id ticketID
}

type ticketID [sha256.Size]byte

// Session is the TLS side of one control connection. Jobs read it, so what
// changes is atomic.
type Session struct {
	Id   string
	Peer netip.Addr
	// Resumed is the session whose ticket the control connection itself came
	// with: a client in TLS 1.2 goes on using that ticket.
	Resumed string
	// Presumed is the user of that session. Until somebody logs in here, the
	// tickets of this one are as good as that one's: a client with several
	// connections puts them into the same cache.
	Presumed string
	user     atomic.Pointer[string]
	Use      TicketUse
	siblings atomic.Pointer[userSessions] // from the login on
	known    chan struct{}                // closed at the first login, or the end
	once     sync.Once                    // closes known
}

// userSessions are the live sessions of one user at one address.
type userSessions struct {
	of     userAtAddress
	size   int         // guarded by tlsSessions.mu
	shared atomic.Bool // there has been more than one at once
}

type userAtAddress struct {
	peer netip.Addr
	user string
}

func NewSession(peer netip.Addr) *Session {
	return &Session{Id: rand.Text(), Peer: peer, known: make(chan struct{})}
}

// settled says that it is known whose the session is, or will never be.
func (s *Session) settled() { s.once.Do(func() { close(s.known) }) }

func (s *Session) userName() string {
	if name := s.user.Load(); name != nil {
		return *name
	}
	return ""
}

// holder is whose the tickets of the session are; "": nobody's yet.
func (s *Session) holder() string {
	if name := s.userName(); name != "" {
		return name
	}
	return s.Presumed
}

// alone tells whether there has never been another session of the same user
// and address beside s.
func (s *Session) alone() bool {
	c := s.siblings.Load()
	return c == nil || !c.shared.Load()
}

// Sessions are the live ones of the server, by id.
type Sessions struct {
	live   sync.Map
	mu     sync.Mutex
	byUser map[userAtAddress]*userSessions
}

func NewSessions() *Sessions { return &Sessions{byUser: make(map[userAtAddress]*userSessions)} }

func (r *Sessions) Add(s *Session) { r.live.Store(s.Id, s) }

func (r *Sessions) Remove(s *Session) {
	r.live.Delete(s.Id)
	s.settled()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leave(s)
}

// Login says who s belongs to: an account as it is now. What tickets say of one
// that has changed since (a new password, another user of that name) is about
// somebody else.
func (r *Sessions) Login(s *Session, u ferry.User) {
	user := u.Name + "\x00" + strconv.FormatInt(u.Version, 36)
	s.user.Store(&user)
	defer s.settled()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leave(s)
	of := userAtAddress{s.Peer, user}
	c := r.byUser[of]
	if c == nil {
		c = &userSessions{of: of}
		r.byUser[of] = c
	}
	if c.size++; c.size > 1 {
		c.shared.Store(true)
	}
	s.siblings.Store(c)
}

func (r *Sessions) leave(s *Session) {
	c := s.siblings.Swap(nil)
	if c == nil {
		return
	}
	if c.size--; c.size == 0 {
		delete(r.byUser, c.of)
	}
}

func (r *Sessions) find(id string) *Session {
	s, _ := r.live.Load(id)
	found, _ := s.(*Session)
	return found
}

// Config is base for one handshake of s: its tickets name the owner that grant
// says, found is set to that of the ticket that the client came with. base's own
// keys are used, whatever rotation they have, so that tickets work on all
// connections.
func (s *Session) Config(base *tls.Config, found *ShownTicket, grant func(resumed bool) Owner) *tls.Config {
	cfg := base.Clone()
	cfg.DynamicRecordSizingDisabled = true
	cfg.WrapSession = func(cs tls.ConnectionState, ss *tls.SessionState) ([]byte, error) {
		ss.Extra = withoutOwner(ss.Extra)
		if o := grant(cs.DidResume); o.Session != "" {
			ss.Extra = append(ss.Extra, o.bytes())
		}
		return base.EncryptTicket(cs, ss)
	}
	cfg.UnwrapSession = func(identity []byte, cs tls.ConnectionState) (*tls.SessionState, error) {
		ss, err := base.DecryptTicket(identity, cs)
		if ss != nil {
			found.Owner = ownerOf(ss.Extra)
			found.id = sha256.Sum256(identity)
		}
		return ss, err
	}
	return cfg
}

// withoutOwner is extra without what an earlier session put there.
func withoutOwner(extra [][]byte) [][]byte {
	return slices.DeleteFunc(slices.Clone(extra), func(e []byte) bool {
		_, ours := parseOwner(e)
		return ours
	})
}

// verdict is what the ticket of a data connection shows.
type verdict uint8

const (
	unknown verdict = iota // none, or one that names nobody
	Own                    // of this session, or another of the same user: at the same address, or ended
	Foreign                // of another user
)

// Judge says what a data connection of s shows that resumed (or did not) with
// a ticket of from.
func (r *Sessions) Judge(s *Session, resumed bool, from Owner) verdict {
	switch {
	case !resumed || from.Session == "":
		return unknown
	case from.Session == s.Id || from.Session == s.Resumed:
		return Own
	}
	// Where the session of the ticket has ended, its client had a ticket of that
	// user at least; the others share their cache between connections.
	user, other := from.User, r.find(from.Session)
	if other != nil && other.holder() != "" {
		user = other.holder()
	}
	switch {
	case user != "" && user != s.userName():
		return Foreign
	case user == "" || other != nil && other.Peer != s.Peer:
		return unknown
	}
	return Own
}

// loginWait bounds how long a data connection waits for a login elsewhere.
const loginWait = 10 * time.Second

// AwaitLogin waits, where the ticket of a data connection of s is that of a
// session at the same address in which nobody has logged in yet, until somebody
// has: clients that begin several connections at once put the tickets of all into
// one cache, and show that of one that is not as far as s.
func (r *Sessions) AwaitLogin(ctx context.Context, s *Session, resumed bool, from Owner) {
	if !resumed || from.User != "" || from.Session == s.Resumed {
		return
	}
	other := r.find(from.Session)
	if other == nil || other == s || other.Peer != s.Peer || other.holder() != "" {
		return
	}
	late := time.NewTimer(loginWait)
	defer late.Stop()
	select {
	case <-other.known:
	case <-ctx.Done():
	case <-late.C:
	}
}

// Grant is the owner that a ticket on a data connection of s names. The ticket
// goes out before it is known whether the connection is refused: hence it names
// s for those only who belong to it, and the owner that they named already for
// others, who may belong to s a moment later.
func (r *Sessions) Grant(s *Session, resumed bool, from Owner) Owner {
	switch {
	case !resumed:
		return Owner{}
	case r.Judge(s, resumed, from) == Own:
		return Owner{Session: s.Id, User: s.userName()}
	}
	return from
}

// HolderOf is the user whose ticket from is, at the address peer; "": unknown.
func (r *Sessions) HolderOf(from Owner, peer netip.Addr) string {
	if other := r.find(from.Session); other != nil && other.Peer == peer && other.holder() != "" {
		return other.holder()
	}
	return from.User
}

// Admit applies the binding b to a data connection of s, and says whether the
// connection would have been refused by BindEnforce.
func (s *Session) Admit(b Binding, v verdict) (loose bool, err error) {
	switch {
	case b == BindOff || v == Own:
		return false, nil
	case b == BindObserve:
		return true, nil
	case b == BindEnforce || v == Foreign || s.alone() && s.Use.hasTicket():
		return true, ErrUnbound
	}
	return true, nil
}
