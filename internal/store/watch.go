package store

import (
	"context"
	"iter"
	"time"
)

// pollEvery is how soon a change by another process is seen.
const pollEvery = time.Second

// Watch yields after accounts have changed since it was called: at once for a
// change made through this Store, within a second for one by another process.
// Several changes may become one. It ends with ctx and with Close, and is for
// one loop.
//
// It reads the counter that every change raises, and not SQLite's own
// data_version: so it works on any database, and only accounts wake it.
func (s *Store) Watch(ctx context.Context) iter.Seq[struct{}] {
	seen, _ := s.changes(ctx) // unreadable: 0, and the first number read is a change
	return func(yield func(struct{}) bool) {
		poll := time.NewTicker(pollEvery)
		defer poll.Stop()
		for {
			here := s.nextChange() // taken first: a change from now on ends the wait below
			if now, err := s.changes(ctx); err == nil && now != seen {
				seen = now
				if !yield(struct{}{}) {
					return
				}
				continue
			}
			select {
			case <-here:
			case <-poll.C:
			case <-s.closed:
				return
			case <-ctx.Done():
				return
			}
		}
	}
}

// changes is how many changes of accounts there have been.
func (s *Store) changes(ctx context.Context) (n int64, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT value FROM counters WHERE name = 'accounts'").Scan(&n)
	return n, err
}

// nextChange is closed with the next change made through this Store.
func (s *Store) nextChange() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

func (s *Store) announce() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
}
