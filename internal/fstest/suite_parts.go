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
		{text: "a part of no bytes stands for itself beside an old file", test: emptyPart},
		{text: "Resume goes on with the part where it ends", test: resumePart},
		{text: "Resume of a whole file writes in place", test: resumeInPlace},
		{text: "Resume of a missing file is staged", test: resumeMissing},
		{text: "ResumeNew goes on with the part and never replaces", test: resumeNew},
		{text: "a part with a gap goes on before the gap", test: resumeGap},
		{text: "Replace and Exclusive end the kept part", test: replaceEnds},
		{text: "Remove ends the kept part", test: removeEnds},
		{text: "Rename onto a name ends the kept part for it", test: renameEnds},
		{text: "Rmdir takes the caller's kept parts along", test: rmdirOwnParts},
		{text: "Rmdir leaves another's part and one that is written alone", test: rmdirBusy},
		{text: "a part moves along with its directory", test: partMoves},
		{text: "Close aborts what is open and refuses to open more", test: closeAborts},
		{text: "Abort after Commit does nothing", test: abortAfterCommit},
		{text: "Commit that cannot publish keeps the part", test: commitFails},
		{text: "Commit where the directory was renamed publishes there", test: commitMoved},
	}
}

func unseen(e *env) {
	f := e.as("alice")
	e.upload(f, "/old", "old")
	for _, m := range []ferry.Mode{ferry.Replace, ferry.Exclusive, ferry.Resume, ferry.ResumeNew} {
		name := "/" + modeName(m)
		h := e.open(f, name, m)
		e.put(h, "new", 0)
		for _, other := range []ferry.FS{e.as("alice"), e.as("bob")} {
			e.missing(other, name)
			e.refused(other, name, ferry.Read, fs.ErrNotExist)
			e.refused(other, name, ferry.Update, fs.ErrNotExist)
			e.lists(other, "/", "old")
		}
		e.lists(f, "/", "old")
		e.must(h.Commit())
		e.holds(e.as("bob"), name, "new")
		e.must(e.remove(f, name))
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
		for _, name := range []string{"/new", "/old"} {
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
	for _, name := range []string{"/new", "/old"} {
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

func emptyPart(e *env) {
	f := e.as("alice")
	e.upload(f, "/a", "a whole old file")
	e.must(e.open(f, "/a", ferry.Replace).Abort(nil))
	e.part(f, "/a", 0)
	e.sized(f, "/a", 16)
	h := e.open(f, "/a", ferry.Resume)
	if got := e.seen(h); got != "" {
		e.Errorf("the resumed upload begins with %q of the old file", got)
	}
	e.put(h, "new", 0)
	e.holds(f, "/a", "a whole old file")
	e.must(h.Commit())
	e.holds(f, "/a", "new")
}

func resumePart(e *env) {
	f := e.as("alice")
	e.upload(f, "/a", "old")
	e.broken(f, "/a", "first ")
	again := e.as("alice")
	h := e.open(again, "/a", ferry.Resume)
	i, err := h.Stat()
	e.must(err)
	if i.Size != 6 {
		e.Errorf("Resume goes on from %d, want 6", i.Size)
	}
	e.part(again, "/a", 6)
	e.put(h, "second ", 6)
	e.sized(again, "/a", 13)
	e.must(h.Abort(nil))
	h = e.open(f, "/a", ferry.Resume)
	e.put(h, "third", 13)
	e.holds(f, "/a", "old")
	e.must(h.Commit())
	e.holds(f, "/a", "first second third")
	e.noPart(f, "/a")

	e.broken(e.as("bob"), "/a", "bob's")
	e.noPart(f, "/a")
	h = e.open(f, "/a", ferry.Resume)
	if got := e.seen(h); got != "first second third" {
		e.Errorf("Resume beside another's part opened %q", got)
	}
	e.must(h.Abort(nil))
}

func resumeInPlace(e *env) {
	f := e.as("alice")
	e.upload(f, "/a", "whole")
	h := e.open(f, "/a", ferry.Resume)
	e.put(h, " and more", 5)
	e.holds(e.as("bob"), "/a", "whole and more")
	e.noPart(f, "/a")
	e.must(h.Abort(nil))
	e.holds(e.as("bob"), "/a", "whole and more")
	e.noPart(f, "/a")
}

func resumeMissing(e *env) {
	f := e.as("alice")
	h := e.open(f, "/a", ferry.Resume)
	e.put(h, "new", 0)
	e.missing(e.as("bob"), "/a")
	e.must(h.Abort(nil))
	e.part(f, "/a", 3)
}

func resumeNew(e *env) {
	f, bob := e.as("alice"), e.as("bob")
	e.broken(f, "/a", "first ")
	h := e.open(f, "/a", ferry.ResumeNew)
	e.refused(bob, "/a", ferry.Exclusive, fs.ErrExist)
	e.refused(bob, "/a", ferry.ResumeNew, fs.ErrExist)
	e.put(h, "second", 6)
	e.upload(bob, "/a", "theirs")
	e.want(h.Commit(), fs.ErrExist, "/a")
	e.part(f, "/a", 12)
	e.refused(f, "/a", ferry.ResumeNew, fs.ErrExist)
	e.must(e.remove(bob, "/a"))
	h = e.open(f, "/a", ferry.ResumeNew)
	e.must(h.Commit())
	e.holds(bob, "/a", "first second")

	h = e.open(f, "/b", ferry.ResumeNew)
	e.put(h, "new", 0)
	e.refused(bob, "/b", ferry.Exclusive, fs.ErrExist)
	e.must(h.Abort(nil))
	h = e.open(f, "/b", ferry.ResumeNew)
	e.refused(e.as("alice"), "/b", ferry.ResumeNew, ferry.ErrBusy)
	e.silence()
	again := e.open(e.as("alice"), "/b", ferry.ResumeNew)
	e.revoked(h, "/b")
	e.must(again.Commit())
	e.holds(bob, "/b", "new")
}

func resumeGap(e *env) {
	const solid, gap = 64 << 10, 1 << 20
	f := e.as("alice")
	h := e.open(f, "/a", ferry.Replace)
	e.put(h, string(pattern(1, solid)), 0)
	e.put(h, string(pattern(2, solid)), solid+gap)
	e.must(h.Abort(nil))
	kept, err := f.Part(context.Background(), "/a")
	e.must(err)
	if kept.Size != solid && kept.Size != 2*solid+gap { // which it is, the storage may not know
		e.Errorf("the part has %d bytes, want %d", kept.Size, solid)
	}
	h = e.open(f, "/a", ferry.Resume)
	i, err := h.Stat()
	e.must(err)
	if i.Size != kept.Size {
		e.Errorf("Resume goes on from %d, Part said %d", i.Size, kept.Size)
	}
	e.put(h, string(pattern(3, gap)), solid)
	e.must(h.Truncate(solid + gap))
	e.must(h.Commit())
	e.holds(f, "/a", string(pattern(1, solid))+string(pattern(3, gap)))
}

func replaceEnds(e *env) {
	f := e.as("alice")
	for _, m := range []ferry.Mode{ferry.Replace, ferry.Exclusive} {
		e.broken(f, "/a", "a long beginning")
		h := e.open(f, "/a", m)
		if got := e.seen(h); got != "" {
			e.Errorf("%s found %q, want a new beginning", modeName(m), got)
		}
		e.put(h, "new", 0)
		e.must(h.Commit())
		e.noPart(f, "/a")
		e.holds(f, "/a", "new")
		e.must(e.remove(f, "/a"))
	}
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
	h = e.open(f, "/dir/b", ferry.Replace)
	e.want(e.rmdir(f, "/dir"), ferry.ErrBusy, "/dir")
	e.must(h.Commit())
	e.must(e.remove(f, "/dir/b"))
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
