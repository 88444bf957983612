package sftpserver

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"ferry"
	"ferry/internal/mem"
	"ferry/internal/sftptest"
	"ferry/internal/sftpwire"
)

// TestThreat16PacketsThatEndTheSession: what cannot be answered closes the
// session, with the reason in the log, and panics nowhere.
func TestThreat16PacketsThatEndTheSession(t *testing.T) {
	for what, bytes := range map[string]string{
		"length 0":       "\x00\x00\x00\x00",
		"length too big": "\x00\x04\x04\x01",
		"length 2^32-1":  "\xff\xff\xff\xff",
		"no number":      "\x00\x00\x00\x03\x05ab",
	} {
		w := newWorld()
		p := dial(t, w.session())
		p.Want(sftpwire.OK, &sftpwire.Mkdir{Name: "/d"})
		p.Write([]byte(bytes))
		if p.Ask(&sftpwire.Stat{Name: "/d"}) != nil {
			t.Errorf("%s: the session goes on", what)
		}
		if err := p.End(); err == nil {
			t.Errorf("%s: Serve reports no error", what)
		}
		if !strings.Contains(w.log.String(), "session closed") {
			t.Errorf("%s: the log says nothing:\n%s", what, w.log)
		}
	}
}

// TestThreat16PacketsThatAreRefused: the rest has an answer, and the session
// goes on.
func TestThreat16PacketsThatAreRefused(t *testing.T) {
	p := dial(t, newWorld().session())
	whole := sftpwire.AppendRequest(nil, 0, &sftpwire.Open{Name: "/a", Flags: sftptest.Rd})
	for _, row := range []struct {
		what   string
		packet []byte
		want   sftpwire.Code
	}{
		{"a short OPEN", whole[:len(whole)-1], sftpwire.BadMessage},
		{"a string longer than the packet", append(whole[:9:9], 0xff, 0xff, 0xff, 0xff), sftpwire.BadMessage},
		{"an empty body", whole[:9], sftpwire.BadMessage},
		{"an unknown type", append([]byte{0, 0, 0, 5, 99}, whole[5:9]...), sftpwire.OpUnsupported},
		{"INIT again", append([]byte{0, 0, 0, 5, 1}, whole[5:9]...), sftpwire.OpUnsupported},
		{"a reply", append([]byte{0, 0, 0, 5, 101}, whole[5:9]...), sftpwire.OpUnsupported},
	} {
		packet := append([]byte(nil), row.packet...)
		p.Last++
		binary.BigEndian.PutUint32(packet, uint32(len(packet)-4))
		binary.BigEndian.PutUint32(packet[5:], p.Last)
		p.Write(packet)
		if got := p.CodeOf(nil, p.Wait(p.Last)); got != row.want {
			t.Errorf("%s: %v, want %v", row.what, got, row.want)
		}
	}
	p.Want(sftpwire.OK, &sftpwire.Mkdir{Name: "/d"})
}

// TestThreat16Beginnings: who does not begin with INIT is not spoken to; which
// version is asked for does not matter.
func TestThreat16Beginnings(t *testing.T) {
	for _, first := range []string{"\x00\x00\x00\x05\x03\x00\x00\x00\x01", "GET / HTTP/1.1\r\n\r\n", "\x00\x00\x00\x01\x01"} {
		p := dialSilently(t, context.Background(), newWorld().session())
		p.Write([]byte(first))
		if _, err := io.ReadAll(p.Conn); err != nil {
			t.Errorf("%q: %v", first, err)
		}
		if err := p.End(); !errors.Is(err, errNoHello) && !errors.Is(err, sftpwire.ErrLength) {
			t.Errorf("%q: the session ended with %v", first, err)
		}
	}
	for _, version := range []uint32{0, 2, 3, 6, 1<<32 - 1} {
		p := dialSilently(t, context.Background(), newWorld().session())
		p.Write(sftpwire.AppendInit(nil, sftpwire.Hello{Version: version, Extensions: []sftpwire.Extension{{Name: "a", Data: "b"}}}))
		packet, err := sftptest.ReadPacket(p.Conn)
		if err != nil {
			t.Fatal(err)
		}
		if hello, err := sftpwire.ParseVersion(packet); err != nil || hello.Version != 3 {
			t.Errorf("INIT %d: %+v, %v", version, hello, err)
		}
	}
}

