package fstest

import (
	"context"
	"io/fs"
	"strings"

	"ferry"
)

func opening() []promise {
	return []promise{
		{text: "every mode opens what it may and refuses the rest", test: everyMode},
		{text: "Replace, Resume and Update through a link change the file it names", test: writeThroughLink},
		{text: "Replace and Resume through a dangling link make the file it would name", test: writeThroughDangling},
		{text: "an unknown mode is fs.ErrInvalid", test: unknownMode},
		{text: "Exclusive reserves the name at Open", test: exclusiveReserves, instead: instead{OtherSessions, reservesOwn}},
		{text: "Exclusive reserves nothing after Abort", test: exclusiveAborted},
		{text: "Commit of Exclusive never replaces what has appeared", test: exclusiveCommit},
		{text: "two users may replace one file at once and the last to commit wins", test: lastCommitWins},
		{text: "a new file gets the permission asked for, a replaced one keeps its own", test: permissions},
		{text: "a file with several hard links is replaced in place", test: replaceLinked, instead: instead{LinkCounts, linkedParts}},
		{text: "Revise is Replace, and truncates nothing that is written in place", test: revise, instead: instead{LinkCounts, reviseDirect}},
		{text: "uploads of a user with DirectUploads are in place", test: directUploads, instead: instead{OtherSessions, directReservesOwn}},
		{text: "errors are about the client's name", test: clientNames},
		{text: "an element longer than the storage takes is ErrBadName", test: longNames},
	}
}

func everyMode(e *env) {
	const fine = "fine"
	situations := []struct {
		name                                                ferry.Name
		read, replace, exclusive, resume, update, resumeNew error
	}{
		{"/missing", fs.ErrNotExist, nil, nil, nil, fs.ErrNotExist, nil},
		{"/file", nil, nil, fs.ErrExist, nil, nil, fs.ErrExist},
		{"/dir", ferry.ErrIsDir, ferry.ErrIsDir, fs.ErrExist, ferry.ErrIsDir, ferry.ErrIsDir, fs.ErrExist},
		{"/", ferry.ErrIsDir, ferry.ErrIsDir, fs.ErrExist, ferry.ErrIsDir, ferry.ErrIsDir, fs.ErrExist},
		{"/to-file", nil, nil, fs.ErrExist, nil, nil, fs.ErrExist},
		{"/to-dir", ferry.ErrIsDir, ferry.ErrIsDir, fs.ErrExist, ferry.ErrIsDir, ferry.ErrIsDir, fs.ErrExist},
		{"/to-nothing", fs.ErrNotExist, nil, fs.ErrExist, nil, fs.ErrNotExist, fs.ErrExist},
		{"/dir/file", nil, nil, fs.ErrExist, nil, nil, fs.ErrExist},
		{"/dir/missing", fs.ErrNotExist, nil, nil, nil, fs.ErrNotExist, nil},
		{"/to-dir/file", nil, nil, fs.ErrExist, nil, nil, fs.ErrExist},
		{"/missing/a", fs.ErrNotExist, fs.ErrNotExist, fs.ErrNotExist, fs.ErrNotExist, fs.ErrNotExist, fs.ErrNotExist},
		{"/file/a", ferry.ErrNotDir, ferry.ErrNotDir, ferry.ErrNotDir, ferry.ErrNotDir, ferry.ErrNotDir, ferry.ErrNotDir},
	}
	f := e.tree.For(ferry.User{Name: "guest", Anonymous: true}) // for whom nothing is kept between the rows
	e.upload(f, "/file", fine)
	e.mkdir(f, "/dir")
	e.upload(f, "/dir/file", fine)
	e.symlink(f, "file", "/to-file")
	e.symlink(f, "dir", "/to-dir")
	e.symlink(f, "nothing", "/to-nothing")
	for _, row := range situations {
		for m, want := range []error{row.read, row.replace, row.exclusive, row.resume, row.update, row.resumeNew, row.update} {
			if want != nil {
				e.refused(f, row.name, ferry.Mode(m), want)
				continue
			}
			e.must(e.open(f, row.name, ferry.Mode(m)).Abort(nil))
		}
	}
	e.holds(f, "/file", fine)
	e.holds(f, "/dir/file", fine)
	e.lists(f, "/", "dir", "file", "to-dir", "to-file", "to-nothing")
	e.lists(f, "/dir", "file")
}

