package sftpserver

import (
	"context"
	"fmt"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry"
	"ferry/internal/sftptest"
	"ferry/internal/sftpwire"
)

// endless is an FS whose files have no end, and take a moment for each read.
type endless struct {
	ferry.FS
	opened *int
}

func (e endless) Open(ctx context.Context, name ferry.Name, o ferry.OpenOptions) (ferry.Handle, error) {
	h, err := e.FS.Open(ctx, name, o)
	if o.Mode != ferry.Read {
		*e.opened++
		return h, err
	}
	return endlessHandle{h}, err
}

type endlessHandle struct{ ferry.Handle }

func (h endlessHandle) Stat() (ferry.Info, error) {
	i, err := h.Handle.Stat()
	i.Size = 1 << 50
	return i, err
}

func (h endlessHandle) ReadAt(p []byte, off int64) (int, error) {
	time.Sleep(time.Millisecond)
	return len(p), nil
}

// TestEndStopsWhatTakesLong: a client asks for what takes for ever, and for more
// than is taken of it at a time, and goes. Nothing of it is done any more.
func TestEndStopsWhatTakesLong(t *testing.T) {
	for _, row := range []struct {
		what    string
		request func(i int) sftpwire.Request
	}{
		{"hashes of a file", func(int) sftpwire.Request {
			return &sftpwire.CheckFile{Form: sftpwire.CheckHandle, Object: handleOf(1), Algorithms: []string{"md5"}, Block: 1 << 31}
		}},
		{"hashes of a name", func(int) sftpwire.Request {
			return &sftpwire.CheckFile{Form: sftpwire.CheckName, Object: "/f", Algorithms: []string{"md5"}, Block: 1 << 31}
		}},
		{"copies", func(i int) sftpwire.Request {
			return &sftpwire.CopyFile{From: "/f", To: fmt.Sprintf("/copy%d", i)}
		}},
	} {
		t.Run(row.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				dial(t, w.session()).Put("/f", "content")
				s, opened := w.session(), 0
				s.FS = endless{s.FS, &opened}
				p := dial(t, s)
				p.Open("/f", sftptest.Rd)
				for i := range 300 {
					p.Send(row.request(i))
				}
				time.Sleep(20 * time.Millisecond)
				begin := time.Now()
				if err := p.End(); err != nil {
					t.Errorf("the session ended with %v", err)
				}
				if took := time.Since(begin); took > 10*time.Millisecond {
					t.Errorf("the session went on for %v", took)
				}
				if opened > 1 {
					t.Errorf("%d copies were begun", opened)
				}
			})
		})
	}
}

// waiting is an FS whose files answer nothing until they are aborted, as those do
// that wait for their share of the bandwidth.
type waiting struct{ ferry.FS }

func (w waiting) Open(ctx context.Context, name ferry.Name, o ferry.OpenOptions) (ferry.Handle, error) {
	h, err := w.FS.Open(ctx, name, o)
	return &waitingHandle{Handle: h, over: make(chan struct{})}, err
}

type waitingHandle struct {
	ferry.Handle
	once sync.Once
	over chan struct{}
}

func (h *waitingHandle) ReadAt([]byte, int64) (int, error) { <-h.over; return 0, ferry.ErrClosed }

func (h *waitingHandle) WriteAt([]byte, int64) (int, error) { <-h.over; return 0, ferry.ErrClosed }

func (h *waitingHandle) Abort(cause error) error {
	h.once.Do(func() { close(h.over) })
	return h.Handle.Abort(cause)
}

// TestEndStopsWhatWaits: nor does a session last longer than its client because of
// what waits. What was sent to be written has a moment still.
func TestEndStopsWhatWaits(t *testing.T) {
	for _, row := range []struct {
		what string
		end  func(p *sftptest.Peer, hangUp func()) error
		read time.Duration // how long the session goes on after READs, at most
	}{
		{"the client ends its stream", func(p *sftptest.Peer, _ func()) error { return p.End() }, lastRequests},
		{"the client has hung up", func(p *sftptest.Peer, hangUp func()) error { hangUp(); return p.End() }, 0},
	} {
		for _, writes := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, writes %v", row.what, writes), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld()
					dial(t, w.session()).Put("/f", "content")
					s := w.session()
					s.FS = waiting{s.FS}
					var hangUp func()
					s.Client, hangUp = context.WithCancel(t.Context())
					p := dial(t, s)
					most := row.read
					if writes {
						h := p.Open("/g", sftptest.Wr|sftptest.Creat|sftptest.Trunc)
						p.Send(&sftpwire.Write{Handle: h, Data: []byte("x")}, &sftpwire.Close{Handle: h})
						most = lastRequests
					} else {
						h := p.Open("/f", sftptest.Rd)
						for range 300 {
							p.Send(&sftpwire.Read{Handle: h, Length: 1 << 15})
						}
					}
					synctest.Wait()
					begin := time.Now()
					if err := row.end(p, hangUp); err != nil {
						t.Errorf("the session ended with %v", err)
					}
					if took := time.Since(begin); took > most {
						t.Errorf("the session went on for %v, want %v at most", took, most)
					}
					if _, err := w.tree.For(ferry.User{Name: "bob"}).Stat(t.Context(), "/g"); err == nil {
						t.Error("what was not written was published")
					}
				})
			})
		}
	}
}

// TestRequestsBeforeTheEndAreDone: what a client has sent it meant, though it waits
// for no answer, be it more than is taken at a time.
func TestRequestsBeforeTheEndAreDone(t *testing.T) {
	w := newWorld()
	here, there := io.Pipe()
	over := make(chan error, 1)
	go func() {
		over <- Serve(t.Context(), onlyRequests{here}, w.session())
	}()
	stream := sftpwire.AppendInit(nil, sftpwire.Hello{Version: 3})
	for i := range uint32(2000) {
		stream = sftpwire.AppendRequest(stream, i, &sftpwire.Mkdir{Name: fmt.Sprintf("/d%d", i)})
	}
	_, _ = there.Write(stream)
	_ = there.Close()
	if err := <-over; err != nil {
		t.Fatal(err)
	}
	if _, err := w.session().FS.Stat(t.Context(), "/d1999"); err != nil {
		t.Error(err)
	}
}

// onlyRequests is a stream that takes whatever is written.
type onlyRequests struct{ *io.PipeReader }

func (onlyRequests) Write(p []byte) (int, error) { return len(p), nil }
