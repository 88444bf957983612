package fstest

import (
	"context"
	"errors"
	"testing/synctest"
	"time"

	"ferry"
)

// waiting is what a client may wait for that comes back while its old session is still there.
func waiting() []promise {
	return []promise{
		{text: "Open waits until another session lets go of the part", test: waitsForEnd, instead: instead{OtherSessions, waitsForNone}},
		{text: "Open waits until another session has been silent long enough", test: waitsForSilence, instead: instead{OtherSessions, waitsForNone}},
		{text: "Open waits no longer than it may", test: waitsInVain, instead: instead{OtherSessions, waitsForNone}},
		{text: "an Open that waits ends with its context", test: waitCancelled, instead: instead{OtherSessions, waitsForNone}},
		{text: "an Open that waits is in nobody's way", test: waitsAside, instead: instead{OtherSessions, waitsForNone}},
		{text: "Open waits for bytes that are still to come", test: waitsForBytes, instead: instead{OtherSessions, waitsForNone}},
		{text: "Open does not wait for its own session", test: waitsForNone},
		{text: "an upload that goes on only with a part refuses a file", test: onlyPart},
	}
}

// waitingOpen is an Open that waits.
type waitingOpen struct {
	h   ferry.Handle
	err error
	at  time.Time // when it was over
}

// openLater opens in a goroutine of its own.
func (e *env) openLater(ctx context.Context, f ferry.FS, name ferry.Name, o ferry.OpenOptions) <-chan waitingOpen {
	done := make(chan waitingOpen, 1)
	o.Wait = ferry.PartWait
	go func() {
		h, err := f.Open(ctx, name, o)
		done <- waitingOpen{h, err, time.Now()}
	}()
	synctest.Wait()
	return done
}

// waits checks that an Open has not come to an end.
func (e *env) waits(done <-chan waitingOpen) {
	e.Helper()
	synctest.Wait()
	select {
	case got := <-done:
		e.Fatalf("Open did not wait: %v", got.err)
	default:
	}
}

// opened takes what an Open that waited has brought, so long after begun.
func (e *env) opened(done <-chan waitingOpen, begun time.Time, after time.Duration) ferry.Handle {
	e.Helper()
	got := <-done
	e.must(got.err)
	if got.at.Sub(begun) != after {
		e.Errorf("Open waited for %v, want %v", got.at.Sub(begun), after)
	}
	return got.h
}

func waitsForEnd(e *env) {
	for _, m := range []ferry.Mode{ferry.Resume, ferry.Replace, ferry.Exclusive, ferry.ResumeNew} {
		f, name := e.as("alice"), ferry.Name("/"+modeName(m))
		h := e.open(f, name, ferry.Replace)
		e.put(h, "half", 0)
		begun := time.Now()
		done := e.openLater(context.Background(), e.as("alice"), name, options(m))
		e.waits(done)
		e.must(h.Abort(ferry.ErrControlLost))
		again := e.opened(done, begun, 0)
		if m.Resumes() {
			e.put(again, " whole", 4)
		} else {
			e.put(again, "half whole", 0)
		}
		e.must(again.Commit())
		e.holds(f, name, "half whole")
	}
	f := e.as("alice")
	e.upload(f, "/old", "old content")
	h := e.open(f, "/old", ferry.Replace)
	e.put(h, "published", 0)
	begun := time.Now()
	done := e.openLater(context.Background(), e.as("alice"), "/old", ferry.OpenOptions{Mode: ferry.Resume, At: ferry.AtEnd})
	e.waits(done)
	e.must(h.Commit())
	again := e.opened(done, begun, 0)
	e.put(again, ", and more", 0)
	e.must(again.Commit())
	e.holds(f, "/old", "published, and more")
}

func waitsForSilence(e *env) {
	f := e.as("alice")
	h := e.open(f, "/a", ferry.Replace)
	e.put(h, "first ", 0)
	begun := time.Now()
	done := e.openLater(context.Background(), e.as("alice"), "/a", options(ferry.Resume))
	time.Sleep(time.Second)
	e.put(h, "second ", 6) // which was still on its way
	again := e.opened(done, begun, time.Second+ferry.TakeoverAfter)
	e.revoked(h, "/a", ferry.ErrTakenOver)
	if again.Start() != 13 {
		e.Errorf("goes on at %d, want 13", again.Start())
	}
	e.put(again, "third", 13)
	e.must(again.Commit())
	e.holds(f, "/a", "first second third")
}

