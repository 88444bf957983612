package fstest

import (
	"context"
	"io/fs"

	"ferry"
)

func resuming() []promise {
	return []promise{
		{text: "a part of no bytes stands for itself beside an old file", test: emptyPart},
		{text: "Resume goes on with the part where it ends", test: resumePart},
		{text: "Resume of a whole file writes in place", test: resumeInPlace},
		{text: "Resume of a missing file is staged", test: resumeMissing},
		{text: "ResumeNew goes on with the part and never replaces", test: resumeNew, instead: instead{OtherSessions, resumesNewOwn}},
		{text: "a part with a gap goes on before the gap", test: resumeGap},
		{text: "Replace and Exclusive end the kept part", test: replaceEnds},
	}
}

func emptyPart(e *env) {
	f := e.as("alice")
	e.upload(f, "/a", "a whole old file")
	e.must(e.open(f, "/a", ferry.Replace).Abort(nil))
	e.part(f, "/a", 0)
	e.sized(f, "/a", 16)
	h := e.openFor(f, "/a", ferry.OpenOptions{Mode: ferry.Resume})
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
	h := e.openFor(again, "/a", ferry.OpenOptions{Mode: ferry.Resume, At: 6})
	i, err := h.Stat()
	e.must(err)
	if i.Size != 6 || h.Start() != 6 {
		e.Errorf("Resume goes on from %d, want 6", i.Size)
	}
	e.part(again, "/a", 6)
	e.put(h, "second ", 6)
	e.sized(again, "/a", 13)
	e.must(h.Abort(nil))
	h = e.openFor(f, "/a", ferry.OpenOptions{Mode: ferry.Resume, At: 13})
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
	e.revoked(h, "/b", ferry.ErrTakenOver)
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
