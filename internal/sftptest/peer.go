package sftptest

import (
	"bufio"
	"errors"
	"io"
	"sync"
	"testing"

	"ferry/internal/sftpwire"
)

const (
	Rd    = sftpwire.OpenRead
	Wr    = sftpwire.OpenWrite
	App   = sftpwire.OpenAppend
	Creat = sftpwire.OpenCreate
	Trunc = sftpwire.OpenTruncate
	Excl  = sftpwire.OpenExclusive
)

// Peer is a client that says what a test wants it to say. Replies are read as
// they come and kept by request.
type Peer struct {
	T    *testing.T
	Conn io.ReadWriteCloser
	over chan error // what Serve returned
	Last uint32     // request number

	Mu      sync.Mutex
	came    sync.Cond
	replies map[uint32]sftpwire.Reply
	Order   []uint32
	ended   bool
	Hello   sftpwire.Hello
}

// NewPeer is a client over conn that has said hello; over gives what the server's
// side of the session returned, or is nil.
func NewPeer(t *testing.T, conn io.ReadWriteCloser, over chan error) *Peer {
	p := NewSilentPeer(t, conn, over)
	p.Write(sftpwire.AppendInit(nil, sftpwire.Hello{Version: 3}))
	go p.Read()
	return p
}

// NewSilentPeer says nothing yet.
func NewSilentPeer(t *testing.T, conn io.ReadWriteCloser, over chan error) *Peer {
	p := &Peer{T: t, Conn: conn, over: over, replies: map[uint32]sftpwire.Reply{}}
	p.came.L = &p.Mu
	return p
}

// End ends the session as a client does that is done, and gives what Serve
// made of it.
func (p *Peer) End() error {
	_ = p.Conn.Close()
	err := <-p.over
	p.over <- err // for the cleanup
	return err
}

func (p *Peer) Read() {
	in := bufio.NewReader(p.Conn)
	for {
		packet, err := ReadPacket(in)
		p.Mu.Lock()
		if err != nil {
			p.ended = true
			p.came.Broadcast()
			p.Mu.Unlock()
			return
		}
		if sftpwire.Type(packet[0]) == sftpwire.TypeVersion {
			p.Hello, err = sftpwire.ParseVersion(packet)
		} else {
			var id uint32
			var r sftpwire.Reply
			if id, r, err = sftpwire.ParseReply(packet); err == nil {
				p.replies[id] = r
				p.Order = append(p.Order, id)
			}
		}
		if err != nil {
			p.T.Errorf("the server sent %q: %v", packet, err)
		}
		p.came.Broadcast()
		p.Mu.Unlock()
	}
}

func ReadPacket(in io.Reader) ([]byte, error) {
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

func (p *Peer) Write(packet []byte) {
	if _, err := p.Conn.Write(packet); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		p.T.Errorf("write: %v", err)
	}
}

// Send sends requests in one write and gives the number of the last.
func (p *Peer) Send(requests ...sftpwire.Request) uint32 {
	var packets []byte
	for _, r := range requests {
		p.Last++
		packets = sftpwire.AppendRequest(packets, p.Last, r)
	}
	p.Write(packets)
	return p.Last
}

// Wait gives the reply to a request; nil: the session has ended without.
func (p *Peer) Wait(id uint32) sftpwire.Reply {
	p.Mu.Lock()
	defer p.Mu.Unlock()
	for p.replies[id] == nil && !p.ended {
		p.came.Wait()
	}
	r := p.replies[id]
	delete(p.replies, id)
	return r
}

// Ask sends a request and gives its reply.
func (p *Peer) Ask(r sftpwire.Request) sftpwire.Reply { return p.Wait(p.Send(r)) }

// status asks, and wants a STATUS.
func (p *Peer) status(r sftpwire.Request) sftpwire.Code {
	p.T.Helper()
	return p.CodeOf(r, p.Ask(r))
}

func (p *Peer) CodeOf(r sftpwire.Request, reply sftpwire.Reply) sftpwire.Code {
	p.T.Helper()
	s, ok := reply.(*sftpwire.Status)
	if !ok {
		p.T.Errorf("%#v: %#v, want a status", r, reply)
		return 1 << 31
	}
	return s.Code
}

// Want asks, and wants that status.
func (p *Peer) Want(code sftpwire.Code, requests ...sftpwire.Request) {
	p.T.Helper()
	for _, r := range requests {
		if got := p.status(r); got != code {
			p.T.Errorf("%#v: %v, want %v", r, got, code)
		}
	}
}

