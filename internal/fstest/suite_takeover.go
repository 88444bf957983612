package fstest

import (
	"context"
	"net"
	"testing/synctest"
	"time"

	"ferry"
)

func takeovers() []promise {
	return []promise{
		{text: "an upload that moves is ErrBusy to the same user", test: busyWhileMoving},
		{text: "an upload silent for TakeoverAfter is taken over by Resume", test: takenOver},
		{text: "Replace and Exclusive take over and begin anew", test: takenOverAnew},
		{text: "a takeover wakes a ReceiveFrom that waits", test: takeoverWakes, instead: instead{OtherSessions, takeoverNoticed}},
		{text: "bytes that trickle in keep an upload from being taken over", test: trickle},
	}
}

func busyWhileMoving(e *env) {
	f, again := e.as("alice"), e.as("alice")
	h := e.open(f, "/a", ferry.Replace)
	e.put(h, "half", 0)
	time.Sleep(ferry.TakeoverAfter - 1)
	for _, m := range []ferry.Mode{ferry.Resume, ferry.Replace, ferry.Exclusive} {
		e.refused(again, "/a", m, ferry.ErrBusy)
		e.refused(f, "/a", m, ferry.ErrBusy)
	}
	e.part(again, "/a", 4)
	e.must(e.open(e.as("bob"), "/a", ferry.Replace).Abort(nil))
	e.put(h, " whole", 4)
	time.Sleep(ferry.TakeoverAfter - 1)
	e.refused(again, "/a", ferry.Resume, ferry.ErrBusy)
	e.must(h.Commit())
	e.holds(again, "/a", "half whole")
}

func takenOver(e *env) {
	f, again := e.as("alice"), e.as("alice")
	old := e.open(f, "/a", ferry.Replace)
	e.put(old, "first ", 0)
	e.silence()
	h := e.open(again, "/a", ferry.Resume)
	e.revoked(old, "/a", ferry.ErrTakenOver)
	e.put(h, "second", 6)
	e.missing(f, "/a")
	e.sized(again, "/a", 12)
	e.must(old.Abort(nil))
	e.refused(f, "/a", ferry.Resume, ferry.ErrBusy)
	e.must(h.Commit())
	e.holds(f, "/a", "first second")
	e.noPart(f, "/a")
}

// revoked checks that the handle answers why to everything.
func (e *env) revoked(h ferry.Handle, name ferry.Name, why error) {
	e.Helper()
	_, err := h.WriteAt([]byte("late"), 0)
	e.want(err, why, name)
	_, err = h.ReadAt(make([]byte, 1), 0)
	e.want(err, why, name)
	_, err = h.Stat()
	e.want(err, why, name)
	e.want(h.Truncate(0), why, name)
	e.want(h.Sync(), why, name)
	e.want(h.SetAttr(ferry.Attr{}), why, name)
	e.want(h.Commit(), why, name)
	_, err = h.Stat() // it stays so: ErrClosed would hide why
	e.want(err, why, name)
}

func takenOverAnew(e *env) {
	f, again := e.as("alice"), e.as("alice")
	for _, m := range []ferry.Mode{ferry.Replace, ferry.Exclusive} {
		name := "/" + modeName(m)
		old := e.open(f, ferry.Name(name), ferry.Replace)
		e.put(old, "a long beginning", 0)
		e.silence()
		h := e.open(again, ferry.Name(name), m)
		e.revoked(old, ferry.Name(name), ferry.ErrTakenOver)
		e.put(h, "new", 0)
		e.must(h.Commit())
		e.holds(f, ferry.Name(name), "new")
	}
}

func takeoverWakes(e *env) {
	f, again := e.as("alice"), e.as("alice")
	old := e.open(f, "/a", ferry.Replace)
	src, peer := net.Pipe()
	type end struct {
		n   int64
		err error
	}
	ended := make(chan end)
	go func() {
		n, err := old.ReceiveFrom(context.Background(), ferry.NewDataConn(src), 0, -1)
		ended <- end{n, err}
	}()
	_, err := peer.Write([]byte("first "))
	e.must(err)
	synctest.Wait()
	e.silence()
	h := e.open(again, "/a", ferry.Resume)
	got := <-ended
	if got.n != 6 {
		e.Errorf("the old transfer counts %d bytes, want 6", got.n)
	}
	e.want(got.err, ferry.ErrTakenOver, "/a")
	e.want(old.Commit(), ferry.ErrTakenOver, "/a")
	e.part(again, "/a", 6)
	e.put(h, "second", 6)
	e.must(h.Commit())
	e.holds(f, "/a", "first second")
	e.must(src.Close())
	e.must(peer.Close())
}

func trickle(e *env) {
	f, again := e.as("alice"), e.as("alice")
	h := e.open(f, "/a", ferry.Replace)
	src, peer := net.Pipe()
	ended := make(chan error)
	go func() {
		_, err := h.ReceiveFrom(context.Background(), ferry.NewDataConn(src), 0, -1)
		ended <- err
	}()
	for range 3 {
		time.Sleep(ferry.TakeoverAfter - 1)
		_, err := peer.Write([]byte("x"))
		e.must(err)
		synctest.Wait()
		e.refused(again, "/a", ferry.Resume, ferry.ErrBusy)
	}
	e.must(peer.Close())
	e.must(<-ended)
	e.must(h.Commit())
	e.holds(again, "/a", "xxx")
	e.must(src.Close())
}
