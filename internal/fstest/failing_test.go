package fstest_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"slices"
	"testing"

	"ferry"
	"ferry/internal/fstest"
	"ferry/internal/mem"
)

func failing(plan ...fstest.Fault) *fstest.Failing {
	return fstest.NewFailing(mem.New(mem.Config{}).For(ferry.User{Name: "alice"}), plan...)
}

func TestFailingRemembersCallsInOrder(t *testing.T) {
	ctx := context.Background()
	f := failing()
	h := open(t, f, "/a", ferry.Replace)
	_, _ = h.WriteAt([]byte("text"), 0)
	errs := []error{h.Sync(), h.Commit(), f.Rename(ctx, "/a", "/b", false), f.Close()}
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	want := []string{"Open /a", "Handle.WriteAt /a", "Handle.Sync /a", "Handle.Commit /a", "Rename /a /b", "Close /"}
	if got := f.Calls(); !slices.Equal(got, want) {
		t.Errorf("calls %q, want %q", got, want)
	}
}

func TestFailingFailsTheCallThatIsPlanned(t *testing.T) {
	ctx := context.Background()
	f := failing(fstest.Fault{Method: "Mkdir", Call: 2, Err: ferry.ErrNoSpace}, fstest.Fault{Method: "Rmdir"})
	if err := f.Mkdir(ctx, "/a", nil); err != nil {
		t.Errorf("the first Mkdir: %v", err)
	}
	err := f.Mkdir(ctx, "/b", nil)
	var about *fs.PathError
	if !errors.Is(err, ferry.ErrNoSpace) || !errors.As(err, &about) || about.Path != "/b" {
		t.Errorf("the second Mkdir: %v, want no space about /b", err)
	}
	if err := f.Mkdir(ctx, "/b", nil); err != nil {
		t.Errorf("the third Mkdir: %v", err)
	}
	for range 2 {
		if err := f.Rmdir(ctx, "/a"); !errors.Is(err, fstest.ErrInjected) {
			t.Errorf("Rmdir: %v, want %v", err, fstest.ErrInjected)
		}
	}
	if _, err := f.Stat(ctx, "/a"); err != nil {
		t.Errorf("a call that failed went through: %v", err)
	}
}

func TestFailingCommitKeepsThePart(t *testing.T) {
	ctx := context.Background()
	f := failing(fstest.Fault{Method: "Handle.Commit", Call: 1})
	h := open(t, f, "/a", ferry.Replace)
	if err := h.Commit(); !errors.Is(err, fstest.ErrInjected) {
		t.Errorf("Commit: %v, want %v", err, fstest.ErrInjected)
	}
	if i, err := f.Stat(ctx, "/a"); err != nil || !i.Unfinished {
		t.Errorf("after a Commit that failed there is %+v, %v; want an unfinished upload", i, err)
	}
	if _, err := f.Part(ctx, "/a"); err != nil {
		t.Errorf("the part is gone: %v", err)
	}
}

func TestFailingAfterSoManyBytes(t *testing.T) {
	ctx := context.Background()
	f := failing(
		fstest.Fault{Method: "Handle.WriteAt", After: 6, Err: ferry.ErrNoSpace},
		fstest.Fault{Method: "Handle.ReceiveFrom", After: 5, Err: ferry.ErrQuota},
		fstest.Fault{Method: "Handle.SendTo", After: 4},
		fstest.Fault{Method: "Handle.ReadAt", After: 3},
	)
	h := open(t, f, "/a", ferry.Replace)
	for _, row := range []struct {
		n   int
		err error
	}{{4, nil}, {2, ferry.ErrNoSpace}, {0, ferry.ErrNoSpace}} {
		if n, err := h.WriteAt([]byte("text"), 0); n != row.n || !errors.Is(err, row.err) {
			t.Errorf("WriteAt: %d, %v; want %d, %v", n, err, row.n, row.err)
		}
	}
	src, peer := net.Pipe()
	go func() { _, _ = peer.Write([]byte("0123456789")) }()
	if n, err := h.ReceiveFrom(ctx, ferry.NewDataConn(src), 0, -1); n != 5 || !errors.Is(err, ferry.ErrQuota) {
		t.Errorf("ReceiveFrom: %d, %v; want 5 and quota", n, err)
	}
	go func() { _, _ = io.Copy(io.Discard, peer) }()
	if n, err := h.SendTo(ctx, ferry.NewDataConn(src), 0, -1); n != 4 || !errors.Is(err, fstest.ErrInjected) {
		t.Errorf("SendTo: %d, %v; want 4 and a failure", n, err)
	}
	if n, err := h.ReadAt(make([]byte, 5), 0); n != 3 || !errors.Is(err, fstest.ErrInjected) {
		t.Errorf("ReadAt: %d, %v; want 3 and a failure", n, err)
	}
	_ = src.Close()
	_ = peer.Close()
	_ = h.Abort(nil)
}

func TestFailingListEndsEarly(t *testing.T) {
	f := failing(fstest.Fault{Method: "List", After: 2})
	for _, name := range []string{"/a", "/b", "/c"} {
		if err := f.Mkdir(context.Background(), ferry.Name(name), nil); err != nil {
			t.Fatal(err)
		}
	}
	entries, failures := 0, 0
	for _, err := range f.List(context.Background(), "/", ferry.Full) {
		if errors.Is(err, fstest.ErrInjected) {
			failures++
		} else {
			entries++
		}
	}
	if entries != 2 || failures != 1 {
		t.Errorf("%d entries and %d failures, want 2 and 1", entries, failures)
	}
}

func open(t *testing.T, f ferry.FS, name ferry.Name, m ferry.Mode) ferry.Handle {
	t.Helper()
	h, err := f.Open(context.Background(), name, ferry.OpenOptions{Mode: m})
	if err != nil {
		t.Fatal(err)
	}
	return h
}
