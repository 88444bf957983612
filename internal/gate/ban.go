package gate

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"ferry"
)

// maxOrigins bounds the tables of failures and of bans: an attacker with more
// addresses than that pushes out the oldest of them, and takes none of our
// memory.
const maxOrigins = 1 << 14

// bans counts failures by origin and shuts out those that have too many. Attempts
// whose end is not known yet count as failures that may come: of an origin that has
// n left, n are tried at a time, so guessing with many connections at once is no way
// around the count.
type bans struct {
	limits *atomic.Pointer[Limits]

	mu        sync.Mutex
	failed    *table[[]time.Time] // when an origin failed, oldest first
	out       *table[time.Time]   // until when an origin is shut out
	stumbling *table[stumbling]
	pending   map[netip.Prefix]*attempts
}

// attempts are the logins of one origin that are being looked at.
type attempts struct {
	running int
	waiting int
	ended   chan struct{} // closed when one has ended, and made anew
}

func newBans(l *atomic.Pointer[Limits]) *bans {
	return &bans{
		limits: l, failed: newTable[[]time.Time](maxOrigins), out: newTable[time.Time](maxOrigins),
		stumbling: newTable[stumbling](maxOrigins),
		pending:   make(map[netip.Prefix]*attempts),
	}
}

// begin waits until an attempt of a may be looked at, and answers ferry.ErrBanned
// where a is shut out by then, or the cause of ctx's end. Every begin without an
// error needs an end.
func (b *bans) begin(ctx context.Context, a netip.Addr) error {
	if b.off(a) {
		return nil
	}
	key := origin(a)
	b.mu.Lock()
	defer b.mu.Unlock()
	at := b.pending[key]
	if at == nil {
		at = &attempts{ended: make(chan struct{})}
		b.pending[key] = at
	}
	defer b.drop(key, at)
	for {
		now := time.Now()
		if until, out := b.out.get(key); out && now.Before(until) {
			return ferry.ErrBanned
		}
		if b.off(a) || at.running < b.limits.Load().BanAfter-b.failures(key, now) { // off: by now

			at.running++
			return nil
		}
		if err := b.await(ctx, at); err != nil {
			return err
		}
	}
}

// await waits, without the lock, for an attempt to end.
func (b *bans) await(ctx context.Context, at *attempts) error {
	ended := at.ended
	at.waiting++
	b.mu.Unlock()
	var err error
	select {
	case <-ended:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	b.mu.Lock()
	at.waiting--
	return err
}

// end says that an attempt of a has ended. One that failed was counted before.
func (b *bans) end(a netip.Addr) {
	key := origin(a)
	b.mu.Lock()
	defer b.mu.Unlock()
	at := b.pending[key]
	if at == nil {
		return // it was not counted
	}
	at.running = max(at.running-1, 0) // it began uncounted where the limits have changed
	close(at.ended)
	at.ended = make(chan struct{})
	b.drop(key, at)
}

// drop forgets at when nobody needs it any more.
func (b *bans) drop(key netip.Prefix, at *attempts) {
	if at.running == 0 && at.waiting == 0 {
		delete(b.pending, key)
	}
}

// failures is how many of an origin count now.
func (b *bans) failures(key netip.Prefix, now time.Time) int {
	times, _ := b.failed.get(key)
	n := 0
	for _, t := range times {
		if !b.forgotten(t, now) {
			n++
		}
	}
	return n
}

// holds tells whether a is shut out.
func (b *bans) holds(a netip.Addr, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	until, ok := b.out.get(origin(a))
	return ok && now.Before(until) && !b.off(a)
}

// strike counts a failure of a, and tells whether that one shut it out.
func (b *bans) strike(a netip.Addr, now time.Time) bool {
	if b.off(a) {
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
	if len(times) < b.limits.Load().BanAfter {
		b.failed.put(key, times)
		return false
	}
	b.failed.remove(key)
	b.out.put(key, now.Add(b.limits.Load().BanFor))
	return true
}

// off tells whether a is not shut out whatever it does.
func (b *bans) off(a netip.Addr) bool { return b.limits.Load().BanAfter <= 0 || b.spares(a) }

// spares tells whether a lies in a network that is never shut out.
func (b *bans) spares(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return slices.ContainsFunc(b.limits.Load().NeverBan, func(p netip.Prefix) bool { return p.Contains(a) })
}

// expire drops what is over. Both tables are in the order of time, so this
// looks at little more than what goes.
func (b *bans) expire(now time.Time) {
	b.failed.expire(func(times []time.Time) bool { return b.forgotten(times[len(times)-1], now) })
	b.out.expire(func(until time.Time) bool { return !now.Before(until) })
}

// forgotten tells whether a failure at t counts no more.
func (b *bans) forgotten(t, now time.Time) bool { return now.Sub(t) > b.limits.Load().BanWindow }
