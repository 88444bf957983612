package fstest

import (
	"context"
	"io/fs"

	"ferry"
)

func staging() []promise {
	return []promise{
		{text: "new content is seen by nobody before Commit", test: unseen},
		{text: "the session that uploads sees its own file under its name", test: ownUnfinished},
		{text: "an own unfinished file can be renamed", test: ownRenamed},
		{text: "an own unfinished file renamed without replace does not replace at Commit", test: ownRenamedFree},
		{text: "an own unfinished file that is removed cannot be committed", test: ownRemoved},
		{text: "Abort keeps the part for the user, in every session", test: abortKeeps},
		{text: "Abort keeps nothing for shared and anonymous users", test: abortForgets},
		{text: "Remove ends the kept part", test: removeEnds},
		{text: "Rename onto a name ends the kept part for it", test: renameEnds},
		{text: "Rmdir takes the caller's kept parts along", test: rmdirOwnParts},
		{text: "Rmdir leaves another's part alone", test: rmdirBusy},
		{text: "a part moves along with its directory", test: partMoves},
		{text: "Close aborts what is open and refuses to open more", test: closeAborts},
		{text: "Abort with a discarded cause keeps nothing, and not the old file's end either", test: abortDiscards},
		{text: "Abort after Commit does nothing", test: abortAfterCommit},
		{text: "Commit that cannot publish keeps the part", test: commitFails},
		{text: "Commit where the directory was renamed publishes there", test: commitMoved, instead: instead{OtherSessions, movedAway}},
	}
}

func unseen(e *env) {
	f := e.as("alice")
	e.upload(f, "/old", "old")
	for _, m := range []ferry.Mode{ferry.Replace, ferry.Exclusive, ferry.Resume, ferry.ResumeNew} {
		name := "/" + modeName(m)
		h := e.open(f, ferry.Name(name), m)
		e.put(h, "new", 0)
		for _, other := range []ferry.FS{e.as("alice"), e.as("bob")} {
			e.missing(other, ferry.Name(name))
			e.refused(other, ferry.Name(name), ferry.Read, fs.ErrNotExist)
			e.refused(other, ferry.Name(name), ferry.Update, fs.ErrNotExist)
			e.lists(other, "/", "old")
		}
		e.lists(f, "/", "old")
		e.must(h.Commit())
		e.holds(e.as("bob"), ferry.Name(name), "new")
		e.must(e.remove(f, ferry.Name(name)))
	}
	h := e.open(f, "/old", ferry.Replace)
	e.put(h, "newer", 0)
	e.holds(e.as("bob"), "/old", "old")
	e.holds(f, "/old", "old")
	e.sized(e.as("bob"), "/old", 3)
	e.must(h.Commit())
	e.holds(e.as("bob"), "/old", "newer")
}

func ownUnfinished(e *env) {
	for _, u := range []ferry.User{{Name: "alice"}, {Name: "guest", Anonymous: true}} {
		f, other := e.tree.For(u), e.tree.For(u)
		e.upload(f, "/old", "old")
		for _, name := range []ferry.Name{"/new", "/old"} {
			h := e.open(f, name, ferry.Replace)
			e.put(h, "unfinished", 0)
			e.sized(f, name, 10)
			if got := e.lstat(f, name).Size; got != 10 {
				e.Errorf("Lstat says that the own %s has %d bytes, want 10", name, got)
			}
			size := int64(4)
			e.must(f.SetAttr(context.Background(), name, ferry.Attr{Size: &size}))
			e.sized(f, name, 4)
			if i, err := h.Stat(); err != nil || i.Size != 4 {
				e.Errorf("the handle has %d bytes, %v; want 4", i.Size, err)
			}
			e.must(h.Abort(nil))
			e.lists(other, "/", "old")
			e.sized(other, "/old", 3)
		}
		e.sized(f, "/old", 3)
		e.must(e.remove(f, "/old"))
	}
}

