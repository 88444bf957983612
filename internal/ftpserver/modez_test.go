package ftpserver

import (
	"bytes"
	"compress/zlib"
	"crypto/tls"
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

// An upload that is cut before its first byte is no empty file, in MODE Z
// neither.
func TestThreat12CutUploadInModeZIsNotPublished(t *testing.T) {
	for name, version := range versions() {
		t.Run(name, func(t *testing.T) {
			s := serveTLS(t, false, nil)
			s.srv.cfg.ModeZ = true
			c := s.login(clientTLS(version), "alice")
			c.put("f", "content", "226")
			c.do("MODE Z", "200")
			nc := c.passive()
			c.do("STOR f", "150")
			tc := tls.Client(nc, c.tls)
			if err := tc.Handshake(); err != nil {
				t.Fatal(err)
			}
			_ = nc.(*net.TCPConn).CloseWrite()
			c.want("426")
			if got, _ := s.content("/f"); got != "content" {
				t.Errorf("the file has become %q", got)
			}
		})
	}
}
