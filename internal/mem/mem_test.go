package mem_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry"
	"ferry/internal/fstest"
	"ferry/internal/mem"
)

func TestContract(t *testing.T) {
	fstest.Run(t, func(*testing.T) fstest.Tree { return mem.New(mem.Config{Umask: 0o022}) })
}

func TestUmaskAndDefaults(t *testing.T) {
	tree := mem.New(mem.Config{Umask: 0o027})
	f := tree.For(ferry.User{Name: "alice"})
	for _, row := range []struct {
		asked     *fs.FileMode
		file, dir fs.FileMode
	}{
		{nil, 0o640, 0o750},
		{new(fs.FileMode(0)), 0, 0},
		{new(fs.FileMode(0o777)), 0o750, 0o750},
		{new(fs.FileMode(0o606)), 0o600, 0o600},
		{new(fs.ModeDir | fs.ModeSticky | 0o777), fs.ModeSticky | 0o750, fs.ModeSticky | 0o750},
	} {
		name := fmt.Sprintf("/%p", row.asked)
		upload(t, f, ferry.Name(name), "text", row.asked)
		if got := stat(t, f, ferry.Name(name)).Mode; got != row.file {
			t.Errorf("a file made with %v has mode %v, want %v", row.asked, got, row.file)
		}
		if err := f.Mkdir(t.Context(), ferry.Name(name+"-dir"), row.asked); err != nil {
			t.Fatal(err)
		}
		if got := stat(t, f, ferry.Name(name+"-dir")).Mode; got != fs.ModeDir|row.dir {
			t.Errorf("a directory made with %v has mode %v, want %v", row.asked, got, row.dir)
		}
	}
}

func TestPartsExpire(t *testing.T) {
	for _, keep := range []time.Duration{0, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			lasts := keep
			if keep == 0 {
				lasts = 24 * time.Hour
			}
			tree := mem.New(mem.Config{Keep: keep})
			alice, bob := tree.For(ferry.User{Name: "alice"}), tree.For(ferry.User{Name: "bob"})
			if err := alice.Mkdir(t.Context(), "/dir", nil); err != nil {
				t.Fatal(err)
			}
			h := begin(t, alice, "/dir/a", "half")
			time.Sleep(2 * lasts) // what is written does not expire
			if err := h.Abort(nil); err != nil {
				t.Fatal(err)
			}
			time.Sleep(lasts)
			if _, err := alice.Part(t.Context(), "/dir/a"); err != nil {
				t.Errorf("keep %v: the part is gone after %v: %v", keep, lasts, err)
			}
			if err := bob.Rmdir(t.Context(), "/dir"); !errors.Is(err, ferry.ErrBusy) {
				t.Errorf("keep %v: Rmdir with another's part: %v", keep, err)
			}
			time.Sleep(time.Nanosecond)
			if _, err := alice.Part(t.Context(), "/dir/a"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("keep %v: the part outlives it: %v", keep, err)
			}
			if err := begin(t, alice, "/dir/a", "half").Abort(nil); err != nil {
				t.Fatal(err)
			}
			time.Sleep(lasts + 1)
			if err := bob.Rmdir(t.Context(), "/dir"); err != nil {
				t.Errorf("keep %v: Rmdir with an expired part: %v", keep, err)
			}
		})
	}
}

