package fstest

import (
	"context"
	"fmt"
	"io/fs"
	"slices"

	"ferry"
)

func naming() []promise {
	return []promise{
		{text: "Mkdir makes a directory once", test: mkdir},
		{text: "Remove removes what is not a directory", test: remove},
		{text: "RemoveUnchanged removes what was seen, and nothing else", test: removeUnchanged},
		{text: "RemoveUnchanged tells two files of one size and time apart", test: removeTwin, instead: instead{Identities, removeTwinUnseen}},
		{text: "RemoveUnchanged beside uploads of its name removes none that it was not told of", test: removeBesideUploads, instead: instead{Identities, removeAfterUpload}},
		{text: "Rmdir removes an empty directory", test: rmdir},
		{text: "Rename moves files and directories", test: renameMoves},
		{text: "Rename without replace refuses an existing target", test: renameKeeps},
		{text: "Rename with replace takes a file for a file and an empty directory for a directory", test: renameReplaces},
		{text: "Rename of a directory into itself is fs.ErrInvalid", test: renameInto},
		{text: "Rename between two names of one file leaves both", test: renameSame},
		{text: "an open file follows its Rename and outlives its Remove", test: openOutlives},
		{text: "the root stays", test: rootStays},
		{text: "List gives every entry once, without parts", test: list},
		{text: "List with Full gives what Lstat gives", test: listFull},
		{text: "List of what cannot be opened yields exactly one error", test: listFails},
		{text: "List leaves out what vanishes meanwhile and lets the caller stop", test: listVanish},
		{text: "Space is known or zero", test: space},
	}
}

func mkdir(e *env) {
	f := e.as("alice")
	ctx := context.Background()
	e.mkdir(f, "/dir")
	e.mkdir(f, "/dir/sub")
	if i := e.stat(f, "/dir"); !i.IsDir() || i.Name != "dir" {
		e.Errorf("Mkdir made %+v", i)
	}
	if i := e.stat(f, "/"); !i.IsDir() || i.Name != "/" {
		e.Errorf("the root is %+v", i)
	}
	e.upload(f, "/file", "")
	e.symlink(f, "nowhere", "/link")
	for _, name := range []ferry.Name{"/dir", "/file", "/link", "/"} {
		e.want(f.Mkdir(ctx, name, nil), fs.ErrExist, name)
	}
	e.want(f.Mkdir(ctx, "/no/such", nil), fs.ErrNotExist, "/no/such")
	e.want(f.Mkdir(ctx, "/file/dir", nil), ferry.ErrNotDir, "/file/dir")
}

func remove(e *env) {
	f := e.as("alice")
	e.mkdir(f, "/dir")
	e.upload(f, "/file", "text")
	e.want(e.remove(f, "/dir"), ferry.ErrIsDir, "/dir")
	e.want(e.remove(f, "/missing"), fs.ErrNotExist, "/missing")
	e.want(e.remove(f, "/file/a"), ferry.ErrNotDir, "/file/a")
	e.must(e.remove(f, "/file"))
	e.missing(f, "/file")
	e.lists(f, "/", "dir")
}

func rmdir(e *env) {
	f := e.as("alice")
	e.mkdir(f, "/dir")
	e.mkdir(f, "/dir/sub")
	e.upload(f, "/file", "text")
	e.symlink(f, "dir", "/link")
	e.want(e.rmdir(f, "/dir"), ferry.ErrNotEmpty, "/dir")
	e.want(e.rmdir(f, "/file"), ferry.ErrNotDir, "/file")
	e.want(e.rmdir(f, "/link"), ferry.ErrNotDir, "/link")
	e.want(e.rmdir(f, "/missing"), fs.ErrNotExist, "/missing")
	e.must(e.rmdir(f, "/dir/sub"))
	e.must(e.rmdir(f, "/dir"))
	e.lists(f, "/", "file", "link")
}

func renameMoves(e *env) {
	f := e.as("alice")
	e.mkdir(f, "/dir")
	e.upload(f, "/file", "text")
	e.must(e.rename(f, "/file", "/dir/moved", false))
	e.missing(f, "/file")
	e.holds(f, "/dir/moved", "text")
	e.mkdir(f, "/other")
	e.must(e.rename(f, "/dir", "/other/dir", true))
	e.missing(f, "/dir")
	e.holds(f, "/other/dir/moved", "text")
	e.want(e.rename(f, "/missing", "/a", true), fs.ErrNotExist, "/missing", "/a")
	e.want(e.rename(f, "/other", "/no/such", true), fs.ErrNotExist, "/other", "/no/such")
	e.want(e.rename(f, "/other", "/other/dir/moved/a", true), ferry.ErrNotDir, "/other", "/other/dir/moved/a")
}

