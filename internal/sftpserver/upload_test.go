package sftpserver

import (
	"encoding/binary"
	"strings"
	"testing"

	"ferry/internal/mem"
	"ferry/internal/sftpwire"
)

// TestUploadsAreStaged: nobody sees new content before CLOSE, but the session
// itself sees its unfinished file.
func TestUploadsAreStaged(t *testing.T) {
	w := newWorld()
	p, other := dial(t, w.session()), dial(t, w.session())
	p.put("/old", "old content")
	for name, flags := range map[string]sftpwire.OpenFlags{
		"/old":   wr | creat | trunc,
		"/new":   wr | creat | trunc,
		"/new2":  wr | creat,
		"/new3":  wr | creat | excl,
		"/new4":  rd | wr | creat,
		"/new 5": wr | creat | app,
	} {
		h := p.open(name, flags)
		p.want(sftpwire.OK, &sftpwire.Write{Handle: h, Data: []byte("new")})
		p.sized(&sftpwire.Stat{Name: name}, 3)
		p.sized(&sftpwire.Lstat{Name: name}, 3)
		p.sized(&sftpwire.Fstat{Handle: h}, 3)
		if name == "/old" {
			other.holds(name, "old content")
		} else {
			other.want(sftpwire.NoSuchFile, &sftpwire.Lstat{Name: name}, &sftpwire.Open{Name: name, Flags: rd})
		}
		p.want(sftpwire.OK, &sftpwire.Close{Handle: h})
		other.holds(name, "new")
	}
}

// TestUnfinishedFileHasItsName: by its name the session changes, renames and
// removes it, as programs over sshfs do.
func TestUnfinishedFileHasItsName(t *testing.T) {
	w := newWorld()
	p, other := dial(t, w.session()), dial(t, w.session())
	h := p.open("/a", wr|creat|trunc)
	p.want(sftpwire.OK, &sftpwire.Write{Handle: h, Data: []byte("content")},
		&sftpwire.Setstat{Name: "/a", Attrs: sftpwire.Attrs{Flags: sftpwire.AttrMode | sftpwire.AttrSize, Mode: 0o600, Size: 4}},
		&sftpwire.Rename{From: "/a", To: "/b"})
	p.sized(&sftpwire.Stat{Name: "/b"}, 4)
	p.want(sftpwire.OK, &sftpwire.Close{Handle: h})
	other.holds("/b", "cont")
	if got := other.attrs(&sftpwire.Stat{Name: "/b"}).Mode; got != 0o100600 {
		t.Errorf("mode %o", got)
	}
	h = p.open("/c", wr|creat|trunc)
	p.want(sftpwire.OK, &sftpwire.Remove{Name: "/c"})
	p.want(sftpwire.NoSuchFile, &sftpwire.Close{Handle: h}, &sftpwire.Stat{Name: "/c"})
}

// TestBrokenUpload: what ends without CLOSE is not published, but kept; STAT
// says where to go on, LSTAT and everybody else see the old file, and OPEN
// without TRUNC goes on (reput).
func TestBrokenUpload(t *testing.T) {
	w := newWorld()
	for name, old := range map[string]string{"/a": "", "/b": "the old content"} {
		p := dial(t, w.session())
		if old != "" {
			p.put(name, old)
		}
		h := p.open(name, wr|creat|trunc)
		p.want(sftpwire.OK, &sftpwire.Write{Handle: h, Data: []byte("new c")})
		if err := p.end(); err != nil {
			t.Errorf("the session ended with %v", err)
		}

		p = dial(t, w.session())
		p.sized(&sftpwire.Stat{Name: name}, 5)
		if old != "" {
			p.sized(&sftpwire.Lstat{Name: name}, uint64(len(old)))
			p.holds(name, old)
		} else {
			p.want(sftpwire.NoSuchFile, &sftpwire.Lstat{Name: name}, &sftpwire.Open{Name: name, Flags: rd})
		}
		h = p.open(name, wr|creat)
		p.sized(&sftpwire.Fstat{Handle: h}, 5)
		p.want(sftpwire.OK, &sftpwire.Write{Handle: h, Offset: 5, Data: []byte("ontent")}, &sftpwire.Close{Handle: h})
		p.holds(name, "new content")
		p.sized(&sftpwire.Stat{Name: name}, 11)
	}
}