func ownRenamed(e *env) {
	f := e.as("alice")
	e.mkdir(f, "/dir")
	e.upload(f, "/old", "old")
	e.upload(f, "/dir/target", "target")
	h := e.open(f, "/old", ferry.Replace)
	e.put(h, "new", 0)
	e.must(e.rename(f, "/old", "/dir/target", true))
	e.sized(f, "/dir/target", 3)
	e.put(h, "er", 3)
	e.holds(e.as("bob"), "/dir/target", "target")
	e.holds(e.as("bob"), "/old", "old")
	e.must(h.Commit())
	e.holds(f, "/dir/target", "newer")
	e.holds(f, "/old", "old")
	e.lists(f, "/", "dir", "old")
	e.lists(f, "/dir", "target")

	h = e.open(f, "/new", ferry.Replace)
	e.put(h, "half", 0)
	e.must(e.rename(f, "/new", "/dir/moved", false))
	e.missing(f, "/new")
	e.must(h.Abort(nil))
	e.noPart(f, "/new")
	e.part(e.as("alice"), "/dir/moved", 4)
	e.lists(f, "/dir", "target")
}

func ownRenamedFree(e *env) {
	f := e.as("alice")
	e.upload(f, "/taken", "taken")
	e.mkdir(f, "/dir")
	h := e.open(f, "/new", ferry.Replace)
	e.put(h, "new", 0)
	e.want(e.rename(f, "/new", "/taken", false), fs.ErrExist, "/new", "/taken")
	e.want(e.rename(f, "/new", "/new", false), fs.ErrExist, "/new")
	e.must(e.rename(f, "/new", "/new", true))
	e.want(e.rename(f, "/new", "/dir", true), ferry.ErrIsDir, "/new", "/dir")
	e.want(e.rename(f, "/new", "/no/such", true), fs.ErrNotExist, "/new", "/no/such")
	e.must(e.rename(f, "/new", "/free", false))
	e.upload(e.as("bob"), "/free", "theirs")
	e.want(h.Commit(), fs.ErrExist, "/new", "/free")
	e.holds(f, "/free", "theirs")
	e.part(f, "/free", 3)
}

func ownRemoved(e *env) {
	f := e.as("alice")
	e.upload(f, "/old", "old")
	for _, name := range []ferry.Name{"/new", "/old"} {
		h := e.open(f, name, ferry.Replace)
		e.put(h, "content", 0)
		e.must(e.remove(f, name))
		e.missing(f, name)
		e.noPart(f, name)
		e.want(h.Commit(), fs.ErrNotExist, name)
		e.missing(f, name)
		e.noPart(f, name)
	}
	e.lists(f, "/")
	h := e.open(f, "/new", ferry.Replace)
	e.must(e.remove(f, "/new"))
	e.upload(f, "/new", "again")
	e.must(h.Abort(nil))
	e.holds(f, "/new", "again")
}

func abortKeeps(e *env) {
	f := e.as("alice")
	e.broken(f, "/a", "half")
	e.part(f, "/a", 4)
	e.must(f.Close())
	e.part(e.as("alice"), "/a", 4)
	e.noPart(e.as("bob"), "/a")
	e.missing(e.as("alice"), "/a")
	e.lists(e.as("alice"), "/")
	e.noPart(e.as("alice"), "/b")
}

func abortForgets(e *env) {
	for _, u := range []ferry.User{{Name: "guest", Anonymous: true}, {Name: "team", Shared: true}} {
		f := e.tree.For(u)
		e.broken(f, "/a", "half")
		e.noPart(f, "/a")
		h := e.open(f, "/a", ferry.Resume)
		if got := e.seen(h); got != "" {
			e.Errorf("%s: Resume found %q, want nothing kept", u.Name, got)
		}
		e.must(h.Abort(nil))
		first, second := e.open(f, "/a", ferry.Replace), e.open(e.tree.For(u), "/a", ferry.Replace)
		e.put(first, "first", 0)
		e.put(second, "second", 0)
		e.must(second.Commit())
		e.must(first.Commit())
		e.holds(f, "/a", "first")
		e.must(e.remove(f, "/a"))
		e.lists(f, "/")
	}
}

func abortDiscards(e *env) {
	f := e.as("alice")
	e.upload(f, "/old", "old")
	for _, name := range []ferry.Name{"/new", "/old"} {
		h := e.open(f, name, ferry.Replace)
		e.put(h, "a copy that failed", 0)
		e.must(h.Abort(ferry.Discard(ferry.ErrNoSpace)))
		e.noPart(f, name)
	}
	e.missing(f, "/new")
	e.holds(f, "/old", "old")
}

func removeEnds(e *env) {
	f := e.as("alice")
	e.broken(f, "/a", "half")
	e.want(e.remove(e.as("bob"), "/a"), fs.ErrNotExist, "/a")
	e.must(e.remove(f, "/a"))
	e.noPart(f, "/a")
	e.want(e.remove(f, "/a"), fs.ErrNotExist, "/a")

	e.upload(f, "/a", "whole")
	e.broken(f, "/a", "half")
	e.broken(e.as("bob"), "/a", "bob's half")
	e.must(e.remove(f, "/a"))
	e.missing(f, "/a")
	e.noPart(f, "/a")
	e.part(e.as("bob"), "/a", 10)
}