func writeThroughLink(e *env) {
	for _, m := range []ferry.Mode{ferry.Replace, ferry.Resume, ferry.Update} {
		f := e.as("alice")
		name := "/dir-" + modeName(m)
		e.mkdir(f, ferry.Name(name))
		e.upload(f, ferry.Name(name+"/file"), "old")
		e.symlink(f, "file", ferry.Name(name+"/link"))
		h := e.open(f, ferry.Name(name+"/link"), m)
		e.put(h, "new", 0)
		e.must(h.Commit())
		e.holds(f, ferry.Name(name+"/file"), "new")
		e.lists(f, ferry.Name(name), "file", "link")
		if e.lstat(f, ferry.Name(name+"/link")).Mode.Type() != fs.ModeSymlink {
			e.Errorf("%s through a link replaced the link", modeName(m))
		}
	}
}

func writeThroughDangling(e *env) {
	for _, m := range []ferry.Mode{ferry.Replace, ferry.Resume} {
		f := e.as("alice")
		name := "/dir-" + modeName(m)
		e.mkdir(f, ferry.Name(name))
		e.mkdir(f, ferry.Name(name+"/below"))
		e.symlink(f, "below/file", ferry.Name(name+"/link"))
		h := e.open(f, ferry.Name(name+"/link"), m)
		e.put(h, "new", 0)
		e.lists(f, ferry.Name(name+"/below"))
		e.must(h.Commit())
		e.holds(f, ferry.Name(name+"/below/file"), "new")
		e.lists(f, ferry.Name(name), "below", "link")
		if e.lstat(f, ferry.Name(name+"/link")).Mode.Type() != fs.ModeSymlink {
			e.Errorf("%s through a link replaced the link", modeName(m))
		}
	}
}

func unknownMode(e *env) {
	_, err := e.as("alice").Open(context.Background(), "/a", ferry.OpenOptions{Mode: ferry.Revise + 1})
	e.want(err, fs.ErrInvalid, "/a")
}

func exclusiveReserves(e *env) {
	f := e.as("alice")
	h := e.open(f, "/a", ferry.Exclusive)
	e.refused(f, "/a", ferry.Exclusive, fs.ErrExist)
	e.refused(e.as("alice"), "/a", ferry.Exclusive, fs.ErrExist)
	e.refused(e.as("bob"), "/a", ferry.Exclusive, fs.ErrExist)
	guest := e.tree.For(ferry.User{Name: "guest", Anonymous: true})
	e.refused(guest, "/a", ferry.Exclusive, fs.ErrExist)
	e.put(h, "first", 0)
	e.must(h.Commit())
	e.refused(f, "/a", ferry.Exclusive, fs.ErrExist)
	e.holds(f, "/a", "first")
}

func exclusiveAborted(e *env) {
	h := e.open(e.as("alice"), "/a", ferry.Exclusive)
	e.must(h.Abort(nil))
	bob := e.as("bob")
	h = e.open(bob, "/a", ferry.Exclusive)
	e.put(h, "second", 0)
	e.must(h.Commit())
	e.holds(bob, "/a", "second")
}

func exclusiveCommit(e *env) {
	alice, bob := e.as("alice"), e.as("bob")
	h := e.open(alice, "/a", ferry.Exclusive)
	e.put(h, "mine", 0)
	e.upload(bob, "/a", "theirs")
	e.want(h.Commit(), fs.ErrExist, "/a")
	e.holds(bob, "/a", "theirs")
	e.part(alice, "/a", 4)
	e.want(h.Commit(), ferry.ErrClosed, "/a")

	h = e.open(alice, "/b", ferry.Exclusive)
	e.mkdir(bob, "/b")
	e.want(h.Commit(), fs.ErrExist, "/b")
	e.lists(bob, "/b")
}

