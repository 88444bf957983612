package sftpserver

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"

	"ferry"
	"ferry/internal/mem"
	"ferry/internal/sftpwire"
)

// peer is a client that says what a test wants it to say. Replies are read as
// they come and kept by request.
type peer struct {
	t    *testing.T
	conn io.ReadWriteCloser
	over chan error // what Serve returned
	last uint32     // request number

	mu      sync.Mutex
	came    sync.Cond
	replies map[uint32]sftpwire.Reply
	order   []uint32
	ended   bool
	hello   sftpwire.Hello
}

// world is a tree in memory, and the log of the sessions over it.
type world struct {
	tree *mem.Tree
	log  *logbook
}

func newWorld() *world { return &world{mem.New(mem.Config{}), new(logbook)} }

// logbook is what was logged.
type logbook struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// session is what most tests need: alice over the world's tree.
func (w *world) session() Session {
	return Session{FS: w.tree.For(ferry.User{Name: "alice"}), User: ferry.User{Name: "alice"},
		Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
}

// dial begins a session as cfg says and says hello.
func dial(t *testing.T, cfg Session) *peer {
	t.Helper()
	p := dialSilently(t, context.Background(), cfg)
	p.write(sftpwire.AppendInit(nil, sftpwire.Hello{Version: 3}))
	go p.read()
	return p
}

// dialSilently says nothing yet.
func dialSilently(t *testing.T, ctx context.Context, cfg Session) *peer {
	here, there := net.Pipe()
	p := &peer{t: t, conn: here, over: make(chan error, 1), replies: map[uint32]sftpwire.Reply{}}
	p.came.L = &p.mu
	go func() { p.over <- Serve(ctx, there, cfg) }()
	t.Cleanup(func() {
		_ = here.Close()
		<-p.over
		close(p.over)
	})
	return p
}

// end ends the session as a client does that is done, and gives what Serve
// made of it.
func (p *peer) end() error {
	_ = p.conn.Close()
	err := <-p.over
	p.over <- err // for the cleanup
	return err
}

func (p *peer) read() {
	in := bufio.NewReader(p.conn)
	for {
		packet, err := readPacket(in)
		p.mu.Lock()
		if err != nil {
			p.ended = true
			p.came.Broadcast()
			p.mu.Unlock()
			return
		}
		if sftpwire.Type(packet[0]) == sftpwire.TypeVersion {
			p.hello, err = sftpwire.ParseVersion(packet)
		} else {
			var id uint32
			var r sftpwire.Reply
			if id, r, err = sftpwire.ParseReply(packet); err == nil {
				p.replies[id] = r
				p.order = append(p.order, id)
			}
		}
		if err != nil {
			p.t.Errorf("the server sent %q: %v", packet, err)
		}
		p.came.Broadcast()
		p.mu.Unlock()
	}
}

func readPacket(in io.Reader) ([]byte, error) {
	var header [4]byte
	if _, err := io.ReadFull(in, header[:]); err != nil {
		return nil, err
	}
	n, err := sftpwire.Length(header)
	if err != nil {
		return nil, err
	}
	packet := make([]byte, n)
	_, err = io.ReadFull(in, packet)
	return packet, err
}

func (p *peer) write(packet []byte) {
	if _, err := p.conn.Write(packet); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		p.t.Errorf("write: %v", err)
	}
}

// send sends requests in one write and gives the number of the last.
func (p *peer) send(requests ...sftpwire.Request) uint32 {
	var packets []byte
	for _, r := range requests {
		p.last++
		packets = sftpwire.AppendRequest(packets, p.last, r)
	}
	p.write(packets)
	return p.last
}

// wait gives the reply to a request; nil: the session has ended without.
func (p *peer) wait(id uint32) sftpwire.Reply {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.replies[id] == nil && !p.ended {
		p.came.Wait()
	}
	r := p.replies[id]
	delete(p.replies, id)
	return r
}

// ask sends a request and gives its reply.
func (p *peer) ask(r sftpwire.Request) sftpwire.Reply { return p.wait(p.send(r)) }

// status asks, and wants a STATUS.
func (p *peer) status(r sftpwire.Request) sftpwire.Code {
	p.t.Helper()
	return p.codeOf(r, p.ask(r))
}

func (p *peer) codeOf(r sftpwire.Request, reply sftpwire.Reply) sftpwire.Code {
	p.t.Helper()
	s, ok := reply.(*sftpwire.Status)
	if !ok {
		p.t.Errorf("%#v: %#v, want a status", r, reply)
		return 1 << 31
	}
	return s.Code
}