// TestFailedWriteIsNotPublished: clients close what they could not write, and
// a file with a hole is not what they wanted.
func TestFailedWriteIsNotPublished(t *testing.T) {
	w := newWorld()
	w.tree = mem.New(mem.Config{Capacity: 100})
	p := dial(t, w.session())
	p.put("/a", "old")
	h := p.open("/a", wr|creat|trunc)
	p.want(sftpwire.OK, &sftpwire.Write{Handle: h, Data: make([]byte, 10)})
	reply := p.ask(&sftpwire.Write{Handle: h, Offset: 10, Data: make([]byte, 100)})
	if s, ok := reply.(*sftpwire.Status); !ok || s.Code != sftpwire.Failure || s.Text != "Failure: no space left" {
		t.Errorf("WRITE onto a full storage: %#v", reply)
	}
	p.want(sftpwire.OK, &sftpwire.Write{Handle: h, Offset: 20, Data: []byte("tail")})
	p.want(sftpwire.Failure, &sftpwire.Close{Handle: h})
	p.holds("/a", "old")
}

// TestOpenWithoutTruncate: what scp sends. The first operation decides.
func TestOpenWithoutTruncate(t *testing.T) {
	write := func(off uint64, data string) sftpwire.Request {
		return &sftpwire.Write{Offset: off, Data: []byte(data)}
	}
	cut := func(size uint64) sftpwire.Request {
		return &sftpwire.Fsetstat{Attrs: sftpwire.Attrs{Flags: sftpwire.AttrSize, Size: size}}
	}
	times := &sftpwire.Fsetstat{Attrs: sftpwire.Attrs{Flags: sftpwire.AttrTimes, Access: 5, Modified: 5}}
	for _, row := range []struct {
		name   string
		flags  sftpwire.OpenFlags
		do     []sftpwire.Request
		before string // what others see before CLOSE
		after  string
	}{
		{"nothing", wr | creat, nil, "0123456789", "0123456789"},
		{"whole, shorter, cut", wr | creat, []sftpwire.Request{write(0, "abc"), cut(3)}, "0123456789", "abc"},
		{"whole, shorter, not cut", wr | creat, []sftpwire.Request{write(0, "abc")}, "0123456789", "abc3456789"},
		{"whole, longer", wr | creat, []sftpwire.Request{write(0, "abcdefgh"), write(8, "ijkl")}, "0123456789", "abcdefghijkl"},
		{"holes", wr | creat, []sftpwire.Request{write(0, "a"), write(8, "i"), write(4, "e")}, "0123456789", "a123e567i9"},
		{"behind the end", wr | creat, []sftpwire.Request{write(0, "a"), write(12, "m")}, "0123456789", "a123456789\x00\x00m"},
		{"cut, then longer", wr | creat, []sftpwire.Request{write(0, "a"), cut(3), cut(5)}, "0123456789", "a12\x00\x00"},
		{"cut to nothing first", wr | creat, []sftpwire.Request{cut(0), write(2, "c")}, "0123456789", "\x00\x00c"},
		{"times between", wr | creat, []sftpwire.Request{write(0, "a"), times, write(2, "c")}, "0123456789", "a1c3456789"},
		{"elsewhere first", wr | creat, []sftpwire.Request{write(3, "d"), write(0, "a")}, "a12d456789", "a12d456789"},
		{"cut first", wr | creat, []sftpwire.Request{cut(4), write(0, "a")}, "a123", "a123"},
		{"read and write", rd | wr | creat, []sftpwire.Request{write(0, "abc")}, "abc3456789", "abc3456789"},
		{"no create", wr, []sftpwire.Request{write(0, "abc")}, "abc3456789", "abc3456789"},
		{"append", wr | app | creat, []sftpwire.Request{write(0, "ab"), write(0, "cd")}, "0123456789abcd", "0123456789abcd"},
		{"append without create", wr | app, []sftpwire.Request{write(7, "ab")}, "0123456789ab", "0123456789ab"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld()
			p, other := dial(t, w.session()), dial(t, w.session())
			p.put("/f", "0123456789")
			h := p.open("/f", row.flags)
			p.sized(&sftpwire.Fstat{Handle: h}, 10)
			for _, r := range row.do {
				p.want(sftpwire.OK, on(r, h))
			}
			other.holds("/f", row.before)
			p.sized(&sftpwire.Fstat{Handle: h}, uint64(len(row.after)))
			p.sized(&sftpwire.Stat{Name: "/f"}, uint64(len(row.after)))
			p.want(sftpwire.OK, &sftpwire.Close{Handle: h})
			other.holds("/f", row.after)
			if inPlace := row.before == row.after && row.before != "0123456789" && row.flags == wr|creat; inPlace != strings.Contains(w.log.String(), "in place") {
				t.Errorf("written in place: %v; the log says:\n%s", inPlace, w.log)
			}
		})
	}
}

