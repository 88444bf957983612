package sftpio

import "sync"

// Bounds of what a session has on its way, from the request that was read to
// the reply that was written. The reader waits while they are reached, and so
// in the end the client.
const (
	BudgetBytes = 2 << 20
	BudgetOps   = 256
)

// Budget counts what is on its way.
type Budget struct {
	mu     sync.Mutex
	freed  sync.Cond
	bytes  int
	ops    int
	coming bool // an op is being made
	closed bool
}

func NewBudget() *Budget {
	b := new(Budget)
	b.freed.L = &b.mu
	return b
}

// Expect announces the next take.
func (b *Budget) Expect() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.coming = true
}

// Quiet tells whether nothing is on its way.
func (b *Budget) Quiet() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ops == 0 && !b.coming
}

// Take waits until there is room for an op of that many bytes, or for close.
func (b *Budget) Take(bytes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for !b.closed && b.ops > 0 && (b.bytes+bytes > BudgetBytes || b.ops >= BudgetOps) {
		b.freed.Wait()
	}
	b.bytes += bytes
	b.ops++
	b.coming = false
}

// Give gives back what take took.
func (b *Budget) Give(bytes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bytes -= bytes
	b.ops--
	b.freed.Signal() // the reader is the only one who waits
}

// Close ends all waiting.
func (b *Budget) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.freed.Signal()
}