// TestClientDies: at each byte of an upload, pipelined as it comes. Nothing is
// published before CLOSE was whole, and the part is kept.
func TestClientDies(t *testing.T) {
	w := newWorld()
	p := dial(t, w.session())
	h := p.Open("/probe", sftptest.Wr|sftptest.Creat|sftptest.Trunc) // all first handles of a session are the same
	stream := sftpwire.AppendInit(nil, sftpwire.Hello{Version: 3})
	stream = sftpwire.AppendRequest(stream, 1, &sftpwire.Open{Name: "/f", Flags: sftptest.Wr | sftptest.Creat | sftptest.Trunc})
	open := len(stream)
	stream = sftpwire.AppendRequest(stream, 2, &sftpwire.Write{Handle: h, Data: []byte("content")})
	written := len(stream)
	stream = sftpwire.AppendRequest(stream, 3, &sftpwire.Close{Handle: h})
	for n := open; n <= len(stream); n++ {
		w := newWorld()
		p := dialSilently(t, context.Background(), w.session())
		p.Write(stream[:open])
		for range 2 {
			if _, err := sftptest.ReadPacket(p.Conn); err != nil {
				t.Fatal(err)
			}
		}
		p.Write(stream[open:n])
		err := p.End()
		// It may be noticed first that the answer cannot be written.
		if whole := n == open || n == written || n == len(stream); whole != (err == nil) && !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("after %d bytes the session ended with %v", n, err)
		}
		alice := w.tree.For(ferry.User{Name: "alice"})
		i, err := alice.Lstat(context.Background(), "/f")
		if published := n == len(stream); published != (err == nil && !i.Unfinished) || published && i.Size != 7 {
			t.Errorf("after %d of %d bytes: %d bytes published, %v", n, len(stream), i.Size, err)
		}
		if _, err := alice.Part(context.Background(), "/f"); (err == nil) == (n == len(stream)) {
			t.Errorf("after %d of %d bytes: part: %v", n, len(stream), err)
		}
	}
}

// TestContextEndsSession: nothing that waits is published.
func TestContextEndsSession(t *testing.T) {
	w := newWorld()
	ctx, cancel := context.WithCancelCause(context.Background())
	p := dialSilently(t, ctx, w.session())
	p.Write(sftpwire.AppendInit(nil, sftpwire.Hello{Version: 3}))
	go p.Read()
	h := p.Open("/f", sftptest.Wr|sftptest.Creat|sftptest.Trunc)
	p.Want(sftpwire.OK, &sftpwire.Write{Handle: h, Data: []byte("content")})
	cancel(ferry.ErrKicked)
	if p.Wait(99) != nil {
		t.Error("an answer to nothing")
	}
	if err := p.End(); !errors.Is(err, ferry.ErrKicked) {
		t.Errorf("the session ended with %v", err)
	}
	q := dial(t, w.session())
	q.Want(sftpwire.NoSuchFile, &sftpwire.Lstat{Name: "/f"})
	q.Sized(&sftpwire.Stat{Name: "/f"}, 7)
}

// TestManyHandles: there is an end to how many are open at once, and closing one makes
// room.
func TestManyHandles(t *testing.T) {
	w := newWorld()
	p := dial(t, w.session())
	p.Put("/f", "content")
	first := p.Open("/f", sftptest.Rd)
	for range maxFiles - 1 {
		p.Open("/f", sftptest.Rd)
	}
	p.Want(sftpwire.Failure, &sftpwire.Open{Name: "/f", Flags: sftptest.Rd})
	if got := p.ReadAt(first, 0, 7); got != "content" {
		t.Errorf("the first of them holds %q", got)
	}
	p.Want(sftpwire.OK, &sftpwire.Close{Handle: first})
	if again := p.Open("/f", sftptest.Rd); again == first {
		t.Error("the handle of a closed file is used again")
	}
	p.Want(sftpwire.Failure, &sftpwire.Read{Handle: first, Length: 1})
}

// TestManyDirectories: the sessions of one connection share what may be open, and the end
// of one makes room.
func TestManyDirectories(t *testing.T) {
	cfg := newWorld().session()
	cfg.Dirs = new(Dirs)
	greedy, other := dial(t, cfg), dial(t, cfg)
	var last string
	for range maxDirs {
		last = greedy.Handle(&sftpwire.Opendir{Name: "/"})
	}
	for _, p := range []*sftptest.Peer{greedy, other} {
		p.Want(sftpwire.Failure, &sftpwire.Opendir{Name: "/"})
	}
	greedy.Want(sftpwire.OK, &sftpwire.Close{Handle: last})
	other.Want(sftpwire.NoSuchFile, &sftpwire.Opendir{Name: "/missing"})
	last = other.Handle(&sftpwire.Opendir{Name: "/"})
	greedy.Want(sftpwire.Failure, &sftpwire.Opendir{Name: "/"})
	if err := greedy.End(); err != nil {
		t.Errorf("the session ended with %v", err)
	}
	other.Want(sftpwire.OK, &sftpwire.Close{Handle: last})
	for range maxDirs {
		other.Handle(&sftpwire.Opendir{Name: "/"})
	}
}