// on is r for the handle h.
func on(r sftpwire.Request, h string) sftpwire.Request {
	switch r := r.(type) {
	case *sftpwire.Write:
		return &sftpwire.Write{Handle: h, Offset: r.Offset, Data: r.Data}
	case *sftpwire.Fsetstat:
		return &sftpwire.Fsetstat{Handle: h, Attrs: r.Attrs}
	}
	return r
}

// TestOpenWithoutTruncateBroken: killed midway, nothing is published, and the
// part goes on where it broke off.
func TestOpenWithoutTruncateBroken(t *testing.T) {
	w := newWorld()
	p := dial(t, w.session())
	p.put("/f", "0123456789")
	h := p.open("/f", wr|creat)
	p.want(sftpwire.OK, &sftpwire.Write{Handle: h, Data: []byte("abc")})
	_ = p.end()
	p = dial(t, w.session())
	p.holds("/f", "0123456789")
	p.sized(&sftpwire.Stat{Name: "/f"}, 3)
	h = p.open("/f", wr|creat)
	p.want(sftpwire.OK, &sftpwire.Write{Handle: h, Offset: 3, Data: []byte("de")}, &sftpwire.Close{Handle: h})
	p.holds("/f", "abcde")
}

// TestOpenWithoutTruncateCannotStage: a file with two names is written in
// place, and what the client did not overwrite stays.
func TestOpenWithoutTruncateCannotStage(t *testing.T) {
	w := newWorld()
	p := dial(t, w.session())
	p.put("/f", "0123456789")
	p.want(sftpwire.OK, &sftpwire.Hardlink{From: "/f", To: "/g"})
	h := p.open("/f", wr|creat)
	p.want(sftpwire.OK, &sftpwire.Write{Handle: h, Data: []byte("abc")})
	p.holds("/g", "abc3456789")
	p.want(sftpwire.OK, &sftpwire.Close{Handle: h})
	if !strings.Contains(w.log.String(), "in place") {
		t.Errorf("the log does not say that the file is written in place:\n%s", w.log)
	}
}

// TestManyGaps: a client that writes here and there does not make us remember
// it all.
func TestManyGaps(t *testing.T) {
	w := newWorld()
	p := dial(t, w.session())
	p.put("/f", strings.Repeat("o", 5000))
	h := p.open("/f", wr|creat)
	var writes []sftpwire.Request
	for off := uint64(0); off < 5000; off += 2 {
		writes = append(writes, &sftpwire.Write{Handle: h, Offset: off, Data: []byte("n")})
	}
	p.send(writes...)
	p.want(sftpwire.OK, &sftpwire.Close{Handle: h})
	p.holds("/f", strings.Repeat("no", 2500))
}

// TestFsync publishes, and the handle goes on in place.
func TestFsync(t *testing.T) {
	w := newWorld()
	p, other := dial(t, w.session()), dial(t, w.session())
	h := p.open("/f", wr|creat|trunc)
	p.want(sftpwire.OK, &sftpwire.Write{Handle: h, Data: []byte("abc")}, &sftpwire.Fsync{Handle: h})
	other.holds("/f", "abc")
	p.want(sftpwire.OK, &sftpwire.Write{Handle: h, Offset: 3, Data: []byte("d")})
	other.holds("/f", "abcd")
	p.want(sftpwire.OK, &sftpwire.Close{Handle: h})
}

