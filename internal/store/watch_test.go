package store_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"ferry/internal/store"
)

// watch counts into the returned channel what Watch yields.
func watch(ctx context.Context, s *store.Store) <-chan time.Time {
	seen := make(chan time.Time, 100)
	changes := s.Watch(ctx)
	go func() {
		defer close(seen)
		for range changes {
			seen <- time.Now()
		}
	}()
	return seen
}

func TestWatchSeesItsOwnChangesAtOnce(t *testing.T) {
	s := open(t, newPath(t))
	add(t, s, "bob")
	seen := watch(t.Context(), s)
	changes := []func() error{
		func() error { add(t, s, "alice"); return nil },
		func() error { return s.Update(t.Context(), "alice", func(*store.Account) error { return nil }) },
		func() error { return s.Remove(t.Context(), "alice") },
	}
	for i, change := range changes {
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if _, ok := <-seen; !ok {
			t.Fatalf("Watch ended at change %d", i)
		}
	}
	s.Close()
	if _, ok := <-seen; ok {
		t.Error("Watch yielded after Close")
	}
}

func TestWatchSeesChangesOfAnotherProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := newPath(t)
		here, there := open(t, path), open(t, path)
		ctx, cancel := context.WithCancel(t.Context())
		seen := watch(ctx, here)
		add(t, there, "alice")
		changed := time.Now()
		if after := (<-seen).Sub(changed); after > time.Second {
			t.Errorf("seen after %v, want at most a second", after)
		}
		account(t, here, "alice")
		cancel()
		if _, ok := <-seen; ok {
			t.Error("Watch yielded without a change")
		}
	})
}
