package fstest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"ferry"
)

func linking() []promise {
	return []promise{
		{text: "a link keeps its target as given", test: linkTarget},
		{text: "links are followed in Stat, List and Open, and on the way", test: linkFollowed},
		{text: "links are not followed in Lstat, Remove, Rmdir, Rename and Link", test: linkNotFollowed},
		{text: "an absolute link means the root of the tree, and .. stays in it", test: linkInside},
		{text: "links in a circle are ErrLoop", test: linkLoop},
		{text: "a chain of eight links is followed", test: linkChain},
		{text: "the straight tree follows no link", test: straightRefuses},
		{text: "the straight tree is the session's, and its names are the same", test: straightIsTheSession},
		{text: "Readlink of what is no link is fs.ErrInvalid", test: notALink},
		{text: "hard links are names of one file", test: hardLinks},
		{text: "SetAttr sets the mode", test: setMode},
		{text: "SetAttr lets no file run as the server", test: refuseIdentity, instead: instead{ServersFiles, lendIdentity}},
		{text: "SetAttr sets the times", test: setTimes},
		{text: "SetAttr sets the size of a file only", test: setSize},
		{text: "SetAttr sets the owner", test: setOwner},
		{text: "SetAttr follows links unless told not to", test: setNoFollow},
		{text: "what an upload sets lasts through Commit", test: setOnUpload},
	}
}

func linkTarget(e *env) {
	f := e.as("alice")
	for n, target := range []string{"a", "../../..", "/abs", "./x//y/", "\xff", "C:\\"} {
		name := fmt.Sprintf("/link%d", n)
		e.symlink(f, target, ferry.Name(name))
		got, err := f.Readlink(context.Background(), ferry.Name(name))
		e.must(err)
		i := e.lstat(f, ferry.Name(name))
		if got != target || i.Target != target || i.Mode.Type() != fs.ModeSymlink || i.Size != int64(len(target)) {
			e.Errorf("a link to %q reads %q and is %+v", target, got, i)
		}
		e.want(f.Symlink(context.Background(), "b", ferry.Name(name)), fs.ErrExist, ferry.Name(name))
	}
	e.want(f.Symlink(context.Background(), "", "/empty"), fs.ErrNotExist, "/empty")
}

func linkFollowed(e *env) {
	f := e.as("alice")
	e.mkdir(f, "/dir")
	e.upload(f, "/dir/file", "text")
	e.symlink(f, "dir", "/to-dir")
	e.symlink(f, "dir/file", "/to-file")
	e.symlink(f, "../to-file", "/dir/back")
	e.symlink(f, "nowhere", "/dangling")
	if i := e.stat(f, "/to-file"); i.Mode.Type() != 0 || i.Size != 4 || i.Name != "to-file" {
		e.Errorf("Stat of a link to a file is %+v", i)
	}
	if i := e.stat(f, "/to-dir"); !i.IsDir() {
		e.Errorf("Stat of a link to a directory is %+v", i)
	}
	e.holds(f, "/to-dir/file", "text")
	e.holds(f, "/to-dir/back", "text")
	e.lists(f, "/to-dir", "back", "file")
	_, err := f.Stat(context.Background(), "/dangling")
	e.want(err, fs.ErrNotExist, "/dangling")
	_, err = f.Stat(context.Background(), "/to-file/a")
	e.want(err, ferry.ErrNotDir, "/to-file/a")
	e.mkdir(f, "/to-dir/sub")
	e.lists(f, "/dir", "back", "file", "sub")
}