func renameKeeps(e *env) {
	f := e.as("alice")
	e.mkdir(f, "/dir")
	e.mkdir(f, "/empty")
	e.upload(f, "/a", "a")
	e.upload(f, "/b", "b")
	e.symlink(f, "nowhere", "/link")
	for _, to := range []ferry.Name{"/b", "/dir", "/link", "/a"} {
		e.want(e.rename(f, "/a", to, false), fs.ErrExist, "/a", to)
	}
	e.want(e.rename(f, "/dir", "/empty", false), fs.ErrExist, "/dir", "/empty")
	e.holds(f, "/a", "a")
	e.holds(f, "/b", "b")
	e.lists(f, "/", "a", "b", "dir", "empty", "link")
}

func renameReplaces(e *env) {
	f := e.as("alice")
	e.mkdir(f, "/dir")
	e.mkdir(f, "/full")
	e.mkdir(f, "/empty")
	e.mkdir(f, "/parts")
	e.upload(f, "/full/file", "text")
	e.broken(f, "/parts/file", "half")
	e.upload(f, "/a", "a")
	e.upload(f, "/b", "b")
	e.want(e.rename(f, "/a", "/dir", true), ferry.ErrIsDir, "/a", "/dir")
	e.want(e.rename(f, "/dir", "/a", true), ferry.ErrNotDir, "/dir", "/a")
	e.want(e.rename(f, "/dir", "/full", true), ferry.ErrNotEmpty, "/dir", "/full")
	e.want(e.rename(f, "/dir", "/parts", true), ferry.ErrNotEmpty, "/dir", "/parts")
	e.part(f, "/parts/file", 4)
	e.must(e.rename(f, "/a", "/b", true))
	e.holds(f, "/b", "a")
	e.must(e.rename(f, "/full", "/empty", true))
	e.holds(f, "/empty/file", "text")
	e.lists(f, "/", "b", "dir", "empty", "parts")
}

func renameInto(e *env) {
	f := e.as("alice")
	e.mkdir(f, "/dir")
	e.mkdir(f, "/dir/sub")
	for _, to := range []ferry.Name{"/dir/new", "/dir/sub/new"} {
		for _, replace := range []bool{true, false} {
			e.want(e.rename(f, "/dir", to, replace), fs.ErrInvalid, "/dir", to)
		}
	}
	e.want(e.rename(f, "/dir/sub", "/dir", true), ferry.ErrNotEmpty, "/dir/sub", "/dir")
	e.lists(f, "/dir", "sub")
}

func renameSame(e *env) {
	f := e.as("alice")
	e.mkdir(f, "/dir")
	e.upload(f, "/a", "text")
	e.must(f.Link(context.Background(), "/a", "/b"))
	for _, pair := range [][2]ferry.Name{{"/a", "/a"}, {"/a", "/b"}, {"/dir", "/dir"}} {
		e.must(e.rename(f, pair[0], pair[1], true))
		e.want(e.rename(f, pair[0], pair[1], false), fs.ErrExist, pair[0], pair[1])
	}
	e.lists(f, "/", "a", "b", "dir")
}

func openOutlives(e *env) {
	f := e.as("alice")
	e.upload(f, "/a", "text")
	e.upload(f, "/b", "other")
	h := e.open(f, "/a", ferry.Read)
	e.must(e.rename(f, "/a", "/c", false))
	e.upload(f, "/a", "new")
	if got := e.seen(h); got != "text" {
		e.Errorf("an open file that was renamed reads %q", got)
	}
	e.must(e.rename(f, "/b", "/c", true))
	e.must(e.remove(f, "/c"))
	if got := e.seen(h); got != "text" {
		e.Errorf("an open file that was removed reads %q", got)
	}
	e.must(h.Commit())
}

