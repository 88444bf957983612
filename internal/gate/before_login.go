package gate

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"ferry"
)

// BeforeLogin bounds the connections that nobody has logged in on, in the words of
// sshd's MaxStartups: from Start of them on new ones are turned away with a chance of
// Rate in a hundred, which grows to certainty at Full. An address that has fewer of
// them than the others have on average is spared, and nobody is turned away once the
// oldest has had its time to log in: beyond Full the oldest one of the address that
// has the most gives way. Full 0: no limit.
type BeforeLogin struct{ Start, Rate, Full int }

const (
	// loginTime is what an honest client needs to log in, with some to spare. Who
	// has had that gives way; before, a flood would push out those who log in.
	loginTime = 10 * time.Second
	// crowdedEvery is how often it is told, at most, that connections without a
	// login were turned away or gave way.
	crowdedEvery = time.Minute
)

// beforeLogin are the connections that nobody is logged in on, by origin, each in the
// order in which they came. Gate.mu guards it.
type beforeLogin struct {
	waiting map[netip.Prefix][]waiting
	count   int
	told    time.Time // when it was last told that some had to go
	untold  int       // how many had to since
}

type waiting struct {
	conn  *Conn
	since time.Time
}

func (b *beforeLogin) add(c *Conn) {
	if b.waiting == nil {
		b.waiting = make(map[netip.Prefix][]waiting)
	}
	key := origin(c.peer.Addr())
	b.waiting[key] = append(b.waiting[key], waiting{c, time.Now()})
	b.count++
}

// remove tells whether c was among them.
func (b *beforeLogin) remove(c *Conn) bool {
	key := origin(c.peer.Addr())
	i := slices.IndexFunc(b.waiting[key], func(w waiting) bool { return w.conn == c })
	if i < 0 {
		return false
	}
	b.waiting[key] = slices.Delete(b.waiting[key], i, i+1)
	if len(b.waiting[key]) == 0 {
		delete(b.waiting, key)
	}
	b.count--
	return true
}

// oldest is the one of an origin that has to give way; nil: it has none.
func (b *beforeLogin) oldest(key netip.Prefix) *Conn {
	if list := b.waiting[key]; len(list) > 0 {
		return list[0].conn
	}
	return nil
}

// most is the origin that has the most of them, and of several the one whose oldest
// has waited the longest.
func (b *beforeLogin) most() (key netip.Prefix) {
	var first []waiting
	for k, list := range b.waiting {
		more := len(list) - len(first)
		if more > 0 || more == 0 && list[0].since.Before(first[0].since) {
			key, first = k, list
		}
	}
	return key
}

// drops tells whether a new connection from key is turned away; chance, below 100,
// decides where that is left to it.
func (b *beforeLogin) drops(l BeforeLogin, key netip.Prefix, chance int) bool {
	if l.Full <= 0 || b.count < l.Start || len(b.waiting) == 0 {
		return false
	}
	if len(b.waiting[key])*len(b.waiting) < b.count {
		return false // fewer than the average
	}
	if time.Since(b.waiting[b.most()][0].since) >= loginTime {
		return false
	}
	rate := 100
	if b.count < l.Full {
		rate = l.Rate + (100-l.Rate)*(b.count-l.Start)/(l.Full-l.Start)
	}
	return chance < rate
}

// dropsEarly tells whether there are too many without a login for a new connection of
// c's address.
func (g *Gate) dropsEarly(c *Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.before.drops(g.limits.Load().BeforeLogin, origin(c.peer.Addr()), rand.IntN(100))
}

// awaitLogin counts c among those without a login, of which others give way where
// they are too many now.
func (g *Gate) awaitLogin(c *Conn) {
	g.mu.Lock()
	g.before.add(c)
	full := g.limits.Load().BeforeLogin.Full
	g.mu.Unlock()
	for full > 0 && g.endOldest(func(b *beforeLogin) *Conn {
		if b.count <= full {
			return nil
		}
		return b.oldest(b.most())
	}) {
	}
}

// endOldest ends the connection that choose finds, and gives its seats back at once:
// whoever came for them does not wait for its goodbye. false: there was none.
func (g *Gate) endOldest(choose func(*beforeLogin) *Conn) bool {
	g.mu.Lock()
	c := choose(&g.before)
	if c != nil {
		g.before.remove(c)
	}
	g.mu.Unlock()
	if c == nil {
		return false
	}
	c.cancel(ferry.ErrCrowded)
	c.releaseSeats()
	g.tellCrowded(c)
	return true
}

// tellCrowded tells of a connection that had to go for want of a login: of one a
// minute, with the number of the others.
func (g *Gate) tellCrowded(c *Conn) {
	g.mu.Lock()
	b := &g.before
	if !b.told.IsZero() && time.Since(b.told) < crowdedEvery {
		b.untold++
		g.mu.Unlock()
		return
	}
	others := b.untold
	b.told, b.untold = time.Now(), 0
	g.mu.Unlock()
	c.emit(ferry.Event{Kind: ferry.EventRefused, Err: fmt.Errorf("%w (%d others since this was last told)", ferry.ErrCrowded, others)})
}
