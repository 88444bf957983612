package fstest

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"sync"

	"ferry"
)

func going() []promise {
	return []promise{
		{text: "where an upload goes on, by what stands there, what is kept, and where the client says", test: goesOnTable},
		{text: "new content begins at 0, and each write goes where it says", test: newBeginsAtZero},
		{text: "an upload that is on its way is ErrBusy to one that would be mixed with it", test: staleLater, instead: instead{OtherSessions, staleKept}},
		{text: "writes at the end by several at once are all there, each whole", test: appendTogether},
		{text: "a second one that appends to an unfinished file loses nothing", test: appendUnfinished, instead: instead{OtherSessions, appendOwn}},
		{text: "what appends goes on appending after Sync", test: appendSynced},
	}
}

// goesOnRow is an upload of "X" over old (nil: nothing stands there) and a kept part
// (nil: there is none).
type goesOnRow struct {
	old, part []byte
	o         ferry.OpenOptions
	start     int64
	want      string // that stands there after Commit
	err       error
}

func goesOnRows() []goesOnRow {
	const end, any = ferry.AtEnd, ferry.Anywhere
	resume := func(at int64) ferry.OpenOptions { return ferry.OpenOptions{Mode: ferry.Resume, At: at} }
	edit := func(at int64) ferry.OpenOptions { return ferry.OpenOptions{Mode: ferry.Resume, At: at, KeepRest: true} }
	blind := func(at int64) ferry.OpenOptions { return ferry.OpenOptions{Mode: ferry.Resume, At: at, Blind: true} }
	update := func(at int64) ferry.OpenOptions { return ferry.OpenOptions{Mode: ferry.Update, At: at} }
	resumeNew := func(at int64) ferry.OpenOptions { return ferry.OpenOptions{Mode: ferry.ResumeNew, At: at} }
	old, part, empty := []byte("0123456789"), []byte("abcd"), []byte{}
	return []goesOnRow{
		{nil, nil, resume(0), 0, "X", nil},
		{nil, nil, resume(end), 0, "X", nil},
		{nil, nil, resume(any), 0, "X", nil},
		{nil, nil, resume(1), 0, "", ferry.ErrBeyondEnd},
		{nil, nil, update(end), 0, "", fs.ErrNotExist},
		{nil, nil, resumeNew(end), 0, "X", nil},
		{nil, nil, resumeNew(1), 0, "", ferry.ErrBeyondEnd},

		{nil, part, resume(0), 0, "X", nil},
		{nil, part, resume(2), 2, "abX", nil},
		{nil, part, resume(4), 4, "abcdX", nil},
		{nil, part, resume(end), 4, "abcdX", nil},
		{nil, part, resume(any), 4, "abcdX", nil},
		{nil, part, edit(2), 2, "abXd", nil},
		{nil, part, resume(5), 0, "", ferry.ErrBeyondEnd},
		{nil, part, update(any), 0, "", fs.ErrNotExist},
		{nil, part, resumeNew(4), 4, "abcdX", nil},
		{nil, part, resumeNew(end), 4, "abcdX", nil},

		{old, nil, resume(0), 0, "X123456789", nil},
		{old, nil, resume(3), 3, "012X456789", nil},
		{old, nil, resume(10), 10, "0123456789X", nil},
		{old, nil, resume(end), 10, "0123456789X", nil},
		{old, nil, resume(any), 0, "X123456789", nil},
		{old, nil, resume(11), 0, "", ferry.ErrBeyondEnd},
		{old, nil, blind(end), 10, "0123456789X", nil},
		{old, nil, update(end), 10, "0123456789X", nil},
		{old, nil, update(11), 0, "", ferry.ErrBeyondEnd},
		{old, nil, resumeNew(10), 0, "", fs.ErrExist},

		{old, part, resume(4), 4, "abcdX", nil},
		{old, part, resume(0), 0, "", ferry.ErrStalePart},
		{old, part, resume(3), 0, "", ferry.ErrStalePart},
		{old, part, resume(10), 0, "", ferry.ErrStalePart},
		{old, part, resume(end), 0, "", ferry.ErrStalePart},
		{old, part, resume(11), 0, "", ferry.ErrBeyondEnd},
		{old, part, resume(any), 0, "X123456789", nil},
		{old, part, edit(0), 0, "X123456789", nil},
		{old, part, edit(4), 4, "0123X56789", nil},
		{old, part, edit(10), 0, "", ferry.ErrStalePart},
		{old, part, update(any), 0, "X123456789", nil},
		{old, part, update(4), 4, "0123X56789", nil},
		{old, part, update(end), 0, "", ferry.ErrStalePart},
		{old, part, resumeNew(4), 0, "", fs.ErrExist},
		{old, part, blind(4), 4, "abcdX", nil},
		{old, part, blind(end), 4, "abcdX", nil},
		{old, part, blind(10), 0, "", ferry.ErrBeyondEnd},

		{empty, part, resume(end), 0, "X", nil},
		{empty, part, resume(0), 0, "X", nil},
		{empty, part, resume(4), 4, "abcdX", nil},
		{old, empty, resume(0), 0, "X", nil},
		{old, empty, edit(0), 0, "X123456789", nil},
		{old, empty, resume(10), 0, "", ferry.ErrStalePart},

		{nil, nil, resume(-3), 0, "", fs.ErrInvalid},
		{old, part, ferry.OpenOptions{Mode: ferry.Replace, At: -3}, 0, "", fs.ErrInvalid},
	}
}

