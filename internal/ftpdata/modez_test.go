package ftpdata

import (
	"bytes"
	"compress/zlib"
	"errors"
	"net"
	"os"
	"sync"
	"testing"
	"time"
)

// watchedConn notes whether somebody reads.
type watchedConn struct {
	net.Conn
	mu      sync.Mutex
	reading int
}

func (w *watchedConn) Read(p []byte) (int, error) {
	w.count(1)
	defer w.count(-1)
	return w.Conn.Read(p)
}

func (w *watchedConn) count(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reading += n
	return w.reading
}

// A transfer that gives up while its client is silent, or sends more than
// anybody takes, leaves nobody reading below MODE Z: with TLS, what is read
// into belongs to another session from then on.
func TestDecompressionEndsWithTheTransfer(t *testing.T) {
	var stream bytes.Buffer
	w := zlib.NewWriter(&stream)
	if _, err := w.Write(bytes.Repeat([]byte("0123456789"), 20_000)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, sent := range map[string][]byte{"silent": stream.Bytes()[:2], "eager": stream.Bytes()} {
		t.Run(name, func(t *testing.T) {
			client, raw := net.Pipe()
			defer client.Close()
			go func() { _, _ = client.Write(sent) }()
			below := &watchedConn{Conn: raw}
			z := newZConn(below, 0)
			if name == "silent" {
				_ = z.SetReadDeadline(time.Unix(1, 0))
			}
			if _, err := z.Read(make([]byte, 10)); name == "silent" && !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("Read: %v, want the deadline", err)
			}
			z.end(raw)
			if n := below.count(0); n != 0 {
				t.Errorf("%d still read behind the end", n)
			}
			select {
			case <-z.filled:
			default:
				t.Error("the decompression goes on behind the end")
			}
			raw.Close()
		})
	}
}
