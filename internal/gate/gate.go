package gate

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ferry"
)

// Config is what a Gate is made of. Auth, Files and Cluster are required.
type Config struct {
	Auth ferry.Authenticator
	// Files opens the tree of s.User, with all that stands between a client and
	// its files: its rights, Session.Meter, and whatever else wraps an FS. A
	// protocol reaches files by no other way. ctx bounds the opening, not the
	// life of the tree; the session closes it.
	Files   func(ctx context.Context, s *Session) (ferry.FS, error)
	Cluster ferry.Cluster
	Events  ferry.Sink // nil: nobody listens
	Limits  Limits
}

// Gate lets clients in. All methods may be called from several goroutines at
// once.
type Gate struct {
	auth     ferry.Authenticator
	files    func(ctx context.Context, s *Session) (ferry.FS, error)
	cluster  ferry.Cluster
	events   ferry.Sink
	limits   *atomic.Pointer[Limits]
	bans     *bans
	up, down *bucket // of everybody together
	open     *openFiles

	mu       sync.Mutex
	conns    map[string]*Conn
	before   beforeLogin
	accounts map[string]*account
	// refreshes counts the calls of Refresh, so that a login which began
	// before one notices that what it knows of the account may be old.
	refreshes int
}

// New makes a gate from cfg.
func New(cfg Config) *Gate {
	g := &Gate{
		auth:     cfg.Auth,
		files:    cfg.Files,
		cluster:  cfg.Cluster,
		events:   cfg.Events,
		limits:   new(atomic.Pointer[Limits]),
		conns:    make(map[string]*Conn),
		accounts: make(map[string]*account),
	}
	if g.events == nil {
		g.events = func(ferry.Event) {}
	}
	g.bans = newBans(g.limits)
	g.open = newOpenFiles(OpenFiles{})
	g.up, g.down = newBucket(0), newBucket(0)
	g.SetLimits(cfg.Limits)
	return g
}

// SetLimits are what holds from now on, for those too who are there. Nobody is turned
// out, who was shut out stays so for the time that was said, unless l spares it.
func (g *Gate) SetLimits(l Limits) {
	l = l.WithDefaults()
	g.limits.Store(&l)
	g.open.setLimits(l.OpenFiles)
	g.up.setRate(l.Upload)
	g.down.setRate(l.Download)
}

// Admit gives the connection from peer to local a seat, or answers at once
// ferry.ErrBanned, ErrServerFull, ErrAddressFull or ErrCrowded; any other error means
// that the cluster could not be asked. protocol is "ftp", "ftps" or "sftp".
//
// Where seats are short, connections that have not logged in give way: their contexts
// end with ferry.ErrCrowded.
//
// The connection lasts no longer than ctx. Whoever admits must Close.
func (g *Gate) Admit(ctx context.Context, protocol string, peer, local netip.AddrPort) (*Conn, error) {
	c := &Conn{gate: g, spoken: protocol, peer: unmap(peer), local: unmap(local), started: time.Now()}
	c.id = g.register(c)
	if err := g.seat(ctx, c); err != nil {
		g.forget(c)
		g.tellRefused(c, err)
		return nil, err
	}
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	g.mu.Lock()
	g.conns[c.id] = c
	g.mu.Unlock()
	g.awaitLogin(c)
	c.emit(ferry.Event{Kind: ferry.EventConnect})
	return c, nil
}

// register finds an id that no live connection has, and reserves it.
func (g *Gate) register(c *Conn) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		id := strings.ToLower(rand.Text()[:8])
		if _, taken := g.conns[id]; !taken {
			g.conns[id] = nil // not to be seen before it has its seats
			return id
		}
	}
}

func (g *Gate) forget(c *Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.conns, c.id)
	g.before.remove(c)
}

func (g *Gate) tellRefused(c *Conn, err error) {
	if errors.Is(err, ferry.ErrCrowded) {
		g.tellCrowded(c)
		return
	}
	c.emit(ferry.Event{Kind: ferry.EventRefused, Err: err})
}

// seat takes the connection's places, or none.
func (g *Gate) seat(ctx context.Context, c *Conn) error {
	if g.bans.holds(c.peer.Addr(), time.Now()) {
		return ferry.ErrBanned
	}
	if g.dropsEarly(c) {
		return ferry.ErrCrowded
	}
	own := origin(c.peer.Addr())
	address, err := g.holdOrTake(ctx, "ip/"+originName(c.peer.Addr()), g.limits.Load().PerAddress, ferry.ErrAddressFull,
		func(b *beforeLogin) *Conn { return b.oldest(own) })
	if err != nil {
		return err
	}
	all, err := g.holdOrTake(ctx, "all", g.limits.Load().Sessions, ferry.ErrServerFull,
		func(b *beforeLogin) *Conn { return b.oldest(b.most()) })
	if err != nil {
		address()
		return err
	}
	c.releaseSeats = func() { address(); all() }
	return nil
}

// holdOrTake is hold, and where the house is full takes the seat of the connection
// without a login that oldest finds, if there is one.
func (g *Gate) holdOrTake(ctx context.Context, seat string, max int, full error, oldest func(*beforeLogin) *Conn) (release func(), err error) {
	for {
		release, err = g.hold(ctx, seat, max, full)
		if !errors.Is(err, full) || !g.endOldest(oldest) {
			return release, err
		}
	}
}

// hold is Cluster.Hold with the answer that the client gets for a full house.
func (g *Gate) hold(ctx context.Context, seat string, max int, full error) (release func(), err error) {
	release, err = g.cluster.Hold(ctx, seat, max)
	switch {
	case errors.Is(err, ferry.ErrBusy):
		return nil, full
	case err != nil:
		return nil, fmt.Errorf("cannot count sessions at seat %q: %w", seat, err)
	}
	return release, nil
}

// Kick ends the connections that match, and says how many those are: their contexts
// end with cause (nil: ferry.ErrKicked) and their transfers stop. It is up to
// the protocol to say goodbye and Close.
func (g *Gate) Kick(match func(SessionInfo) bool, cause error) int {
	if cause == nil {
		cause = ferry.ErrKicked
	}
	kicked := 0
	for _, c := range g.live() {
		if match(c.info()) {
			c.cancel(cause)
			kicked++
		}
	}
	return kicked
}

// SessionInfo describes one live connection.
type SessionInfo struct {
	ID         string
	Protocol   string
	Peer       netip.AddrPort
	User       string // "" before a login
	Since      time.Time
	Uploaded   int64 // bytes
	Downloaded int64 // bytes
	Transfers  []Transfer
}

// Sessions describes the live connections, in no particular order.
func (g *Gate) Sessions() []SessionInfo {
	live := g.live()
	infos := make([]SessionInfo, len(live))
	for i, c := range live {
		infos[i] = c.info()
	}
	return infos
}

func (g *Gate) live() []*Conn {
	g.mu.Lock()
	defer g.mu.Unlock()
	conns := make([]*Conn, 0, len(g.conns))
	for _, c := range g.conns {
		if c != nil {
			conns = append(conns, c)
		}
	}
	return conns
}

// generation is the number that Refresh counts up.
func (g *Gate) generation() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.refreshes
}
