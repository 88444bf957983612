package sftpclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"ferry"
	"ferry/internal/sftpconn"
	"ferry/internal/sftpwire"
)

// TestAnswersComeInAnyOrder: each goes to whoever asked.
func TestAnswersComeInAnyOrder(t *testing.T) {
	const many = 50
	f, p := begin(t, hello(), Options{})
	var all sync.WaitGroup
	for n := range many {
		all.Go(func() {
			name := fmt.Sprintf("/%d", n)
			if i, err := f.Stat(t.Context(), ferry.Name(name)); err != nil || i.Size != int64(n) {
				t.Errorf("%s has %d bytes, %v", name, i.Size, err)
			}
		})
	}
	asked := make([]request, many)
	for n := range asked {
		asked[n] = p.next()
	}
	for n := many - 1; n >= 0; n-- {
		var size uint64
		if _, err := fmt.Sscanf(asked[n].Request.(*sftpwire.Stat).Name, "/%d", &size); err != nil {
			t.Fatal(err)
		}
		p.answer(asked[n], &sftpwire.AttrsReply{Attrs: file(size)})
	}
	all.Wait()
}

// TestCancelledWaits end with the cause, and the session goes on: the late
// answer is dropped, and a file that it opened is closed.
func TestCancelledWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, p := begin(t, hello(), Options{User: ferry.User{DirectUploads: true}})
		ctx, cancel := context.WithCancelCause(context.Background())
		failed := make(chan error)
		go func() {
			_, err := f.Open(ctx, "/a", ferry.OpenOptions{Mode: ferry.Replace})
			failed <- err
		}()
		p.answer(p.next(), status(sftpwire.NoSuchFile)) // LSTAT
		late := p.next()
		cancel(ferry.ErrKicked)
		if err := <-failed; !errors.Is(err, ferry.ErrKicked) {
			t.Errorf("a cancelled Open: %v, want %v", err, ferry.ErrKicked)
		}
		p.answer(late, &sftpwire.Handle{Handle: "late"})
		if c, ok := p.next().Request.(*sftpwire.Close); !ok || c.Handle != "late" {
			t.Errorf("the file that came late was not closed, but %#v", c)
		}
		go func() {
			_, err := f.Stat(context.Background(), "/b")
			failed <- err
		}()
		p.answer(p.next(), &sftpwire.AttrsReply{Attrs: file(1)})
		if err := <-failed; err != nil {
			t.Errorf("Stat afterwards: %v", err)
		}
	})
}

// TestLostStreamEndsEveryWait, and every later request, with the reason.
func TestLostStreamEndsEveryWait(t *testing.T) {
	f, p := begin(t, hello(), Options{})
	failed := make(chan error)
	for n := range 10 {
		go func() {
			_, err := f.Stat(t.Context(), ferry.Name(fmt.Sprintf("/%d", n)))
			failed <- err
		}()
	}
	for range 10 {
		p.next()
	}
	_ = p.conn.Close()
	for range 10 {
		if err := <-failed; !errors.Is(err, sftpconn.ErrLost) {
			t.Errorf("a wait ended with %v, want %v", err, sftpconn.ErrLost)
		}
	}
	if _, err := f.Open(t.Context(), "/a", ferry.OpenOptions{Mode: ferry.Replace}); !errors.Is(err, sftpconn.ErrLost) || !strings.Contains(err.Error(), "closed") {
		t.Errorf("Open afterwards: %v", err)
	}
}

