package gate_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"ferry"
	"ferry/internal/gate"
)

// limited is an account with a bandwidth, in bytes a second.
func limited(name string, up, down int64) ferry.User {
	u := user(name)
	u.Limits.Upload, u.Limits.Download = up, down
	return u
}

// open opens a file of the session.
func open(t *testing.T, s *gate.Session, name ferry.Name, m ferry.Mode) ferry.Handle {
	t.Helper()
	h, err := s.FS().Open(t.Context(), name, ferry.OpenOptions{Mode: m})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// result of a copy that runs.
type result struct {
	n   int64
	err error
}

// download starts sending all of name; the connection's other end is returned.
func download(ctx context.Context, h ferry.Handle) (net.Conn, <-chan result) {
	here, there := net.Pipe()
	done := make(chan result, 1)
	go func() {
		n, err := h.SendTo(ctx, ferry.NewDataConn(here), 0, -1)
		here.Close()
		done <- result{n, err}
	}()
	return there, done
}

// upload starts receiving all that comes; the connection's other end is
// returned.
func upload(ctx context.Context, h ferry.Handle) (net.Conn, <-chan result) {
	here, there := net.Pipe()
	done := make(chan result, 1)
	go func() {
		n, err := h.ReceiveFrom(ctx, ferry.NewDataConn(here), 0, -1)
		here.Close()
		done <- result{n, err}
	}()
	return there, done
}

func TestBytesArriveAsTheyAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, gate.Limits{}, user("alice"))
		content := bytes.Repeat([]byte("0123456789abcde\n"), 100_000) // several chunks
		_, s := h.enter("alice")

		up := open(t, s, "/file", ferry.Replace)
		conn, done := upload(t.Context(), up)
		go func() {
			_, _ = conn.Write(content)
			conn.Close()
		}()
		if r := <-done; r.err != nil || r.n != int64(len(content)) {
			t.Fatalf("upload: %+v", r)
		}
		wantErr(t, up.Commit(), nil)
		if h.content("/file") != string(content) {
			t.Error("the file differs from what was sent")
		}

		down := open(t, s, "/file", ferry.Read)
		conn, done = download(t.Context(), down)
		got, err := io.ReadAll(conn)
		if r := <-done; err != nil || r.err != nil || !bytes.Equal(got, content) {
			t.Errorf("download: %d bytes, %v, %+v", len(got), err, r)
		}
		wantErr(t, down.Commit(), nil)
	})
}

func TestPartOfAFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, gate.Limits{}, limited("alice", 0, 16))
		h.put("/file", "0123456789")
		_, s := h.enter("alice")
		f := open(t, s, "/file", ferry.Read)
		here, there := net.Pipe()
		go func() {
			_, _ = f.SendTo(t.Context(), ferry.NewDataConn(here), 2, 5)
			here.Close()
		}()
		if got, err := io.ReadAll(there); err != nil || string(got) != "23456" {
			t.Errorf("got %q, %v", got, err)
		}
	})
}

func TestBandwidth(t *testing.T) {
	const rate = 64 << 10
	tests := []struct {
		name   string
		limits gate.Limits
		users  []ferry.User
		up     bool
		want   float64 // seconds that a transfer of 640 KiB by each takes
	}{
		{"no limit", gate.Limits{}, []ferry.User{user("alice")}, false, 0},
		{"download", gate.Limits{}, []ferry.User{limited("alice", 1, rate)}, false, 10},
		{"upload", gate.Limits{}, []ferry.User{limited("alice", rate, 1)}, true, 10},
		{"sessions of one user share", gate.Limits{}, []ferry.User{limited("alice", 0, rate), limited("alice", 0, rate)}, false, 20},
		{"users do not", gate.Limits{}, []ferry.User{limited("alice", 0, rate), limited("bob", 0, rate)}, false, 10},
		{"except of what is everybody's", gate.Limits{Download: rate}, []ferry.User{user("alice"), user("bob")}, false, 20},
		{"the same for uploads", gate.Limits{Upload: rate}, []ferry.User{user("alice"), user("bob")}, true, 20},
		{"the tighter one counts", gate.Limits{Download: 4 * rate}, []ferry.User{limited("alice", 0, rate)}, false, 10},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t, test.limits, test.users...)
				content := make([]byte, 10*rate)
				h.put("/file", string(content))
				begin := time.Now()
				var all []<-chan result
				for i, u := range test.users {
					_, s := h.enter(u.Name)
					if test.up {
						conn, done := upload(t.Context(), open(t, s, ferry.Name(fmt.Sprint("/up", i)), ferry.Replace))
						go func() { _, _ = conn.Write(content); conn.Close() }()
						all = append(all, done)
						continue
					}
					conn, done := download(t.Context(), open(t, s, "/file", ferry.Read))
					go func() { _, _ = io.Copy(io.Discard, conn) }()
					all = append(all, done)
				}
				for _, done := range all {
					if r := <-done; r.err != nil || r.n != 10*rate {
						t.Errorf("%+v", r)
					}
				}
				// The first quarter of a second is free: a burst, and the chunk after it.
				if got := time.Since(begin).Seconds(); got > test.want || got < test.want-0.3 {
					t.Errorf("took %.2f s, want %.2f", got, test.want)
				}
			})
		})
	}
}

func TestPacketsAreLimitedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, gate.Limits{}, limited("alice", 1000, 1000))
		h.put("/file", string(make([]byte, 5000)))
		_, s := h.enter("alice")
		f := open(t, s, "/file", ferry.Update)
		begin := time.Now()
		for off := int64(0); off < 5000; off += 500 {
			_, err := f.ReadAt(make([]byte, 500), off)
			wantErr(t, err, nil)
		}
		if took := time.Since(begin); took < 4*time.Second || took > 5*time.Second {
			t.Errorf("reading 5 s' worth took %v", took)
		}
		begin = time.Now()
		for off := int64(0); off < 5000; off += 500 {
			_, err := f.WriteAt(make([]byte, 500), off)
			wantErr(t, err, nil)
		}
		if took := time.Since(begin); took < 4*time.Second || took > 5*time.Second {
			t.Errorf("writing 5 s' worth took %v", took)
		}
	})
}

func TestStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, gate.Limits{Stall: time.Minute}, user("alice"))
		h.put("/file", "content")
		_, s := h.enter("alice")
		down, up := open(t, s, "/file", ferry.Read), open(t, s, "/up", ferry.Replace)
		begin := time.Now()
		_, sent := download(t.Context(), down)
		_, received := upload(t.Context(), up)
		for _, done := range []<-chan result{sent, received} {
			if r := <-done; r.n != 0 || !errors.Is(r.err, ferry.ErrStalled) {
				t.Errorf("%+v", r)
			}
		}
		if took := time.Since(begin); took != time.Minute {
			t.Errorf("stalled after %v", took)
		}
	})
}

// slowly is a handle whose copies run into the deadline with a byte moved, as
// those of a disk do when the other side takes one byte at a time.
type slowly struct{ ferry.Handle }

func (s slowly) SendTo(_ context.Context, dst *ferry.DataConn, off, n int64) (int64, error) {
	m, err := dst.Write(make([]byte, n))
	return int64(m), err
}

type slowFS struct{ ferry.FS }

func (s slowFS) Open(ctx context.Context, name ferry.Name, o ferry.OpenOptions) (ferry.Handle, error) {
	h, err := s.FS.Open(ctx, name, o)
	return slowly{h}, err
}

func TestSlowIsNotStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, gate.Limits{Stall: time.Minute}, user("alice"))
		h.put("/file", "content")
		h.wrap = func(tree ferry.FS) ferry.FS { return slowFS{tree} }
		_, s := h.enter("alice")
		f := open(t, s, "/file", ferry.Read)
		here, there := net.Pipe()
		done := make(chan result, 1)
		go func() {
			n, err := f.SendTo(t.Context(), ferry.NewDataConn(here), 0, 10)
			done <- result{n, err}
		}()
		for range 10 {
			time.Sleep(59 * time.Second)
			if _, err := there.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
		}
		if r := <-done; r.n != 10 || r.err != nil {
			t.Errorf("%+v", r)
		}
	})
}

func TestWhatEndsACopy(t *testing.T) {
	tests := []struct {
		name string
		end  func(h *house, v *gate.Conn, s *gate.Session, cancel context.CancelCauseFunc)
		want error
	}{
		{"its context", func(_ *house, _ *gate.Conn, _ *gate.Session, cancel context.CancelCauseFunc) {
			cancel(ferry.ErrAborted)
		}, ferry.ErrAborted},
		{"a kick", func(h *house, _ *gate.Conn, _ *gate.Session, _ context.CancelCauseFunc) {
			h.gate.Kick(func(gate.SessionInfo) bool { return true }, ferry.ErrKicked)
		}, ferry.ErrKicked},
		{"the connection's end", func(_ *house, v *gate.Conn, _ *gate.Session, _ context.CancelCauseFunc) {
			v.Close(ferry.ErrControlLost)
		}, ferry.ErrControlLost},
		{"the session's end", func(_ *house, _ *gate.Conn, s *gate.Session, _ context.CancelCauseFunc) { s.End() }, ferry.ErrAborted},
	}
	// While it waits for the client, and while it waits for its share.
	for _, u := range []ferry.User{user("alice"), limited("alice", 1, 1)} {
		for _, test := range tests {
			t.Run(fmt.Sprintf("%s at %d bytes/s", test.name, u.Limits.Download), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := newHouse(t, gate.Limits{}, u)
					h.put("/file", "content")
					v, s := h.enter("alice")
					ctx, cancel := context.WithCancelCause(t.Context())
					defer cancel(nil)
					f := open(t, s, "/file", ferry.Read)
					conn, done := download(ctx, f)
					if u.Limits.Download > 0 {
						go func() { _, _ = io.Copy(io.Discard, conn) }()
					}
					synctest.Wait() // it is blocked now
					begin := time.Now()
					test.end(h, v, s, cancel)
					if r := <-done; r.err != test.want {
						t.Errorf("%+v, want %v", r, test.want)
					}
					if took := time.Since(begin); took != 0 {
						t.Errorf("ended after %v", took)
					}
				})
			})
		}
	}
}

func TestCopyAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, gate.Limits{}, user("alice"))
		h.put("/file", "content")
		_, s := h.enter("alice")
		f := open(t, s, "/file", ferry.Read)
		h.gate.Kick(func(gate.SessionInfo) bool { return true }, ferry.ErrKicked)
		_, done := download(t.Context(), f)
		if r := <-done; r.err != ferry.ErrKicked {
			t.Errorf("%+v", r)
		}
		s.End()
		if _, err := s.FS().Open(t.Context(), "/file", ferry.OpenOptions{Mode: ferry.Read}); err == nil {
			t.Error("a file opened after End")
		}
	})
}

// watched notes which connection its handles are given, and in which steps.
type watched struct {
	ferry.FS
	conns []*ferry.DataConn
	asked []int64
}

type watchedHandle struct {
	ferry.Handle
	fs *watched
}

func (w *watched) Open(ctx context.Context, name ferry.Name, o ferry.OpenOptions) (ferry.Handle, error) {
	h, err := w.FS.Open(ctx, name, o)
	return watchedHandle{h, w}, err
}

func (w watchedHandle) SendTo(_ context.Context, dst *ferry.DataConn, _, n int64) (int64, error) {
	w.fs.conns = append(w.fs.conns, dst)
	w.fs.asked = append(w.fs.asked, n)
	return n, nil
}

// The kernel can only move the bytes when it is the very connection that the
// storage is given.
func TestTheConnectionReachesTheStorageAsItIs(t *testing.T) {
	h := newHouse(t, gate.Limits{}, user("alice"))
	h.put("/file", "content")
	w := &watched{}
	h.wrap = func(tree ferry.FS) ferry.FS { w.FS = tree; return w }
	_, s := h.enter("alice")
	conn, _ := net.Pipe()
	here := ferry.NewDataConn(conn)
	f := open(t, s, "/file", ferry.Read)
	if n, err := f.SendTo(t.Context(), here, 0, 100<<20); n != 100<<20 || err != nil {
		t.Fatal(n, err)
	}
	if slices.ContainsFunc(w.conns, func(c *ferry.DataConn) bool { return c != here }) {
		t.Error("the storage was given another connection")
	}
	if last := slices.Max(w.asked); last != 16<<20 {
		t.Errorf("the largest chunk on a fast line is %d bytes", last)
	}
	w.asked = nil
	if _, err := f.SendTo(t.Context(), here, 0, 100<<10); err != nil || len(w.asked) != 1 {
		t.Errorf("a small file went in %d steps, %v", len(w.asked), err)
	}
}

func TestDeadlinesAreGoneAfterACopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, gate.Limits{Stall: time.Minute}, user("alice"))
		h.put("/file", "content")
		_, s := h.enter("alice")
		f := open(t, s, "/file", ferry.Read)
		here, there := net.Pipe()
		go func() { _, _ = io.ReadFull(there, make([]byte, 7)) }()
		_, err := f.SendTo(t.Context(), ferry.NewDataConn(here), 0, 7)
		wantErr(t, err, nil)
		read := make(chan error, 1)
		go func() {
			_, err := here.Read(make([]byte, 1))
			read <- err
		}()
		time.Sleep(time.Hour)
		_, _ = there.Write([]byte("x"))
		if err := <-read; errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("a deadline is left behind")
		}
	})
}

func TestTransfersShowProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, gate.Limits{}, limited("alice", 1000, 1000))
		h.put("/file", string(make([]byte, 10_000)))
		_, s := h.enter("alice")
		f := open(t, s, "/file", ferry.Read)
		conn, done := download(t.Context(), f)
		go func() { _, _ = io.Copy(io.Discard, conn) }()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		list := s.Transfers()
		if len(list) != 1 || list[0].Name != "/file" || list[0].Upload || list[0].Size != 10_000 ||
			list[0].Bytes < 4500 || list[0].Bytes > 5500 {
			t.Errorf("half way: %+v", list)
		}
		if i := h.gate.Sessions()[0]; i.User != "alice" || i.Downloaded != list[0].Bytes || len(i.Transfers) != 1 {
			t.Errorf("session: %+v", i)
		}
		<-done
		wantErr(t, f.Commit(), nil)
		if list := s.Transfers(); len(list) != 0 {
			t.Errorf("afterwards: %+v", list)
		}
	})
}
