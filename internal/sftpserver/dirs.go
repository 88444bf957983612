package sftpserver

import "sync"

// maxDirs is how many directories the sessions of one connection may have open
// together: one that is being read costs a goroutine and a buffer for its entries.
const maxDirs = 64

// Dirs counts the directories that the sessions of one connection have open. The zero
// value is ready.
type Dirs struct {
	mu   sync.Mutex
	open int
}

// take counts one more; false: there are as many as may be.
func (d *Dirs) take() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open >= maxDirs {
		return false
	}
	d.open++
	return true
}

// give says that n are closed.
func (d *Dirs) give(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open -= n
}