// TestHostileAnswers end the session, with a reason that says what was wrong.
func TestHostileAnswers(t *testing.T) {
	answer := func(r sftpwire.Reply) func(uint32) []byte {
		return func(id uint32) []byte { return sftpwire.AppendReply(nil, id, r) }
	}
	for name, row := range map[string]struct {
		packet func(id uint32) []byte
		reason string
	}{
		"a number that nobody used": {func(id uint32) []byte { return sftpwire.AppendReply(nil, id+1, status(sftpwire.OK)) }, "not made"},
		"another type":              {answer(&sftpwire.Handle{Handle: "h"}), "type 102 where type 105 was due"},
		"success and nothing else":  {answer(status(sftpwire.OK)), "success without"},
		"the end of a file":         {answer(status(sftpwire.EOF)), "nothing was read"},
		"data that were not wanted": {answer(&sftpwire.Data{Data: []byte("x")}), "type 103"},
		"a packet that is too long": {func(uint32) []byte { return []byte{0x7f, 0xff, 0xff, 0xff, 105} }, "length out of bounds"},
		"a packet of nothing":       {func(uint32) []byte { return make([]byte, 4) }, "length out of bounds"},
		"a packet without a number": {func(uint32) []byte { return []byte{0, 0, 0, 2, 105, 0} }, "without a request number"},
		"a packet that is short":    {func(id uint32) []byte { return []byte{0, 0, 0, 5, 105, 0, 0, 0, byte(id)} }, "shorter"},
		"a request":                 {func(id uint32) []byte { return sftpwire.AppendRequest(nil, id, &sftpwire.Stat{Name: "/"}) }, "unknown type"},
	} {
		t.Run(name, func(t *testing.T) {
			f, p := begin(t, hello(), Options{})
			failed := make(chan error)
			go func() {
				_, err := f.Stat(t.Context(), "/a")
				failed <- err
			}()
			p.write(row.packet(p.next().id))
			if err := <-failed; !errors.Is(err, sftpconn.ErrProtocol) || !strings.Contains(err.Error(), row.reason) {
				t.Errorf("Stat: %v, want %q", err, row.reason)
			}
			if _, err := p.packet(); err == nil {
				t.Error("the client goes on with such a server")
			}
		})
	}
}

// TestHostileData: more bytes than asked for, and none, which would be asked
// for without end.
func TestHostileData(t *testing.T) {
	for _, n := range []int{0, 11} {
		f, p := begin(t, hello(), Options{})
		go p.serve(func(r request) sftpwire.Reply {
			switch r.Request.(type) {
			case *sftpwire.Stat:
				return &sftpwire.AttrsReply{Attrs: file(10)}
			case *sftpwire.Open:
				return &sftpwire.Handle{Handle: "h"}
			}
			return &sftpwire.Data{Data: make([]byte, n)}
		})
		h, err := f.Open(t.Context(), "/a", ferry.OpenOptions{Mode: ferry.Read})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.ReadAt(make([]byte, 10), 0); !errors.Is(err, sftpconn.ErrProtocol) {
			t.Errorf("ReadAt of 10 bytes answered with %d: %v, want %v", n, err, sftpconn.ErrProtocol)
		}
	}
}

// TestBeginnings that come to nothing.
func TestBeginnings(t *testing.T) {
	for name, row := range map[string]struct {
		said   []byte
		target error
		reason string
	}{
		"an old server":      {sftpwire.AppendVersion(nil, sftpwire.Hello{Version: 2}), sftpconn.ErrProtocol, "speaks version 2"},
		"a newer answer":     {sftpwire.AppendVersion(nil, sftpwire.Hello{Version: 6}), sftpconn.ErrProtocol, "speaks version 6"},
		"a shell's greeting": {[]byte("Welcome to this machine!\n"), sftpconn.ErrProtocol, "length out of bounds"},
		"no VERSION":         {sftpwire.AppendReply(nil, 1, status(sftpwire.OK)), sftpconn.ErrProtocol, "VERSION"},
		"nothing":            {nil, sftpconn.ErrLost, "closed"},
		"half":               {[]byte{0, 0, 0, 5, 2}, sftpconn.ErrLost, "within a packet"},
	} {
		t.Run(name, func(t *testing.T) {
			here, there := net.Pipe()
			go func() {
				_, _ = there.Write(row.said)
				_ = there.Close()
			}()
			_, err := New(t.Context(), here, Options{})
			if !errors.Is(err, row.target) || !strings.Contains(err.Error(), row.reason) {
				t.Errorf("New: %v, want %v and %q", err, row.target, row.reason)
			}
			if _, err := here.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
				t.Errorf("the stream is still open: %v", err)
			}
		})
	}
}