func linkNotFollowed(e *env) {
	f := e.as("alice")
	e.mkdir(f, "/dir")
	e.upload(f, "/file", "text")
	e.symlink(f, "file", "/to-file")
	e.symlink(f, "dir", "/to-dir")
	for _, name := range []ferry.Name{"/to-file", "/to-dir"} {
		if i := e.lstat(f, name); i.Mode.Type() != fs.ModeSymlink {
			e.Errorf("Lstat of %s is %+v, want a link", name, i)
		}
	}
	e.must(e.rename(f, "/to-file", "/renamed", false))
	e.holds(f, "/renamed", "text")
	e.must(f.Link(context.Background(), "/renamed", "/linked"))
	if i := e.lstat(f, "/linked"); i.Mode.Type() != fs.ModeSymlink {
		e.Errorf("Link of a link is %+v, want the same link", i)
	}
	e.must(e.remove(f, "/renamed"))
	e.want(e.rmdir(f, "/to-dir"), ferry.ErrNotDir, "/to-dir")
	e.must(e.remove(f, "/to-dir"))
	e.holds(f, "/file", "text")
	e.lists(f, "/", "dir", "file", "linked")

	e.upload(f, "/other", "other")
	e.must(e.rename(f, "/other", "/linked", true))
	e.holds(f, "/file", "text")
	e.holds(f, "/linked", "other")
}

func linkInside(e *env) {
	f := e.as("alice")
	e.mkdir(f, "/etc")
	e.mkdir(f, "/dir")
	e.upload(f, "/etc/passwd", "ours")
	for n, target := range []string{"/etc/passwd", "../../../../etc/passwd", "/../../etc/passwd", "/dir/../etc/../../etc/passwd"} {
		name := fmt.Sprintf("/dir/link%d", n)
		e.symlink(f, target, ferry.Name(name))
		e.holds(f, ferry.Name(name), "ours")
	}
	e.symlink(f, "../../..", "/dir/up")
	e.lists(f, "/dir/up", "dir", "etc")
	e.holds(f, "/dir/up/etc/passwd", "ours")
	e.symlink(f, "/", "/dir/root")
	e.holds(f, "/dir/root/etc/passwd", "ours")
	e.upload(f, "/dir/root/new", "new")
	e.holds(f, "/new", "new")
	e.symlink(f, "/proc/self/root/etc/passwd", "/dir/magic")
	e.refused(f, "/dir/magic", ferry.Read, fs.ErrNotExist)
}

func linkLoop(e *env) {
	f := e.as("alice")
	e.symlink(f, "b", "/a")
	e.symlink(f, "/a", "/b")
	e.symlink(f, "self", "/self")
	for _, name := range []ferry.Name{"/a", "/self", "/a/file"} {
		_, err := f.Stat(context.Background(), name)
		e.want(err, ferry.ErrLoop, name)
		for _, m := range []ferry.Mode{ferry.Read, ferry.Replace, ferry.Resume, ferry.Update} {
			e.refused(f, name, m, ferry.ErrLoop)
		}
	}
	e.must(e.remove(f, "/self"))
	e.lists(f, "/", "a", "b")
}

func linkChain(e *env) {
	f := e.as("alice")
	e.upload(f, "/0", "text")
	for n := range 8 {
		e.symlink(f, fmt.Sprint(n), ferry.Name(fmt.Sprintf("/%d", n+1)))
	}
	e.holds(f, "/8", "text")
}

func notALink(e *env) {
	f := e.as("alice")
	e.mkdir(f, "/dir")
	e.upload(f, "/file", "text")
	for _, name := range []ferry.Name{"/dir", "/file", "/"} {
		_, err := f.Readlink(context.Background(), name)
		e.want(err, fs.ErrInvalid, name)
	}
}

func hardLinks(e *env) {
	f := e.as("alice")
	ctx := context.Background()
	e.mkdir(f, "/dir")
	e.upload(f, "/a", "text")
	e.must(f.Link(ctx, "/a", "/dir/b"))
	a, b := e.stat(f, "/a"), e.stat(f, "/dir/b")
	if a.ID != b.ID || a.Links != b.Links || a.Links != 2 && a.Links != 0 {
		e.Errorf("two names of one file are\n%+v and\n%+v", a, b)
	}
	h := e.open(f, "/a", ferry.Update)
	e.put(h, "TEXT", 0)
	e.must(h.Commit())
	e.holds(f, "/dir/b", "TEXT")
	e.must(e.remove(f, "/a"))
	e.holds(f, "/dir/b", "TEXT")
	e.want(f.Link(ctx, "/missing", "/c"), fs.ErrNotExist, "/missing", "/c")
	e.want(f.Link(ctx, "/dir", "/c"), fs.ErrPermission, "/dir", "/c")
	e.want(f.Link(ctx, "/dir/b", "/dir"), fs.ErrExist, "/dir/b", "/dir")
	e.want(f.Link(ctx, "/dir/b", "/dir/b"), fs.ErrExist, "/dir/b")
}

