package gate

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// taker is a session that takes bandwidth: as many requests at once, of so many bytes.
type taker struct {
	requests int
	bytes    int64
	got      atomic.Int64
	end      context.CancelFunc
}

// begin has it take until it ends.
func (k *taker) begin(t *testing.T, l limiters) {
	ctx, end := context.WithCancel(t.Context())
	k.end = end
	if l.turns == nil {
		l.turns = new(turnsOf)
	}
	for range k.requests {
		go func() {
			for l.wait(ctx, ctx, k.bytes) == nil {
				k.got.Add(k.bytes)
			}
		}()
	}
}

// wantShares compares what takers got in a time with what is theirs, within 3 %.
func wantShares(t *testing.T, d time.Duration, wants map[*taker]float64) {
	t.Helper()
	before := map[*taker]int64{}
	for k := range wants {
		before[k] = k.got.Load()
	}
	time.Sleep(d)
	for k, want := range wants {
		want *= d.Seconds()
		if got := float64(k.got.Load() - before[k]); math.Abs(got-want) > want*0.03+2*float64(k.bytes) {
			t.Errorf("%d requests of %d bytes at once: %.0f bytes in %v, want %.0f", k.requests, k.bytes, got, d, want)
		}
	}
}

const total = 1 << 20 // bytes a second

// TestSessionsShareALimit: each has the same, whatever it has asked for at once and of
// whatever size its requests are; who comes late has its share at once, and the share of
// who leaves is the others'.
func TestSessionsShareALimit(t *testing.T) {
	for _, requests := range [][]int{{1, 1}, {1, 256}, {1, 2, 64, 256}, {256, 256, 1, 1, 1, 1, 1, 1}} {
		t.Run(fmt.Sprint(requests), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				all := newBucket(total)
				takers := map[*taker]float64{}
				for i, n := range requests {
					k := &taker{requests: n, bytes: int64(4+i%3*14) << 10}
					k.begin(t, limiters{newBucket(0), all, nil})
					takers[k] = total / float64(len(requests))
				}
				wantShares(t, time.Minute, takers)

				late := &taker{requests: 1, bytes: 4 << 10}
				late.begin(t, limiters{newBucket(0), all, nil})
				for k := range takers {
					takers[k] = total / float64(len(requests)+1)
				}
				takers[late] = total / float64(len(requests)+1)
				wantShares(t, 2*time.Second, map[*taker]float64{late: takers[late]})
				wantShares(t, time.Minute, takers)

				late.end()
				delete(takers, late)
				for k := range takers {
					takers[k] = total / float64(len(requests))
				}
				wantShares(t, time.Minute, takers)
				for k := range takers {
					k.end()
				}
				synctest.Wait()
				if len(all.waiting) > 0 {
					t.Errorf("%d sessions still wait", len(all.waiting))
				}
			})
		})
	}
}

// TestWhoRestsSavesNothingUp: a session that has asked for nothing for an hour has no more
// afterwards than the others.
func TestWhoRestsSavesNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newBucket(total)
		rested, busy := &taker{requests: 8, bytes: 16 << 10}, &taker{requests: 8, bytes: 16 << 10}
		turns := new(turnsOf)
		if err := (limiters{newBucket(0), all, turns}).wait(t.Context(), t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		busy.begin(t, limiters{newBucket(0), all, nil})
		wantShares(t, time.Hour, map[*taker]float64{busy: total})
		rested.begin(t, limiters{newBucket(0), all, turns})
		wantShares(t, 10*time.Second, map[*taker]float64{busy: total / 2, rested: total / 2})
		busy.end()
		rested.end()
	})
}

// TestAUsersLimitBelowAFullOne: it is kept, and used up, where all others want the rest.
func TestAUsersLimitBelowAFullOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, mine := newBucket(total), newBucket(total/10)
		limited := []*taker{{requests: 1, bytes: 8 << 10}, {requests: 64, bytes: 8 << 10}}
		shares := map[*taker]float64{}
		for _, k := range limited {
			k.begin(t, limiters{mine, all, nil})
			shares[k] = total / 20
		}
		for range 3 {
			k := &taker{requests: 100, bytes: 32 << 10}
			k.begin(t, limiters{newBucket(0), all, nil})
			shares[k] = total * 9 / 30
		}
		wantShares(t, time.Minute, shares)
		for k := range shares {
			k.end()
		}
	})
}

// TestWhoLeavesGivesUpItsPlace: the next one is served as if it had never asked, be it that
// what it had asked for was about to be granted.
func TestWhoLeavesGivesUpItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newBucket(800)
		take(t, all, new(turn), 800+800/share) // the next one waits for a second
		gone := &taker{requests: 50, bytes: 1000}
		gone.begin(t, limiters{newBucket(0), all, nil})
		synctest.Wait()
		time.AfterFunc(time.Second/2, gone.end)
		if waited := take(t, all, new(turn), 10); waited != time.Second {
			t.Errorf("waits %v behind a session that has left", waited)
		}
	})
}

// TestNoLimitCostsNothing: no memory, and no turn.
func TestNoLimitCostsNothing(t *testing.T) {
	l := limiters{newBucket(0), newBucket(0), new(turnsOf)}
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() {
		if err := l.wait(ctx, ctx, 1<<20); err != nil {
			t.Error(err)
		}
		l.giveBack(1)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
