package sftpflow

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math"
	"net"
	"sync"
	"testing"
	"time"

	"ferry/internal/sftpconn"
	"ferry/internal/sftpwire"
)

// remote is a file on a server that answers as answer says. It notes what a flow tells.
type remote struct {
	conn   *sftpconn.Conn
	answer func(r sftpwire.Request) sftpwire.Reply

	mu      sync.Mutex
	size    int64
	missed  int64
	took    int64
	noticed int
}

func serve(t *testing.T, answer func(r sftpwire.Request) sftpwire.Reply) *remote {
	t.Helper()
	here, there := net.Pipe()
	m := &remote{conn: sftpconn.New(here), answer: answer, missed: math.MaxInt64}
	var ended sync.WaitGroup
	ended.Go(func() {
		for {
			n, err := sftpconn.ReadLength(there)
			if err != nil {
				return
			}
			packet := make([]byte, n)
			if _, err := io.ReadFull(there, packet); err != nil {
				return
			}
			id, r, err := sftpwire.ParseRequest(packet)
			if err != nil {
				t.Errorf("%q: %v", packet, err)
				return
			}
			if _, err := there.Write(sftpwire.AppendReply(nil, id, answer(r))); err != nil {
				return
			}
		}
	})
	m.conn.Start()
	t.Cleanup(func() {
		_ = there.Close()
		m.conn.Close()
		ended.Wait()
	})
	return m
}

func (m *remote) Begin(ctx context.Context, request func(string) sftpwire.Request) (*sftpconn.Call, error) {
	return m.conn.Begin(ctx, request("h"))
}
func (m *remote) Noticed(err error) error { m.mu.Lock(); defer m.mu.Unlock(); m.noticed++; return err }
func (m *remote) Size() int64             { m.mu.Lock(); defer m.mu.Unlock(); return m.size }
func (m *remote) Took(_, n int64)         { m.mu.Lock(); defer m.mu.Unlock(); m.took += n }
func (m *remote) Missed(off int64)        { m.mu.Lock(); defer m.mu.Unlock(); m.missed = min(m.missed, off) }

// TestReadInOrder: whatever a server gives at once, and however little is known of the
// size, the content comes whole and in order.
func TestReadInOrder(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789"), 1000)
	for name, test := range map[string]struct {
		known  int64 // of the size
		most   int   // that the server gives at once
		off, n int64
		want   []byte
	}{
		"all, of a known size":         {10_000, 1000, 0, -1, content},
		"all, of a size not known":     {0, 1000, 0, -1, content},
		"a server that gives less":     {10_000, 7, 0, -1, content},
		"a range":                      {10_000, 1000, 95, 1010, content[95:1105]},
		"a range beyond the end":       {10_000, 1000, 9_990, 100, content[9_990:]},
		"a file that has become short": {20_000, 1000, 0, -1, content},
	} {
		t.Run(name, func(t *testing.T) {
			m := serve(t, func(r sftpwire.Request) sftpwire.Reply {
				read := r.(*sftpwire.Read)
				if read.Offset >= uint64(len(content)) {
					return &sftpwire.Status{Code: sftpwire.EOF}
				}
				rest := content[read.Offset:]
				return &sftpwire.Data{Data: rest[:min(len(rest), int(read.Length), test.most)]}
			})
			m.size = test.known
			r := Read(t.Context(), m.conn, m, Sizes{Chunk: 100, Window: 8}, test.off, test.n)
			defer r.Stop()
			var got []byte
			for {
				p, err := r.Next()
				if err == io.EOF {
					break
				}
				if err != nil || len(p) == 0 {
					t.Fatalf("%d bytes, %v", len(p), err)
				}
				got = append(got, p...)
			}
			if !bytes.Equal(got, test.want) {
				t.Errorf("%d bytes came, want %d", len(got), len(test.want))
			}
		})
	}
}

// TestWriteCountsWhatArrived: up to the first WRITE that failed, whatever was written
// behind it, and the file is told where the gap is.
func TestWriteCountsWhatArrived(t *testing.T) {
	for name, test := range map[string]struct {
		fails  uint64 // the offset of the WRITE that does
		taken  int64
		missed int64
		want   error
	}{
		"all":               {math.MaxUint64, 1000, math.MaxInt64, nil},
		"the first":         {0, 0, 0, fs.ErrPermission},
		"one in the middle": {500, 500, 500, fs.ErrPermission},
		"the last":          {900, 900, 900, fs.ErrPermission},
	} {
		t.Run(name, func(t *testing.T) {
			m := serve(t, func(r sftpwire.Request) sftpwire.Reply {
				if r.(*sftpwire.Write).Offset == test.fails {
					return &sftpwire.Status{Code: sftpwire.PermissionDenied}
				}
				return &sftpwire.Status{Code: sftpwire.OK}
			})
			w := Write(t.Context(), t.Context(), time.Minute, m, Sizes{Chunk: 100, Window: 4})
			whole := w.Send(make([]byte, 450), 0) && w.Send(make([]byte, 50), 450) && w.Send(make([]byte, 500), 500)
			taken, err := w.End()
			if taken != test.taken || m.took != test.taken || m.missed != test.missed || !errors.Is(err, test.want) {
				t.Errorf("taken %d (the file was told %d), missed at %d, %v", taken, m.took, m.missed, err)
			}
			if test.want != nil && m.noticed == 0 || test.want == nil && !whole {
				t.Errorf("%d errors were noticed; all was sent: %v", m.noticed, whole)
			}
		})
	}
}
