package disk

import (
	"sync"

	"golang.org/x/sys/unix"
)

// dirSyncs syncs directories, one call for all who wait. A caller is served by
// a sync that began after its call, so whatever it had renamed before is in.
type dirSyncs struct {
	mu   sync.Mutex
	dirs map[dirID]*dirSync
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

// sync makes the entries of the directory durable; dir may be an O_PATH one.
func (s *dirSyncs) sync(id dirID, dir int) error {
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
	r.err = syncDir(dir)
	d.turn.Unlock()
	close(r.done)
	return r.err
}

// join enters the caller for the next sync; the first one leads it.
func (s *dirSyncs) join(id dirID) (*dirSync, *round, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.dirs[id]
	if d == nil {
		d = new(dirSync)
		if s.dirs == nil {
			s.dirs = make(map[dirID]*dirSync)
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

func (s *dirSyncs) leave(id dirID, d *dirSync) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d.uses--; d.uses == 0 {
		delete(s.dirs, id)
	}
}

// syncDir is fsync of a directory. One that may be written and searched but
// not read (a drop box) cannot be opened for that: then everything is synced.
func syncDir(dir int) error {
	fd, err := readable(dir)
	if err == nil {
		defer unix.Close(fd)
		return fsync(fd)
	}
	if err == unix.EACCES {
		unix.Sync()
		return nil
	}
	return err
}