func TestCapacity(t *testing.T) {
	ctx := t.Context()
	tree := mem.New(mem.Config{Capacity: 100})
	f := tree.For(ferry.User{Name: "alice"})
	upload(t, f, "/a", string(make([]byte, 60)), nil)
	h := begin(t, f, "/b", "0123456789")
	if n, err := h.WriteAt(make([]byte, 50), 10); n != 30 || !errors.Is(err, ferry.ErrNoSpace) {
		t.Errorf("a write over the capacity: %d, %v; want 30 and no space", n, err)
	}
	if n, err := h.WriteAt([]byte("x"), 1000); n != 0 || !errors.Is(err, ferry.ErrNoSpace) {
		t.Errorf("a write beyond the capacity: %d, %v; want no space", n, err)
	}
	if err := h.Truncate(41); !errors.Is(err, ferry.ErrNoSpace) {
		t.Errorf("growing beyond the capacity: %v", err)
	}
	if n, err := h.WriteAt(make([]byte, 40), 0); n != 40 || err != nil {
		t.Errorf("a write over what is there: %d, %v", n, err)
	}
	free(t, f, 0)
	if err := h.Abort(ferry.ErrNoSpace); err != nil {
		t.Fatal(err)
	}
	free(t, f, 0)
	if err := f.Remove(ctx, "/b"); err != nil { // the kept part
		t.Fatal(err)
	}
	free(t, f, 40)

	reader, err := f.Open(ctx, "/a", ferry.OpenOptions{Mode: ferry.Read})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Remove(ctx, "/a"); err != nil {
		t.Fatal(err)
	}
	free(t, f, 40) // it is open
	if err := reader.Commit(); err != nil {
		t.Fatal(err)
	}
	free(t, f, 100)
}

func TestReceiveFromAFullTree(t *testing.T) {
	f := mem.New(mem.Config{Capacity: 10}).For(ferry.User{Name: "alice"})
	src, peer := net.Pipe()
	go func() {
		_, _ = peer.Write(make([]byte, 20))
		_ = peer.Close()
	}()
	h := begin(t, f, "/a", "")
	n, err := h.ReceiveFrom(t.Context(), ferry.NewDataConn(src), 0, -1)
	if n != 10 || !errors.Is(err, ferry.ErrNoSpace) {
		t.Errorf("ReceiveFrom: %d, %v; want 10 and no space", n, err)
	}
	if err := h.Abort(err); err != nil {
		t.Fatal(err)
	}
	if i, err := f.Part(t.Context(), "/a"); i.Size != 10 || err != nil {
		t.Errorf("the part that is kept has %d bytes, %v; want 10", i.Size, err)
	}
}

func TestTooLarge(t *testing.T) {
	f := mem.New(mem.Config{}).For(ferry.User{Name: "alice"})
	h := begin(t, f, "/a", "")
	const limit = 16 << 40
	if err := h.Truncate(limit); err != nil { // a hole costs nothing
		t.Errorf("Truncate to the limit: %v", err)
	}
	if err := h.Truncate(limit + 1); !errors.Is(err, ferry.ErrTooLarge) {
		t.Errorf("Truncate beyond the limit: %v", err)
	}
	for _, row := range []struct {
		off int64
		n   int
	}{{limit - 2, 2}, {limit, 0}, {1<<63 - 1, 0}} {
		if n, err := h.WriteAt([]byte("text"), row.off); n != row.n || !errors.Is(err, ferry.ErrTooLarge) {
			t.Errorf("WriteAt %d: %d, %v; want %d and too large", row.off, n, err, row.n)
		}
	}
}

func TestPartEndsBeforeItsFirstGap(t *testing.T) {
	type write struct{ off, n int64 }
	for _, row := range []struct {
		writes []write
		size   int64 // where Truncate cuts or lengthens, 0: nowhere
		want   int64
	}{
		{nil, 0, 0},
		{[]write{{0, 10}}, 0, 10},
		{[]write{{1, 10}}, 0, 0},
		{[]write{{0, 10}, {10, 10}}, 0, 20},
		{[]write{{0, 10}, {11, 10}}, 0, 10},
		{[]write{{0, 10}, {20, 10}, {10, 10}}, 0, 30},
		{[]write{{20, 10}, {10, 10}, {0, 10}}, 0, 30},
		{[]write{{40, 10}, {0, 10}, {20, 10}, {5, 16}}, 0, 30},
		{[]write{{0, 10}, {20, 10}, {40, 10}, {0, 60}}, 0, 60},
		{[]write{{5, 10}, {5, 10}, {0, 5}}, 0, 15},
		{[]write{{0, 10}}, 30, 10},
		{[]write{{0, 30}}, 20, 20},
		{[]write{{0, 10}, {20, 10}}, 15, 10},
	} {
		f := mem.New(mem.Config{}).For(ferry.User{Name: "alice"})
		h := begin(t, f, "/a", "")
		for _, w := range row.writes {
			if _, err := h.WriteAt(make([]byte, w.n), w.off); err != nil {
				t.Fatal(err)
			}
		}
		if row.size > 0 {
			if err := h.Truncate(row.size); err != nil {
				t.Fatal(err)
			}
		}
		if err := h.Abort(nil); err != nil {
			t.Fatal(err)
		}
		i, err := f.Part(t.Context(), "/a")
		if i.Size != row.want || err != nil {
			t.Errorf("%v, size %d: the part has %d bytes, %v; want %d", row.writes, row.size, i.Size, err, row.want)
		}
	}
}

