package gate

import (
	"net/netip"
	"time"

	"ferry"
)

// Blame says what a handshake of TLS or SSH that failed counts as.
type Blame uint8

const (
	// Blameless: the client left before it had said what it wants, as scanners and
	// the health checks of load balancers do. It counts for nothing.
	Blameless Blame = iota
	// Clumsy: nothing in common, a certificate that one side does not trust, a
	// handshake that was broken off. Honest clients do that, and not as often as
	// clumsyHandshakes a minute: what goes beyond counts as an offence.
	Clumsy
	// Offence: what no honest client sends, as by Penalize.
	Offence
)

const (
	clumsyHandshakes = 20
	clumsyFor        = time.Minute
)

// HandshakeFailed tells that a handshake of the client's has failed and why, and counts it
// towards the ban of its address as blame says.
func (c *Conn) HandshakeFailed(reason error, blame Blame) {
	c.emit(ferry.Event{Kind: ferry.EventRefused, Err: reason})
	if blame == Clumsy && c.gate.bans.stumbles(c.peer.Addr(), time.Now()) {
		blame = Offence
	}
	if blame == Offence {
		c.strike(reason)
	}
}

// stumbling is how many clumsy handshakes an origin has made in its minute.
type stumbling struct {
	since time.Time
	times int
}

// stumbles counts a clumsy handshake of a, and tells whether there are too many.
func (b *bans) stumbles(a netip.Addr, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := origin(a)
	s, ok := b.stumbling.get(key)
	if !ok || now.Sub(s.since) >= clumsyFor {
		s = stumbling{since: now}
	}
	s.times++
	b.stumbling.put(key, s)
	return s.times > clumsyHandshakes
}
