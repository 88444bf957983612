package fstest

import (
	"context"
	"io/fs"
	"net"
	"testing/synctest"
	"time"

	"ferry"
)

// sessions are the promises about what those of one user may do with each other's
// uploads.
func sessions() []promise {
	return []promise{
		{text: "Remove ends an upload of another session of the user", test: removesOthers},
		{text: "Remove ends an upload beside the file that it was to replace", test: removesBoth},
		{text: "Remove wakes a ReceiveFrom of another session", test: removeWakes, instead: instead{OtherSessions, removesOthers}},
		{text: "Rmdir takes the uploads of all sessions of the user along", test: rmdirOthers},
		{text: "Rmdir leaves the uploads of others alone", test: rmdirForeign},
		{text: "an upload of another session can be renamed", test: renamesOthers, instead: instead{OtherSessions, knowsNoOthers}},
		{text: "an upload that another session renames without replace does not replace at Commit", test: renamesOthersFree, instead: instead{OtherSessions, knowsNoOthers}},
		{text: "Rename of a file leaves the upload of its name where it is", test: renamesFile, instead: instead{OtherSessions, knowsNoOthers}},
		{text: "Rename onto the name of an upload of another session ends it", test: renamesOnto},
		{text: "SetAttr changes an upload of another session where nothing stands", test: setsOthers, instead: instead{OtherSessions, knowsNoOthers}},
		{text: "a kept part can be removed, and neither renamed nor changed", test: keptStays},
		{text: "another user knows nothing of an upload", test: foreignUpload},
	}
}

func removesOthers(e *env) {
	f, other := e.as("alice"), e.as("alice")
	h := e.open(f, "/a", ferry.Replace)
	e.put(h, "half", 0)
	e.must(e.remove(other, "/a"))
	e.revoked(h, "/a", ferry.ErrRemoved)
	e.must(h.Abort(nil))
	for _, own := range []ferry.FS{f, other} {
		e.missing(own, "/a")
		e.noPart(own, "/a")
		e.want(e.remove(own, "/a"), fs.ErrNotExist, "/a")
	}
	e.upload(f, "/a", "again")
	e.holds(other, "/a", "again")
}

func removesBoth(e *env) {
	f, other := e.as("alice"), e.as("alice")
	e.upload(f, "/a", "whole")
	h := e.open(f, "/a", ferry.Replace)
	e.put(h, "half", 0)
	e.must(e.remove(other, "/a"))
	e.noPart(other, "/a")
	e.revoked(h, "/a", ferry.ErrRemoved)
	e.missing(f, "/a")
	e.noPart(f, "/a")
}

func removeWakes(e *env) {
	h := e.open(e.as("alice"), "/a", ferry.Replace)
	src, peer := net.Pipe()
	ended := make(chan error)
	go func() {
		_, err := h.ReceiveFrom(context.Background(), ferry.NewDataConn(src), 0, -1)
		ended <- err
	}()
	_, err := peer.Write([]byte("half"))
	e.must(err)
	synctest.Wait()
	e.must(e.remove(e.as("alice"), "/a"))
	e.want(<-ended, ferry.ErrRemoved, "/a")
	e.want(h.Commit(), ferry.ErrRemoved, "/a")
	e.missing(e.as("alice"), "/a")
	e.must(src.Close())
	e.must(peer.Close())
}

func rmdirOthers(e *env) {
	f, other := e.as("alice"), e.as("alice")
	e.mkdir(f, "/dir")
	e.broken(f, "/dir/kept", "half")
	theirs, own := e.open(f, "/dir/theirs", ferry.Replace), e.open(other, "/dir/own", ferry.Replace)
	e.put(theirs, "half", 0)
	e.put(own, "half", 0)
	e.upload(f, "/dir/whole", "whole")
	e.want(e.rmdir(other, "/dir"), ferry.ErrNotEmpty, "/dir")
	e.sized(other, "/dir/theirs", 4)
	e.part(other, "/dir/kept", 4)
	e.must(e.remove(f, "/dir/whole"))
	e.must(e.rmdir(other, "/dir"))
	e.revoked(theirs, "/dir/theirs", ferry.ErrRemoved)
	e.want(own.Commit(), fs.ErrNotExist, "/dir/own")
	e.missing(f, "/dir")
	e.mkdir(f, "/dir")
	for _, name := range []ferry.Name{"/dir/kept", "/dir/theirs", "/dir/own"} {
		e.noPart(other, name)
		e.missing(other, name)
	}
}

func rmdirForeign(e *env) {
	f, bob := e.as("alice"), e.as("bob")
	e.mkdir(f, "/dir")
	h, mine := e.open(bob, "/dir/a", ferry.Replace), e.open(e.as("alice"), "/dir/mine", ferry.Replace)
	e.put(mine, "half", 0)
	e.want(e.rmdir(f, "/dir"), ferry.ErrBusy, "/dir")
	e.sized(f, "/dir/mine", 4)
	e.must(h.Commit())
	e.must(mine.Commit())
	e.lists(f, "/dir", "a", "mine")

	e.mkdir(f, "/drop")
	guest, another := e.tree.For(ferry.User{Name: "guest", Anonymous: true}), e.tree.For(ferry.User{Name: "guest", Anonymous: true})
	h = e.open(guest, "/drop/a", ferry.Replace)
	e.want(e.rmdir(another, "/drop"), ferry.ErrBusy, "/drop")
	e.must(e.rmdir(guest, "/drop"))
	e.want(h.Commit(), fs.ErrNotExist, "/drop/a")
}

