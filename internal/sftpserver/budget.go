package sftpserver

import "sync"

// Bounds of what a session has on its way, from the request that was read to
// the reply that was written. The reader waits while they are reached, and so
// in the end the client.
const (
	budgetBytes = 2 << 20
	budgetOps   = 256
)

// budget counts what is on its way.
type budget struct {
	mu     sync.Mutex
	freed  sync.Cond
	bytes  int
	ops    int
	coming bool // an op is being made
	closed bool
}

func newBudget() *budget {
	b := new(budget)
	b.freed.L = &b.mu
	return b
}

// expect announces the next take.
func (b *budget) expect() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.coming = true
}

// quiet tells whether nothing is on its way.
func (b *budget) quiet() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ops == 0 && !b.coming
}

// take waits until there is room for an op of that many bytes, or for close.
func (b *budget) take(bytes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for !b.closed && b.ops > 0 && (b.bytes+bytes > budgetBytes || b.ops >= budgetOps) {
		b.freed.Wait()
	}
	b.bytes += bytes
	b.ops++
	b.coming = false
}

// give gives back what take took.
func (b *budget) give(bytes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bytes -= bytes
	b.ops--
	b.freed.Signal() // the reader is the only one who waits
}

// close ends all waiting.
func (b *budget) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.freed.Signal()
}
