package gate

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
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
	limits   Limits
	bans     *bans
	up, down *bucket // of everybody together

	mu       sync.Mutex
	visits   map[string]*Visit
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
		limits:   cfg.Limits.WithDefaults(),
		visits:   make(map[string]*Visit),
		accounts: make(map[string]*account),
	}
	if g.events == nil {
		g.events = func(ferry.Event) {}
	}
	g.bans = newBans(g.limits)
	g.up, g.down = newBucket(g.limits.Upload), newBucket(g.limits.Download)
	return g
}

// Admit gives the connection from peer to local a seat, or answers at once
// ferry.ErrBanned, ErrServerFull or ErrAddressFull; any other error means that
// the cluster could not be asked. protocol is "ftp", "ftps" or "sftp".
//
// The visit lasts no longer than ctx. Whoever admits must Leave.
func (g *Gate) Admit(ctx context.Context, protocol string, peer, local netip.AddrPort) (*Visit, error) {
	v := &Visit{gate: g, protocol: protocol, peer: unmap(peer), local: unmap(local), started: time.Now()}
	v.id = g.register(v)
	if err := g.seat(ctx, v); err != nil {
		g.forget(v)
		v.emit(ferry.Event{Kind: ferry.EventRefused, Err: err})
		return nil, err
	}
	v.ctx, v.cancel = context.WithCancelCause(ctx)
	g.mu.Lock()
	g.visits[v.id] = v
	g.mu.Unlock()
	v.emit(ferry.Event{Kind: ferry.EventConnect})
	return v, nil
}

// register finds an id that no live visit has, and reserves it.
func (g *Gate) register(v *Visit) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		id := strings.ToLower(rand.Text()[:8])
		if _, taken := g.visits[id]; !taken {
			g.visits[id] = nil // not to be seen before it has its seats
			return id
		}
	}
}

func (g *Gate) forget(v *Visit) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.visits, v.id)
}

// seat takes the visit's places, or none.
func (g *Gate) seat(ctx context.Context, v *Visit) error {
	if g.bans.holds(v.peer.Addr(), time.Now()) {
		return ferry.ErrBanned
	}
	all, err := g.hold(ctx, "all", g.limits.Sessions, ferry.ErrServerFull)
	if err != nil {
		return err
	}
	address, err := g.hold(ctx, "ip/"+originName(v.peer.Addr()), g.limits.PerAddress, ferry.ErrAddressFull)
	if err != nil {
		all()
		return err
	}
	v.releaseSeats = func() { address(); all() }
	return nil
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

// Kick ends the visits that match, and says how many those are: their contexts
// end with cause (nil: ferry.ErrKicked) and their transfers stop. It is up to
// the protocol to say goodbye and Leave.
func (g *Gate) Kick(match func(SessionInfo) bool, cause error) int {
	if cause == nil {
		cause = ferry.ErrKicked
	}
	kicked := 0
	for _, v := range g.live() {
		if match(v.info()) {
			v.cancel(cause)
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
	for i, v := range live {
		infos[i] = v.info()
	}
	return infos
}

func (g *Gate) live() []*Visit {
	g.mu.Lock()
	defer g.mu.Unlock()
	visits := make([]*Visit, 0, len(g.visits))
	for _, v := range g.visits {
		if v != nil {
			visits = append(visits, v)
		}
	}
	return visits
}

// generation is the number that Refresh counts up.
func (g *Gate) generation() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.refreshes
}