// want asks, and wants that status.
func (p *peer) want(code sftpwire.Code, requests ...sftpwire.Request) {
	p.t.Helper()
	for _, r := range requests {
		if got := p.status(r); got != code {
			p.t.Errorf("%#v: %v, want %v", r, got, code)
		}
	}
}

// open wants a handle.
func (p *peer) open(name string, flags sftpwire.OpenFlags) string {
	p.t.Helper()
	return p.handle(&sftpwire.Open{Name: name, Flags: flags})
}

func (p *peer) handle(r sftpwire.Request) string {
	p.t.Helper()
	reply := p.ask(r)
	h, ok := reply.(*sftpwire.Handle)
	if !ok {
		p.t.Fatalf("%#v: %#v, want a handle", r, reply)
	}
	return h.Handle
}

// put makes text the whole content of name.
func (p *peer) put(name, text string) {
	p.t.Helper()
	h := p.open(name, sftpwire.OpenWrite|sftpwire.OpenCreate|sftpwire.OpenTruncate)
	p.want(sftpwire.OK, &sftpwire.Write{Handle: h, Data: []byte(text)}, &sftpwire.Close{Handle: h})
}

// get reads name, in one READ.
func (p *peer) get(name string) string {
	p.t.Helper()
	h := p.open(name, sftpwire.OpenRead)
	defer p.want(sftpwire.OK, &sftpwire.Close{Handle: h})
	return p.readAt(h, 0, 1<<20)
}

func (p *peer) readAt(h string, off uint64, n uint32) string {
	p.t.Helper()
	switch r := p.ask(&sftpwire.Read{Handle: h, Offset: off, Length: n}).(type) {
	case *sftpwire.Data:
		return string(r.Data)
	case *sftpwire.Status:
		if r.Code == sftpwire.EOF {
			return ""
		}
		p.t.Errorf("READ at %d: %v", off, r)
	}
	return "?"
}

// holds checks the content of name.
func (p *peer) holds(name, text string) {
	p.t.Helper()
	if got := p.get(name); got != text {
		p.t.Errorf("%s holds %.80q, want %.80q", name, got, text)
	}
}

// attrs asks, and wants ATTRS.
func (p *peer) attrs(r sftpwire.Request) sftpwire.Attrs {
	p.t.Helper()
	reply := p.ask(r)
	a, ok := reply.(*sftpwire.AttrsReply)
	if !ok {
		p.t.Errorf("%#v: %#v, want attributes", r, reply)
		return sftpwire.Attrs{}
	}
	return a.Attrs
}

// sized checks the size that a request for attributes gives.
func (p *peer) sized(r sftpwire.Request, size uint64) {
	p.t.Helper()
	if got := p.attrs(r).Size; got != size {
		p.t.Errorf("%#v: %d bytes, want %d", r, got, size)
	}
}

// one asks, and wants NAME with one entry.
func (p *peer) one(r sftpwire.Request) string {
	p.t.Helper()
	reply := p.ask(r)
	n, ok := reply.(*sftpwire.Names)
	if !ok || len(n.Entries) != 1 {
		p.t.Errorf("%#v: %#v, want one name", r, reply)
		return ""
	}
	return n.Entries[0].Name
}

// list gives the entries of a directory.
func (p *peer) list(name string) []sftpwire.Entry {
	p.t.Helper()
	h := p.handle(&sftpwire.Opendir{Name: name})
	defer p.want(sftpwire.OK, &sftpwire.Close{Handle: h})
	var all []sftpwire.Entry
	for {
		switch r := p.ask(&sftpwire.Readdir{Handle: h}).(type) {
		case *sftpwire.Names:
			all = append(all, r.Entries...)
		case *sftpwire.Status:
			if r.Code != sftpwire.EOF {
				p.t.Errorf("READDIR %s: %v", name, r)
			}
			return all
		default:
			p.t.Fatalf("READDIR %s: %#v", name, r)
		}
	}
}

// extended asks, and reads the answer of an extension into.
func (p *peer) extended(r sftpwire.Request, into sftpwire.Reply) {
	p.t.Helper()
	reply := p.ask(r)
	e, ok := reply.(*sftpwire.ExtendedReply)
	if !ok {
		p.t.Errorf("%#v: %#v, want the answer of an extension", r, reply)
		return
	}
	if err := e.Parse(into); err != nil {
		p.t.Errorf("%#v: %v", r, err)
	}
}
