package sftpserver

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"ferry"
	"ferry/internal/sftpio"
	"ferry/internal/sftptest"
	"ferry/internal/sftpwire"
)

// stuck is an FS whose files block in ReadAt and WriteAt until they are let
// go: names begin with what blocks.
type stuck struct {
	ferry.FS
	gate chan struct{} // closed: nothing blocks
}

func (s stuck) Open(ctx context.Context, name ferry.Name, o ferry.OpenOptions) (ferry.Handle, error) {
	h, err := s.FS.Open(ctx, name, o)
	if err != nil || !strings.HasPrefix(string(name), "/stuck") {
		return h, err
	}
	return stuckHandle{h, s.gate}, nil
}

type stuckHandle struct {
	ferry.Handle
	gate chan struct{}
}

func (h stuckHandle) ReadAt(p []byte, off int64) (int, error) {
	<-h.gate
	return h.Handle.ReadAt(p, off)
}

func (h stuckHandle) WriteAt(p []byte, off int64) (int, error) {
	<-h.gate
	return h.Handle.WriteAt(p, off)
}

// TestRequestsBackToBack: clients send WRITE, CLOSE, RENAME and STAT without
// waiting for answers, and mean them in that order.
func TestRequestsBackToBack(t *testing.T) {
	w := newWorld()
	p := dial(t, w.session())
	for i := range 50 {
		name, final := fmt.Sprintf("/f%d.part", i), fmt.Sprintf("/f%d", i)
		h := p.Open(name, sftptest.Wr|sftptest.Creat|sftptest.Trunc)
		var requests []sftpwire.Request
		for off := uint64(0); off < 40; off += 4 {
			requests = append(requests, &sftpwire.Write{Handle: h, Offset: off, Data: []byte("abcd")})
		}
		for off := uint64(2); off < 40; off += 4 { // over what the others wrote
			requests = append(requests, &sftpwire.Write{Handle: h, Offset: off, Data: []byte("CD")})
		}
		requests = append(requests,
			&sftpwire.Fsetstat{Handle: h, Attrs: sftpwire.Attrs{Flags: sftpwire.AttrSize, Size: 38}},
			&sftpwire.Close{Handle: h},
			&sftpwire.Setstat{Name: name, Attrs: sftpwire.Attrs{Flags: sftpwire.AttrMode, Mode: 0o600}},
			&sftpwire.Rename{From: name, To: final},
			&sftpwire.Stat{Name: name},
			&sftpwire.Stat{Name: final})
		last := p.Send(requests...)
		for id := last - uint32(len(requests)) + 1; id <= last-2; id++ {
			if got := p.CodeOf(nil, p.Wait(id)); got != sftpwire.OK {
				t.Fatalf("request %d of file %d: %v", id, i, got)
			}
		}
		if got := p.CodeOf(nil, p.Wait(last-1)); got != sftpwire.NoSuchFile {
			t.Errorf("STAT of the old name: %v", got)
		}
		a, ok := p.Wait(last).(*sftpwire.AttrsReply)
		if !ok || a.Attrs.Size != 38 || a.Attrs.Mode != 0o100600 {
			t.Errorf("STAT of the new name: %+v", a)
		}
		p.Holds(final, strings.Repeat("abCD", 9)+"ab")
	}
}

// TestSlowFilesHoldUpNobody: while a READ, a WRITE and a hash wait for the
// storage, the session goes on with everything else.
func TestSlowFilesHoldUpNobody(t *testing.T) {
	w, gate := newWorld(), make(chan struct{})
	s := w.session()
	s.FS = stuck{s.FS, gate}
	setup := dial(t, w.session())
	content := strings.Repeat("x", 1000)
	setup.Put("/stuck", content)
	setup.Put("/free", content)

	p := dial(t, s)
	slow, upload, free := p.Open("/stuck", sftptest.Rd), p.Open("/stuck-upload", sftptest.Wr|sftptest.Creat), p.Open("/free", sftptest.Rd)
	read := p.Send(&sftpwire.Read{Handle: slow, Length: 10})
	write := p.Send(&sftpwire.Write{Handle: upload, Data: []byte("abc")})
	hash := p.Send(&sftpwire.CheckFile{Form: sftpwire.CheckHandle, Object: slow, Algorithms: []string{"sha256"}})
	byName := p.Send(&sftpwire.CheckFile{Form: sftpwire.CheckName, Object: "/stuck", Algorithms: []string{"sha256"}})
	size := p.Send(&sftpwire.Fstat{Handle: upload})                 // has to wait for the WRITE
	rename := p.Send(&sftpwire.Rename{From: "/free", To: "/moved"}) // and so has this

	if got := p.ReadAt(free, 0, 2000); got != content {
		t.Errorf("READ of another file: %d bytes", len(got))
	}
	p.Sized(&sftpwire.Stat{Name: "/stuck"}, 1000)
	close(gate)
	if d, ok := p.Wait(read).(*sftpwire.Data); !ok || len(d.Data) != 10 {
		t.Errorf("the slow READ: %v", d)
	}
	if got := p.CodeOf(nil, p.Wait(write)); got != sftpwire.OK {
		t.Errorf("the slow WRITE: %v", got)
	}
	sum := sha256.Sum256([]byte(content))
	for _, id := range []uint32{hash, byName} {
		var r sftpwire.CheckReply
		if e, ok := p.Wait(id).(*sftpwire.ExtendedReply); !ok || e.Parse(&r) != nil || !bytes.Equal(r.Hashes, sum[:]) {
			t.Errorf("the slow hash: %+v", r)
		}
	}
	if a, ok := p.Wait(size).(*sftpwire.AttrsReply); !ok || a.Attrs.Size != 3 {
		t.Errorf("FSTAT after a WRITE: %+v", a)
	}
	if got := p.CodeOf(nil, p.Wait(rename)); got != sftpwire.OK {
		t.Errorf("RENAME: %v", got)
	}
}