func TestThreat6FortyLinks(t *testing.T) {
	f := mem.New(mem.Config{}).For(ferry.User{Name: "alice"})
	upload(t, f, "/0", "text", nil)
	for n := range 41 {
		if err := f.Symlink(t.Context(), fmt.Sprint(n), ferry.Name(fmt.Sprintf("/%d", n+1))); err != nil {
			t.Fatal(err)
		}
	}
	stat(t, f, "/40")
	if _, err := f.Stat(t.Context(), "/41"); !errors.Is(err, ferry.ErrLoop) {
		t.Errorf("41 links: %v, want %v", err, ferry.ErrLoop)
	}
}

// Several sessions get in each other's way; what each gets is not asked here,
// only that no byte of the capacity is lost on the way.
func TestManySessionsAtOnce(t *testing.T) {
	ctx := t.Context()
	tree := mem.New(mem.Config{Capacity: 100})
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			f := tree.For(ferry.User{Name: fmt.Sprint(n % 3), Shared: n%2 == 0})
			for round := range 100 {
				a, b := fmt.Sprintf("/%d", round%4), fmt.Sprintf("/%d", round%3)
				if h, err := f.Open(ctx, ferry.Name(a), ferry.OpenOptions{Mode: ferry.Mode(round % 6)}); err == nil {
					_, _ = h.WriteAt([]byte("0123456789"), int64(round%5))
					_ = f.Rename(ctx, ferry.Name(a), ferry.Name(b), round%2 == 0)
					_, _ = h.ReadAt(make([]byte, 10), 0)
					if round%3 == 0 {
						_ = h.Abort(nil)
					}
					_ = h.Commit()
				}
				for range f.List(ctx, "/", ferry.Full) {
					_ = f.Remove(ctx, ferry.Name(b))
				}
			}
			_ = f.Close()
		})
	}
	all.Wait()
	for n := range 3 {
		f := tree.For(ferry.User{Name: fmt.Sprint(n)})
		for name := range 4 {
			_ = f.Remove(ctx, ferry.Name(fmt.Sprintf("/%d", name)))
		}
	}
	free(t, tree.For(ferry.User{Name: "alice"}), 100)
}

// begin opens name for new content and writes text.
func begin(t *testing.T, f ferry.FS, name ferry.Name, text string) ferry.Handle {
	t.Helper()
	h, err := f.Open(t.Context(), name, ferry.OpenOptions{Mode: ferry.Replace})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.WriteAt([]byte(text), 0); err != nil {
		t.Fatal(err)
	}
	return h
}

func upload(t *testing.T, f ferry.FS, name ferry.Name, text string, perm *fs.FileMode) {
	t.Helper()
	h, err := f.Open(context.Background(), name, ferry.OpenOptions{Mode: ferry.Replace, Perm: perm})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.WriteAt([]byte(text), 0); err != nil {
		t.Fatal(err)
	}
	if err := h.Commit(); err != nil {
		t.Fatal(err)
	}
}

func stat(t *testing.T, f ferry.FS, name ferry.Name) ferry.Info {
	t.Helper()
	i, err := f.Stat(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func free(t *testing.T, f ferry.FS, want uint64) {
	t.Helper()
	s, err := f.Space(t.Context(), "/")
	if err != nil {
		t.Fatal(err)
	}
	if s.Total != 100 || s.Free != want {
		t.Errorf("%d of %d bytes are free, want %d of 100", s.Free, s.Total, want)
	}
}