func rootStays(e *env) {
	f := e.as("alice")
	e.mkdir(f, "/dir")
	e.want(e.remove(f, "/"), ferry.ErrIsDir, "/")
	e.want(e.rmdir(f, "/"), fs.ErrPermission, "/")
	e.want(e.rename(f, "/", "/dir/a", true), fs.ErrPermission, "/", "/dir/a")
	e.want(e.rename(f, "/dir", "/", true), fs.ErrPermission, "/dir", "/")
	e.want(f.Symlink(context.Background(), "dir", "/"), fs.ErrExist, "/")
	e.lists(f, "/", "dir")
}

func list(e *env) {
	f := e.as("alice")
	e.lists(f, "/")
	e.mkdir(f, "/dir")
	e.symlink(f, "dir", "/link")
	var want []string
	for n := range 300 {
		base := fmt.Sprintf("file-%03d", n)
		e.upload(f, ferry.Name("/dir/"+base), "")
		want = append(want, base)
	}
	want = append(want, "\xff not UTF-8", "with\nnewline", ".hidden", "-r", `back\slash`)
	for _, base := range want[300:] {
		e.upload(f, ferry.Name("/dir/"+base), "")
	}
	e.broken(f, "/dir/part", "half")
	h := e.open(f, "/dir/live", ferry.Replace)
	slices.Sort(want)
	e.lists(f, "/dir", want...)
	e.lists(f, "/link", want...)
	e.must(h.Abort(nil))
}

func listFull(e *env) {
	f := e.as("alice")
	e.mkdir(f, "/dir")
	e.mkdir(f, "/dir/sub")
	e.upload(f, "/dir/file", "text")
	e.symlink(f, "file", "/dir/link")
	e.symlink(f, "nowhere", "/dir/dangling")
	for _, d := range []ferry.Detail{ferry.Names, ferry.Full} {
		found := 0
		for i, err := range f.List(context.Background(), "/dir", d) {
			e.must(err)
			found++
			want := e.lstat(f, ferry.Name("/dir/"+i.Name))
			if d == ferry.Names {
				want = ferry.Info{Name: want.Name, Mode: want.Mode.Type()}
				i = ferry.Info{Name: i.Name, Mode: i.Mode.Type()}
			}
			if i != want {
				e.Errorf("List gives\n%+v, Lstat\n%+v", i, want)
			}
		}
		if found != 4 {
			e.Errorf("List gave %d entries, want 4", found)
		}
	}
}

func listFails(e *env) {
	f := e.as("alice")
	e.upload(f, "/file", "text")
	e.symlink(f, "nowhere", "/dangling")
	for name, want := range map[string]error{
		"/file":     ferry.ErrNotDir,
		"/missing":  fs.ErrNotExist,
		"/dangling": fs.ErrNotExist,
		"/file/a":   ferry.ErrNotDir,
	} {
		answers := 0
		for _, err := range f.List(context.Background(), ferry.Name(name), ferry.Full) {
			answers++
			e.want(err, want, ferry.Name(name))
		}
		if answers != 1 {
			e.Errorf("List of %s yielded %d times, want once", name, answers)
		}
	}
}

func listVanish(e *env) {
	f := e.as("alice")
	e.mkdir(f, "/dir")
	for n := range 100 {
		e.upload(f, ferry.Name(fmt.Sprintf("/dir/%d", n)), "")
	}
	first := ""
	for i, err := range f.List(context.Background(), "/dir", ferry.Full) {
		e.must(err)
		if first != "" {
			continue // what was read ahead may still come, but never an error
		}
		first = i.Name
		for n := range 100 {
			if base := fmt.Sprint(n); base != first {
				e.must(e.remove(e.as("bob"), ferry.Name("/dir/"+base)))
			}
		}
	}
	e.lists(f, "/dir", first)
	for range f.List(context.Background(), "/dir", ferry.Full) {
		break
	}
	e.must(e.remove(f, ferry.Name("/dir/"+first)))
	e.must(e.rmdir(f, "/dir"))
}

func space(e *env) {
	f := e.as("alice")
	e.mkdir(f, "/dir")
	for _, name := range []ferry.Name{"/", "/dir"} {
		s, err := f.Space(context.Background(), name)
		e.must(err)
		if s.Free > s.Total || s.Available > s.Free || s.FilesFree > s.Files {
			e.Errorf("Space of %s makes no sense: %+v", name, s)
		}
	}
}
