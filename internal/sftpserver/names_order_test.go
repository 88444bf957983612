package sftpserver

import (
	"strings"
	"testing"

	"ferry/internal/sftpwire"
)

// TestChangesByNameBeforeClose: what is asked for before CLOSE finds the file
// open, even where CLOSE has come by the time it is done.
func TestChangesByNameBeforeClose(t *testing.T) {
	w, gate := newWorld(), make(chan struct{})
	s := w.session()
	s.FS = stuck{s.FS, gate}
	setup := dial(t, w.session())
	setup.put("/stuck", "0123456789")
	p := dial(t, s)
	h := p.open("/stuck", wr|creat)
	p.send(&sftpwire.Write{Handle: h, Data: []byte("ab")},
		&sftpwire.Setstat{Name: "/stuck", Attrs: sftpwire.Attrs{Flags: sftpwire.AttrSize, Size: 4}})
	last := p.send(&sftpwire.Close{Handle: h})
	p.want(sftpwire.NoSuchFile, &sftpwire.Close{Handle: h}) // so the other has come
	close(gate)
	if got := p.codeOf(nil, p.wait(last)); got != sftpwire.OK {
		t.Errorf("CLOSE: %v", got)
	}
	setup.holds("/stuck", "ab23")
}

// TestLooksWhileShared: several that open or look at what the session writes,
// back to back.
func TestLooksWhileShared(t *testing.T) {
	p := dial(t, newWorld().session())
	for range 10 {
		p.put("/f", strings.Repeat("o", 200_000))
		h := p.open("/f", wr|creat)
		p.want(sftpwire.OK, &sftpwire.Write{Handle: h, Data: []byte("ab")})
		var looks []sftpwire.Request
		for range 10 {
			looks = append(looks, &sftpwire.Open{Name: "/f", Flags: rd}, &sftpwire.Stat{Name: "/f"}, &sftpwire.Lstat{Name: "/f"})
		}
		last := p.send(looks...)
		for id := last - uint32(len(looks)) + 1; id <= last; id++ {
			switch r := p.wait(id).(type) {
			case *sftpwire.Handle:
				p.want(sftpwire.OK, &sftpwire.Close{Handle: r.Handle})
			case *sftpwire.AttrsReply:
				if r.Attrs.Size != 200_000 {
					t.Errorf("a look gave %d bytes", r.Attrs.Size)
				}
			default:
				t.Fatalf("%#v", r)
			}
		}
		p.want(sftpwire.OK, &sftpwire.Close{Handle: h})
	}
}
