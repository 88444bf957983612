package cluster_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"ferry"
	"ferry/internal/cluster"
)

func hold(t *testing.T, a *cluster.Alone, seat string, max int) (release func()) {
	t.Helper()
	release, err := a.Hold(t.Context(), seat, max)
	if err != nil {
		t.Fatalf("Hold(%q, %d): %v", seat, max, err)
	}
	return release
}

func full(t *testing.T, a *cluster.Alone, seat string, max int) {
	t.Helper()
	if _, err := a.Hold(t.Context(), seat, max); !errors.Is(err, ferry.ErrBusy) {
		t.Fatalf("Hold(%q, %d): %v, want ErrBusy", seat, max, err)
	}
}

func TestHoldCountsPlaces(t *testing.T) {
	a := cluster.NewAlone()
	first := hold(t, a, "user/alice", 2)
	hold(t, a, "user/alice", 2)
	full(t, a, "user/alice", 2)
	hold(t, a, "user/bob", 1) // another seat has its own places

	first()
	first() // a second time gives nothing back
	hold(t, a, "user/alice", 2)
	full(t, a, "user/alice", 2)
}

func TestHoldWithoutLimitStillCounts(t *testing.T) {
	a := cluster.NewAlone()
	for range 3 {
		hold(t, a, "all", 0)
	}
	full(t, a, "all", 3)
	hold(t, a, "all", 4)
}

func TestHoldIsExactUnderContention(t *testing.T) {
	const places, clients = 10, 200
	a := cluster.NewAlone()
	var wg sync.WaitGroup
	got := make(chan func(), clients)
	for range clients {
		wg.Go(func() {
			if release, err := a.Hold(t.Context(), "ip/192.0.2.7", places); err == nil {
				got <- release
			}
		})
	}
	wg.Wait()
	close(got)
	if len(got) != places {
		t.Fatalf("%d clients got a place, want %d", len(got), places)
	}
	for release := range got {
		wg.Go(release)
	}
	wg.Wait()
	for range places {
		hold(t, a, "ip/192.0.2.7", places)
	}
}

func TestEndedContext(t *testing.T) {
	a := cluster.NewAlone()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, held := a.Hold(ctx, "all", 0)
	led := a.Lead(ctx, "sweep", func(context.Context) { t.Error("led") })
	for what, err := range map[string]error{"Hold": held, "Lead": led} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want context.Canceled", what, err)
		}
	}
}

func TestLeadRunsOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := cluster.NewAlone()
		finish := make(chan struct{})
		running, most, runs := 0, 0, 0
		var mu sync.Mutex
		run := func(context.Context) {
			mu.Lock()
			running++
			runs++
			most = max(most, running)
			mu.Unlock()
			<-finish
			mu.Lock()
			running--
			mu.Unlock()
		}
		for range 3 {
			go func() {
				if err := a.Lead(t.Context(), "sweep", run); err != nil {
					t.Error(err)
				}
			}()
		}
		synctest.Wait()
		if runs != 1 {
			t.Fatalf("%d runs at once, want 1", runs)
		}
		if err := a.Lead(t.Context(), "other", func(context.Context) {}); err != nil {
			t.Fatal(err) // another job does not wait for this one
		}
		close(finish)
		synctest.Wait()
		if runs != 3 || most != 1 {
			t.Fatalf("%d runs, at most %d at once; want 3 and 1", runs, most)
		}
	})
}

func TestLeadStopsWaitingWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := cluster.NewAlone()
		leading, stop := context.WithCancel(t.Context())
		go a.Lead(leading, "sweep", func(ctx context.Context) { <-ctx.Done() })
		synctest.Wait()

		waiting, giveUp := context.WithCancel(t.Context())
		result := make(chan error, 1)
		go func() {
			result <- a.Lead(waiting, "sweep", func(context.Context) { t.Error("two leaders") })
		}()
		synctest.Wait()
		giveUp()
		if err := <-result; !errors.Is(err, context.Canceled) {
			t.Fatalf("Lead: %v, want context.Canceled", err)
		}
		stop()
	})
}

func TestLeadIsGivenBackByAPanic(t *testing.T) {
	a := cluster.NewAlone()
	func() {
		defer func() { recover() }()
		a.Lead(t.Context(), "sweep", func(context.Context) { panic("broken job") })
	}()
	ran := false
	if err := a.Lead(t.Context(), "sweep", func(context.Context) { ran = true }); err != nil || !ran {
		t.Fatalf("Lead after a panic: ran %v, %v", ran, err)
	}
}
