package sftpserver

import (
	"encoding/binary"
	"testing"

	"ferry/internal/mem"
	"ferry/internal/sftptest"
	"ferry/internal/sftpwire"
)

// TestUndecidedFailsWhole: when the WRITE that says what becomes of a file
// fails, those behind it are no changes in place: scp sends them all before it
// hears of the first.
func TestUndecidedFailsWhole(t *testing.T) {
	w := newWorld()
	impatient := w.session()
	impatient.PartWait = -1
	first, second := dial(t, w.session()), dial(t, impatient)
	first.Put("/f", "old, content")
	a, b := first.Open("/f", sftptest.Wr|sftptest.Creat), second.Open("/f", sftptest.Wr|sftptest.Creat)
	first.Want(sftpwire.OK, &sftpwire.Write{Handle: a, Data: []byte("aaaa")})
	second.Want(sftpwire.Failure, // the first writes it
		&sftpwire.Write{Handle: b, Data: []byte("bbbb")}, &sftpwire.Write{Handle: b, Offset: 4, Data: []byte("bbbb")},
		&sftpwire.Fsetstat{Handle: b, Attrs: sftpwire.Attrs{Flags: sftpwire.AttrSize, Size: 8}}, &sftpwire.Close{Handle: b})
	second.Holds("/f", "old, content")
	first.Want(sftpwire.OK, &sftpwire.Close{Handle: a})
	second.Holds("/f", "aaaa content")
}

// TestFsyncOfBroken: what lacks a WRITE is not published by fsync either.
func TestFsyncOfBroken(t *testing.T) {
	w := newWorld()
	w.tree = mem.New(mem.Config{Capacity: 100})
	p := dial(t, w.session())
	p.Put("/a", "old")
	h := p.Open("/a", sftptest.Wr|sftptest.Creat|sftptest.Trunc)
	p.Want(sftpwire.Failure, &sftpwire.Write{Handle: h, Data: make([]byte, 200)})
	p.Want(sftpwire.OK, &sftpwire.Write{Handle: h, Data: []byte("tail")})
	p.Want(sftpwire.Failure, &sftpwire.Fsync{Handle: h}, &sftpwire.Close{Handle: h})
	p.Holds("/a", "old")
}

// TestWriteThatIsNotUnderstood fails the upload as one that could not be done.
func TestWriteThatIsNotUnderstood(t *testing.T) {
	w := newWorld()
	setup := dial(t, w.session())
	setup.Put("/f", "old")
	p := dial(t, w.session())
	h := p.Open("/f", sftptest.Wr|sftptest.Creat|sftptest.Trunc)
	p.Want(sftpwire.OK, &sftpwire.Write{Handle: h, Data: []byte("new")})
	p.Last++
	short := sftpwire.AppendRequest(nil, p.Last, &sftpwire.Write{Handle: h, Offset: 3, Data: []byte("content")})
	short = short[:len(short)-1]
	binary.BigEndian.PutUint32(short, uint32(len(short)-4))
	p.Write(short)
	if got := p.CodeOf(nil, p.Wait(p.Last)); got != sftpwire.BadMessage {
		t.Errorf("a WRITE with less than it says: %v", got)
	}
	p.Want(sftpwire.Failure, &sftpwire.Close{Handle: h})
	setup.Holds("/f", "old")
}
