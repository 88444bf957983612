package event

import (
	"net/netip"
	"sync"
	"time"

	"ferry"
)

// What one client may have told of its refusals, before they are counted instead.
const (
	mostAlike = 20
	alikeFor  = time.Minute
	// mostClients are told apart; all others count as one, so that an attacker with
	// many addresses takes no more lines, and no more memory, than that.
	mostClients = 4096
)

// Bounded stands before a sink that writes lines. Refusals are what a client can cause as
// often as it likes and at no cost, so of each kind a client's first 20 a minute are
// passed on; the others are counted, and the count is told when the minute is over
// (ferry.EventMore). Every other event is passed on. It is for many goroutines at once.
type Bounded struct {
	next ferry.Sink

	mu    sync.Mutex
	alike map[client]*count
}

// client is whose refusals are counted together: those of an address, and of a user who
// is known by a login, since many may share the address.
type client struct {
	network netip.Prefix // as long as a host has it to itself
	kind    ferry.EventKind
	user    string
}

type count struct {
	first ferry.Event
	told  int
	more  int
	over  *time.Timer
}

// Bound makes a Bounded before next.
func Bound(next ferry.Sink) *Bounded { return &Bounded{next: next, alike: map[client]*count{}} }

// Sink takes the events.
func (b *Bounded) Sink() ferry.Sink {
	return func(e ferry.Event) {
		if !isRefusal(e.Kind) || b.tells(e) {
			b.next(e)
		}
	}
}

// tells counts the refusal e, and says whether it is to be told.
func (b *Bounded) tells(e ferry.Event) bool {
	who := clientOf(e)
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.alike[who]
	if c == nil && len(b.alike) >= mostClients {
		who = client{kind: e.Kind}
		e.Peer, e.User, e.Anon = netip.AddrPort{}, "", false
		c = b.alike[who]
	}
	if c == nil {
		c = &count{first: e, over: time.AfterFunc(alikeFor, func() { b.end(who) })}
		b.alike[who] = c
	}
	if c.told < mostAlike {
		c.told++
		return true
	}
	c.more++
	return false
}

// end forgets what a client did in its minute, and tells how many were not told.
func (b *Bounded) end(who client) {
	b.mu.Lock()
	c := b.alike[who]
	delete(b.alike, who)
	b.mu.Unlock()
	if c == nil || c.more == 0 {
		return
	}
	e := ferry.Event{Kind: ferry.EventMore, Of: who.kind, More: c.more, User: who.user, Anon: c.first.Anon && who.user != ""}
	if peer := c.first.Peer; peer.IsValid() {
		e.Peer = netip.AddrPortFrom(peer.Addr(), 0) // of several connections, maybe
	}
	b.next(e)
}

// Close tells the counts that there are. What comes later begins anew.
func (b *Bounded) Close() {
	b.mu.Lock()
	var all []client
	for who, c := range b.alike {
		c.over.Stop()
		all = append(all, who)
	}
	b.mu.Unlock()
	for _, who := range all {
		b.end(who)
	}
}

func isRefusal(k ferry.EventKind) bool {
	switch k {
	case ferry.EventRefused, ferry.EventLoginFailed, ferry.EventLoginRefused, ferry.EventDenied:
		return true
	}
	return false
}

func clientOf(e ferry.Event) client {
	who := client{kind: e.Kind}
	if e.Kind == ferry.EventDenied {
		who.user = e.User
	}
	addr := e.Peer.Addr().Unmap().WithZone("")
	if bits := addr.BitLen(); bits > 0 {
		who.network, _ = addr.Prefix(min(bits, 64)) // never fails: it has as many bits
	}
	return who
}