func lastCommitWins(e *env) {
	alice, bob := e.as("alice"), e.as("bob")
	first, second := e.open(alice, "/a", ferry.Replace), e.open(bob, "/a", ferry.Replace)
	e.put(first, "alice's", 0)
	e.put(second, "bob's", 0)
	e.must(second.Commit())
	e.holds(alice, "/a", "bob's")
	e.must(first.Commit())
	e.holds(bob, "/a", "alice's")
	e.lists(bob, "/", "a")
}

func permissions(e *env) {
	f := e.as("alice")
	ctx := context.Background()
	for _, m := range []ferry.Mode{ferry.Replace, ferry.Exclusive, ferry.Resume, ferry.ResumeNew} {
		name := "/" + modeName(m)
		h, err := f.Open(ctx, ferry.Name(name), ferry.OpenOptions{Mode: m, Perm: new(fs.FileMode(0o700))})
		e.must(err)
		e.must(h.Commit())
		if got := e.stat(f, ferry.Name(name)).Mode; got != 0o700 {
			e.Errorf("%s made a file with mode %v, want 0700", modeName(m), got)
		}
	}
	none := fs.FileMode(0)
	for _, m := range []ferry.Mode{ferry.Replace, ferry.Exclusive, ferry.Resume, ferry.ResumeNew} {
		name := "/none-" + modeName(m)
		h, err := f.Open(ctx, ferry.Name(name), ferry.OpenOptions{Mode: m, Perm: &none})
		e.must(err)
		e.put(h, "text", 0)
		e.must(h.Commit())
		if i := e.stat(f, ferry.Name(name)); i.Mode != 0 || i.Size != 4 {
			e.Errorf("%s made a file with mode %v, want 0000", modeName(m), i.Mode)
		}
	}
	e.must(f.Mkdir(ctx, "/none", &none))
	if got := e.stat(f, "/none").Mode; got != fs.ModeDir {
		e.Errorf("Mkdir made %v, want d---------", got)
	}
	e.must(f.Mkdir(ctx, "/dir", new(fs.FileMode(0o700))))
	if got := e.stat(f, "/dir").Mode; got != fs.ModeDir|0o700 {
		e.Errorf("Mkdir made %v, want drwx------", got)
	}

	h, err := f.Open(ctx, "/replace", ferry.OpenOptions{Mode: ferry.Replace, Perm: new(fs.FileMode(0o744))})
	e.must(err)
	e.must(h.Commit())
	if got := e.stat(f, "/replace").Mode; got != 0o700 {
		e.Errorf("a replaced file has mode %v, want 0700 as before", got)
	}
	h = e.open(f, "/replace", ferry.Replace)
	mode := fs.FileMode(0o750)
	e.must(h.SetAttr(ferry.Attr{Mode: &mode}))
	e.must(h.Commit())
	if got := e.stat(f, "/replace").Mode; got != 0o750 {
		e.Errorf("a replaced file has mode %v, want 0750 as the upload set it", got)
	}
}

func revise(e *env) {
	f, other := e.as("alice"), e.as("bob")
	reviseDirect(e)
	e.must(f.Link(context.Background(), "/a", "/b"))
	revisedInPlace(e, f, other, "/b")
}

// reviseDirect is revise without hard links.
func reviseDirect(e *env) {
	f, other := e.as("alice"), e.as("bob")
	e.upload(f, "/a", "old content")
	h := e.open(f, "/a", ferry.Revise)
	e.put(h, "new", 0)
	e.holds(other, "/a", "old content")
	e.must(h.Commit())
	e.holds(other, "/a", "new")
	revisedInPlace(e, e.tree.For(ferry.User{Name: "alice", DirectUploads: true}), other, "/a")
}

// revisedInPlace checks that f, opening name, changes /a in place.
func revisedInPlace(e *env, f, other ferry.FS, name ferry.Name) {
	e.Helper()
	h := e.open(f, name, ferry.Revise)
	if i, err := h.Stat(); err != nil || i.Size != 3 {
		e.Errorf("Revise of %s, in place: %d bytes, %v; want the 3 that it has", name, i.Size, err)
	}
	e.put(h, "N", 0)
	e.holds(other, "/a", "New")
	e.must(h.Commit())
}