// TestThreat17ClientThatDoesNotRead: what is on its way is bounded, and with it
// what the server takes from such a client.
func TestThreat17ClientThatDoesNotRead(t *testing.T) {
	for _, n := range []uint32{0, 100, 1 << 20} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				ctx, cancel := context.WithCancel(t.Context())
				setup := dial(t, w.session())
				setup.Put("/f", strings.Repeat("x", 1<<18))
				p := dialSilently(t, ctx, w.session())
				p.Write(sftpwire.AppendInit(nil, sftpwire.Hello{Version: 3}))
				hear := func() {
					if _, err := sftptest.ReadPacket(p.Conn); err != nil {
						t.Fatal(err)
					}
				}
				hear()
				p.Send(&sftpwire.Open{Name: "/f", Flags: sftptest.Rd})
				hear()
				taken := 0
				go func() {
					for p.Last < 10_000 {
						p.Send(&sftpwire.Read{Handle: handleOf(1), Length: n})
						taken++
					}
				}()
				synctest.Wait()
				// Of a READ come 29 bytes; more lie in the reader, and ahead of it.
				const ahead = 200 + sftpio.MostAhead/29
				most := sftpio.BudgetOps + ahead
				if n > sftpwire.MaxData {
					most = sftpio.RoomBytes/sftpwire.MaxData + ahead
				}
				if taken > most {
					t.Errorf("took %d requests of a client that reads nothing, want at most %d", taken, most)
				}
				cancel()
				synctest.Wait()
			})
		})
	}
}

// writes counts the writes of a session, and holds the second up.
type writes struct {
	bytes.Buffer
	in     *strings.Reader
	second chan struct{}
	counts int
}

func (w *writes) Read(p []byte) (int, error) { return w.in.Read(p) }
func (w *writes) Close() error               { return nil }
func (w *writes) Write(p []byte) (int, error) {
	if w.counts++; w.counts == 2 {
		<-w.second
	}
	return w.Buffer.Write(p)
}

// TestRepliesAreGathered: what is ready while a write is under way leaves in
// the next.
func TestRepliesAreGathered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := sftpwire.AppendInit(nil, sftpwire.Hello{Version: 3})
		for id := range uint32(100) {
			requests = sftpwire.AppendRequest(requests, id, &sftpwire.Stat{Name: "/"})
		}
		w := &writes{in: strings.NewReader(string(requests)), second: make(chan struct{})}
		over := make(chan error)
		go func() { over <- Serve(t.Context(), w, newWorld().session()) }()
		synctest.Wait()
		close(w.second)
		if err := <-over; err != nil {
			t.Errorf("the session ended with %v", err)
		}
		if w.counts > 3 {
			t.Errorf("101 replies in %d writes, want at most 3", w.counts)
		}
		for range 101 {
			if _, err := sftptest.ReadPacket(&w.Buffer); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestParallelReads: many on one handle, of every size and place.
func TestParallelReads(t *testing.T) {
	w := newWorld()
	p := dial(t, w.session())
	content := make([]byte, 300_000)
	for i := range content {
		content[i] = byte(i >> 8)
	}
	h := p.Open("/f", sftptest.Wr|sftptest.Creat|sftptest.Trunc)
	for off := 0; off < len(content); off += 100_000 {
		p.Want(sftpwire.OK, &sftpwire.Write{Handle: h, Offset: uint64(off), Data: content[off : off+100_000]})
	}
	p.Want(sftpwire.OK, &sftpwire.Close{Handle: h})
	h = p.Open("/f", sftptest.Rd)
	ids := map[uint32][2]int{}
	for off := 0; off < len(content)+10; off += 997 {
		n := 1 + off%70_000
		ids[p.Send(&sftpwire.Read{Handle: h, Offset: uint64(off), Length: uint32(n)})] = [2]int{off, n}
	}
	for id, at := range ids {
		r := p.Wait(id)
		if at[0] >= len(content) {
			if got := p.CodeOf(nil, r); got != sftpwire.EOF {
				t.Errorf("READ at %d: %v", at[0], got)
			}
			continue
		}
		want := content[at[0]:min(at[0]+at[1], len(content))]
		if d, ok := r.(*sftpwire.Data); !ok || !bytes.Equal(d.Data, want) {
			t.Errorf("READ of %d at %d is wrong", at[1], at[0])
		}
	}
}
