package sftppath

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"strings"
	"sync"
	"testing"

	"ferry"
	"ferry/internal/sftpconn"
	"ferry/internal/sftpwire"
)

// on is the paths of a server that has these things: a directory ends in "/", a link has
// its target behind " -> ", anything else is a file.
func on(t *testing.T, root string, things ...string) *Paths {
	t.Helper()
	modes, targets := map[string]fs.FileMode{"/": fs.ModeDir}, map[string]string{}
	for _, thing := range things {
		if name, target, ok := strings.Cut(thing, " -> "); ok {
			modes[name], targets[name] = fs.ModeSymlink, target
		} else if name, ok := strings.CutSuffix(thing, "/"); ok {
			modes[name] = fs.ModeDir
		} else {
			modes[thing] = 0
		}
	}
	answer := func(r sftpwire.Request) sftpwire.Reply {
		switch r := r.(type) {
		case *sftpwire.Lstat:
			if mode, ok := modes[r.Name]; ok {
				return &sftpwire.AttrsReply{Attrs: sftpwire.Attrs{Flags: sftpwire.AttrMode, Mode: sftpwire.PosixMode(mode | 0o755)}}
			}
		case *sftpwire.Rmdir:
			return &sftpwire.Status{Code: sftpwire.PermissionDenied}
		case *sftpwire.Readlink:
			return &sftpwire.Names{Entries: []sftpwire.Entry{{Name: targets[r.Name]}}}
		}
		return &sftpwire.Status{Code: sftpwire.NoSuchFile}
	}
	here, there := net.Pipe()
	conn := sftpconn.New(here)
	var ended sync.WaitGroup
	ended.Go(func() {
		for {
			n, err := sftpconn.ReadLength(there)
			if err != nil {
				return
			}
			packet := make([]byte, n)
			if _, err := io.ReadFull(there, packet); err != nil {
				return
			}
			id, r, err := sftpwire.ParseRequest(packet)
			if err != nil {
				t.Errorf("%q: %v", packet, err)
				return
			}
			if _, err := there.Write(sftpwire.AppendReply(nil, id, answer(r))); err != nil {
				return
			}
		}
	})
	conn.Start()
	t.Cleanup(func() {
		_ = there.Close()
		conn.Close()
		ended.Wait()
	})
	return New(conn, root)
}

// TestResolve: where a name leads, all links on the way followed.
func TestResolve(t *testing.T) {
	p := on(t, "/home", "/home/", "/home/d/", "/home/d/f", "/home/l -> d", "/home/up -> ../other/x", "/home/abs -> /home/d/f",
		"/home/loop -> loop", "/home/dangling -> nothing", "/home/dots -> d/../d/.", "/other/")
	for _, test := range []struct {
		name   ferry.Name
		follow bool
		path   string
		there  bool
		err    error
	}{
		{"/", true, "/home", true, nil},
		{"/d/f", true, "/home/d/f", true, nil},
		{"/d/new", true, "/home/d/new", false, nil},
		{"/l/f", false, "/home/d/f", true, nil},
		{"/l", false, "/home/l", true, nil},
		{"/l", true, "/home/d", true, nil},
		{"/up", true, "/other/x", false, nil},
		{"/abs", true, "/home/d/f", true, nil},
		{"/dots", true, "/home/d", true, nil},
		{"/dangling", true, "/home/nothing", false, nil},
		{"/dangling", false, "/home/dangling", true, nil},
		{"/loop", true, "", false, ferry.ErrLoop},
		{"/missing/f", true, "", false, fs.ErrNotExist},
		{"/d/f/g", true, "", false, ferry.ErrNotDir},
	} {
		at, err := p.Resolve(t.Context(), test.name, test.follow)
		if !errors.Is(err, test.err) || err == nil && (at.Path() != test.path || at.There != test.there) {
			t.Errorf("%s (follow %v): %s, there %v, %v", test.name, test.follow, at.Path(), at.There, err)
		}
	}
}

// TestWhy: what version 3 has one code for is told apart by a look.
func TestWhy(t *testing.T) {
	p := on(t, "/", "/f", "/d/", "/loop -> loop")
	missing := p.conn.Do(t.Context(), &sftpwire.Remove{Name: "/missing"})
	denied := p.conn.Do(t.Context(), &sftpwire.Rmdir{Name: "/d"})
	if !errors.Is(missing, fs.ErrNotExist) {
		t.Fatal(missing)
	}
	for name, test := range map[string]struct{ got, want error }{
		"a file on the way":  {p.Because(t.Context(), "/f/x", true, missing), ferry.ErrNotDir},
		"links in a circle":  {p.Because(t.Context(), "/loop/x", true, missing), ferry.ErrLoop},
		"nothing":            {p.Because(t.Context(), "/x", true, missing), fs.ErrNotExist},
		"a file, no dir":     {p.NotDir(t.Context(), "/f", true, missing), ferry.ErrNotDir},
		"a dir where a file": {p.IsDir(t.Context(), "/d", true, denied), ferry.ErrIsDir},
		"no reason to look":  {p.Taken(t.Context(), "/f", nil), nil},
	} {
		if !errors.Is(test.got, test.want) {
			t.Errorf("%s: %v, want %v", name, test.got, test.want)
		}
	}
}

func TestIsWithin(t *testing.T) {
	for _, test := range []struct {
		path, dir string
		want      bool
	}{{"/a", "/", true}, {"/a", "/a", true}, {"/a/b", "/a", true}, {"/ab", "/a", false}, {"/a", "/a/b", false}} {
		if IsWithin(test.path, test.dir) != test.want {
			t.Errorf("%s within %s: %v", test.path, test.dir, !test.want)
		}
	}
}
