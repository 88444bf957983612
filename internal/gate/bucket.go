package gate

import (
	"math"
	"sync"
	"time"
)

// share is the part of a second's bytes that one chunk may take, and that a
// bucket which rested gives at once: a 1/share of a second.
const share = 8

// bucket is a token bucket that is kept as a point in time: the moment at
// which everything taken from it will have been paid for. Whoever takes waits
// for those before it, so the order is that of arrival.
type bucket struct {
	mu   sync.Mutex
	rate int64 // bytes a second; 0: no limit
	paid time.Time
}

func newBucket(rate int64) *bucket { return &bucket{rate: max(rate, 0)} }

func (b *bucket) setRate(rate int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rate = max(rate, 0)
}

// chunk is the most that should be taken in one step.
func (b *bucket) chunk() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rate == 0 {
		return math.MaxInt64
	}
	return max(b.rate/share, 1)
}

// take takes n bytes and says how long to wait before they may move.
func (b *bucket) take(n int64) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rate == 0 {
		return 0
	}
	now := time.Now()
	if rested := now.Add(-time.Second / share); b.paid.Before(rested) {
		b.paid = rested
	}
	wait := b.paid.Sub(now)
	b.paid = b.paid.Add(b.cost(n))
	return wait
}

// giveBack returns what was taken and did not move.
func (b *bucket) giveBack(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rate > 0 && n > 0 {
		b.paid = b.paid.Add(-b.cost(n))
	}
}

// cost is the time that n bytes take. In floating point, since bytes times
// nanoseconds overflow where chunks are large.
func (b *bucket) cost(n int64) time.Duration {
	return time.Duration(float64(n) / float64(b.rate) * float64(time.Second))
}
