package sftpserver

import (
	"encoding/binary"
	"testing"

	"ferry/internal/mem"
	"ferry/internal/sftpwire"
)

// TestUndecidedFailsWhole: when the WRITE that says what becomes of a file
// fails, those behind it are no changes in place: scp sends them all before it
// hears of the first.
func TestUndecidedFailsWhole(t *testing.T) {
	w := newWorld()
	first, second := dial(t, w.session()), dial(t, w.session())
	first.put("/f", "old, content")
	a, b := first.open("/f", wr|creat), second.open("/f", wr|creat)
	first.want(sftpwire.OK, &sftpwire.Write{Handle: a, Data: []byte("aaaa")})
	second.want(sftpwire.Failure, // the first writes it
		&sftpwire.Write{Handle: b, Data: []byte("bbbb")}, &sftpwire.Write{Handle: b, Offset: 4, Data: []byte("bbbb")},
		&sftpwire.Fsetstat{Handle: b, Attrs: sftpwire.Attrs{Flags: sftpwire.AttrSize, Size: 8}}, &sftpwire.Close{Handle: b})
	second.holds("/f", "old, content")
	first.want(sftpwire.OK, &sftpwire.Close{Handle: a})
	second.holds("/f", "aaaa content")
}

// TestFsyncOfBroken: what lacks a WRITE is not published by fsync either.
func TestFsyncOfBroken(t *testing.T) {
	w := newWorld()
	w.tree = mem.New(mem.Config{Capacity: 100})
	p := dial(t, w.session())
	p.put("/a", "old")
	h := p.open("/a", wr|creat|trunc)
	p.want(sftpwire.Failure, &sftpwire.Write{Handle: h, Data: make([]byte, 200)})
	p.want(sftpwire.OK, &sftpwire.Write{Handle: h, Data: []byte("tail")})
	p.want(sftpwire.Failure, &sftpwire.Fsync{Handle: h}, &sftpwire.Close{Handle: h})
	p.holds("/a", "old")
}

// TestWriteThatIsNotUnderstood fails the upload as one that could not be done.
func TestWriteThatIsNotUnderstood(t *testing.T) {
	w := newWorld()
	setup := dial(t, w.session())
	setup.put("/f", "old")
	p := dial(t, w.session())
	h := p.open("/f", wr|creat|trunc)
	p.want(sftpwire.OK, &sftpwire.Write{Handle: h, Data: []byte("new")})
	p.last++
	short := sftpwire.AppendRequest(nil, p.last, &sftpwire.Write{Handle: h, Offset: 3, Data: []byte("content")})
	short = short[:len(short)-1]
	binary.BigEndian.PutUint32(short, uint32(len(short)-4))
	p.write(short)
	if got := p.codeOf(nil, p.wait(p.last)); got != sftpwire.BadMessage {
		t.Errorf("a WRITE with less than it says: %v", got)
	}
	p.want(sftpwire.Failure, &sftpwire.Close{Handle: h})
	setup.holds("/f", "old")
}
