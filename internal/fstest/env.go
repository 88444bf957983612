package fstest

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"testing"
	"time"

	"ferry"
)

// env is what a promise is tested with: a test and an empty tree.
type env struct {
	*testing.T
	tree Tree
}

// as begins a session of the user called name.
func (e *env) as(name string) ferry.FS { return e.tree.For(ferry.User{Name: name}) }

// must ends the test at an error.
func (e *env) must(err error) {
	e.Helper()
	if err != nil {
		e.Fatalf("unexpected error: %v", err)
	}
}

// want checks that err matches target and is about one of the client's names.
func (e *env) want(err, target error, names ...ferry.Name) {
	e.Helper()
	if !errors.Is(err, target) {
		e.Errorf("%v: error %v, want %v", names, err, target)
		return
	}
	var about *fs.PathError
	if !errors.As(err, &about) {
		e.Errorf("%v: error %v is no *fs.PathError", names, err)
	} else if !slices.Contains(names, ferry.Name(about.Path)) {
		e.Errorf("error %v is about %q, want one of %q", err, about.Path, names)
	}
}

// options open for m, anywhere.
func options(m ferry.Mode) ferry.OpenOptions {
	return ferry.OpenOptions{Mode: m, At: ferry.Anywhere}
}

func (e *env) open(f ferry.FS, name ferry.Name, m ferry.Mode) ferry.Handle {
	e.Helper()
	return e.openFor(f, name, options(m))
}

func (e *env) openFor(f ferry.FS, name ferry.Name, o ferry.OpenOptions) ferry.Handle {
	e.Helper()
	h, err := f.Open(context.Background(), name, o)
	if err != nil {
		e.Fatalf("open %s for %s at %d: %v", name, modeName(o.Mode), o.At, err)
	}
	return h
}

// refused checks that opening fails as target says.
func (e *env) refused(f ferry.FS, name ferry.Name, m ferry.Mode, target error) {
	e.Helper()
	e.refusedFor(f, name, options(m), target)
}

func (e *env) refusedFor(f ferry.FS, name ferry.Name, o ferry.OpenOptions, target error) {
	e.Helper()
	h, err := f.Open(context.Background(), name, o)
	if err == nil {
		e.Errorf("open %s for %s at %d succeeded, want %v", name, modeName(o.Mode), o.At, target)
		e.must(h.Abort(nil))
		return
	}
	e.want(err, target, name)
}

// put writes text at off.
func (e *env) put(h ferry.Handle, text string, off int64) {
	e.Helper()
	n, err := h.WriteAt([]byte(text), off)
	if n != len(text) || err != nil {
		e.Fatalf("WriteAt %d bytes at %d: %d, %v", len(text), off, n, err)
	}
}

// upload makes text the whole content of name.
func (e *env) upload(f ferry.FS, name ferry.Name, text string) {
	e.Helper()
	h := e.open(f, name, ferry.Replace)
	e.put(h, text, 0)
	e.must(h.Commit())
}

// broken begins an upload of name, gets as far as text, and breaks off.
func (e *env) broken(f ferry.FS, name ferry.Name, text string) {
	e.Helper()
	h := e.open(f, name, ferry.Replace)
	e.put(h, text, 0)
	e.must(h.Abort(ferry.ErrControlLost))
}

func (e *env) mkdir(f ferry.FS, name ferry.Name) {
	e.Helper()
	e.must(f.Mkdir(context.Background(), name, nil))
}

func (e *env) symlink(f ferry.FS, target string, name ferry.Name) {
	e.Helper()
	e.must(f.Symlink(context.Background(), target, name))
}

func (e *env) rename(f ferry.FS, from, to ferry.Name, replace bool) error {
	return f.Rename(context.Background(), from, to, replace)
}

func (e *env) remove(f ferry.FS, name ferry.Name) error { return f.Remove(context.Background(), name) }

func (e *env) rmdir(f ferry.FS, name ferry.Name) error { return f.Rmdir(context.Background(), name) }

// seen is all that can be read through h.
func (e *env) seen(h ferry.Handle) string {
	e.Helper()
	all, err := io.ReadAll(io.NewSectionReader(h, 0, 1<<40))
	e.must(err)
	return string(all)
}

// holds checks the content of name.
func (e *env) holds(f ferry.FS, name ferry.Name, text string) {
	e.Helper()
	h := e.open(f, name, ferry.Read)
	if got := e.seen(h); got != text {
		e.Errorf("%s holds %.40q (%d bytes), want %.40q (%d bytes)", name, got, len(got), text, len(text))
	}
	e.must(h.Abort(nil))
}

// missing checks that nothing stands under name; an upload of the session's user
// may be on its way.
func (e *env) missing(f ferry.FS, name ferry.Name) {
	e.Helper()
	if i, err := f.Lstat(context.Background(), name); err != nil || !i.Unfinished {
		e.want(err, fs.ErrNotExist, name)
	}
	e.refused(f, name, ferry.Read, fs.ErrNotExist)
}

func (e *env) stat(f ferry.FS, name ferry.Name) ferry.Info {
	e.Helper()
	i, err := f.Stat(context.Background(), name)
	e.must(err)
	return i
}

func (e *env) lstat(f ferry.FS, name ferry.Name) ferry.Info {
	e.Helper()
	i, err := f.Lstat(context.Background(), name)
	e.must(err)
	return i
}

// sized checks the size that Stat gives.
func (e *env) sized(f ferry.FS, name ferry.Name, size int64) {
	e.Helper()
	if got := e.stat(f, name).Size; got != size {
		e.Errorf("Stat says that %s has %d bytes, want %d", name, got, size)
	}
}

// part checks that a part of that size is kept for the session's user.
func (e *env) part(f ferry.FS, name ferry.Name, size int64) {
	e.Helper()
	i, err := f.Part(context.Background(), name)
	e.must(err)
	if i.Size != size {
		e.Errorf("the part of %s has %d bytes, want %d", name, i.Size, size)
	}
}

// noPart checks that no part is kept for the session's user.
func (e *env) noPart(f ferry.FS, name ferry.Name) {
	e.Helper()
	_, err := f.Part(context.Background(), name)
	e.want(err, fs.ErrNotExist, name)
}

// list gives the names in dir, sorted.
func (e *env) list(f ferry.FS, dir ferry.Name) []string {
	e.Helper()
	var bases []string
	for i, err := range f.List(context.Background(), dir, ferry.Names) {
		e.must(err)
		bases = append(bases, i.Name)
	}
	slices.Sort(bases)
	return bases
}

// lists checks the names in dir.
func (e *env) lists(f ferry.FS, dir ferry.Name, want ...string) {
	e.Helper()
	if got := e.list(f, dir); !slices.Equal(got, want) {
		e.Errorf("%s lists %q, want %q", dir, got, want)
	}
}

// silence lets every open upload be silent for long enough to be taken over.
// It takes no time: the suite runs in a bubble.
func (e *env) silence() { time.Sleep(ferry.TakeoverAfter) }