// TestOpenDirectoriesCostLittle: one that is not read yet takes 2 KiB at most, and no
// descriptor.
func TestOpenDirectoriesCostLittle(t *testing.T) {
	w := newWorld()
	listed := &listings{FS: w.session().FS}
	cfg := w.session()
	cfg.FS = listed
	var peers []*sftptest.Peer
	for range 50 {
		peers = append(peers, dial(t, cfg))
		peers[len(peers)-1].Want(sftpwire.NoSuchFile, &sftpwire.Opendir{Name: "/missing"})
	}
	before := heap()
	for _, p := range peers {
		for range maxDirs {
			p.Handle(&sftpwire.Opendir{Name: "/"})
		}
	}
	if each := (heap() - before) / int64(maxDirs*len(peers)); each > 2<<10 {
		t.Errorf("an open directory takes %d bytes", each)
	} else {
		t.Logf("an open directory takes %d bytes", each)
	}
	if n := listed.open.Load(); n > 0 {
		t.Errorf("%d directories are being listed", n)
	}
}

// listings counts those that go on.
type listings struct {
	ferry.FS
	open atomic.Int32
}

func (l *listings) List(ctx context.Context, dir ferry.Name, d ferry.Detail) iter.Seq2[ferry.Info, error] {
	return func(yield func(ferry.Info, error) bool) {
		l.open.Add(1)
		defer l.open.Add(-1)
		l.FS.List(ctx, dir, d)(yield)
	}
}

// heap is what lives on it and on the stacks, in bytes.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// TestOpenDirectoryIsRenamed: what is read is the directory that was opened, under the
// name that the session has given it meanwhile.
func TestOpenDirectoryIsRenamed(t *testing.T) {
	p := dial(t, newWorld().session())
	p.Want(sftpwire.OK, &sftpwire.Mkdir{Name: "/a"}, &sftpwire.Mkdir{Name: "/a/b"}, &sftpwire.Mkdir{Name: "/a/b/c"})
	h := p.Handle(&sftpwire.Opendir{Name: "/a/b"})
	p.Want(sftpwire.OK, &sftpwire.Rename{From: "/a", To: "/z"})
	names, ok := p.Ask(&sftpwire.Readdir{Handle: h}).(*sftpwire.Names)
	if !ok || len(names.Entries) != 3 || names.Entries[2].Name != "c" {
		t.Errorf("the directory that was opened holds %+v", names)
	}
}

// TestNoMoreFilesThanTheTreeAllows: the client hears whose share is used up.
func TestNoMoreFilesThanTheTreeAllows(t *testing.T) {
	w := newWorld()
	cfg := w.session()
	cfg.FS, cfg.Handles = full{cfg.FS}, 10
	p := dial(t, cfg)
	var limits sftpwire.LimitsReply
	if p.Extended(&sftpwire.Limits{}, &limits); limits.Handles != 10 {
		t.Errorf("limits: %d handles", limits.Handles)
	}
	for _, r := range []sftpwire.Request{&sftpwire.Open{Name: "/f", Flags: sftptest.Rd}, &sftpwire.Opendir{Name: "/"}} {
		s, ok := p.Ask(r).(*sftpwire.Status)
		if !ok || s.Code != sftpwire.Failure || s.Text != "Failure: too many open files: 10 of this connection" {
			t.Errorf("%T: %+v", r, s)
		}
	}
}

// full is a tree in which nothing more can be opened.
type full struct{ ferry.FS }

func (full) Open(context.Context, ferry.Name, ferry.OpenOptions) (ferry.Handle, error) {
	return nil, &fs.PathError{Op: "open", Path: "/f", Err: &ferry.TooManyOpen{Open: 10, Whose: "this connection"}}
}

func (full) List(context.Context, ferry.Name, ferry.Detail) iter.Seq2[ferry.Info, error] {
	return func(yield func(ferry.Info, error) bool) {
		yield(ferry.Info{}, &ferry.TooManyOpen{Open: 10, Whose: "this connection"})
	}
}

// panicky is an FS that panics.
type panicky struct{ ferry.FS }

func (panicky) Lstat(context.Context, ferry.Name) (ferry.Info, error) { panic("what now?") }