func setMode(e *env) {
	f := e.as("alice")
	e.upload(f, "/file", "text")
	e.mkdir(f, "/dir")
	for _, mode := range []fs.FileMode{0o700, 0o777, 0o751} {
		for _, name := range []ferry.Name{"/file", "/dir"} {
			before := e.stat(f, name)
			e.must(f.SetAttr(context.Background(), name, ferry.Attr{Mode: &mode}))
			if got := e.stat(f, name).Mode; got != before.Mode.Type()|mode {
				e.Errorf("%s has mode %v after setting %v", name, got, mode)
			}
		}
	}
	sticky := fs.ModeSticky | 0o755
	e.must(f.SetAttr(context.Background(), "/dir", ferry.Attr{Mode: &sticky}))
	if got := e.stat(f, "/dir").Mode; got != fs.ModeDir|sticky {
		e.Errorf("/dir has mode %v after setting %v", got, sticky)
	}
	e.want(f.SetAttr(context.Background(), "/missing", ferry.Attr{Mode: &sticky}), fs.ErrNotExist, "/missing")
}

func refuseIdentity(e *env) {
	f := e.as("alice")
	e.upload(f, "/file", "text")
	before := e.stat(f, "/file")
	h, err := f.Open(context.Background(), "/new", ferry.OpenOptions{Mode: ferry.Replace})
	e.must(err)
	defer h.Abort(nil)
	for _, special := range []fs.FileMode{fs.ModeSetuid | 0o755, fs.ModeSetgid | 0o755} {
		size := int64(1)
		e.want(f.SetAttr(context.Background(), "/file", ferry.Attr{Mode: &special, Size: &size}), fs.ErrPermission, "/file")
		e.want(h.SetAttr(ferry.Attr{Mode: &special}), fs.ErrPermission, "/new")
	}
	if after := e.stat(f, "/file"); after.Mode != before.Mode || after.Size != before.Size {
		e.Errorf("/file has mode %v and size %d after refusals", after.Mode, after.Size)
	}
}

func lendIdentity(e *env) {
	f := e.as("alice")
	e.upload(f, "/file", "text")
	for _, special := range []fs.FileMode{fs.ModeSetuid | 0o755, fs.ModeSetgid | 0o755} {
		e.must(f.SetAttr(context.Background(), "/file", ferry.Attr{Mode: &special}))
		if got := e.stat(f, "/file").Mode; got != special {
			e.Errorf("/file has mode %v, want %v", got, special)
		}
	}
}

func setTimes(e *env) {
	f := e.as("alice")
	e.upload(f, "/file", "text")
	e.mkdir(f, "/dir")
	modified, accessed := time.Unix(1_000_000_000, 0), time.Unix(1_100_000_000, 0)
	for _, name := range []ferry.Name{"/file", "/dir", "/"} {
		e.must(f.SetAttr(context.Background(), name, ferry.Attr{ModTime: &modified, Access: &accessed}))
		e.timed(f, name, modified, accessed)
		later := modified.Add(time.Hour)
		e.must(f.SetAttr(context.Background(), name, ferry.Attr{ModTime: &later}))
		e.timed(f, name, later, accessed)
		e.must(f.SetAttr(context.Background(), name, ferry.Attr{Access: &modified}))
		e.timed(f, name, later, modified)
	}
}

// timed checks the times of name itself, the second where it is known.
func (e *env) timed(f ferry.FS, name ferry.Name, modified, accessed time.Time) {
	e.Helper()
	i := e.lstat(f, name)
	if !i.ModTime.Equal(modified) || !i.Access.IsZero() && !i.Access.Equal(accessed) {
		e.Errorf("%s: modified %v, accessed %v; want %v, %v", name, i.ModTime, i.Access, modified, accessed)
	}
}