// TestBeginningEndsWithItsContext: a server that says nothing is not waited for
// longer.
func TestBeginningEndsWithItsContext(t *testing.T) {
	here, there := net.Pipe()
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		_, _ = io.ReadFull(there, make([]byte, 9)) // INIT
		cancel(ferry.ErrShutdown)
	}()
	if _, err := New(ctx, here, Options{}); !errors.Is(err, ferry.ErrShutdown) {
		t.Errorf("New: %v, want %v", err, ferry.ErrShutdown)
	}
	_ = there.Close()
}

// TestCloseDoesNotWaitForADeadServer for longer than a while.
func TestCloseDoesNotWaitForADeadServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, p := begin(t, hello(), Options{User: ferry.User{DirectUploads: true}})
		opened := make(chan ferry.Handle)
		go func() {
			h, err := f.Open(context.Background(), "/a", ferry.OpenOptions{Mode: ferry.Replace})
			if err != nil {
				t.Error(err)
			}
			opened <- h
		}()
		p.answer(p.next(), status(sftpwire.NoSuchFile))
		p.answer(p.next(), &sftpwire.Handle{Handle: "h"})
		h := <-opened
		go func() { _, _ = io.Copy(io.Discard, p.conn) }() // it hears, and answers no more
		if err := f.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if _, err := h.Stat(); !errors.Is(err, ferry.ErrClosed) {
			t.Errorf("the handle: %v, want %v", err, ferry.ErrClosed)
		}
	})
}

// TestWhatTheServerSays is kept, but not what would play tricks on a terminal.
func TestWhatTheServerSays(t *testing.T) {
	f, p := begin(t, hello(), Options{})
	go p.serve(func(request) sftpwire.Reply {
		return &sftpwire.Status{Code: sftpwire.PermissionDenied, Text: "no \x1b[31mentry\x07 \xff" + strings.Repeat("!", 1000)}
	})
	_, err := f.Stat(t.Context(), "/a")
	text := err.Error()
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(text, "no ?[31mentry? ?!!!") || len(text) > 400 {
		t.Errorf("Stat: %q", text)
	}
	var refused *sftpconn.StatusError
	if !errors.As(err, &refused) || refused.Code != sftpwire.PermissionDenied {
		t.Errorf("%v is no refusal", err)
	}
}

// TestLargeWritesShareTheStream: nobody's packet is torn by another's.
func TestLargeWritesShareTheStream(t *testing.T) {
	f, p := begin(t, hello(), Options{User: ferry.User{DirectUploads: true}})
	content := make(map[string][]byte)
	go p.serve(func(r request) sftpwire.Reply {
		switch r := r.Request.(type) {
		case *sftpwire.Lstat:
			return status(sftpwire.NoSuchFile)
		case *sftpwire.Open:
			content[r.Name] = make([]byte, 1<<20)
			return &sftpwire.Handle{Handle: r.Name}
		case *sftpwire.Write:
			copy(content[r.Handle][r.Offset:], r.Data)
		}
		return status(sftpwire.OK)
	})
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			h, err := f.Open(context.Background(), ferry.Name(fmt.Sprintf("/%d", n)), ferry.OpenOptions{Mode: ferry.Replace})
			if err != nil {
				t.Error(err)
				return
			}
			if k, err := h.WriteAt(bytes.Repeat([]byte{byte('a' + n)}, 1<<20), 0); k != 1<<20 || err != nil {
				t.Errorf("WriteAt: %d, %v", k, err)
			}
			if err := h.Commit(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for n := range 8 {
		if got := content[fmt.Sprintf("/%d", n)]; !bytes.Equal(got, bytes.Repeat([]byte{byte('a' + n)}, 1<<20)) {
			t.Errorf("file %d is not what was written", n)
		}
	}
}