func renamesOthers(e *env) {
	f, other := e.as("alice"), e.as("alice")
	e.mkdir(f, "/dir")
	e.upload(f, "/dir/old", "old")
	h := e.open(f, "/a", ferry.Replace)
	e.put(h, "first ", 0)
	e.must(e.rename(other, "/a", "/b", false))
	for _, own := range []ferry.FS{f, other} {
		e.missing(own, "/a")
		e.noPart(own, "/a")
		e.sized(own, "/b", 6)
	}
	e.must(e.rename(other, "/b", "/dir/old", true))
	e.put(h, "second", 6)
	e.sized(f, "/dir/old", 12)
	e.holds(other, "/dir/old", "old")
	e.must(h.Commit())
	e.holds(other, "/dir/old", "first second")
	e.lists(f, "/", "dir")
	e.noPart(f, "/b")
}

func renamesOthersFree(e *env) {
	f, other := e.as("alice"), e.as("alice")
	e.upload(f, "/taken", "taken")
	h := e.open(f, "/a", ferry.Replace)
	e.put(h, "half", 0)
	e.want(e.rename(other, "/a", "/taken", false), fs.ErrExist, "/a", "/taken")
	e.want(e.rename(other, "/a", "/a", false), fs.ErrExist, "/a")
	e.must(e.rename(other, "/a", "/a", true))
	e.must(e.rename(other, "/a", "/free", false))
	e.upload(e.as("bob"), "/free", "theirs")
	e.want(h.Commit(), fs.ErrExist, "/a", "/free")
	e.holds(f, "/free", "theirs")
	e.part(f, "/free", 4)
}

func renamesFile(e *env) {
	f, other := e.as("alice"), e.as("alice")
	e.upload(f, "/a", "old")
	h := e.open(f, "/a", ferry.Replace)
	e.put(h, "new", 0)
	e.must(e.rename(other, "/a", "/b", false))
	e.holds(other, "/b", "old")
	e.sized(other, "/a", 3)
	e.must(h.Commit())
	e.holds(other, "/a", "new")
	e.holds(other, "/b", "old")
}

func renamesOnto(e *env) {
	f, other := e.as("alice"), e.as("alice")
	h := e.open(f, "/a", ferry.Replace)
	e.put(h, "half", 0)
	e.upload(other, "/b", "whole")
	e.must(e.rename(other, "/b", "/a", true))
	e.noPart(other, "/a")
	e.revoked(h, "/a", ferry.ErrRemoved)
	e.holds(f, "/a", "whole")
	e.noPart(f, "/a")

	h = e.open(f, "/c", ferry.Replace)
	own := e.open(other, "/d", ferry.Replace)
	e.put(own, "mine", 0)
	e.must(e.rename(other, "/d", "/c", true))
	e.part(other, "/c", 4)
	e.revoked(h, "/c", ferry.ErrRemoved)
	e.must(own.Commit())
	e.holds(f, "/c", "mine")
}

func setsOthers(e *env) {
	f, other := e.as("alice"), e.as("alice")
	h := e.open(f, "/a", ferry.Replace)
	e.put(h, "half", 0)
	mode, size, at := fs.FileMode(0o640), int64(2), time.Unix(1_000_000_000, 0)
	e.must(other.SetAttr(context.Background(), "/a", ferry.Attr{Mode: &mode, Size: &size}))
	e.sized(f, "/a", 2)
	e.must(other.SetAttr(context.Background(), "/a", ferry.Attr{ModTime: &at, Access: &at}))
	e.must(h.Commit())
	e.holds(other, "/a", "ha")
	if i := e.stat(other, "/a"); i.Mode != mode || !i.ModTime.Equal(at) {
		e.Errorf("published with %v and %v, want %v and %v", i.Mode, i.ModTime, mode, at)
	}

	h = e.open(f, "/a", ferry.Replace)
	e.put(h, "another", 0)
	e.must(other.SetAttr(context.Background(), "/a", ferry.Attr{Size: &size}))
	e.sized(f, "/a", 7)
	e.must(h.Commit())
	e.holds(other, "/a", "another")
}

func keptStays(e *env) {
	f, other := e.as("alice"), e.as("alice")
	e.broken(f, "/a", "half")
	mode := fs.FileMode(0o640)
	e.want(e.rename(other, "/a", "/b", true), fs.ErrNotExist, "/a")
	e.want(other.SetAttr(context.Background(), "/a", ferry.Attr{Mode: &mode}), fs.ErrNotExist, "/a")
	e.part(f, "/a", 4)
	e.must(e.remove(other, "/a"))
	e.noPart(f, "/a")
}

func foreignUpload(e *env) {
	f, bob := e.as("alice"), e.as("bob")
	h := e.open(f, "/a", ferry.Replace)
	e.put(h, "half", 0)
	e.missing(bob, "/a")
	e.want(e.remove(bob, "/a"), fs.ErrNotExist, "/a")
	e.want(e.rename(bob, "/a", "/b", true), fs.ErrNotExist, "/a")
	e.want(bob.SetAttr(context.Background(), "/a", ferry.Attr{}), fs.ErrNotExist, "/a")
	e.upload(bob, "/b", "theirs")
	e.must(e.rename(bob, "/b", "/a", false))
	e.put(h, " whole", 4)
	e.must(h.Commit())
	e.holds(bob, "/a", "half whole")
}