// TestThreat16PanicEndsItsSession, and no other; its uploads are kept.
func TestThreat16PanicEndsItsSession(t *testing.T) {
	w := newWorld()
	s := w.session()
	s.FS = panicky{s.FS}
	p, other := dial(t, s), dial(t, w.session())
	h := p.Open("/f", sftptest.Wr|sftptest.Creat|sftptest.Trunc)
	p.Want(sftpwire.OK, &sftpwire.Write{Handle: h, Data: []byte("abc")})
	if p.Ask(&sftpwire.Lstat{Name: "/"}) != nil {
		t.Error("a panic was answered")
	}
	err := p.End()
	var panicked *ferry.PanicError
	if !errors.As(err, &panicked) || panicked.Value != "what now?" || !strings.Contains(string(panicked.Stack), "hostile_test.go") ||
		!strings.Contains(err.Error(), "the request lstat") {
		t.Errorf("the session ended with %v", err)
	}
	other.Sized(&sftpwire.Stat{Name: "/f"}, 3)
}

// FuzzServe: whatever a client sends, the session ends when it does, without a
// panic and without anything left open.
func FuzzServe(f *testing.F) {
	h := handleOf(1)
	for _, requests := range [][]sftpwire.Request{
		{&sftpwire.Open{Name: "/a", Flags: sftptest.Wr | sftptest.Creat}, &sftpwire.Write{Handle: h, Data: []byte("abc")}, &sftpwire.Close{Handle: h}},
		{&sftpwire.Open{Name: "/f", Flags: sftptest.Wr | sftptest.Creat}, &sftpwire.Write{Handle: h, Data: []byte("abc")}, &sftpwire.Fsetstat{Handle: h}, &sftpwire.Read{Handle: h, Length: 99}},
		{&sftpwire.Opendir{Name: "/"}, &sftpwire.Readdir{Handle: h}, &sftpwire.Readdir{Handle: h}},
		{&sftpwire.Rename{From: "/f", To: "/g"}, &sftpwire.Symlink{Target: "/g", Name: "/l"}, &sftpwire.Remove{Name: "/l"}, &sftpwire.Statvfs{Name: "/"}},
		{&sftpwire.Open{Name: "/f", Flags: sftptest.Rd}, &sftpwire.CheckFile{Form: sftpwire.CheckHandle, Object: h, Algorithms: []string{"md5"}}, &sftpwire.CopyFile{From: "/f", To: "/g"}},
		{&sftpwire.Open{Name: "/f", Flags: sftptest.Rd}, &sftpwire.Open{Name: "/g", Flags: sftptest.Wr | sftptest.Creat}, &sftpwire.CopyData{From: h, To: handleOf(2)}, &sftpwire.Fsync{Handle: handleOf(2)}},
	} {
		var stream []byte
		for i, r := range requests {
			stream = sftpwire.AppendRequest(stream, uint32(i), r)
		}
		f.Add(stream)
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		w := &world{mem.New(mem.Config{Capacity: 1 << 20}), new(sftptest.Logbook)}
		s := w.session()
		file, err := s.FS.Open(t.Context(), "/f", ferry.OpenOptions{Mode: ferry.Replace})
		if err == nil {
			_, err = file.WriteAt([]byte("content"), 0)
		}
		if err == nil {
			err = file.Commit()
		}
		if err != nil {
			t.Fatal(err)
		}
		in := io.MultiReader(strings.NewReader(string(sftpwire.AppendInit(nil, sftpwire.Hello{}))), strings.NewReader(string(stream)))
		_ = Serve(t.Context(), oneWay{in}, s)
		if log := w.log.String(); strings.Contains(log, "panicked") {
			t.Error(log)
		}
	})
}

// oneWay is a client that reads and forgets.
type oneWay struct{ io.Reader }

func (oneWay) Write(p []byte) (int, error) { return len(p), nil }
func (oneWay) Close() error                { return nil }

// TestThreat17ManyEntries: a long listing comes in packets of a bounded size,
// each entry once.
func TestThreat17ManyEntries(t *testing.T) {
	w := newWorld()
	s := w.session()
	const entries = 20_000
	for i := range entries {
		if err := s.FS.Symlink(t.Context(), "x", ferry.Name(fmt.Sprintf("/%05d-%s", i, strings.Repeat("n", i%200)))); err != nil {
			t.Fatal(err)
		}
	}
	p := dial(t, s)
	h := p.Handle(&sftpwire.Opendir{Name: "/"})
	seen := map[string]bool{}
	for {
		reply := p.Ask(&sftpwire.Readdir{Handle: h})
		names, ok := reply.(*sftpwire.Names)
		if !ok {
			break
		}
		if size := len(sftpwire.AppendReply(nil, 0, names)); size > 34_000 {
			t.Errorf("a packet of %d bytes", size)
		}
		for _, e := range names.Entries {
			if seen[e.Name] {
				t.Errorf("%s comes twice", e.Name)
			}
			seen[e.Name] = true
		}
	}
	if len(seen) != entries+2 {
		t.Errorf("%d entries, want %d, and . and ..", len(seen), entries)
	}
}
