package sftpserver

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"ferry"
	"ferry/internal/sftpio"
	"ferry/internal/sftptest"
	"ferry/internal/sftpwire"
)

// weighing is an FS whose files never answer, and that knows how much memory
// they are to read into.
type weighing struct {
	ferry.FS
	bytes *atomic.Int64
	ended context.Context
}

func (w weighing) Open(ctx context.Context, name ferry.Name, o ferry.OpenOptions) (ferry.Handle, error) {
	h, err := w.FS.Open(ctx, name, o)
	return weighed{h, w}, err
}

type weighed struct {
	ferry.Handle
	w weighing
}

func (h weighed) ReadAt(p []byte, _ int64) (int, error) {
	h.w.bytes.Add(int64(cap(p)))
	<-h.w.ended.Done()
	return 0, context.Canceled
}

// TestThreat17MemoryOfASession: the budget counts what requests take, whatever
// their sizes are.
func TestThreat17MemoryOfASession(t *testing.T) {
	for _, row := range []struct {
		what    string
		request func(i int) sftpwire.Request
	}{
		{"READs just above a size", func(int) sftpwire.Request { return &sftpwire.Read{Handle: handleOf(1), Length: 34_000} }},
		{"small READs", func(int) sftpwire.Request { return &sftpwire.Read{Handle: handleOf(1), Length: 600} }},
		{"copy-data", func(i int) sftpwire.Request {
			return &sftpwire.CopyData{From: handleOf(1), To: handleOf(uint64(2 + i%200))}
		}},
		{"check-file", func(int) sftpwire.Request {
			return &sftpwire.CheckFile{Form: sftpwire.CheckHandle, Object: handleOf(1), Algorithms: []string{"md5"}}
		}},
	} {
		t.Run(row.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				dial(t, w.session()).Put("/f", "content")
				ctx, cancel := context.WithCancel(t.Context())
				s, bytes := w.session(), new(atomic.Int64)
				s.FS = weighing{s.FS, bytes, ctx}
				p := dialSilently(t, ctx, s)
				p.Write(sftpwire.AppendInit(nil, sftpwire.Hello{Version: 3}))
				go p.Read()
				p.Open("/f", sftptest.Rd)
				for i := range 200 {
					p.Open(fmt.Sprintf("/g%d", i), sftptest.Wr|sftptest.Creat|sftptest.Excl)
				}
				go func() {
					for i := range 300 {
						p.Send(row.request(i))
					}
				}()
				synctest.Wait()
				if got := bytes.Load(); got > sftpio.RoomBytes {
					t.Errorf("%d bytes are to be read into, want at most %d", got, sftpio.RoomBytes)
				}
				cancel()
				synctest.Wait()
			})
		})
	}
}
