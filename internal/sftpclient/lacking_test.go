package sftpclient_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"ferry"
	"ferry/internal/fstest"
	"ferry/internal/sftpclient"
	"ferry/internal/sftpconn"
	"ferry/internal/sftpserver"
)

// bare is alice's session on a server that has none of the extensions.
func bare(t *testing.T, below fstest.Tree) ferry.FS {
	return loop{t: t, below: below, serve: func(s *sftpserver.Options) {
		s.Deny = []string{"posix-rename", "hardlink", "statvfs", "fsync", "lsetstat", "limits"}
	}}.For(ferry.User{Name: "alice"})
}

// TestWithoutExtensions: what needs one is errors.ErrUnsupported, and new
// content replaces old all the same.
func TestWithoutExtensions(t *testing.T) {
	below := inMemory(t)
	f := bare(t, below)
	ctx := context.Background()
	put(t, f, "/a", "old")
	put(t, f, "/a", "new")
	holds(t, below.For(ferry.User{Name: "bob"}), "/a", "new")
	put(t, f, "/b", "b")
	if err := f.Rename(ctx, "/b", "/a", true); err != nil {
		t.Error(err)
	}
	holds(t, f, "/a", "b")
	if err := f.Symlink(ctx, "a", "/link"); err != nil {
		t.Error(err)
	}
	if err := f.Mkdir(ctx, "/dir", nil); err != nil {
		t.Error(err)
	}
	if err := f.Rename(ctx, "/a", "/dir", true); !errors.Is(err, ferry.ErrIsDir) {
		t.Errorf("Rename onto a directory: %v", err)
	}
	now := time.Unix(1_000_000_000, 0)
	h, err := f.Open(ctx, "/a", ferry.OpenOptions{Mode: ferry.Replace})
	if err != nil {
		t.Fatal(err)
	}
	_, space := f.Space(ctx, "/")
	for what, err := range map[string]error{
		"Link":                f.Link(ctx, "/a", "/c"),
		"Space":               space,
		"Sync":                h.Sync(),
		"SetAttr of the link": f.SetAttr(ctx, "/link", ferry.Attr{ModTime: &now, NoFollow: true}),
	} {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v, want %v", what, err, errors.ErrUnsupported)
		}
	}
	if err := h.Abort(nil); err != nil {
		t.Error(err)
	}
	if err := f.SetAttr(ctx, "/a", ferry.Attr{ModTime: &now, Access: &now, NoFollow: true}); err != nil {
		t.Errorf("SetAttr of what is no link: %v", err)
	}
	names(t, f, "/", "a", "dir", "link")
}

// TestDurableNeedsFsync: who asks for it is told at the beginning.
func TestDurableNeedsFsync(t *testing.T) {
	here, there := net.Pipe()
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = sftpserver.Serve(context.Background(), there, sftpserver.Options{
			FS: inMemory(t).For(ferry.User{}), Deny: []string{"fsync"},
		})
	}()
	_, err := sftpclient.New(t.Context(), here, sftpclient.Options{Durable: true})
	if err == nil || !strings.Contains(err.Error(), "fsync@openssh.com") {
		t.Errorf("New: %v", err)
	}
	<-over
}

// TestDurableUpload goes the way of every other.
func TestDurableUpload(t *testing.T) {
	f := loop{t: t, below: onDisk(t), opts: func(o *sftpclient.Options) { o.Durable = true }}.For(ferry.User{Name: "alice"})
	put(t, f, "/a", "old")
	put(t, f, "/a", "new")
	holds(t, f, "/a", "new")
	names(t, f, "/", "a")
}

// TestRootOnTheServer: names begin in a directory of the server's, and nothing
// leads above it by name.
func TestRootOnTheServer(t *testing.T) {
	below := inMemory(t)
	ctx := context.Background()
	local := below.For(ferry.User{Name: "alice"})
	for _, dir := range []string{"/home", "/home/alice"} {
		if err := local.Mkdir(ctx, ferry.Name(dir), nil); err != nil {
			t.Fatal(err)
		}
	}
	put(t, local, "/secret", "secret")
	at := func(root string) loop {
		return loop{t: t, below: below, opts: func(o *sftpclient.Options) { o.Root = root }}
	}
	f := at("home/alice/").For(ferry.User{Name: "alice"})
	put(t, f, "/a", "content")
	holds(t, local, "/home/alice/a", "content")
	if i, err := f.Stat(ctx, "/"); err != nil || !i.IsDir() || i.Name != "/" {
		t.Errorf("the root is %+v, %v", i, err)
	}
	if err := f.Mkdir(ctx, "/d", nil); err != nil {
		t.Error(err)
	}
	if err := f.Rename(ctx, "/a", "/d/a", false); err != nil {
		t.Error(err)
	}
	names(t, f, "/", "d")
	here, there := net.Pipe()
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = sftpserver.Serve(ctx, there, sftpserver.Options{FS: local})
	}()
	if _, err := sftpclient.New(ctx, here, sftpclient.Options{Root: "/secret"}); !errors.Is(err, ferry.ErrNotDir) {
		t.Errorf("a file as root: %v", err)
	}
	<-over
}

// TestBrokenSessionLeavesThePart: the server is gone in the middle of an
// upload, and the next session goes on with what had arrived.
func TestBrokenSessionLeavesThePart(t *testing.T) {
	below := inMemory(t)
	u := ferry.User{Name: "alice"}
	over, cancel := context.WithCancel(context.Background())
	here, there := net.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = sftpserver.Serve(over, there, sftpserver.Options{FS: below.For(u), User: u})
	}()
	f, err := sftpclient.New(context.Background(), here, sftpclient.Options{User: u})
	if err != nil {
		t.Fatal(err)
	}
	h, err := f.Open(context.Background(), "/a", ferry.OpenOptions{Mode: ferry.Replace})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.WriteAt([]byte("first "), 0); err != nil {
		t.Fatal(err)
	}
	cancel()
	<-ended
	if err := h.Commit(); !errors.Is(err, sftpconn.ErrLost) {
		t.Errorf("Commit: %v, want %v", err, sftpconn.ErrLost)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}

	again := loop{t: t, below: below}.For(u)
	if i, err := again.Stat(context.Background(), "/a"); err != nil || !i.Unfinished {
		t.Errorf("what was broken off is %+v, %v; want it to be unfinished", i, err)
	}
	names(t, again, "/")
	h, err = again.Open(context.Background(), "/a", ferry.OpenOptions{Mode: ferry.Resume, At: ferry.AtEnd})
	if err != nil {
		t.Fatal(err)
	}
	i, err := h.Stat()
	if err != nil || i.Size != 6 {
		t.Errorf("Resume goes on from %d, %v; want 6", i.Size, err)
	}
	if _, err := h.WriteAt([]byte("second"), 6); err != nil {
		t.Error(err)
	}
	if err := h.Commit(); err != nil {
		t.Error(err)
	}
	holds(t, again, "/a", "first second")
	names(t, again, "/", "a")
}
