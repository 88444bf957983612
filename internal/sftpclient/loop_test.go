package sftpclient_test

import (
	"context"
	"net"
	"slices"
	"testing"
	"testing/synctest"

	"ferry"
	"ferry/internal/disk"
	"ferry/internal/fstest"
	"ferry/internal/mem"
	"ferry/internal/sftpclient"
	"ferry/internal/sftpserver"
)

// umask is that of the storages here.
const umask = 0o022

// loop is a storage as it is seen through a client and our own server.
type loop struct {
	t     *testing.T
	below fstest.Tree
	serve func(*sftpserver.Options) // changes how it is served; nil: as it is
	opts  func(*sftpclient.Options) // changes how it is seen; nil: as it is
}

func (l loop) For(u ferry.User) ferry.FS {
	l.t.Helper()
	here, there := net.Pipe()
	session := sftpserver.Options{FS: l.below.For(u), User: u, PartWait: -1}
	if l.serve != nil {
		l.serve(&session)
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = sftpserver.Serve(context.Background(), there, session) // how it ended is the tests' of the server
	}()
	opts := sftpclient.Options{User: u, Umask: umask}
	if l.opts != nil {
		l.opts(&opts)
	}
	f, err := sftpclient.New(context.Background(), here, opts)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() {
		_ = f.Close()
		<-over
		_ = session.FS.Close()
	})
	return f
}

func inMemory(*testing.T) fstest.Tree { return mem.New(mem.Config{Umask: umask}) }

func onDisk(t *testing.T) fstest.Tree {
	tree, err := disk.Open(disk.Config{Root: t.TempDir(), Umask: umask})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tree.Close() })
	return tree
}

// lacks is what a remote tree cannot have; the documentation of the package
// says what it has instead.
func lacks() []fstest.Lack {
	return []fstest.Lack{fstest.LinkCounts, fstest.OtherSessions, fstest.Identities}
}

// modest is a server that names no limits, and a client that hurries little:
// transfers are cut into many more pieces.
func modest(l loop) loop {
	l.serve = func(s *sftpserver.Options) { s.Deny = []string{"limits"} }
	l.opts = func(o *sftpclient.Options) { o.Outstanding = 3 }
	return l
}

func TestConformance(t *testing.T) {
	for name, open := range map[string]func(*testing.T) fstest.Tree{
		"mem":        func(t *testing.T) fstest.Tree { return loop{t: t, below: inMemory(t)} },
		"mem modest": func(t *testing.T) fstest.Tree { return modest(loop{t: t, below: inMemory(t)}) },
		"disk":       func(t *testing.T) fstest.Tree { return loop{t: t, below: onDisk(t)} },
	} {
		t.Run(name, func(t *testing.T) { fstest.Run(t, open, lacks()...) })
	}
}

func TestRandomAgreesWithMem(t *testing.T) {
	for name, storage := range map[string]func(*testing.T) fstest.Tree{"mem": inMemory, "disk": onDisk} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(12) {
				synctest.Test(t, func(t *testing.T) {
					fstest.Random(t, seed, 300, loop{t: t, below: storage(t)}, inMemory(t), lacks()...)
				})
			}
		})
	}
}

// put makes text the content of name.
func put(t *testing.T, f ferry.FS, name ferry.Name, text string) {
	t.Helper()
	h, err := f.Open(context.Background(), name, ferry.OpenOptions{Mode: ferry.Replace})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.WriteAt([]byte(text), 0); err != nil {
		t.Error(err)
	}
	if err := h.Commit(); err != nil {
		t.Error(err)
	}
}

// holds checks the content of name.
func holds(t *testing.T, f ferry.FS, name ferry.Name, text string) {
	t.Helper()
	h, err := f.Open(context.Background(), name, ferry.OpenOptions{Mode: ferry.Read})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Abort(nil)
	got := make([]byte, len(text)+1)
	if n, err := h.ReadAt(got, 0); string(got[:n]) != text {
		t.Errorf("%s holds %q, %v; want %q", name, got[:n], err, text)
	}
}

// names checks what dir lists.
func names(t *testing.T, f ferry.FS, dir ferry.Name, want ...string) {
	t.Helper()
	var got []string
	for i, err := range f.List(context.Background(), dir, ferry.Names) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, i.Name)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%s lists %q, want %q", dir, got, want)
	}
}