func replaceLinked(e *env) {
	f, other := e.as("alice"), e.as("bob")
	e.upload(f, "/a", "old content")
	e.must(f.Link(context.Background(), "/a", "/b"))
	h := e.open(f, "/a", ferry.Replace)
	e.sized(other, "/b", 0)
	e.put(h, "new", 0)
	e.holds(other, "/b", "new")
	e.must(h.Commit())
	e.holds(other, "/a", "new")
	e.holds(other, "/b", "new")
	e.noPart(f, "/a")
}

func directUploads(e *env) {
	f, other := e.tree.For(ferry.User{Name: "dora", DirectUploads: true}), e.as("bob")
	inPlace(e, f, other)
	h := e.open(other, "/c", ferry.Exclusive)
	e.refused(f, "/c", ferry.Exclusive, fs.ErrExist)
	e.refused(f, "/c", ferry.ResumeNew, fs.ErrExist)
	e.must(h.Commit())
}

// inPlace checks that f writes in place.
func inPlace(e *env, f, other ferry.FS) {
	e.Helper()
	h := e.open(f, "/a", ferry.Replace)
	e.sized(other, "/a", 0)
	e.put(h, "half", 0)
	e.holds(other, "/a", "half")
	e.must(h.Abort(nil))
	e.holds(other, "/a", "half")
	e.noPart(f, "/a")

	h = e.open(f, "/a", ferry.Resume)
	e.put(h, " and half", 4)
	e.must(h.Commit())
	e.holds(other, "/a", "half and half")

	h = e.open(f, "/b", ferry.Exclusive)
	e.refused(other, "/b", ferry.Exclusive, fs.ErrExist)
	e.must(h.Commit())
	e.lists(other, "/", "a", "b")
}

func clientNames(e *env) {
	f := e.as("alice")
	ctx := context.Background()
	const name = "/no/such"
	_, err := f.Stat(ctx, name)
	e.want(err, fs.ErrNotExist, name)
	_, err = f.Lstat(ctx, name)
	e.want(err, fs.ErrNotExist, name)
	_, err = f.Part(ctx, name)
	e.want(err, fs.ErrNotExist, name)
	_, err = f.Readlink(ctx, name)
	e.want(err, fs.ErrNotExist, name)
	_, err = f.Space(ctx, name)
	e.want(err, fs.ErrNotExist, name)
	e.want(f.Mkdir(ctx, name, nil), fs.ErrNotExist, name)
	e.want(f.Remove(ctx, name), fs.ErrNotExist, name)
	e.want(f.Rmdir(ctx, name), fs.ErrNotExist, name)
	e.want(f.SetAttr(ctx, name, ferry.Attr{}), fs.ErrNotExist, name)
	e.want(f.Symlink(ctx, "a", name), fs.ErrNotExist, name)
	e.want(f.Rename(ctx, name, "/b", true), fs.ErrNotExist, name, "/b")
	e.want(f.Link(ctx, name, "/b"), fs.ErrNotExist, name, "/b")
	for _, err := range f.List(ctx, name, ferry.Names) {
		e.want(err, fs.ErrNotExist, name)
	}
	e.upload(f, "/a", "text")
	h := e.open(f, "/a", ferry.Read)
	e.must(h.Abort(nil))
	_, err = h.ReadAt(make([]byte, 1), 0)
	e.want(err, ferry.ErrClosed, "/a")
}

func longNames(e *env) {
	f := e.as("alice")
	long := "/" + strings.Repeat("n", 255)
	e.upload(f, ferry.Name(long), "fits")
	e.broken(f, ferry.Name(long), "fits too")
	e.part(f, ferry.Name(long), 8)
	e.must(e.remove(f, ferry.Name(long)))
	for _, name := range []ferry.Name{ferry.Name("/" + strings.Repeat("n", 256)), ferry.Name("/" + strings.Repeat("n", 5000))} {
		_, err := f.Stat(context.Background(), name)
		e.want(err, ferry.ErrBadName, name)
		e.refused(f, name, ferry.Replace, ferry.ErrBadName)
		e.refused(f, name, ferry.Read, ferry.ErrBadName)
		e.want(f.Mkdir(context.Background(), name, nil), ferry.ErrBadName, name)
	}
	e.lists(f, "/")
}
