package sftpserver

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry"
	"ferry/internal/sftptest"
	"ferry/internal/sftpwire"
)

// comeBack is a client that has come back while its old session is still there.
type comeBack struct {
	*world
	old, new *sftptest.Peer
	handle   string // of what the old one writes
}

// comingBack runs a test in a bubble, in which an old session has begun /f with "first ".
func comingBack(t *testing.T, test func(t *testing.T, c comeBack)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		c := comeBack{world: w, old: dial(t, w.session()), new: dial(t, w.session())}
		c.handle = c.old.Open("/f", sftptest.Wr|sftptest.Creat|sftptest.Trunc)
		c.more(0, "first ")
		test(t, c)
	})
}

// more is what the old connection still brings.
func (c comeBack) more(off uint64, text string) {
	c.old.T.Helper()
	c.old.Want(sftpwire.OK, &sftpwire.Write{Handle: c.handle, Offset: off, Data: []byte(text)})
}

// breaks ends the old session.
func (c comeBack) breaks() {
	_ = c.old.Conn.Close()
	synctest.Wait()
}

// waits sends what is not to be answered yet.
func (c comeBack) waits(r sftpwire.Request) (id uint32) {
	c.new.T.Helper()
	id = c.new.Send(r)
	c.silent(id)
	return id
}

func (c comeBack) silent(id uint32) {
	c.new.T.Helper()
	synctest.Wait()
	c.new.Mu.Lock()
	defer c.new.Mu.Unlock()
	if slices.Contains(c.new.Order, id) {
		c.new.T.Fatal("there is an answer already")
	}
}

// opened takes the handle that an OPEN has waited for.
func (c comeBack) opened(id uint32) string {
	c.new.T.Helper()
	h, ok := c.new.Wait(id).(*sftpwire.Handle)
	if !ok {
		c.new.T.Fatal("no handle")
	}
	return h.Handle
}

// finish writes text at off and closes.
func (c comeBack) finish(handle string, off uint64, text string) {
	c.new.T.Helper()
	c.new.Want(sftpwire.OK, &sftpwire.Write{Handle: handle, Offset: off, Data: []byte(text)}, &sftpwire.Close{Handle: handle})
}

// TestComeBack: an OPEN waits for the session that broke, and goes on with what that
// has left, from where the client was told that it ends.
func TestComeBack(t *testing.T) {
	comingBack(t, func(t *testing.T, c comeBack) {
		c.new.Sized(&sftpwire.Stat{Name: "/f"}, 6)
		id := c.waits(&sftpwire.Open{Name: "/f", Flags: sftptest.Wr})
		c.new.Want(sftpwire.NoSuchFile, &sftpwire.Lstat{Name: "/elsewhere"}) // who waits is in nobody's way
		c.more(6, "second, and")
		c.silent(id)
		c.breaks()
		c.finish(c.opened(id), 6, "second third")
		c.new.Holds("/f", "first second third")
	})
}

// TestComeBackAnew: new content waits, too, with TRUNC and without.
func TestComeBackAnew(t *testing.T) {
	for _, flags := range []sftpwire.OpenFlags{sftptest.Wr | sftptest.Creat | sftptest.Trunc, sftptest.Wr | sftptest.Creat} {
		comingBack(t, func(t *testing.T, c comeBack) {
			id := c.waits(&sftpwire.Open{Name: "/f", Flags: flags})
			c.breaks()
			c.finish(c.opened(id), 0, "anew")
			c.new.Holds("/f", "anew")
		})
	}
}

// TestComeBackOver: a WRITE that begins new content over a file waits for the upload
// that replaces it, and keeps what that has published.
func TestComeBackOver(t *testing.T) {
	comingBack(t, func(t *testing.T, c comeBack) {
		c.old.Want(sftpwire.OK, &sftpwire.Close{Handle: c.handle})
		c.handle = c.old.Open("/f", sftptest.Wr|sftptest.Creat|sftptest.Trunc)
		c.more(0, "another content")
		h := c.new.Open("/f", sftptest.Wr|sftptest.Creat)
		id := c.waits(&sftpwire.Write{Handle: h, Data: []byte("ANOTHER")})
		c.old.Want(sftpwire.OK, &sftpwire.Close{Handle: c.handle})
		if code := c.new.CodeOf(nil, c.new.Wait(id)); code != sftpwire.OK {
			t.Fatal(code)
		}
		c.new.Want(sftpwire.OK, &sftpwire.Close{Handle: h})
		c.new.Holds("/f", "ANOTHER content")
	})
}

