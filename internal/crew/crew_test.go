package crew

import (
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestGo: every job is done, those that wait for each other beside each other.
func TestGo(t *testing.T) {
	synctest.Test(t, func(*testing.T) {
		c := New()
		met := make(chan struct{})
		c.Go(func() { met <- struct{}{} })
		c.Go(func() { <-met })
		synctest.Wait()
		var done atomic.Int32
		for range 100 {
			c.Go(func() { done.Add(1) })
		}
		synctest.Wait()
		if n := done.Load(); n != 100 {
			t.Errorf("%d of 100 jobs are done", n)
		}
	})
}

// TestGoroutinesStayAndGo: the next job runs in the goroutine of the one before, and
// where none comes the goroutine ends.
func TestGoroutinesStayAndGo(t *testing.T) {
	synctest.Test(t, func(*testing.T) {
		c, before := New(), runtime.NumGoroutine()
		for range 10 {
			c.Go(func() {})
			synctest.Wait()
		}
		if n := runtime.NumGoroutine() - before; n != 1 {
			t.Errorf("%d goroutines for jobs one after the other", n)
		}
		time.Sleep(2 * rest)
		synctest.Wait()
		if n := runtime.NumGoroutine() - before; n != 0 {
			t.Errorf("%d goroutines are left when there is nothing to do", n)
		}
	})
}

// BenchmarkGo is a job that needs as much stack as an upload of a small file.
func BenchmarkGo(b *testing.B) {
	for name, run := range map[string]func(func()){
		"go":   func(job func()) { go job() },
		"crew": New().Go,
	} {
		b.Run(name, func(b *testing.B) {
			done := make(chan int)
			for b.Loop() {
				run(func() { done <- deep(40) })
				<-done
			}
		})
	}
}

//go:noinline
func deep(n int) int {
	var frame [256]byte
	if n == 0 {
		return int(frame[0])
	}
	frame[n] = byte(deep(n - 1))
	return int(frame[n])
}
