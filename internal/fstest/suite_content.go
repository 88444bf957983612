package fstest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"ferry"
)

func contents() []promise {
	return []promise{
		{text: "ReadAt is io.ReaderAt's", test: readAt},
		{text: "WriteAt beyond the end leaves zeros between", test: writeBeyond},
		{text: "Truncate shortens and lengthens, and what was cut off does not come back", test: truncate},
		{text: "Gaps are what an upload has not written", test: gaps},
		{text: "Update reads and writes in place", test: update},
		{text: "a handle for Read changes no content", test: readOnly},
		{text: "negative offsets and sizes are fs.ErrInvalid", test: negative},
		{text: "Sync publishes and the handle goes on in place", test: syncPublishes},
		{text: "Sync of Exclusive does not replace, and the upload goes on", test: syncExclusive},
		{text: "WriteAt and ReadAt work from several goroutines", test: concurrent},
		{text: "a handle that is done with answers ErrClosed", test: doneWith},
		{text: "a reader keeps the content it opened", test: readerKeeps},
		{text: "a large file comes back as it was", test: large},
	}
}

func readAt(e *env) {
	f := e.as("alice")
	e.upload(f, "/a", "0123456789")
	h := e.open(f, "/a", ferry.Read)
	for _, row := range []struct {
		off  int64
		size int
		text string
		err  error
	}{
		{0, 4, "0123", nil},
		{6, 4, "6789", nil},
		{6, 5, "6789", io.EOF},
		{10, 1, "", io.EOF},
		{1 << 40, 1, "", io.EOF},
		{3, 0, "", nil},
	} {
		p := make([]byte, row.size)
		n, err := h.ReadAt(p, row.off)
		if string(p[:n]) != row.text || err != row.err {
			e.Errorf("ReadAt %d bytes at %d: %q, %v; want %q, %v", row.size, row.off, p[:n], err, row.text, row.err)
		}
	}
	e.must(h.Commit())
	e.holds(f, "/a", "0123456789")
}

func writeBeyond(e *env) {
	f := e.as("alice")
	h := e.open(f, "/a", ferry.Replace)
	e.put(h, "end", 200_000)
	e.put(h, "begin", 0)
	e.must(h.Commit())
	e.holds(f, "/a", "begin"+string(make([]byte, 199_995))+"end")
}

func truncate(e *env) {
	f := e.as("alice")
	e.upload(f, "/a", "0123456789")
	for _, m := range []ferry.Mode{ferry.Replace, ferry.Update} {
		h := e.open(f, "/a", m)
		e.put(h, "0123456789", 0)
		e.must(h.Truncate(4))
		e.must(h.Truncate(8))
		e.put(h, "x", 9)
		i, err := h.Stat()
		e.must(err)
		if i.Size != 10 {
			e.Errorf("the handle has %d bytes, want 10", i.Size)
		}
		e.must(h.Commit())
		e.holds(f, "/a", "0123\x00\x00\x00\x00\x00x")
	}
}

func update(e *env) {
	f := e.as("alice")
	e.upload(f, "/a", "0123456789")
	before := e.stat(f, "/a")
	h := e.open(f, "/a", ferry.Update)
	e.put(h, "abc", 3)
	e.holds(e.as("bob"), "/a", "012abc6789")
	if got := e.seen(h); got != "012abc6789" {
		e.Errorf("the handle reads %q", got)
	}
	e.must(h.Abort(nil))
	e.holds(f, "/a", "012abc6789")
	if after := e.stat(f, "/a"); after.ID != before.ID {
		e.Error("Update made another file")
	}
	e.noPart(f, "/a")
}

func readOnly(e *env) {
	f := e.as("alice")
	e.upload(f, "/a", "text")
	h := e.open(f, "/a", ferry.Read)
	_, err := h.WriteAt([]byte("x"), 0)
	e.want(err, fs.ErrPermission, "/a")
	e.want(h.Truncate(0), fs.ErrPermission, "/a")
	size, mode := int64(0), fs.FileMode(0o700)
	e.want(h.SetAttr(ferry.Attr{Size: &size}), fs.ErrPermission, "/a")
	e.must(h.SetAttr(ferry.Attr{Mode: &mode}))
	e.must(h.Sync())
	e.must(h.Commit())
	e.holds(f, "/a", "text")
}

func negative(e *env) {
	f := e.as("alice")
	h := e.open(f, "/a", ferry.Replace)
	_, err := h.ReadAt(make([]byte, 1), -1)
	e.want(err, fs.ErrInvalid, "/a")
	_, err = h.WriteAt([]byte("x"), -1)
	e.want(err, fs.ErrInvalid, "/a")
	e.want(h.Truncate(-1), fs.ErrInvalid, "/a")
	e.must(h.Abort(nil))
	e.part(f, "/a", 0)
}

func syncPublishes(e *env) {
	f, other := e.as("alice"), e.as("bob")
	e.upload(f, "/old", "old")
	for _, name := range []ferry.Name{"/new", "/old"} {
		h := e.open(f, name, ferry.Replace)
		e.put(h, "synced", 0)
		e.must(h.Sync())
		e.holds(other, name, "synced")
		e.noPart(f, name)
		e.put(h, " and on", 6)
		e.holds(other, name, "synced and on")
		e.must(h.Sync())
		e.must(h.Abort(nil))
		e.holds(other, name, "synced and on")
	}
	e.lists(f, "/", "new", "old")
}