func waitsInVain(e *env) {
	f := e.as("alice")
	h := e.open(f, "/a", ferry.Replace)
	begun := time.Now()
	done := e.openLater(context.Background(), e.as("alice"), "/a", options(ferry.Resume))
	for off := int64(0); off < 10; off++ {
		e.put(h, "x", off)
		time.Sleep(time.Second)
	}
	got := <-done
	e.want(got.err, ferry.ErrBusy, "/a")
	if after := got.at.Sub(begun); after != ferry.PartWait {
		e.Errorf("Open waited for %v, want %v", after, ferry.PartWait)
	}
	e.must(h.Commit())
	e.holds(f, "/a", "xxxxxxxxxx")
}

func waitCancelled(e *env) {
	f := e.as("alice")
	h := e.open(f, "/a", ferry.Replace)
	e.put(h, "half", 0)
	ctx, cancel := context.WithCancelCause(context.Background())
	begun := time.Now()
	done := e.openLater(ctx, e.as("alice"), "/a", options(ferry.Resume))
	cancel(ferry.ErrAborted)
	got := <-done
	if !errors.Is(got.err, ferry.ErrAborted) || got.at != begun {
		e.Errorf("after %v: %v, want %v at once", got.at.Sub(begun), got.err, ferry.ErrAborted)
	}
	e.put(h, " whole", 4)
	e.must(h.Commit())
	e.holds(f, "/a", "half whole")
}

func waitsAside(e *env) {
	f := e.as("alice")
	h := e.open(f, "/a", ferry.Replace)
	e.put(h, "half", 0)
	begun := time.Now()
	waiter := e.as("alice")
	done := e.openLater(context.Background(), waiter, "/a", options(ferry.Replace))
	for _, other := range []ferry.FS{waiter, e.as("alice"), e.as("bob")} {
		e.upload(other, "/b", "another")
		e.lists(other, "/", "b")
	}
	e.sized(waiter, "/a", 4)
	e.waits(done)
	e.must(e.remove(e.as("alice"), "/a"))
	again := e.opened(done, begun, 0)
	e.revoked(h, "/a", ferry.ErrRemoved)
	e.put(again, "new", 0)
	e.must(again.Commit())
	e.holds(f, "/a", "new")

	h = e.open(f, "/c", ferry.Replace)
	done = e.openLater(context.Background(), waiter, "/c", options(ferry.Resume))
	e.waits(done)
	e.must(e.rename(f, "/c", "/d", false))
	again = e.opened(done, begun, 0)
	e.must(again.Commit())
	e.must(h.Commit())
	e.lists(f, "/", "a", "b", "c", "d")
}

func waitsForBytes(e *env) {
	f := e.as("alice")
	h := e.open(f, "/a", ferry.Replace)
	e.put(h, "first ", 0)
	begun := time.Now()
	done := e.openLater(context.Background(), e.as("alice"), "/a", ferry.OpenOptions{Mode: ferry.Resume, At: 13})
	e.put(h, "second and", 6)
	e.waits(done)
	e.must(h.Abort(ferry.ErrControlLost))
	again := e.opened(done, begun, 0)
	e.put(again, "third", 13)
	e.must(again.Commit())
	e.holds(f, "/a", "first second third")
	e.refusedFor(f, "/b", ferry.OpenOptions{Mode: ferry.Resume, At: 13, Wait: ferry.PartWait}, ferry.ErrBeyondEnd)
}

func waitsForNone(e *env) {
	f := e.as("alice")
	h := e.open(f, "/a", ferry.Replace)
	begun := time.Now()
	for _, m := range []ferry.Mode{ferry.Resume, ferry.Replace, ferry.Exclusive} {
		o := options(m)
		o.Wait = ferry.PartWait
		e.refusedFor(f, "/a", o, ferry.ErrBusy)
	}
	if !time.Now().Equal(begun) {
		e.Errorf("it took %v to be refused", time.Since(begun))
	}
	e.must(h.Commit())
}

func onlyPart(e *env) {
	f := e.as("alice")
	o := ferry.OpenOptions{Mode: ferry.Resume, At: 4, OnlyPart: true}
	e.broken(f, "/a", "half and more")
	h := e.openFor(e.as("alice"), "/a", o)
	e.put(h, " whole", 4)
	e.must(h.Commit())
	e.holds(f, "/a", "half whole")
	e.refusedFor(f, "/a", o, ferry.ErrChanged)
	e.holds(f, "/a", "half whole")
}
