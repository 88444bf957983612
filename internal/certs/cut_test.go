package certs_test

import (
	"crypto/tls"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"ferry/internal/certs"
)

// TestThreat13CutHandshakes: a client that is gone after any byte of the
// handshake, sent or received, ends it: no goroutine stays (the bubble would
// not end), and nobody goes on asking a connection that is closed, which is
// how others have burnt a CPU.
func TestThreat13CutHandshakes(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		source, _ := pairOf(t, false)
		server := source.Server(certs.Options{})
		sent, received := cut(t, server, version, 1<<20, 1<<20)
		if sent.err != nil || sent.bytes < 100 || received < 100 {
			t.Fatalf("a whole handshake: %+v, %d bytes received", sent, received)
		}
		total := [2]int{sent.bytes, received}
		for n := range total[0] {
			if r, _ := cut(t, server, version, n, 1<<20); r.err == nil {
				t.Errorf("cut after %d of %d bytes sent: the server is content", n, total[0])
			} else if r.afterEnd > 1 {
				t.Errorf("cut after %d bytes sent: %d reads after the end", n, r.afterEnd)
			}
		}
		for n := range total[1] {
			if r, _ := cut(t, server, version, 1<<20, n); r.afterEnd > 1 {
				t.Errorf("cut after %d bytes received: %d reads after the end", n, r.afterEnd)
			}
		}
	})
}

// ending is how the server's side of a cut handshake went.
type ending struct {
	err      error
	bytes    int // from the client
	afterEnd int // reads after one that said the connection is over
}

// cut lets a client shake hands that is gone after so many bytes.
func cut(t *testing.T, server *tls.Config, version uint16, send, receive int) (got ending, received int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		clientSide, serverSide := pipe()
		wire := &counter{Conn: serverSide}
		client := &mortal{Conn: clientSide, send: send, receive: receive}
		go func() {
			defer clientSide.Close()
			// A small hello: without the keys of the hybrid exchange.
			c := tls.Client(client, &tls.Config{
				InsecureSkipVerify: true, MinVersion: version, MaxVersion: version, CurvePreferences: []tls.CurveID{tls.X25519},
			})
			if c.Handshake() == nil {
				_, _ = io.ReadFull(c, make([]byte, 1))
			}
		}()
		s := tls.Server(wire, server)
		if got.err = s.Handshake(); got.err == nil {
			_, got.err = s.Write([]byte("2"))
		}
		serverSide.Close()
		synctest.Wait()
		got.bytes, got.afterEnd, received = int(wire.bytes.Load()), int(wire.afterEnd.Load()), 1<<20-client.receive
	})
	return got, received
}

// counter watches the server read.
type counter struct {
	net.Conn
	bytes, afterEnd atomic.Int64
	over            bool
}

func (c *counter) Read(p []byte) (int, error) {
	if c.over {
		c.afterEnd.Add(1)
	}
	n, err := c.Conn.Read(p)
	c.bytes.Add(int64(n))
	c.over = c.over || err != nil
	return n, err
}

// mortal closes itself when it has sent or received enough.
type mortal struct {
	net.Conn
	send, receive int
}

func (m *mortal) Write(p []byte) (int, error) {
	n, err := m.Conn.Write(p[:min(len(p), m.send)])
	if m.send -= n; m.send == 0 {
		m.Conn.Close()
		return n, io.ErrClosedPipe
	}
	return n, err
}

func (m *mortal) Read(p []byte) (int, error) {
	if m.receive == 0 {
		m.Conn.Close()
		return 0, io.ErrClosedPipe
	}
	n, err := m.Conn.Read(p[:min(len(p), m.receive)])
	m.receive -= n
	return n, err
}
