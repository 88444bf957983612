package gate

import (
	"context"
	"math"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ferry"
)

func TestBucketKeepsTheRate(t *testing.T) {
	tests := []struct {
		name  string
		rate  int64
		takes []int64
		want  time.Duration // that all of them wait together
	}{
		{"no limit", 0, []int64{1 << 40, 1 << 40}, 0},
		{"the burst is free", 800, []int64{100}, 0},
		{"then everyone pays for those before", 800, []int64{100, 800, 800, 800}, 2 * time.Second},
		{"more than a second's worth", 100, []int64{1000, 1}, 10*time.Second - time.Second/share},
		{"huge numbers", 1 << 40, []int64{1 << 50, 1}, 1024*time.Second - time.Second/share},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, begin := newBucket(test.rate), time.Now()
				for _, n := range test.takes {
					take(t, b, new(turn), n)
				}
				if got := time.Since(begin); got != test.want {
					t.Errorf("took %v, want %v", got, test.want)
				}
			})
		})
	}
}

// take takes n bytes and says how long that took.
func take(t *testing.T, b *bucket, turn *turn, n int64) time.Duration {
	t.Helper()
	begin := time.Now()
	if err := b.wait(t.Context(), t.Context(), turn, n); err != nil {
		t.Error(err)
	}
	return time.Since(begin)
}

func TestBucketGivesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, own := newBucket(100), new(turn)
		take(t, b, own, 1000)
		b.giveBack(own, 1000)
		if waited := take(t, b, own, 1); waited > 0 {
			t.Errorf("waits %v for what was given back", waited)
		}
	})
}

func TestBucketRestIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, own := newBucket(800), new(turn)
		time.Sleep(time.Hour)
		take(t, b, own, 200) // the burst, and as much again
		if waited := take(t, b, own, 1); waited != time.Second/share {
			t.Errorf("after a long rest waits %v, want %v", waited, time.Second/share)
		}
	})
}

// TestBucketChangesItsRate: what waits has the new rate from then on.
func TestBucketChangesItsRate(t *testing.T) {
	for rate, want := range map[int64]time.Duration{80: 101 * time.Second, 8000: 2 * time.Second, 0: time.Second} {
		synctest.Test(t, func(t *testing.T) {
			b, own := newBucket(800), new(turn)
			take(t, b, own, 8800+800/share) // which the next one waits for 11 s
			time.AfterFunc(time.Second, func() { b.setRate(rate) })
			if waited := take(t, b, own, 1); waited != want {
				t.Errorf("%d bytes a second instead of 800: waits %v, want %v", rate, waited, want)
			}
		})
	}
}

func TestBucketChunks(t *testing.T) {
	for rate, want := range map[int64]int64{-1: math.MaxInt64, 0: math.MaxInt64, 1: 1, 8000: 1000} {
		if got := newBucket(rate).chunk(); got != want {
			t.Errorf("rate %d: chunk %d, want %d", rate, got, want)
		}
	}
}

func TestWaitingGivesBackWhenItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limiters{newBucket(100), newBucket(0), new(turnsOf)}
		take(t, l.user, new(turn), 1000)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := l.wait(ctx, t.Context(), 1000); err == nil {
			t.Error("no error from a context that ended")
		}
		if waited := take(t, l.user, new(turn), 1); waited > 9*time.Second {
			t.Errorf("the next one waits %v", waited)
		}
	})
}

// Threat 33: an attacker with any number of addresses does not make the table
// of failures grow without bound.
func TestThreat33TheTableOfFailuresIsBounded(t *testing.T) {
	b := bansBy(Limits{BanAfter: 2, BanWindow: time.Hour, BanFor: time.Hour})
	now := time.Unix(0, 0)
	from := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}) }
	for i := range 3 * maxOrigins {
		b.strike(from(i), now)
		if i%2 == 0 {
			b.strike(from(i), now)
		}
	}
	for name, n := range map[string]int{
		"failures": len(b.failed.entries), "order of failures": b.failed.order.Len(),
		"bans": len(b.out.entries), "order of bans": b.out.order.Len(),
	} {
		if n > maxOrigins {
			t.Errorf("%s: %d entries, want %d at most", name, n, maxOrigins)
		}
	}
	if !b.holds(from(3*maxOrigins-2), now) {
		t.Error("the latest ban was pushed out")
	}
	b.strike(from(0), now.Add(2*time.Hour))
	if len(b.failed.entries) != 1 || len(b.out.entries) != 0 {
		t.Errorf("%d failures and %d bans are kept after their time", len(b.failed.entries), len(b.out.entries))
	}
}

// TestAbortEndsTheWait: who waits for bandwidth waits no longer than the handle lasts.
func TestAbortEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Session{account: &account{up: newBucket(1), down: newBucket(1)}, conn: &Conn{gate: &Gate{up: newBucket(0), down: newBucket(0)}}}
		s.ctx = t.Context()
		f := newTransfer(s, nothing{}, "/f", ferry.OpenOptions{}, func() {})
		_, _ = f.ReadAt(make([]byte, 1<<20), 0)
		ended := make(chan error, 1)
		go func() {
			_, err := f.ReadAt(make([]byte, 1<<20), 0)
			ended <- err
		}()
		synctest.Wait()
		begin := time.Now()
		_ = f.Abort(nil)
		if err := <-ended; err == nil || time.Since(begin) > 0 {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
	})
}

// nothing is a handle that reads and ends, and does nothing else.
type nothing struct{ ferry.Handle }

func (nothing) ReadAt(p []byte, _ int64) (int, error) { return len(p), nil }
func (nothing) Abort(error) error                     { return nil }

// bansBy are those that l makes.
func bansBy(l Limits) *bans {
	now := new(atomic.Pointer[Limits])
	now.Store(&l)
	return newBans(now)
}
