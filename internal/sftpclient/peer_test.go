package sftpclient

import (
	"bufio"
	"context"
	"io"
	"net"
	"slices"
	"testing"

	"ferry/internal/sftpconn"
	"ferry/internal/sftpwire"
)

// peer is a server that says what a test wants it to say. It is asked in one
// goroutine, that of the test.
type peer struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

// request is what the client asked.
type request struct {
	id uint32
	sftpwire.Request
}

// hello is VERSION of a server with those extensions, of all that there are.
func hello(names ...string) sftpwire.Hello {
	h := sftpwire.Hello{Version: 3}
	for _, e := range sftpwire.Extensions() {
		if slices.Contains(names, e.Name) {
			h.Extensions = append(h.Extensions, e)
		}
	}
	return h
}

// begin begins a session with a server that says h.
func begin(t *testing.T, h sftpwire.Hello, opts Options) (*FS, *peer) {
	t.Helper()
	here, there := net.Pipe()
	p := newPeer(t, there)
	greeted := make(chan struct{})
	go func() {
		defer close(greeted)
		p.greet(h)
	}()
	f, err := New(context.Background(), here, opts)
	if err != nil {
		t.Fatal(err)
	}
	<-greeted
	t.Cleanup(func() {
		_ = there.Close()
		_ = f.Close()
	})
	return f, p
}

func newPeer(t *testing.T, conn net.Conn) *peer {
	return &peer{t: t, conn: conn, in: bufio.NewReader(conn)}
}

// greet answers INIT.
func (p *peer) greet(h sftpwire.Hello) {
	if packet, err := p.packet(); err != nil || sftpwire.Type(packet[0]) != sftpwire.TypeInit {
		p.t.Errorf("the client began with %q, %v; want INIT", packet, err)
	}
	p.write(sftpwire.AppendVersion(nil, h))
}

func (p *peer) packet() ([]byte, error) {
	n, err := sftpconn.ReadLength(p.in)
	if err != nil {
		return nil, err
	}
	packet := make([]byte, n)
	_, err = io.ReadFull(p.in, packet)
	return packet, err
}

// next is what the client asks next.
func (p *peer) next() request {
	p.t.Helper()
	packet, err := p.packet()
	if err != nil {
		p.t.Fatalf("the client asked no more: %v", err)
	}
	id, r, err := sftpwire.ParseRequest(packet)
	if err != nil {
		p.t.Fatalf("the client asked %q: %v", packet, err)
	}
	return request{id, r}
}

func (p *peer) write(packet []byte) {
	if _, err := p.conn.Write(packet); err != nil {
		p.t.Errorf("the client took no answer: %v", err)
	}
}

// answer answers a request.
func (p *peer) answer(r request, answer sftpwire.Reply) {
	p.write(sftpwire.AppendReply(nil, r.id, answer))
}

// serve answers all that is asked by do, until the client has gone.
func (p *peer) serve(do func(r request) sftpwire.Reply) {
	for {
		packet, err := p.packet()
		if err != nil {
			return
		}
		id, r, err := sftpwire.ParseRequest(packet)
		if err != nil {
			return
		}
		if _, err := p.conn.Write(sftpwire.AppendReply(nil, id, do(request{id, r}))); err != nil {
			return
		}
	}
}

func status(code sftpwire.Code) *sftpwire.Status {
	return &sftpwire.Status{Code: code, Text: code.String()}
}

// file are the attributes of a regular file.
func file(size uint64) sftpwire.Attrs {
	return sftpwire.Attrs{
		Flags: sftpwire.AttrSize | sftpwire.AttrMode | sftpwire.AttrTimes, Size: size, Mode: 0o100644, Access: 1, Modified: 2,
	}
}
