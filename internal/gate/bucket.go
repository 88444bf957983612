package gate

import (
	"container/heap"
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// share is the part of a second's bytes that one chunk may take, and that a
	// bucket which rested gives at once: a 1/share of a second.
	share = 8
	// smallestShare is how far chunks shrink, in bytes, where many share a bucket.
	smallestShare = 16 << 10
)

// bucket is a token bucket that is kept as a point in time: the moment at
// which everything taken from it will have been paid for.
//
// Those who wait are served in turns: each session has one, and the next is that of the
// session that has had the least, however many requests it has sent (start-time fair
// queueing, Goyal et al. 1996). Who does not wait leaves its share to the others, and
// saves nothing up by that.
type bucket struct {
	rate atomic.Int64 // bytes a second; 0: no limit

	mu      sync.Mutex
	paid    time.Time
	served  int64 // where the turn began that was served last, in bytes
	waiting turns
	timer   *time.Timer // serves the next one; nil: nobody has waited yet
}

// turn is what a session has of one bucket. The bucket's lock guards it.
type turn struct {
	// start is where its next claim begins, in bytes: what it has had so far, and at
	// least what those had who were always there.
	start  int64
	claims []*claim // that wait, in their order
	index  int      // in bucket.waiting, if it waits
}

// claim waits for n bytes.
type claim struct {
	n       int64
	granted chan struct{}
}

func newBucket(rate int64) *bucket {
	b := new(bucket)
	b.rate.Store(max(rate, 0))
	return b
}

func (b *bucket) setRate(rate int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	old, now := b.rate.Swap(max(rate, 0)), time.Now()
	if owed := b.paid.Sub(now); old > 0 && rate > 0 && owed > 0 {
		b.paid = now.Add(time.Duration(float64(owed) * float64(old) / float64(rate)))
	}
	b.serve()
}

// chunk is the most that should be taken in one step: the less the more wait, so that a
// round does not last long.
func (b *bucket) chunk() int64 {
	rate := b.rate.Load()
	if rate == 0 {
		return math.MaxInt64
	}
	b.mu.Lock()
	others := int64(len(b.waiting))
	b.mu.Unlock()
	whole := max(rate/share, 1)
	return max(whole/(1+others), min(whole, smallestShare))
}

// wait takes n bytes for t, and waits until they may move. When a context ends first
// nothing is taken, and the error is its cause.
func (b *bucket) wait(ctx, session context.Context, t *turn, n int64) error {
	if b.rate.Load() == 0 {
		return nil
	}
	c := b.claim(t, n)
	if c == nil {
		return nil
	}
	select {
	case <-c.granted:
		return nil
	case <-ctx.Done():
		b.withdraw(t, c)
		return context.Cause(ctx)
	case <-session.Done():
		b.withdraw(t, c)
		return context.Cause(session)
	}
}

// claim takes n bytes for t, or gives the claim to wait for.
func (b *bucket) claim(t *turn, n int64) *claim {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) == 0 && b.ready() {
		b.grant(t, n)
		return nil
	}
	c := &claim{n: n, granted: make(chan struct{})}
	if t.claims = append(t.claims, c); len(t.claims) == 1 {
		t.start = max(t.start, b.served)
		heap.Push(&b.waiting, t)
	}
	b.serve()
	return c
}

// ready tells whether the next one may have what it wants.
func (b *bucket) ready() bool { return b.rate.Load() == 0 || !b.paid.After(time.Now()) }

// grant lets t have n bytes.
func (b *bucket) grant(t *turn, n int64) {
	b.served = max(b.served, t.start)
	t.start = b.served + n
	if b.rate.Load() == 0 {
		return
	}
	if rested := time.Now().Add(-time.Second / share); b.paid.Before(rested) {
		b.paid = rested
	}
	b.paid = b.paid.Add(b.cost(n))
}

// serve grants what can be granted now, and sees to it that the next one is served in time.
func (b *bucket) serve() {
	for len(b.waiting) > 0 && b.ready() {
		t := b.waiting[0]
		c := t.claims[0]
		b.grant(t, c.n)
		close(c.granted)
		b.remove(t, c)
	}
	if len(b.waiting) == 0 {
		return
	}
	next := time.Until(b.paid)
	if b.timer != nil {
		b.timer.Reset(next)
		return
	}
	b.timer = time.AfterFunc(next, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.serve()
	})
}

// remove takes c, which t has, out of those that wait.
func (b *bucket) remove(t *turn, c *claim) {
	for i := range t.claims {
		if t.claims[i] == c {
			t.claims = append(t.claims[:i], t.claims[i+1:]...)
			break
		}
	}
	if len(t.claims) == 0 {
		heap.Remove(&b.waiting, t.index)
		return
	}
	heap.Fix(&b.waiting, t.index)
}

// withdraw takes back a claim that nobody waits for any more.
func (b *bucket) withdraw(t *turn, c *claim) {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case <-c.granted:
		b.refund(t, c.n)
	default:
		b.remove(t, c)
	}
}

// giveBack returns what t took and did not move.
func (b *bucket) giveBack(t *turn, n int64) {
	if b.rate.Load() == 0 || n <= 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refund(t, n)
}

func (b *bucket) refund(t *turn, n int64) {
	if b.rate.Load() > 0 {
		b.paid = b.paid.Add(-b.cost(n))
	}
	t.start = max(t.start-n, b.served)
	if len(t.claims) > 0 {
		heap.Fix(&b.waiting, t.index)
	}
	b.serve()
}

// cost is the time that n bytes take. In floating point, since bytes times
// nanoseconds overflow where chunks are large.
func (b *bucket) cost(n int64) time.Duration {
	return time.Duration(float64(n) / float64(b.rate.Load()) * float64(time.Second))
}

// turns are those that wait, the one that is next at 0. It is a heap.Interface.
type turns []*turn

func (q turns) Len() int           { return len(q) }
func (q turns) Less(i, j int) bool { return q[i].start < q[j].start }

func (q turns) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

func (q *turns) Push(x any) {
	t := x.(*turn)
	t.index = len(*q)
	*q = append(*q, t)
}

func (q *turns) Pop() any {
	last := len(*q) - 1
	t := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return t
}
