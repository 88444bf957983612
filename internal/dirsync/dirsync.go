package dirsync

import (
	"sync"

	"golang.org/x/sys/unix"

	"ferry/internal/beneath"
)

// Syncs syncs directories, one call for all who wait. A caller is served by
// a sync that began after its call, so whatever it had renamed before is in. The zero
// value is ready.
type Syncs struct {
	mu   sync.Mutex
	dirs map[beneath.DirID]*dirSync
}

type dirSync struct {
	turn sync.Mutex // held by the sync that is running
	next *round     // that callers may still join
	uses int        // callers inside; at 0 it is forgotten
}

type round struct {
	done chan struct{}
	err  error
}

// Sync makes the entries of the directory durable that open opens. One that may be
// written and searched but not read (a drop box) cannot be opened for that: then on, which
// is to sync the file system that it lies in, does it.
func (s *Syncs) Sync(id beneath.DirID, open func() (int, error), on func() error) error {
	d, r, leads := s.join(id)
	defer s.leave(id, d)
	if !leads {
		<-r.done
		return r.err
	}
	d.turn.Lock()
	s.mu.Lock()
	d.next = nil // who comes from here on is too late for this one
	s.mu.Unlock()
	r.err = syncDir(open, on)
	d.turn.Unlock()
	close(r.done)
	return r.err
}

// join enters the caller for the next sync; the first one leads it.
func (s *Syncs) join(id beneath.DirID) (*dirSync, *round, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.dirs[id]
	if d == nil {
		d = new(dirSync)
		if s.dirs == nil {
			s.dirs = make(map[beneath.DirID]*dirSync)
		}
		s.dirs[id] = d
	}
	d.uses++
	if d.next != nil {
		return d, d.next, false
	}
	d.next = &round{done: make(chan struct{})}
	return d, d.next, true
}

func (s *Syncs) leave(id beneath.DirID, d *dirSync) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d.uses--; d.uses == 0 {
		delete(s.dirs, id)
	}
}

// syncDir is fsync of a directory, or on.
func syncDir(open func() (int, error), on func() error) error {
	fd, err := open()
	if err == unix.EACCES {
		return on()
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	_, err = beneath.RetryEINTR(func() (int, error) { return 0, unix.Fsync(fd) })
	return err
}