// Open wants a handle.
func (p *Peer) Open(name string, flags sftpwire.OpenFlags) string {
	p.T.Helper()
	return p.Handle(&sftpwire.Open{Name: name, Flags: flags})
}

func (p *Peer) Handle(r sftpwire.Request) string {
	p.T.Helper()
	reply := p.Ask(r)
	h, ok := reply.(*sftpwire.Handle)
	if !ok {
		p.T.Fatalf("%#v: %#v, want a handle", r, reply)
	}
	return h.Handle
}

// Put makes text the whole content of name.
func (p *Peer) Put(name, text string) {
	p.T.Helper()
	h := p.Open(name, sftpwire.OpenWrite|sftpwire.OpenCreate|sftpwire.OpenTruncate)
	p.Want(sftpwire.OK, &sftpwire.Write{Handle: h, Data: []byte(text)}, &sftpwire.Close{Handle: h})
}

// get reads name, in one READ.
func (p *Peer) get(name string) string {
	p.T.Helper()
	h := p.Open(name, sftpwire.OpenRead)
	defer p.Want(sftpwire.OK, &sftpwire.Close{Handle: h})
	return p.ReadAt(h, 0, 1<<20)
}

func (p *Peer) ReadAt(h string, off uint64, n uint32) string {
	p.T.Helper()
	switch r := p.Ask(&sftpwire.Read{Handle: h, Offset: off, Length: n}).(type) {
	case *sftpwire.Data:
		return string(r.Data)
	case *sftpwire.Status:
		if r.Code == sftpwire.EOF {
			return ""
		}
		p.T.Errorf("READ at %d: %v", off, r)
	}
	return "?"
}

// Holds checks the content of name.
func (p *Peer) Holds(name, text string) {
	p.T.Helper()
	if got := p.get(name); got != text {
		p.T.Errorf("%s holds %.80q, want %.80q", name, got, text)
	}
}

// Attrs asks, and wants ATTRS.
func (p *Peer) Attrs(r sftpwire.Request) sftpwire.Attrs {
	p.T.Helper()
	reply := p.Ask(r)
	a, ok := reply.(*sftpwire.AttrsReply)
	if !ok {
		p.T.Errorf("%#v: %#v, want attributes", r, reply)
		return sftpwire.Attrs{}
	}
	return a.Attrs
}

// Sized checks the size that a request for attributes gives.
func (p *Peer) Sized(r sftpwire.Request, size uint64) {
	p.T.Helper()
	if got := p.Attrs(r).Size; got != size {
		p.T.Errorf("%#v: %d bytes, want %d", r, got, size)
	}
}

// One asks, and wants NAME with one entry.
func (p *Peer) One(r sftpwire.Request) string {
	p.T.Helper()
	reply := p.Ask(r)
	n, ok := reply.(*sftpwire.Names)
	if !ok || len(n.Entries) != 1 {
		p.T.Errorf("%#v: %#v, want one name", r, reply)
		return ""
	}
	return n.Entries[0].Name
}

// List gives the entries of a directory.
func (p *Peer) List(name string) []sftpwire.Entry {
	p.T.Helper()
	h := p.Handle(&sftpwire.Opendir{Name: name})
	defer p.Want(sftpwire.OK, &sftpwire.Close{Handle: h})
	var all []sftpwire.Entry
	for {
		switch r := p.Ask(&sftpwire.Readdir{Handle: h}).(type) {
		case *sftpwire.Names:
			all = append(all, r.Entries...)
		case *sftpwire.Status:
			if r.Code != sftpwire.EOF {
				p.T.Errorf("READDIR %s: %v", name, r)
			}
			return all
		default:
			p.T.Fatalf("READDIR %s: %#v", name, r)
		}
	}
}

// Extended asks, and reads the answer of an extension into.
func (p *Peer) Extended(r sftpwire.Request, into sftpwire.Reply) {
	p.T.Helper()
	reply := p.Ask(r)
	e, ok := reply.(*sftpwire.ExtendedReply)
	if !ok {
		p.T.Errorf("%#v: %#v, want the answer of an extension", r, reply)
		return
	}
	if err := e.Parse(into); err != nil {
		p.T.Errorf("%#v: %v", r, err)
	}
}