// TestComeBackToPublished: where the old session comes to its end well, its file is what
// the client finds.
func TestComeBackToPublished(t *testing.T) {
	comingBack(t, func(t *testing.T, c comeBack) {
		id := c.waits(&sftpwire.Open{Name: "/f", Flags: sftptest.Wr | sftptest.App})
		c.more(6, "second")
		c.old.Want(sftpwire.OK, &sftpwire.Close{Handle: c.handle})
		c.finish(c.opened(id), 0, " third")
		c.new.Holds("/f", "first second third")
	})
}

// TestComeBackAppending: who was told an end that is none any more, and appends, would
// have some bytes twice.
func TestComeBackAppending(t *testing.T) {
	comingBack(t, func(t *testing.T, c comeBack) {
		c.new.Sized(&sftpwire.Stat{Name: "/f"}, 6)
		id := c.waits(&sftpwire.Open{Name: "/f", Flags: sftptest.Wr | sftptest.App})
		c.more(6, "second")
		c.breaks()
		h := c.opened(id)
		c.new.Want(sftpwire.Failure, &sftpwire.Write{Handle: h, Data: []byte("second")}, &sftpwire.Close{Handle: h})
		c.new.Sized(&sftpwire.Stat{Name: "/f"}, 12)
		c.finish(c.new.Open("/f", sftptest.Wr|sftptest.App), 12, " third")
		c.new.Holds("/f", "first second third")
	})
}

// TestComeBackAfterSilence: a session that died without a word is taken over.
func TestComeBackAfterSilence(t *testing.T) {
	comingBack(t, func(t *testing.T, c comeBack) {
		id := c.waits(&sftpwire.Open{Name: "/f", Flags: sftptest.Wr})
		time.Sleep(ferry.TakeoverAfter - 1)
		c.silent(id)
		time.Sleep(1)
		h := c.opened(id)
		late := c.old.Ask(&sftpwire.Write{Handle: c.handle, Offset: 6, Data: []byte("late")})
		if s, ok := late.(*sftpwire.Status); !ok || s.Code != sftpwire.Failure || !strings.Contains(s.Text, ferry.ErrTakenOver.Error()) {
			t.Errorf("the old session hears %#v", late)
		}
		c.old.Want(sftpwire.Failure, &sftpwire.Close{Handle: c.handle})
		c.finish(h, 6, "second")
		c.new.Holds("/f", "first second")
	})
}

// TestComeBackTooEarly: an upload that goes on is not taken away.
func TestComeBackTooEarly(t *testing.T) {
	comingBack(t, func(t *testing.T, c comeBack) {
		id := c.waits(&sftpwire.Open{Name: "/f", Flags: sftptest.Wr})
		for range int(ferry.PartWait / time.Second) {
			c.silent(id)
			c.more(6, "second")
			time.Sleep(time.Second)
		}
		s, ok := c.new.Wait(id).(*sftpwire.Status)
		if !ok || s.Code != sftpwire.Failure || !strings.Contains(s.Text, ferry.ErrBusy.Error()) {
			t.Errorf("the answer is %#v", s)
		}
		c.old.Want(sftpwire.OK, &sftpwire.Close{Handle: c.handle})
		c.new.Holds("/f", "first second")
	})
}

// TestComeBackAndLeave: a client that leaves waits for nothing any more.
func TestComeBackAndLeave(t *testing.T) {
	comingBack(t, func(t *testing.T, c comeBack) {
		c.waits(&sftpwire.Open{Name: "/f", Flags: sftptest.Wr})
		begun := time.Now()
		if err := c.new.End(); err != nil || time.Since(begun) != 0 {
			t.Errorf("the session ended after %v with %v", time.Since(begun), err)
		}
		c.more(6, "second")
		c.old.Want(sftpwire.OK, &sftpwire.Close{Handle: c.handle})
		c.old.Holds("/f", "first second")
	})
}