func syncExclusive(e *env) {
	f := e.as("alice")
	h := e.open(f, "/a", ferry.Exclusive)
	e.put(h, "mine", 0)
	e.upload(e.as("bob"), "/a", "theirs")
	e.want(h.Sync(), fs.ErrExist, "/a")
	e.put(h, "!", 4)
	e.must(e.remove(e.as("bob"), "/a"))
	e.must(h.Sync())
	e.holds(f, "/a", "mine!")
	e.must(h.Commit())
}

func concurrent(e *env) {
	const pieces, size = 16, 10_000
	f := e.as("alice")
	h := e.open(f, "/a", ferry.Replace)
	var all sync.WaitGroup
	for n := range pieces {
		all.Go(func() {
			piece := bytes.Repeat([]byte{byte('a' + n)}, size)
			if k, err := h.WriteAt(piece, int64(n)*size); k != size || err != nil {
				e.Errorf("WriteAt: %d, %v", k, err)
			}
			got := make([]byte, size)
			if k, err := h.ReadAt(got, int64(n)*size); k != size || err != nil || !bytes.Equal(got, piece) {
				e.Errorf("ReadAt: %d, %v, or not what was written", k, err)
			}
		})
	}
	all.Wait()
	e.must(h.Commit())
	var want bytes.Buffer
	for n := range pieces {
		want.Write(bytes.Repeat([]byte{byte('a' + n)}, size))
	}
	e.holds(f, "/a", want.String())
}

func doneWith(e *env) {
	f := e.as("alice")
	e.upload(f, "/a", "text")
	for _, m := range []ferry.Mode{ferry.Read, ferry.Update, ferry.Resume, ferry.Replace} {
		for _, commit := range []bool{true, false} {
			h := e.open(f, "/a", m)
			if commit {
				e.must(h.Commit())
			} else {
				e.must(h.Abort(nil))
			}
			_, err := h.Stat()
			e.want(err, ferry.ErrClosed, "/a")
			_, err = h.ReadAt(make([]byte, 1), 0)
			e.want(err, ferry.ErrClosed, "/a")
			_, err = h.WriteAt([]byte("x"), 0)
			e.want(err, ferry.ErrClosed, "/a")
			e.want(h.Truncate(0), ferry.ErrClosed, "/a")
			e.want(h.SetAttr(ferry.Attr{}), ferry.ErrClosed, "/a")
			e.want(h.Sync(), ferry.ErrClosed, "/a")
			e.want(h.Commit(), ferry.ErrClosed, "/a")
			e.must(h.Abort(nil))
		}
	}
}

func readerKeeps(e *env) {
	f := e.as("alice")
	e.upload(f, "/a", "old content")
	h := e.open(e.as("bob"), "/a", ferry.Read)
	e.upload(f, "/a", "new")
	if got := e.seen(h); got != "old content" {
		e.Errorf("a reader sees %q of a file replaced under it", got)
	}
	e.must(h.Commit())
	e.holds(e.as("bob"), "/a", "new")
}

func large(e *env) {
	f := e.as("alice")
	whole := string(pattern(7, 3<<20+17))
	h := e.open(f, "/a", ferry.Replace)
	for off := 0; off < len(whole); off += 100_003 {
		e.put(h, whole[off:min(len(whole), off+100_003)], int64(off))
	}
	e.must(h.Commit())
	e.holds(f, "/a", whole)
}

func gaps(e *env) {
	f := e.as("alice")
	want := func(h ferry.Handle, limit int64, want string) {
		e.Helper()
		got := ""
		for from, to := range h.Gaps(limit) {
			got += fmt.Sprintf("[%d,%d)", from, to)
		}
		if got != want {
			e.Errorf("gaps below %d: %q, want %q", limit, got, want)
		}
	}
	write := func(h ferry.Handle, text string, off int64) {
		e.Helper()
		_, err := h.WriteAt([]byte(text), off)
		e.must(err)
	}
	open := func(o ferry.OpenOptions) ferry.Handle {
		e.Helper()
		h, err := f.Open(context.Background(), "/file", o)
		e.must(err)
		return h
	}
	e.upload(f, "/file", "old content")
	h := open(ferry.OpenOptions{Mode: ferry.Replace})
	want(h, 10, "[0,10)")
	write(h, "ab", 2)
	write(h, "cd", 6)
	want(h, 10, "[0,2)[4,6)[8,10)")
	want(h, 5, "[0,2)[4,5)")
	e.must(h.Truncate(7))
	want(h, 10, "[0,2)[4,6)[7,10)")
	write(h, "0123456789", 0)
	want(h, 10, "")
	e.must(h.Abort(nil))
	h = open(ferry.OpenOptions{Mode: ferry.Resume, At: 10})
	want(h, 12, "[10,12)")
	e.must(h.Sync()) // from here on it is in place
	want(h, 100, "")
	e.must(h.Commit())
	for _, m := range []ferry.Mode{ferry.Read, ferry.Update} {
		h = open(ferry.OpenOptions{Mode: m})
		want(h, 100, "")
		e.must(h.Abort(nil))
	}
}