// newBeginsAtZero: At is for what goes on; new content is written where each write says.
func newBeginsAtZero(e *env) {
	f := e.as("alice")
	for i, m := range []ferry.Mode{ferry.Replace, ferry.Exclusive} {
		name := ferry.Name(fmt.Sprintf("/new%d", i))
		h := e.openFor(f, name, ferry.OpenOptions{Mode: m, At: ferry.AtEnd})
		e.put(h, "cd", 2)
		e.put(h, "ab", 0)
		e.must(h.Commit())
		e.holds(e.as("bob"), name, "abcd")
	}
}

func goesOnTable(e *env) {
	f := e.as("alice")
	for i, row := range goesOnRows() {
		name := ferry.Name(fmt.Sprintf("/%d", i))
		if row.old != nil {
			e.upload(f, name, string(row.old))
		}
		if row.part != nil {
			e.broken(f, name, string(row.part))
		}
		if row.err != nil {
			e.refusedFor(e.as("alice"), name, row.o, row.err)
			e.unchanged(f, name, row)
			continue
		}
		h := e.openFor(e.as("alice"), name, row.o)
		if h.Start() != row.start {
			e.Errorf("%s at %d of %q beside the part %q begins at %d, want %d", modeName(row.o.Mode), row.o.At, row.old, row.part, h.Start(), row.start)
		}
		e.put(h, "X", h.Start())
		e.must(h.Commit())
		e.holds(e.as("bob"), name, row.want)
	}
}

// unchanged checks that what a row began with is there.
func (e *env) unchanged(f ferry.FS, name ferry.Name, row goesOnRow) {
	e.Helper()
	if row.old != nil {
		e.holds(f, name, string(row.old))
	} else {
		e.missing(f, name)
	}
	if row.part != nil {
		e.part(f, name, int64(len(row.part)))
	} else {
		e.noPart(f, name)
	}
}

func staleLater(e *env) {
	f, again := e.as("alice"), e.as("alice")
	e.upload(f, "/a", "old")
	h := e.open(f, "/a", ferry.Replace)
	e.put(h, "ne", 0)
	appending := ferry.OpenOptions{Mode: ferry.Resume, At: ferry.AtEnd}
	e.refusedFor(again, "/a", appending, ferry.ErrBusy)
	e.silence()
	e.refusedFor(again, "/a", appending, ferry.ErrStalePart)
	e.put(h, "w", 2) // which that has not taken over
	e.must(h.Commit())
	e.holds(f, "/a", "new")
	staleKept(e)
}

func staleKept(e *env) {
	f, again := e.as("alice"), e.as("alice")
	e.upload(f, "/b", "old")
	e.broken(f, "/b", "ne")
	e.refusedFor(again, "/b", ferry.OpenOptions{Mode: ferry.Resume, At: ferry.AtEnd}, ferry.ErrStalePart)
	e.upload(again, "/b", "new")
	h := e.openFor(again, "/b", ferry.OpenOptions{Mode: ferry.Resume, At: ferry.AtEnd})
	e.put(h, "er", 0)
	e.must(h.Commit())
	e.holds(f, "/b", "newer")
}

func appendTogether(e *env) {
	const writers, writes, length = 4, 30, 700
	e.upload(e.as("alice"), "/log", "")
	var all sync.WaitGroup
	for w := range writers {
		h := e.openFor(e.as("alice"), "/log", ferry.OpenOptions{Mode: []ferry.Mode{ferry.Resume, ferry.Update}[w%2], At: ferry.AtEnd})
		all.Go(func() {
			for range writes {
				if n, err := h.WriteAt(bytes.Repeat([]byte{byte('a' + w)}, length), h.Start()); n != length || err != nil {
					e.Errorf("a write at the end: %d, %v", n, err)
				}
			}
			if err := h.Commit(); err != nil {
				e.Error(err)
			}
		})
	}
	all.Wait()
	h := e.open(e.as("alice"), "/log", ferry.Read)
	text := e.seen(h)
	e.must(h.Abort(nil))
	if len(text) != writers*writes*length {
		e.Fatalf("%d bytes are there, want %d", len(text), writers*writes*length)
	}
	for at := 0; at < len(text); at += length {
		if piece := text[at : at+length]; piece != string(bytes.Repeat([]byte{piece[0]}, length)) {
			e.Fatalf("the write at %d is not whole", at)
		}
	}
}

func appendUnfinished(e *env) {
	f, again := e.as("alice"), e.as("alice")
	o := ferry.OpenOptions{Mode: ferry.Resume, At: ferry.AtEnd}
	h := e.openFor(f, "/log", o)
	e.put(h, "first ", 0)
	e.refusedFor(again, "/log", o, ferry.ErrBusy)
	e.put(h, "second ", 0)
	e.must(h.Commit())
	h = e.openFor(again, "/log", o)
	e.put(h, "third", 0)
	e.must(h.Commit())
	e.holds(f, "/log", "first second third")
}

