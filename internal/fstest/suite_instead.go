package fstest

import (
	"context"
	"io/fs"
	"net"
	"testing/synctest"

	"ferry"
)

// What storages do instead that have one of the lacks.

// linkedParts: Replace of one of several hard links parts it from the others,
// staged as any other.
func linkedParts(e *env) {
	f, other := e.as("alice"), e.as("bob")
	e.upload(f, "/a", "old content")
	e.must(f.Link(context.Background(), "/a", "/b"))
	for _, m := range []ferry.Mode{ferry.Replace, ferry.Revise} {
		before := e.stat(other, "/a").Size
		h := e.open(f, "/a", m)
		e.put(h, modeName(m), 0)
		e.sized(other, "/a", before)
		e.sized(other, "/b", 11)
		e.must(h.Commit())
		e.holds(other, "/a", modeName(m))
		e.holds(other, "/b", "old content")
	}
}

// reservesOwn: Exclusive reserves the name in its own session; of two sessions
// the second to commit is told, and replaces nothing.
func reservesOwn(e *env) {
	f, bob := e.as("alice"), e.as("bob")
	h := e.open(f, "/a", ferry.Exclusive)
	e.refused(f, "/a", ferry.Exclusive, fs.ErrExist)
	other := e.open(bob, "/a", ferry.Exclusive)
	e.put(h, "first", 0)
	e.put(other, "second", 0)
	e.must(h.Commit())
	e.want(other.Commit(), fs.ErrExist, "/a")
	e.refused(f, "/a", ferry.Exclusive, fs.ErrExist)
	e.refused(bob, "/a", ferry.ResumeNew, fs.ErrExist)
	e.holds(bob, "/a", "first")
	e.part(bob, "/a", 6)
}

// directReservesOwn: in place a new file stands from its Open on, and stands in
// the way of an upload that began before.
func directReservesOwn(e *env) {
	f, other := e.tree.For(ferry.User{Name: "dora", DirectUploads: true}), e.as("bob")
	inPlace(e, f, other)
	h := e.open(other, "/c", ferry.Exclusive)
	e.must(e.open(f, "/c", ferry.ResumeNew).Commit())
	e.want(h.Commit(), fs.ErrExist, "/c")
	e.lists(other, "/", "a", "b", "c")
}

// resumesNewOwn: ResumeNew goes on with the part, never replaces, and reserves
// in its own session.
func resumesNewOwn(e *env) {
	f, bob := e.as("alice"), e.as("bob")
	e.broken(f, "/a", "first ")
	h := e.open(f, "/a", ferry.ResumeNew)
	e.refused(f, "/a", ferry.Exclusive, fs.ErrExist)
	e.refused(f, "/a", ferry.ResumeNew, ferry.ErrBusy)
	e.put(h, "second", 6)
	e.upload(bob, "/a", "theirs")
	e.want(h.Commit(), fs.ErrExist, "/a")
	e.part(f, "/a", 12)
	e.refused(f, "/a", ferry.ResumeNew, fs.ErrExist)
	e.must(e.remove(bob, "/a"))
	h = e.open(f, "/a", ferry.ResumeNew)
	e.silence()
	again := e.open(f, "/a", ferry.ResumeNew)
	e.revoked(h, "/a", ferry.ErrTakenOver)
	e.must(again.Commit())
	e.holds(bob, "/a", "first second")
}

// movedAway: Commit where another session has renamed the directory publishes
// nothing; the part is kept where it is now.
func movedAway(e *env) {
	f := e.as("alice")
	e.mkdir(f, "/dir")
	h := e.open(f, "/dir/a", ferry.Replace)
	e.put(h, "whole", 0)
	e.must(e.rename(e.as("bob"), "/dir", "/moved", false))
	e.want(h.Commit(), fs.ErrNotExist, "/dir/a")
	e.lists(f, "/moved")
	e.part(f, "/moved/a", 5)
	e.must(e.open(f, "/moved/a", ferry.Resume).Commit())
	e.holds(f, "/moved/a", "whole")
}

// takeoverNoticed: a ReceiveFrom whose part another session took over notices
// with the next byte, and what it sends does not arrive.
func takeoverNoticed(e *env) {
	f, again := e.as("alice"), e.as("alice")
	old := e.open(f, "/a", ferry.Replace)
	src, peer := net.Pipe()
	ended := make(chan error)
	go func() {
		_, err := old.ReceiveFrom(context.Background(), ferry.NewDataConn(src), 0, -1)
		ended <- err
	}()
	_, err := peer.Write([]byte("first "))
	e.must(err)
	synctest.Wait()
	e.silence()
	h := e.open(again, "/a", ferry.Resume)
	e.part(again, "/a", 6)
	_, err = peer.Write([]byte("late"))
	e.must(err)
	e.must(peer.Close())
	e.want(<-ended, ferry.ErrTakenOver, "/a")
	e.want(old.Commit(), ferry.ErrTakenOver, "/a")
	e.put(h, "second", 6)
	e.must(h.Commit())
	e.holds(f, "/a", "first second")
	e.must(src.Close())
}

// knowsNoOthers: what another session writes is known to be there, and can be
// neither renamed nor changed.
func knowsNoOthers(e *env) {
	f, other := e.as("alice"), e.as("alice")
	h := e.open(f, "/a", ferry.Replace)
	e.put(h, "half", 0)
	mode := fs.FileMode(0o640)
	e.want(e.rename(other, "/a", "/b", true), fs.ErrNotExist, "/a")
	e.want(other.SetAttr(context.Background(), "/a", ferry.Attr{Mode: &mode}), fs.ErrNotExist, "/a")
	e.must(h.Commit())
	e.holds(other, "/a", "half")
}