// TestSecondOpen: a session that opens the file it writes once more means the
// same file, whether it stood there before or not. Then it is there for all,
// as a file that programs share is (sshfs); what failed to be written is not.
func TestSecondOpen(t *testing.T) {
	for _, row := range []struct {
		name          string
		before        string
		first, second sftpwire.OpenFlags
	}{
		{"read a new one", "", wr | creat | trunc, rd},
		{"read one that stood there", "the old content", wr | creat | trunc, rd},
		{"read what scp writes", "con", wr | creat, rd},
		{"write a new one", "", rd | wr | creat, wr},
		{"write one that stood there", "the old content", wr | trunc, rd | wr | creat},
		{"append", "", wr | creat | app, wr | app},
		{"in place", "con", rd | wr, rd},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld()
			p, other := dial(t, w.session()), dial(t, w.session())
			if row.before != "" {
				p.put("/f", row.before)
			}
			first := p.open("/f", row.first)
			p.want(sftpwire.OK, &sftpwire.Write{Handle: first, Data: []byte("con")})
			second := p.open("/f", row.second)
			p.sized(&sftpwire.Fstat{Handle: second}, 3)
			if row.second&wr == 0 {
				if got := p.readAt(second, 0, 10); got != "con" {
					t.Errorf("the second handle reads %q", got)
				}
				p.want(sftpwire.OK, &sftpwire.Write{Handle: first, Offset: 3, Data: []byte("tent")})
				if got := p.readAt(second, 0, 10); got != "content" {
					t.Errorf("the second handle reads %q", got)
				}
			} else {
				p.want(sftpwire.OK, &sftpwire.Write{Handle: second, Offset: 3, Data: []byte("tent")})
			}
			other.holds("/f", "content")
			p.want(sftpwire.OK, &sftpwire.Close{Handle: first}, &sftpwire.Close{Handle: second})
			other.holds("/f", "content")
		})
	}
	w := newWorld()
	w.tree = mem.New(mem.Config{Capacity: 100})
	p := dial(t, w.session())
	h := p.open("/f", wr|creat|trunc)
	p.want(sftpwire.Failure, &sftpwire.Write{Handle: h, Data: make([]byte, 200)}, &sftpwire.Open{Name: "/f", Flags: rd})
	dial(t, w.session()).want(sftpwire.NoSuchFile, &sftpwire.Lstat{Name: "/f"})
}

// TestNamesOfDirectories: what ends with a slash is no file's name, as for
// open(2); scp to "new/" must not make a file "new".
func TestNamesOfDirectories(t *testing.T) {
	p := dial(t, newWorld().session())
	p.put("/f", "content")
	p.want(sftpwire.OK, &sftpwire.Mkdir{Name: "/d/"})
	p.want(sftpwire.Failure, &sftpwire.Open{Name: "/new/", Flags: wr | creat}, &sftpwire.Open{Name: "/d/", Flags: wr | creat | trunc})
	p.want(sftpwire.NoSuchFile, &sftpwire.Open{Name: "/f/", Flags: rd}, &sftpwire.Open{Name: "/f/", Flags: wr | creat | trunc},
		&sftpwire.Open{Name: "/no/new/", Flags: wr | creat}, &sftpwire.Lstat{Name: "/new"})
	p.holds("/f", "content")
}

// TestReadCreate: open(2) with O_RDONLY|O_CREAT makes an empty file, and leaves
// one that is there.
func TestReadCreate(t *testing.T) {
	p := dial(t, newWorld().session())
	for range 2 {
		h := p.open("/lock", rd|creat)
		p.want(sftpwire.OK, &sftpwire.Close{Handle: h})
		p.holds("/lock", "")
	}
}

// TestPermissionOfNewFiles is what OPEN and MKDIR ask for.
func TestPermissionOfNewFiles(t *testing.T) {
	p := dial(t, newWorld().session())
	mode := sftpwire.Attrs{Flags: sftpwire.AttrMode, Mode: 0o100750}
	h := p.handle(&sftpwire.Open{Name: "/f", Flags: wr | creat, Attrs: mode})
	p.want(sftpwire.OK, &sftpwire.Close{Handle: h}, &sftpwire.Mkdir{Name: "/d", Attrs: mode})
	for name, want := range map[string]uint32{"/f": 0o100750, "/d": 0o040750} {
		if got := p.attrs(&sftpwire.Stat{Name: name}).Mode; got != want {
			t.Errorf("%s: %o, want %o", name, got, want)
		}
	}
}

// TestWritesWithRests: clients built on old versions of pkg/sftp send their
// whole buffer in each WRITE, of which only some are data (rclone 1.60).
func TestWritesWithRests(t *testing.T) {
	p := dial(t, newWorld().session())
	h := p.open("/f", wr|creat|trunc)
	for off, data := range map[uint64]string{0: "con", 3: "tent"} {
		p.last++
		packet := sftpwire.AppendRequest(nil, p.last, &sftpwire.Write{Handle: h, Offset: off, Data: []byte(data)})
		packet = append(packet, strings.Repeat("rest", 8<<10)...)
		binary.BigEndian.PutUint32(packet, uint32(len(packet)-4))
		p.write(packet)
		if got := p.codeOf(nil, p.wait(p.last)); got != sftpwire.OK {
			t.Errorf("WRITE with bytes behind its data: %v", got)
		}
	}
	p.want(sftpwire.OK, &sftpwire.Close{Handle: h})
	p.holds("/f", "content")
}