func appendOwn(e *env) {
	h := e.openFor(e.as("alice"), "/log", ferry.OpenOptions{Mode: ferry.Resume, At: ferry.AtEnd})
	e.put(h, "first ", 0)
	e.put(h, "second", 0)
	e.must(h.Commit())
	e.holds(e.as("bob"), "/log", "first second")
}

func appendSynced(e *env) {
	o := ferry.OpenOptions{Mode: ferry.Resume, At: ferry.AtEnd}
	h := e.openFor(e.as("alice"), "/log", o)
	e.put(h, "one ", 0)
	e.must(h.Sync())
	other := e.openFor(e.as("alice"), "/log", o)
	e.put(other, "two ", 0)
	e.put(h, "three ", 0)
	e.put(other, "four", 0)
	e.must(other.Commit())
	e.must(h.Commit())
	e.holds(e.as("bob"), "/log", "one two three four")
}

func looking() []promise {
	return []promise{
		{text: "a part shows in Stat and Lstat of its user where nothing stands, and nowhere else", test: partShows},
		{text: "a part that another session writes shows the same", test: partOnItsWay, instead: instead{OtherSessions, partShows}},
		{text: "a listing has the session's own unfinished file as Stat has it", test: ownListed},
	}
}

// view is what all looks at name say.
func (e *env) view(f ferry.FS, name ferry.Name) string {
	e.Helper()
	said := func(i ferry.Info, err error) string {
		if err != nil {
			return "-"
		}
		return fmt.Sprintf("%d unfinished=%t", i.Size, i.Unfinished)
	}
	i, err := f.Stat(context.Background(), name)
	stat := said(i, err)
	if i, err = f.Lstat(context.Background(), name); said(i, err) != stat {
		e.Errorf("%s: Stat says %s, Lstat %s", name, stat, said(i, err))
	}
	listed := "-"
	for i, err := range f.List(context.Background(), name.Dir(), ferry.Full) {
		e.must(err)
		if i.Name == name.Base() {
			listed = fmt.Sprint(i.Size)
		}
	}
	return stat + ", listed " + listed
}

func (e *env) shows(f ferry.FS, name ferry.Name, want string) {
	e.Helper()
	if got := e.view(f, name); got != want {
		e.Errorf("%s: %s, want %s", name, got, want)
	}
}

func partShows(e *env) {
	f, again, bob := e.as("alice"), e.as("alice"), e.as("bob")
	e.broken(f, "/new", "half")
	e.upload(f, "/old", "a whole one")
	e.broken(f, "/old", "half")
	for _, own := range []ferry.FS{f, again} {
		e.shows(own, "/new", "4 unfinished=true, listed -")
		e.shows(own, "/old", "11 unfinished=false, listed 11")
		e.refused(own, "/new", ferry.Read, fs.ErrNotExist)
		e.refused(own, "/new", ferry.Update, fs.ErrNotExist)
		e.want(own.SetAttr(context.Background(), "/new", ferry.Attr{}), fs.ErrNotExist, "/new")
		e.holds(own, "/old", "a whole one")
	}
	e.shows(bob, "/new", "-, listed -")
	e.shows(bob, "/old", "11 unfinished=false, listed 11")
	e.symlink(f, "new", "/link")
	if i := e.stat(f, "/link"); i.Size != 4 || i.Name != "link" || !i.Unfinished {
		e.Errorf("a link to an unfinished file: %+v", i)
	}
}

func partOnItsWay(e *env) {
	f, again, bob := e.as("alice"), e.as("alice"), e.as("bob")
	e.upload(f, "/old", "a whole one")
	for _, name := range []ferry.Name{"/new", "/old"} {
		h := e.open(f, name, ferry.Replace)
		e.put(h, "half", 0)
		if name == "/new" {
			e.shows(f, name, "4 unfinished=true, listed -")
			e.shows(again, name, "4 unfinished=true, listed -")
			e.shows(bob, name, "-, listed -")
		} else {
			e.shows(f, name, "4 unfinished=false, listed 4")
			e.shows(again, name, "11 unfinished=false, listed 11")
			e.shows(bob, name, "11 unfinished=false, listed 11")
		}
		e.must(h.Commit())
		e.shows(again, name, "4 unfinished=false, listed 4")
	}
}

func ownListed(e *env) {
	f := e.as("alice")
	e.mkdir(f, "/d")
	e.upload(f, "/d/a", "a whole one")
	e.upload(f, "/d/b", "another")
	h := e.open(f, "/d/a", ferry.Replace)
	e.put(h, "half", 0)
	e.shows(f, "/d/a", "4 unfinished=false, listed 4")
	e.shows(f, "/d/b", "7 unfinished=false, listed 7")
	e.must(h.Abort(nil))
	e.shows(f, "/d/a", "11 unfinished=false, listed 11")
}
