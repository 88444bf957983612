package sftpserver

import (
	"strings"
	"testing"

	"ferry/internal/sftptest"
	"ferry/internal/sftpwire"
)

// TestChangesByNameBeforeClose: what is asked for before CLOSE finds the file
// open, even where CLOSE has come by the time it is done.
func TestChangesByNameBeforeClose(t *testing.T) {
	w, gate := newWorld(), make(chan struct{})
	s := w.session()
	s.FS = stuck{s.FS, gate}
	setup := dial(t, w.session())
	setup.Put("/stuck", "0123456789")
	p := dial(t, s)
	h := p.Open("/stuck", sftptest.Wr|sftptest.Creat)
	p.Send(&sftpwire.Write{Handle: h, Data: []byte("ab")},
		&sftpwire.Setstat{Name: "/stuck", Attrs: sftpwire.Attrs{Flags: sftpwire.AttrSize, Size: 4}})
	last := p.Send(&sftpwire.Close{Handle: h})
	p.Want(sftpwire.NoSuchFile, &sftpwire.Close{Handle: h}) // so the other has come
	close(gate)
	if got := p.CodeOf(nil, p.Wait(last)); got != sftpwire.OK {
		t.Errorf("CLOSE: %v", got)
	}
	setup.Holds("/stuck", "ab23")
}

// TestLooksWhileShared: several that open or look at what the session writes,
// back to back.
func TestLooksWhileShared(t *testing.T) {
	p := dial(t, newWorld().session())
	for range 10 {
		p.Put("/f", strings.Repeat("o", 200_000))
		h := p.Open("/f", sftptest.Wr|sftptest.Creat)
		p.Want(sftpwire.OK, &sftpwire.Write{Handle: h, Data: []byte("ab")})
		var looks []sftpwire.Request
		for range 10 {
			looks = append(looks, &sftpwire.Open{Name: "/f", Flags: sftptest.Rd}, &sftpwire.Stat{Name: "/f"}, &sftpwire.Lstat{Name: "/f"})
		}
		last := p.Send(looks...)
		for id := last - uint32(len(looks)) + 1; id <= last; id++ {
			switch r := p.Wait(id).(type) {
			case *sftpwire.Handle:
				p.Want(sftpwire.OK, &sftpwire.Close{Handle: r.Handle})
			case *sftpwire.AttrsReply:
				if r.Attrs.Size != 200_000 {
					t.Errorf("a look gave %d bytes", r.Attrs.Size)
				}
			default:
				t.Fatalf("%#v", r)
			}
		}
		p.Want(sftpwire.OK, &sftpwire.Close{Handle: h})
	}
}
