package quota

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"ferry"
)

// ID is a file of the host: its device and its inode.
type ID struct{ Dev, Ino uint64 }

func idOf(st *unix.Stat_t) ID { return ID{st.Dev, st.Ino} }

// Tree is what one home holds. All its sessions share it, by their Accounts.
type Tree struct {
	book *Book
	home string

	// names is held by who changes names, opens a file or closes it: shared as long as
	// nothing is counted, else alone.
	names  sync.RWMutex
	counts atomic.Bool // somebody has, or had, a quota here
	// on: the numbers are right, and kept as open. It is set, and cleared, under names.
	on atomic.Bool

	mu      sync.Mutex
	known   bool // used is right
	used    ferry.Usage
	open    map[ID]*node
	busy    int           // operations that may have taken more than they need
	settled chan struct{} // closed and replaced when one of them has ended
	changed bool          // since it was kept
	last    time.Time     // of the last change
}

// node is a file that is open to be written. While it is, used has its taken bytes.
type node struct {
	files []*File
	taken int64 // how long it is, or may be when all writes have ended
	busy  int   // writes on their way
}

// enter begins a change of names, and tells whether it is counted; leave ends it.
func (t *Tree) enter(a *Account) (counted bool) {
	if !a.wanted() {
		t.names.RLock()
		if !t.counts.Load() {
			return false
		}
		t.names.RUnlock()
	}
	t.names.Lock()
	t.begin()
	return true
}

func (t *Tree) leave(counted bool) {
	if counted {
		t.names.Unlock()
	} else {
		t.names.RUnlock()
	}
}

// begin makes the numbers right, and has the book say that they change from now on. The
// caller holds names alone.
func (t *Tree) begin() {
	if t.on.Load() {
		return
	}
	t.counts.Store(true)
	if !t.known {
		t.count(context.Background())
	}
	t.mu.Lock()
	t.note() // so that it does not rest before the change has come
	t.mu.Unlock()
	t.book.opening(t)
	t.on.Store(true)
}

// ready is begin for who changes no names.
func (t *Tree) ready(a *Account) (counted bool) {
	if !t.on.Load() {
		if !a.wanted() {
			return false
		}
		t.names.Lock()
		t.begin()
		t.names.Unlock()
	}
	return true
}

// count counts the tree anew. The caller holds names alone, so that nothing comes or goes
// meanwhile; files that are open may grow, and are asked themselves. Where ctx ends before
// all is counted, the numbers stay what they were.
func (t *Tree) count(ctx context.Context) {
	t.mu.Lock()
	open := make(map[ID]bool, len(t.open))
	for id := range t.open {
		open[id] = true
	}
	t.mu.Unlock()
	used, err := t.book.count(ctx, t.home, func(id ID) bool { return open[id] })
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		t.book.log.Warn("a home could not be counted whole; its quota holds for what was found", "root", t.home, "error", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, n := range t.open {
		if !t.on.Load() {
			n.taken = n.size()
		}
		used.Bytes += n.taken
	}
	t.used, t.known = used, true
	t.note()
}

// Recount counts the tree anew. Changes wait meanwhile.
func (t *Tree) Recount(ctx context.Context) ferry.HomeUsage {
	t.names.Lock()
	defer t.names.Unlock()
	t.counts.Store(true)
	t.count(ctx)
	return t.row()
}

// row is what is to be kept of the tree.
func (t *Tree) row() ferry.HomeUsage {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changed = false
	return ferry.HomeUsage{Home: t.home, Usage: t.used, Exact: t.known && !t.on.Load()}
}

// note remembers that there is something to be kept. The caller holds mu.
func (t *Tree) note() { t.changed, t.last = true, time.Now() }

// add enters a change. The caller holds mu.
func (t *Tree) add(bytes, files int64) {
	if bytes == 0 && files == 0 {
		return
	}
	t.used.Bytes += bytes
	t.used.Files += files
	t.note()
	if bytes < 0 || files < 0 {
		t.wake()
	}
}

// wake lets those look again who wait for room.
func (t *Tree) wake() {
	close(t.settled)
	t.settled = make(chan struct{})
}

// gone enters that a name of what st describes is gone. The bytes of a file that is open
// are given back when it is closed.
func (t *Tree) gone(st *unix.Stat_t) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.add(0, -1)
	if st.Mode&unix.S_IFMT == unix.S_IFREG && st.Nlink <= 1 && t.open[idOf(st)] == nil {
		t.add(-st.Size, 0)
	}
}

// size is how long the file is now.
func (n *node) size() int64 {
	var st unix.Stat_t
	if err := unix.Fstat(n.files[0].fd, &st); err != nil {
		return n.taken
	}
	return st.Size
}

// settle enters how long the file is, once no write is on its way. The caller holds mu.
func (t *Tree) settle(n *node) {
	if n.busy > 0 || len(n.files) == 0 {
		return
	}
	size := n.size()
	t.add(size-n.taken, 0)
	n.taken = size
}
