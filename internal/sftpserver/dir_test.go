package sftpserver

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"testing"

	"ferry"
	"ferry/internal/sftptest"
	"ferry/internal/sftpwire"
)

// crowd is a tree whose root has very many entries, which are made as they
// are asked for.
type crowd struct {
	ferry.FS
	entries int
	made    atomic.Int64
	stopped chan struct{} // closed when the listing has ended
}

func (c *crowd) List(_ context.Context, _ ferry.Name, d ferry.Detail) iter.Seq2[ferry.Info, error] {
	return func(yield func(ferry.Info, error) bool) {
		if d == ferry.Names {
			yield(ferry.Info{Name: crowdName(0)}, nil) // whether it can be read at all
			return
		}
		defer close(c.stopped)
		for i := range c.entries {
			c.made.Add(1)
			if !yield(ferry.Info{Name: crowdName(i), Size: int64(i), Links: 1}, nil) {
				return
			}
		}
	}
}

// crowdName is the name of the i-th: short for most, and as long as a name can
// be for some.
func crowdName(i int) string {
	if i%100 == 0 {
		return fmt.Sprintf("%06d", i) + strings.Repeat("n", 249)
	}
	return fmt.Sprintf("%06d", i)
}

func newCrowd(entries int) (*crowd, Options) {
	s := newWorld().session()
	c := &crowd{FS: s.FS, entries: entries, stopped: make(chan struct{})}
	s.FS = c
	return c, s
}

// TestHugeDirectory: 100,000 entries come all, once and in their order, in
// packets that every client takes, and none is made before a client asks for
// it, however many requests it sends at once.
func TestHugeDirectory(t *testing.T) {
	const entries, atOnce, mostInPacket = 100_000, 16, 400
	c, s := newCrowd(entries)
	p := dial(t, s)
	h := p.Handle(&sftpwire.Opendir{Name: "/"})
	if made := c.made.Load(); made != 0 {
		t.Errorf("OPENDIR has read %d entries", made)
	}
	var pending []uint32
	shown, packets := -2, 0 // "." and ".." come first
	for over := false; !over; {
		for len(pending) < atOnce {
			pending = append(pending, p.Send(&sftpwire.Readdir{Handle: h}))
		}
		switch r := p.Wait(pending[0]).(type) {
		case *sftpwire.Names:
			if size := len(sftpwire.AppendReply(nil, 0, r)); size > 34_000 {
				t.Errorf("a packet of %d bytes", size)
			}
			packets++
			for _, e := range r.Entries {
				if shown >= 0 && (e.Name != crowdName(shown) || !strings.HasSuffix(e.Long, " "+e.Name)) {
					t.Fatalf("entry %d is %.20q, %.80q", shown, e.Name, e.Long)
				}
				shown++
			}
			if ahead := int(c.made.Load()) - shown; ahead > atOnce*mostInPacket {
				t.Fatalf("%d entries were read that nobody has asked for", ahead)
			}
		case *sftpwire.Status:
			over = r.Code == sftpwire.EOF
		}
		pending = pending[1:]
	}
	for _, id := range pending {
		p.CodeOf(nil, p.Wait(id))
	}
	if shown != entries {
		t.Errorf("%d entries in %d packets, want %d", shown, packets, entries)
	}
	p.Want(sftpwire.OK, &sftpwire.Close{Handle: h})
}

// TestListingEndsWithItsHandle: a directory that is closed midway, or whose
// session ends, is read no further.
func TestListingEndsWithItsHandle(t *testing.T) {
	for name, end := range map[string]func(p *sftptest.Peer, h string){
		"closed":     func(p *sftptest.Peer, h string) { p.Want(sftpwire.OK, &sftpwire.Close{Handle: h}) },
		"hung up on": func(p *sftptest.Peer, _ string) { _ = p.End() },
	} {
		t.Run(name, func(t *testing.T) {
			c, s := newCrowd(100_000)
			p := dial(t, s)
			h := p.Handle(&sftpwire.Opendir{Name: "/"})
			if _, ok := p.Ask(&sftpwire.Readdir{Handle: h}).(*sftpwire.Names); !ok {
				t.Fatal("no names")
			}
			end(p, h)
			<-c.stopped
			if made := c.made.Load(); made > 1000 {
				t.Errorf("%d entries were read", made)
			}
		})
	}
}

// TestReaddirAfterClose: what was sent before CLOSE is answered, what comes
// after it has no handle.
func TestReaddirAfterClose(t *testing.T) {
	_, s := newCrowd(100_000)
	p := dial(t, s)
	h := p.Handle(&sftpwire.Opendir{Name: "/"})
	last := p.Send(&sftpwire.Readdir{Handle: h}, &sftpwire.Close{Handle: h}, &sftpwire.Readdir{Handle: h})
	if _, ok := p.Wait(last - 2).(*sftpwire.Names); !ok {
		t.Error("the READDIR before CLOSE gave no names")
	}
	if code := p.CodeOf(nil, p.Wait(last-1)); code != sftpwire.OK {
		t.Errorf("CLOSE: %v", code)
	}
	if code := p.CodeOf(nil, p.Wait(last)); code != sftpwire.Failure {
		t.Errorf("a READDIR after CLOSE: %v", code)
	}
}
