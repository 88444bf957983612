package fstest

import (
	"context"
	"io/fs"
	"slices"

	"ferry"
)

// straightOps is every operation of the straight tree on name. Those of the first list
// follow a link in the last element where they may; the others do not.
func straightOps(f ferry.FS) (follow, stay map[string]func(name ferry.Name) error) {
	ctx := context.Background()
	mode := fs.FileMode(0o640)
	opens := func(m ferry.Mode) func(ferry.Name) error {
		return func(name ferry.Name) error {
			h, err := f.Open(ctx, name, ferry.OpenOptions{Mode: m})
			if err == nil {
				_ = h.Abort(nil)
			}
			return err
		}
	}
	follow = map[string]func(ferry.Name) error{
		"Stat": func(n ferry.Name) error { _, err := f.Stat(ctx, n); return err },
		"List": func(n ferry.Name) error {
			for _, err := range f.List(ctx, n, ferry.Full) {
				return err
			}
			return nil
		},
		"Part":    func(n ferry.Name) error { _, err := f.Part(ctx, n); return err },
		"SetAttr": func(n ferry.Name) error { return f.SetAttr(ctx, n, ferry.Attr{Mode: &mode}) },
		"Space":   func(n ferry.Name) error { _, err := f.Space(ctx, n); return err },
		"Read":    opens(ferry.Read), "Replace": opens(ferry.Replace), "Resume": opens(ferry.Resume),
		"Update": opens(ferry.Update), "Revise": opens(ferry.Revise),
	}
	stay = map[string]func(ferry.Name) error{
		"Lstat":             func(n ferry.Name) error { _, err := f.Lstat(ctx, n); return err },
		"Readlink":          func(n ferry.Name) error { _, err := f.Readlink(ctx, n); return err },
		"Mkdir":             func(n ferry.Name) error { return f.Mkdir(ctx, n, nil) },
		"Remove":            func(n ferry.Name) error { return f.Remove(ctx, n) },
		"Rmdir":             func(n ferry.Name) error { return f.Rmdir(ctx, n) },
		"Rename":            func(n ferry.Name) error { return f.Rename(ctx, n, "/other", true) },
		"Rename to":         func(n ferry.Name) error { return f.Rename(ctx, "/file", n, true) },
		"Symlink":           func(n ferry.Name) error { return f.Symlink(ctx, "file", n) },
		"Link":              func(n ferry.Name) error { return f.Link(ctx, n, "/other") },
		"Link to":           func(n ferry.Name) error { return f.Link(ctx, "/file", n) },
		"SetAttr of a link": func(n ferry.Name) error { return f.SetAttr(ctx, n, ferry.Attr{Mode: &mode, NoFollow: true}) },
		"Exclusive":         opens(ferry.Exclusive), "ResumeNew": opens(ferry.ResumeNew),
	}
	return follow, stay
}

func straightRefuses(e *env) {
	f := e.as("alice")
	e.mkdir(f, "/dir")
	e.upload(f, "/dir/in", "text")
	e.upload(f, "/file", "text")
	e.symlink(f, "dir", "/to-dir")
	e.symlink(f, "/dir/in", "/to-file")
	e.symlink(f, "/dir/new", "/to-new")
	e.symlink(f, "..", "/dir/up")
	follow, stay := straightOps(f.Straight())
	for op, do := range follow {
		for _, name := range []ferry.Name{"/to-dir", "/to-file", "/to-new", "/to-dir/in", "/to-dir/new", "/dir/up/dir", "/to-dir/up/file"} {
			if err := do(name); err == nil {
				e.Errorf("%s follows %s", op, name)
			} else {
				e.want(err, ferry.ErrLoop, name)
			}
		}
	}
	for op, do := range stay {
		for _, name := range []ferry.Name{"/to-dir/in", "/to-dir/new", "/dir/up/dir", "/dir/up/new", "/to-dir/up/file"} {
			if err := do(name); err == nil {
				e.Errorf("%s follows %s", op, name)
			} else {
				e.want(err, ferry.ErrLoop, name, "/file", "/other")
			}
		}
	}
	// And nothing has happened.
	e.lists(f, "/", "dir", "file", "to-dir", "to-file", "to-new")
	e.lists(f, "/dir", "in", "up")
	e.holds(f, "/dir/in", "text")
}

func straightIsTheSession(e *env) {
	f := e.as("alice")
	s := f.Straight()
	e.mkdir(s, "/dir")
	e.upload(s, "/dir/file", "text")
	e.holds(s, "/dir/file", "text")
	e.symlink(s, "dir/file", "/link")
	if i := e.lstat(s, "/link"); i.Mode.Type() != fs.ModeSymlink || i.Target != "dir/file" {
		e.Errorf("Lstat of a link is %+v", i)
	}
	if got := e.list(s, "/"); !slices.Equal(got, []string{"dir", "link"}) {
		e.Errorf("the straight tree lists %q", got)
	}
	_, err := s.Stat(context.Background(), "/dir/file/below")
	e.want(err, ferry.ErrNotDir, "/dir/file/below")
	_, err = s.Stat(context.Background(), "/nothing/below")
	e.want(err, fs.ErrNotExist, "/nothing/below")
	h := e.open(f, "/dir/new", ferry.Replace)
	e.put(h, "new", 0)
	e.sized(s, "/dir/new", 3) // its own unfinished file
	e.must(e.rename(s, "/dir/new", "/moved", false))
	e.must(h.Commit())
	e.holds(s, "/moved", "new")
	e.must(e.remove(s, "/link"))
	e.must(s.Close())
	e.refused(f, "/moved", ferry.Read, ferry.ErrClosed)
}
