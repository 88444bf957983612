// Package mem is a ferry.FS in memory, for tests and demonstrations, and the
// oracle that other backends are compared with (see internal/fstest): where
// the contract in the root package leaves no choice, this is what it means in
// the fewest lines.
//
// There is one deliberate difference from a file system: permission bits are
// kept and shown, and never enforced.
//
// It speaks no RFC; the semantics of names and links are those of POSIX.1-2017
// (§4.13, path name resolution) below a root that nothing leaves.
package mem

import (
	"io/fs"
	"sync"
	"time"

	"ferry"
)

// Config says how a Tree behaves. The zero value is fine.
type Config struct {
	// Keep is how long the part of a broken upload stays; 0 means 24 hours.
	Keep time.Duration
	// Capacity is how many bytes all files and parts may hold together, holes
	// included; 0 means no limit. Beyond it lies ferry.ErrNoSpace.
	Capacity int64
	// Umask is taken from the permission of what is created.
	Umask fs.FileMode
}

// Tree is one storage in memory. Make it with New, and sessions over it with
// For. All methods may be called from several goroutines at once.
type Tree struct {
	keep     time.Duration
	capacity int64
	umask    fs.FileMode
	buffers  sync.Pool // of *[bufferSize]byte, for SendTo and ReceiveFrom

	// mu guards everything below and every node, part and handle of the tree.
	// It is never held while a connection is read or written.
	mu     sync.Mutex
	root   *node
	used   int64  // bytes, of all nodes
	nodes  uint64 // made so far: the last one's number
	opened uint64 // handles opened so far: the last one's number
}

// New makes an empty tree: a root directory and nothing else.
func New(cfg Config) *Tree {
	t := &Tree{
		keep:     cfg.Keep,
		capacity: cfg.Capacity,
		umask:    cfg.Umask.Perm(),
		buffers:  sync.Pool{New: func() any { return new([bufferSize]byte) }},
	}
	if t.keep == 0 {
		t.keep = 24 * time.Hour
	}
	t.root = t.newDir(nil)
	t.root.parent = t.root
	return t
}

// For gives the files as a session of u sees them. Nothing of u but its Name,
// Anonymous, Shared and DirectUploads is looked at: rules are the gate's.
func (t *Tree) For(u ferry.User) ferry.FS {
	return &session{shared: &shared{
		tree:    t,
		user:    u.Name,
		keeps:   !u.Anonymous && !u.Shared,
		direct:  u.DirectUploads,
		handles: make(map[*handle]bool),
	}}
}
