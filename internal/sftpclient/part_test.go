package sftpclient_test

import (
	"context"
	"errors"
	"io/fs"
	"testing"
	"time"

	"ferry"
)

// left leaves a part of name behind, of which use was made before.
func left(t *testing.T, f ferry.FS, name ferry.Name, use func(ferry.Handle) error) {
	t.Helper()
	h, err := f.Open(context.Background(), name, ferry.OpenOptions{Mode: ferry.Replace})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.WriteAt([]byte("half"), 0); err != nil {
		t.Error(err)
	}
	if err := use(h); err != nil {
		t.Error(err)
	}
	if err := h.Abort(nil); err != nil {
		t.Error(err)
	}
}

func untouched(ferry.Handle) error { return nil }

// TestPartOfAnOldFileIsYoung: an upload that was given the times of an old file
// before it broke can still be resumed. Its part once took them, and so looked
// expired at once.
func TestPartOfAnOldFileIsYoung(t *testing.T) {
	f := loop{t: t, below: inMemory(t)}.For(ferry.User{Name: "alice"})
	old := time.Unix(1_000_000_000, 0)
	left(t, f, "/a", func(h ferry.Handle) error {
		if err := h.SetAttr(ferry.Attr{ModTime: &old, Access: &old}); err != nil {
			return err
		}
		if i, err := h.Stat(); err != nil || !i.ModTime.Equal(old) {
			t.Errorf("the upload is of %v, %v; want %v", i.ModTime, err, old)
		}
		return nil
	})
	if i, err := f.Part(context.Background(), "/a"); err != nil || i.Size != 4 {
		t.Errorf("the part has %d bytes, %v; want 4", i.Size, err)
	}
}

// TestRemoveOfADirectoryKeepsThePart that waits for its name: what fails ends
// nothing.
func TestRemoveOfADirectoryKeepsThePart(t *testing.T) {
	f := loop{t: t, below: inMemory(t)}.For(ferry.User{Name: "alice"})
	ctx := context.Background()
	left(t, f, "/a", untouched)
	if err := f.Mkdir(ctx, "/a", nil); err != nil {
		t.Error(err)
	}
	if err := f.Remove(ctx, "/a"); !errors.Is(err, ferry.ErrIsDir) {
		t.Errorf("Remove: %v, want %v", err, ferry.ErrIsDir)
	}
	if _, err := f.Part(ctx, "/a"); err != nil {
		t.Errorf("the part is gone: %v", err)
	}
}

// TestCloseEndsWhatWasToEnd: a part that a rename has ended is not there in the
// next session, even where this one ended at once.
func TestCloseEndsWhatWasToEnd(t *testing.T) {
	l := loop{t: t, below: inMemory(t)}
	u := ferry.User{Name: "alice"}
	f := l.For(u)
	ctx := context.Background()
	put(t, f, "/b", "whole")
	left(t, f, "/a", untouched)
	if err := f.Rename(ctx, "/b", "/a", true); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if _, err := l.For(u).Part(ctx, "/a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the part is still there: %v", err)
	}
}

// TestExpiredPartIsNone: an upload of which nothing came for a day begins anew.
func TestExpiredPartIsNone(t *testing.T) {
	below := inMemory(t)
	u := ferry.User{Name: "alice"}
	l := loop{t: t, below: below}
	left(t, l.For(u), "/a", untouched)
	old := time.Now().Add(-25 * time.Hour)
	for i, err := range below.For(u).List(context.Background(), "/", ferry.Names) {
		if err == nil {
			err = below.For(u).SetAttr(context.Background(), ferry.Name("/"+i.Name), ferry.Attr{ModTime: &old})
		}
		if err != nil {
			t.Error(err)
		}
	}
	f := l.For(u)
	if _, err := f.Part(context.Background(), "/a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a part of yesterday: %v, want %v", err, fs.ErrNotExist)
	}
	h, err := f.Open(context.Background(), "/a", ferry.OpenOptions{Mode: ferry.Resume})
	if err != nil {
		t.Fatal(err)
	}
	if i, err := h.Stat(); err != nil || i.Size != 0 {
		t.Errorf("Resume goes on from %d, %v; want a new beginning", i.Size, err)
	}
}
