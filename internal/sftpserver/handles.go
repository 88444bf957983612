package sftpserver

import "sync"

// Handles bounds how many files and directories sessions may have open
// together: what one of them has, the process cannot use for connections. A
// nil *Handles bounds nothing.
type Handles struct {
	mu    sync.Mutex
	most  int
	taken int
}

// NewHandles gives one that lets most be open.
func NewHandles(most int) *Handles { return &Handles{most: most} }

// Take takes one; false: there is none left.
func (h *Handles) Take() bool {
	if h == nil {
		return true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.taken >= h.most {
		return false
	}
	h.taken++
	return true
}

// Give gives n back.
func (h *Handles) Give(n int) {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.taken -= n
}

// ofOne is how many one session can have at most.
func (h *Handles) ofOne() int {
	if h == nil {
		return maxFiles
	}
	return min(maxFiles, h.most)
}
