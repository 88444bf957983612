package sftpio

import "sync"

// Bounds of what is on its way, from the request that was read to the reply that
// was written: of all sessions that share a Room together, and of one of them.
const (
	RoomBytes = 1 << 20
	BudgetOps = 256
	// budgetBytes is less than a room has: where the client of one session does
	// not read, another may still have something large on its way.
	budgetBytes = RoomBytes * 3 / 4
	// assured is what a session may always have on its way, however full the
	// room is.
	assured = 64 << 10
)

// Room is the memory that sessions of one connection share for what is on its way.
type Room struct {
	mu    sync.Mutex
	bytes int
	freed chan struct{} // closed when something was given back; nil: nobody waits
	large bool          // one of the sessions reads into a large buffer
}

// takeLarge tells whether a session may read into a large buffer: one of them at a time,
// until it calls giveLarge. A buffer stays taken while its client sends nothing.
func (r *Room) takeLarge() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.large {
		return false
	}
	r.large = true
	return true
}

func (r *Room) giveLarge() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.large = false
}

// Budget counts what one session has on its way. The reader takes no further
// request while it is used up, and so in the end the client sends none.
//
// Nothing waits in here: who is refused waits for Freed, and for what else may end
// its waiting.
type Budget struct {
	room   *Room
	bytes  int
	ops    int
	coming bool // an op is being made
}

// NewBudget gives one that takes from room; nil: a room of its own.
func NewBudget(room *Room) *Budget {
	if room == nil {
		room = new(Room)
	}
	return &Budget{room: room}
}

// Expect announces the next Take, or Skip.
func (b *Budget) Expect() {
	b.room.mu.Lock()
	defer b.room.mu.Unlock()
	b.coming = true
}

// Skip says that what was expected does not come.
func (b *Budget) Skip() {
	b.room.mu.Lock()
	defer b.room.mu.Unlock()
	b.coming = false
}

// Quiet tells whether nothing is on its way.
func (b *Budget) Quiet() bool {
	b.room.mu.Lock()
	defer b.room.mu.Unlock()
	return b.ops == 0 && !b.coming
}

// Take takes that many bytes for an op; false: there is no room.
func (b *Budget) Take(bytes int) bool {
	b.room.mu.Lock()
	defer b.room.mu.Unlock()
	if !b.fits(bytes) {
		return false
	}
	b.room.bytes += bytes
	b.bytes += bytes
	b.ops++
	b.coming = false
	return true
}

func (b *Budget) fits(bytes int) bool {
	switch {
	case b.room.bytes == 0:
		return true // or what is larger than a room would never be done
	case b.ops == 0 && bytes <= assured:
		return true
	case b.ops >= BudgetOps || b.room.bytes+bytes > RoomBytes:
		return false
	}
	return b.ops == 0 || b.bytes+bytes <= budgetBytes
}

// Give gives back what an op took.
func (b *Budget) Give(bytes int) {
	b.room.mu.Lock()
	defer b.room.mu.Unlock()
	b.room.bytes -= bytes
	b.bytes -= bytes
	b.ops--
	b.room.tell()
}

// Freed is closed when something was given back after this call.
func (b *Budget) Freed() <-chan struct{} {
	b.room.mu.Lock()
	defer b.room.mu.Unlock()
	if b.room.freed == nil {
		b.room.freed = make(chan struct{})
	}
	return b.room.freed
}

// Close gives back what ops of a session that has ended still have.
func (b *Budget) Close() {
	b.room.mu.Lock()
	defer b.room.mu.Unlock()
	b.room.bytes -= b.bytes
	b.bytes, b.ops = 0, 0
	b.room.tell()
}

func (r *Room) tell() {
	if r.freed != nil {
		close(r.freed)
		r.freed = nil
	}
}