func renameEnds(e *env) {
	f := e.as("alice")
	e.broken(f, "/a", "half")
	e.upload(f, "/b", "whole")
	e.must(e.rename(f, "/b", "/a", false))
	e.holds(f, "/a", "whole")
	e.noPart(f, "/a")
}

func rmdirOwnParts(e *env) {
	f := e.as("alice")
	e.mkdir(f, "/dir")
	e.broken(f, "/dir/a", "half")
	e.broken(f, "/dir/b", "half")
	e.upload(f, "/dir/c", "whole")
	e.want(e.rmdir(f, "/dir"), ferry.ErrNotEmpty, "/dir")
	e.part(f, "/dir/a", 4)
	e.must(e.remove(f, "/dir/c"))
	e.must(e.rmdir(f, "/dir"))
	e.missing(f, "/dir")
	e.mkdir(f, "/dir")
	e.noPart(f, "/dir/a")
}

func rmdirBusy(e *env) {
	f, bob := e.as("alice"), e.as("bob")
	e.mkdir(f, "/dir")
	h := e.open(bob, "/dir/a", ferry.Replace)
	e.put(h, "half", 0)
	e.want(e.rmdir(f, "/dir"), ferry.ErrBusy, "/dir")
	e.must(h.Abort(nil))
	e.broken(f, "/dir/mine", "half")
	e.want(e.rmdir(f, "/dir"), ferry.ErrBusy, "/dir")
	e.part(bob, "/dir/a", 4)
	e.must(e.remove(bob, "/dir/a"))
	e.part(f, "/dir/mine", 4)
	e.must(e.rmdir(f, "/dir"))
}

func partMoves(e *env) {
	f := e.as("alice")
	e.mkdir(f, "/dir")
	e.broken(f, "/dir/a", "half")
	e.must(e.rename(f, "/dir", "/new", false))
	e.part(f, "/new/a", 4)
	e.symlink(f, "new/a", "/link")
	e.part(f, "/link", 4)
	h := e.open(f, "/link", ferry.Resume)
	e.put(h, " whole", 4)
	e.must(h.Commit())
	e.holds(f, "/new/a", "half whole")
}

func closeAborts(e *env) {
	f := e.as("alice")
	e.upload(f, "/old", "old")
	upload, read := e.open(f, "/a", ferry.Replace), e.open(f, "/old", ferry.Read)
	e.put(upload, "half", 0)
	e.must(f.Close())
	e.want(upload.Commit(), ferry.ErrClosed, "/a")
	_, err := read.ReadAt(make([]byte, 1), 0)
	e.want(err, ferry.ErrClosed, "/old")
	e.refused(f, "/old", ferry.Read, ferry.ErrClosed)
	e.missing(e.as("alice"), "/a")
	e.part(e.as("alice"), "/a", 4)
}

func abortAfterCommit(e *env) {
	f := e.as("alice")
	h := e.open(f, "/a", ferry.Replace)
	e.put(h, "whole", 0)
	e.must(h.Commit())
	e.must(h.Abort(ferry.ErrAborted))
	e.must(h.Abort(nil))
	e.holds(f, "/a", "whole")
	e.noPart(f, "/a")
	e.want(h.Commit(), ferry.ErrClosed, "/a")
}

func commitFails(e *env) {
	f := e.as("alice")
	h := e.open(f, "/a", ferry.Replace)
	e.put(h, "half", 0)
	e.mkdir(f, "/a")
	e.want(h.Commit(), ferry.ErrIsDir, "/a")
	e.lists(f, "/", "a")
	e.part(f, "/a", 4)
	e.must(e.rmdir(f, "/a"))
	h = e.open(f, "/a", ferry.Resume)
	e.must(h.Commit())
	e.holds(f, "/a", "half")
}

func commitMoved(e *env) {
	f := e.as("alice")
	e.mkdir(f, "/dir")
	h := e.open(f, "/dir/a", ferry.Replace)
	e.put(h, "whole", 0)
	e.must(e.rename(e.as("bob"), "/dir", "/moved", false))
	e.must(h.Commit())
	e.holds(f, "/moved/a", "whole")
	e.lists(f, "/", "moved")
}