func setSize(e *env) {
	f := e.as("alice")
	ctx := context.Background()
	e.upload(f, "/file", "text")
	e.mkdir(f, "/dir")
	for _, row := range []struct {
		size int64
		text string
	}{{2, "te"}, {4, "te\x00\x00"}, {0, ""}} {
		e.must(f.SetAttr(ctx, "/file", ferry.Attr{Size: &row.size}))
		e.holds(f, "/file", row.text)
	}
	size := int64(3)
	e.want(f.SetAttr(ctx, "/dir", ferry.Attr{Size: &size}), ferry.ErrIsDir, "/dir")
	size = -1
	e.want(f.SetAttr(ctx, "/file", ferry.Attr{Size: &size}), fs.ErrInvalid, "/file")
}

func setOwner(e *env) {
	f := e.as("alice")
	e.upload(f, "/file", "text")
	i := e.stat(f, "/file") // nobody but root may set another
	e.must(f.SetAttr(context.Background(), "/file", ferry.Attr{UID: &i.UID, GID: &i.GID}))
	e.must(f.SetAttr(context.Background(), "/file", ferry.Attr{GID: &i.GID}))
	if now := e.stat(f, "/file"); now.UID != i.UID || now.GID != i.GID {
		e.Errorf("the owner is %d:%d, want %d:%d", now.UID, now.GID, i.UID, i.GID)
	}
}

func setNoFollow(e *env) {
	f := e.as("alice")
	ctx := context.Background()
	e.upload(f, "/file", "text")
	e.symlink(f, "file", "/link")
	first, second := time.Unix(1_000_000_000, 0), time.Unix(1_100_000_000, 0)
	mode, size := fs.FileMode(0o700), int64(2)
	e.must(f.SetAttr(ctx, "/link", ferry.Attr{ModTime: &first, Access: &first}))
	e.must(f.SetAttr(ctx, "/link", ferry.Attr{ModTime: &second, Access: &second, NoFollow: true}))
	e.timed(f, "/file", first, first)
	if i := e.lstat(f, "/link"); !i.ModTime.Equal(second) {
		e.Errorf("the link is modified %v, want %v", i.ModTime, second)
	}
	e.want(f.SetAttr(ctx, "/link", ferry.Attr{Mode: &mode, NoFollow: true}), errors.ErrUnsupported, "/link")
	e.want(f.SetAttr(ctx, "/link", ferry.Attr{Size: &size, NoFollow: true}), fs.ErrInvalid, "/link")
	e.holds(f, "/file", "text")
	e.must(f.SetAttr(ctx, "/link", ferry.Attr{Mode: &mode, Size: &size}))
	e.holds(f, "/file", "te")
	if got := e.lstat(f, "/file").Mode; got != 0o700 {
		e.Errorf("through a link the file got mode %v, want 0700", got)
	}
	e.must(f.SetAttr(ctx, "/file", ferry.Attr{Mode: &mode, NoFollow: true}))
}

func setOnUpload(e *env) {
	f := e.as("alice")
	e.upload(f, "/old", "old")
	mode, modified := fs.FileMode(0o711), time.Unix(1_000_000_000, 0)
	set := ferry.Attr{Mode: &mode, ModTime: &modified}
	for _, name := range []ferry.Name{"/old", "/new"} {
		for _, byName := range []bool{true, false} {
			h := e.open(f, name, ferry.Replace)
			e.put(h, "content", 0)
			if byName {
				e.must(f.SetAttr(context.Background(), name, set))
			} else {
				e.must(h.SetAttr(set))
			}
			e.must(h.Commit())
			if i := e.stat(f, name); i.Mode != mode || !i.ModTime.Equal(modified) {
				e.Errorf("%s: Commit left mode %v, modified %v", name, i.Mode, i.ModTime)
			}
		}
		e.holds(f, name, "content")
	}
}
