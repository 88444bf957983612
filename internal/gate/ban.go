package gate

import (
	"net/netip"
	"slices"
	"sync"
	"time"
)

// maxOrigins bounds the tables of failures and of bans: an attacker with more
// addresses than that pushes out the oldest of them, and takes none of our
// memory.
const maxOrigins = 1 << 14

// bans counts failures by origin and shuts out those that have too many.
type bans struct {
	limits Limits

	mu     sync.Mutex
	failed *table[[]time.Time] // when an origin failed, oldest first
	out    *table[time.Time]   // until when an origin is shut out
}

func newBans(l Limits) *bans {
	return &bans{limits: l, failed: newTable[[]time.Time](maxOrigins), out: newTable[time.Time](maxOrigins)}
}

// holds tells whether a is shut out.
func (b *bans) holds(a netip.Addr, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	until, ok := b.out.get(origin(a))
	return ok && now.Before(until)
}

// strike counts a failure of a, and tells whether that one shut it out.
func (b *bans) strike(a netip.Addr, now time.Time) bool {
	if b.limits.BanAfter <= 0 || b.spares(a) {
		return false
	}
	key := origin(a)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expire(now)
	if _, out := b.out.get(key); out {
		return false
	}
	times, _ := b.failed.get(key)
	times = slices.DeleteFunc(times, func(t time.Time) bool { return b.forgotten(t, now) })
	times = append(times, now)
	if len(times) < b.limits.BanAfter {
		b.failed.put(key, times)
		return false
	}
	b.failed.remove(key)
	b.out.put(key, now.Add(b.limits.BanFor))
	return true
}

// spares tells whether a lies in a network that is never shut out.
func (b *bans) spares(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return slices.ContainsFunc(b.limits.NeverBan, func(p netip.Prefix) bool { return p.Contains(a) })
}

// expire drops what is over. Both tables are in the order of time, so this
// looks at little more than what goes.
func (b *bans) expire(now time.Time) {
	b.failed.expire(func(times []time.Time) bool { return b.forgotten(times[len(times)-1], now) })
	b.out.expire(func(until time.Time) bool { return !now.Before(until) })
}

// forgotten tells whether a failure at t counts no more.
func (b *bans) forgotten(t, now time.Time) bool { return now.Sub(t) > b.limits.BanWindow }
