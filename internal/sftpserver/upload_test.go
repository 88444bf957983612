package sftpserver

import (
	"encoding/binary"
	"strings"
	"testing"

	"ferry/internal/mem"
	"ferry/internal/sftptest"
	"ferry/internal/sftpwire"
)

// TestUploadsAreStaged: nobody sees new content before CLOSE, but the session
// itself sees its unfinished file.
func TestUploadsAreStaged(t *testing.T) {
	w := newWorld()
	p, other := dial(t, w.session()), dial(t, w.session())
	p.Put("/old", "old content")
	for name, flags := range map[string]sftpwire.OpenFlags{
		"/old":   sftptest.Wr | sftptest.Creat | sftptest.Trunc,
		"/new":   sftptest.Wr | sftptest.Creat | sftptest.Trunc,
		"/new2":  sftptest.Wr | sftptest.Creat,
		"/new3":  sftptest.Wr | sftptest.Creat | sftptest.Excl,
		"/new4":  sftptest.Rd | sftptest.Wr | sftptest.Creat,
		"/new 5": sftptest.Wr | sftptest.Creat | sftptest.App,
	} {
		h := p.Open(name, flags)
		p.Want(sftpwire.OK, &sftpwire.Write{Handle: h, Data: []byte("new")})
		p.Sized(&sftpwire.Stat{Name: name}, 3)
		p.Sized(&sftpwire.Lstat{Name: name}, 3)
		p.Sized(&sftpwire.Fstat{Handle: h}, 3)
		if name == "/old" {
			other.Holds(name, "old content")
		} else {
			other.Want(sftpwire.NoSuchFile, &sftpwire.Lstat{Name: name}, &sftpwire.Open{Name: name, Flags: sftptest.Rd})
		}
		p.Want(sftpwire.OK, &sftpwire.Close{Handle: h})
		other.Holds(name, "new")
	}
}

// TestUnfinishedFileHasItsName: by its name the session changes, renames and
// removes it, as programs over sshfs do.
func TestUnfinishedFileHasItsName(t *testing.T) {
	w := newWorld()
	p, other := dial(t, w.session()), dial(t, w.session())
	h := p.Open("/a", sftptest.Wr|sftptest.Creat|sftptest.Trunc)
	p.Want(sftpwire.OK, &sftpwire.Write{Handle: h, Data: []byte("content")},
		&sftpwire.Setstat{Name: "/a", Attrs: sftpwire.Attrs{Flags: sftpwire.AttrMode | sftpwire.AttrSize, Mode: 0o600, Size: 4}},
		&sftpwire.Rename{From: "/a", To: "/b"})
	p.Sized(&sftpwire.Stat{Name: "/b"}, 4)
	p.Want(sftpwire.OK, &sftpwire.Close{Handle: h})
	other.Holds("/b", "cont")
	if got := other.Attrs(&sftpwire.Stat{Name: "/b"}).Mode; got != 0o100600 {
		t.Errorf("mode %o", got)
	}
	h = p.Open("/c", sftptest.Wr|sftptest.Creat|sftptest.Trunc)
	p.Want(sftpwire.OK, &sftpwire.Remove{Name: "/c"})
	p.Want(sftpwire.NoSuchFile, &sftpwire.Close{Handle: h}, &sftpwire.Stat{Name: "/c"})
}

// TestBrokenUpload: what ends without CLOSE is not published, but kept; STAT
// says where to go on, and OPEN without TRUNC goes on (reput).
func TestBrokenUpload(t *testing.T) {
	w := newWorld()
	w.breakOff(t, "/a", "new c")
	p := dial(t, w.session())
	p.Sized(&sftpwire.Stat{Name: "/a"}, 5)
	p.Want(sftpwire.NoSuchFile, &sftpwire.Lstat{Name: "/a"}, &sftpwire.Open{Name: "/a", Flags: sftptest.Rd})
	h := p.Open("/a", sftptest.Wr|sftptest.Creat)
	p.Sized(&sftpwire.Fstat{Handle: h}, 5)
	p.Want(sftpwire.OK, &sftpwire.Write{Handle: h, Offset: 5, Data: []byte("ontent")}, &sftpwire.Close{Handle: h})
	p.Holds("/a", "new content")
	p.Sized(&sftpwire.Stat{Name: "/a"}, 11)
}

// TestBrokenUploadTakenForAFile: where there is nothing but a broken upload, who opens
// it, looks and closes, or changes some of it, does not publish it; it can be gone on
// with after that, or begun anew.
func TestBrokenUploadTakenForAFile(t *testing.T) {
	const edit, upload = sftptest.Rd | sftptest.Wr, sftptest.Wr | sftptest.Creat
	write := func(off uint64, text string) func(string) sftpwire.Request {
		return func(h string) sftpwire.Request {
			return &sftpwire.Write{Handle: h, Offset: off, Data: []byte(text)}
		}
	}
	for name, c := range map[string]struct {
		flags sftpwire.OpenFlags
		do    func(handle string) sftpwire.Request // nil: nothing
		want  sftpwire.Code
	}{
		"opened":               {edit, nil, sftpwire.OK},
		"opened to append":     {upload | sftptest.App, nil, sftpwire.OK},
		"synced":               {edit, func(h string) sftpwire.Request { return &sftpwire.Fsync{Handle: h} }, sftpwire.OK},
		"changed in the midst": {edit, write(2, "xy"), sftpwire.Failure},
		"changed at 0":         {edit, write(0, "xy"), sftpwire.Failure},
		"written behind":       {upload, write(9, "xy"), sftpwire.Failure},
		"cut": {edit, func(h string) sftpwire.Request {
			return &sftpwire.Fsetstat{Handle: h, Attrs: sftpwire.Attrs{Flags: sftpwire.AttrSize, Size: 3}}
		}, sftpwire.Failure},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.breakOff(t, "/a", "new c")
			p := dial(t, w.session())
			h := p.Open("/a", c.flags)
			if c.do != nil {
				p.Want(c.want, c.do(h))
			}
			p.Ask(&sftpwire.Close{Handle: h})
			p.Want(sftpwire.NoSuchFile, &sftpwire.Lstat{Name: "/a"}, &sftpwire.Open{Name: "/a", Flags: sftptest.Rd})
			h = p.Open("/a", upload)
			p.Want(sftpwire.OK, write(5, "ontent")(h), &sftpwire.Close{Handle: h})
			p.Holds("/a", "new content")
		})
	}
	t.Run("begun anew", func(t *testing.T) {
		w := newWorld()
		w.breakOff(t, "/a", "new c")
		p := dial(t, w.session())
		h := p.Open("/a", upload)
		p.Want(sftpwire.OK, write(0, "an")(h), write(2, "d")(h), &sftpwire.Close{Handle: h})
		p.Holds("/a", "and")
	})
}

// breakOff ends an upload in the middle.
func (w *world) breakOff(t *testing.T, name, text string) {
	t.Helper()
	p := dial(t, w.session())
	h := p.Open(name, sftptest.Wr|sftptest.Creat|sftptest.Trunc)
	p.Want(sftpwire.OK, &sftpwire.Write{Handle: h, Data: []byte(text)})
	if err := p.End(); err != nil {
		t.Errorf("the session ended with %v", err)
	}
}

// TestBrokenOverwrite: the file that stands is what every request means. Who edits
// it changes it, and does not publish the broken upload; who would go on at its end
// is refused, and changes nothing after that.
func TestBrokenOverwrite(t *testing.T) {
	const old = "the old content"
	for name, flags := range map[string]sftpwire.OpenFlags{
		"reput": sftptest.Wr | sftptest.Creat, "update": sftptest.Rd | sftptest.Wr,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			dial(t, w.session()).Put("/f", old)
			w.breakOff(t, "/f", "new c")
			p := dial(t, w.session())
			p.Sized(&sftpwire.Stat{Name: "/f"}, uint64(len(old)))
			p.Sized(&sftpwire.Lstat{Name: "/f"}, uint64(len(old)))
			h := p.Open("/f", flags)
			p.Sized(&sftpwire.Fstat{Handle: h}, uint64(len(old)))
			p.Want(sftpwire.Failure, &sftpwire.Write{Handle: h, Offset: uint64(len(old)), Data: []byte("rest")},
				&sftpwire.Fsetstat{Handle: h, Attrs: sftpwire.Attrs{Flags: sftpwire.AttrSize}},
				&sftpwire.Write{Handle: h, Data: []byte("begin")}, &sftpwire.Fsync{Handle: h}, &sftpwire.Close{Handle: h})
			p.Holds("/f", old)
			p.Want(sftpwire.Failure, &sftpwire.Open{Name: "/f", Flags: flags | sftptest.App})

			h = p.Open("/f", flags)
			p.Want(sftpwire.OK, &sftpwire.Write{Handle: h, Offset: 4, Data: []byte("OLD")}, &sftpwire.Close{Handle: h})
			p.Holds("/f", "the OLD content")
			p.Put("/f", "sent whole")
			h = p.Open("/f", flags)
			p.Want(sftpwire.OK, &sftpwire.Write{Handle: h, Offset: 10, Data: []byte(", and on")}, &sftpwire.Close{Handle: h})
			p.Holds("/f", "sent whole, and on")
		})
	}
}

// TestFailedWriteIsNotPublished: clients close what they could not write, and
// a file with a hole is not what they wanted.
func TestFailedWriteIsNotPublished(t *testing.T) {
	w := newWorld()
	w.tree = mem.New(mem.Config{Capacity: 100})
	p := dial(t, w.session())
	p.Put("/a", "old")
	h := p.Open("/a", sftptest.Wr|sftptest.Creat|sftptest.Trunc)
	p.Want(sftpwire.OK, &sftpwire.Write{Handle: h, Data: make([]byte, 10)})
	reply := p.Ask(&sftpwire.Write{Handle: h, Offset: 10, Data: make([]byte, 100)})
	if s, ok := reply.(*sftpwire.Status); !ok || s.Code != sftpwire.Failure || s.Text != "Failure: no space left" {
		t.Errorf("WRITE onto a full storage: %#v", reply)
	}
	p.Want(sftpwire.OK, &sftpwire.Write{Handle: h, Offset: 20, Data: []byte("tail")})
	p.Want(sftpwire.Failure, &sftpwire.Close{Handle: h})
	p.Holds("/a", "old")
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
		{"nothing", sftptest.Wr | sftptest.Creat, nil, "0123456789", "0123456789"},
		{"whole, shorter, cut", sftptest.Wr | sftptest.Creat, []sftpwire.Request{write(0, "abc"), cut(3)}, "0123456789", "abc"},
		{"whole, shorter, not cut", sftptest.Wr | sftptest.Creat, []sftpwire.Request{write(0, "abc")}, "0123456789", "abc3456789"},
		{"whole, longer", sftptest.Wr | sftptest.Creat, []sftpwire.Request{write(0, "abcdefgh"), write(8, "ijkl")}, "0123456789", "abcdefghijkl"},
		{"holes", sftptest.Wr | sftptest.Creat, []sftpwire.Request{write(0, "a"), write(8, "i"), write(4, "e")}, "0123456789", "a123e567i9"},
		{"behind the end", sftptest.Wr | sftptest.Creat, []sftpwire.Request{write(0, "a"), write(12, "m")}, "0123456789", "a123456789\x00\x00m"},
		{"cut, then longer", sftptest.Wr | sftptest.Creat, []sftpwire.Request{write(0, "a"), cut(3), cut(5)}, "0123456789", "a12\x00\x00"},
		{"cut to nothing first", sftptest.Wr | sftptest.Creat, []sftpwire.Request{cut(0), write(2, "c")}, "0123456789", "\x00\x00c"},
		{"times between", sftptest.Wr | sftptest.Creat, []sftpwire.Request{write(0, "a"), times, write(2, "c")}, "0123456789", "a1c3456789"},
		{"elsewhere first", sftptest.Wr | sftptest.Creat, []sftpwire.Request{write(3, "d"), write(0, "a")}, "a12d456789", "a12d456789"},
		{"cut first", sftptest.Wr | sftptest.Creat, []sftpwire.Request{cut(4), write(0, "a")}, "a123", "a123"},
		{"read and write", sftptest.Rd | sftptest.Wr | sftptest.Creat, []sftpwire.Request{write(0, "abc")}, "abc3456789", "abc3456789"},
		{"no create", sftptest.Wr, []sftpwire.Request{write(0, "abc")}, "abc3456789", "abc3456789"},
		{"append", sftptest.Wr | sftptest.App | sftptest.Creat, []sftpwire.Request{write(0, "ab"), write(0, "cd")}, "0123456789abcd", "0123456789abcd"},
		{"append without create", sftptest.Wr | sftptest.App, []sftpwire.Request{write(7, "ab")}, "0123456789ab", "0123456789ab"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld()
			p, other := dial(t, w.session()), dial(t, w.session())
			p.Put("/f", "0123456789")
			h := p.Open("/f", row.flags)
			p.Sized(&sftpwire.Fstat{Handle: h}, 10)
			for _, r := range row.do {
				p.Want(sftpwire.OK, on(r, h))
			}
			other.Holds("/f", row.before)
			p.Sized(&sftpwire.Fstat{Handle: h}, uint64(len(row.after)))
			p.Sized(&sftpwire.Stat{Name: "/f"}, uint64(len(row.after)))
			p.Want(sftpwire.OK, &sftpwire.Close{Handle: h})
			other.Holds("/f", row.after)
			if inPlace := row.before == row.after && row.before != "0123456789" && row.flags == sftptest.Wr|sftptest.Creat; inPlace != strings.Contains(w.log.String(), "in place") {
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
// next one begins with the file as it was.
func TestOpenWithoutTruncateBroken(t *testing.T) {
	w := newWorld()
	p := dial(t, w.session())
	p.Put("/f", "0123456789")
	h := p.Open("/f", sftptest.Wr|sftptest.Creat)
	p.Want(sftpwire.OK, &sftpwire.Write{Handle: h, Data: []byte("abc")})
	_ = p.End()
	p = dial(t, w.session())
	p.Holds("/f", "0123456789")
	p.Sized(&sftpwire.Stat{Name: "/f"}, 10)
	h = p.Open("/f", sftptest.Wr|sftptest.Creat)
	p.Want(sftpwire.OK, &sftpwire.Write{Handle: h, Data: []byte("ab")}, &sftpwire.Write{Handle: h, Offset: 2, Data: []byte("cde")}, &sftpwire.Close{Handle: h})
	p.Holds("/f", "abcde56789")
}

// TestOpenWithoutTruncateCannotStage: a file with two names is written in
// place, and what the client did not overwrite stays.
func TestOpenWithoutTruncateCannotStage(t *testing.T) {
	w := newWorld()
	p := dial(t, w.session())
	p.Put("/f", "0123456789")
	p.Want(sftpwire.OK, &sftpwire.Hardlink{From: "/f", To: "/g"})
	h := p.Open("/f", sftptest.Wr|sftptest.Creat)
	p.Want(sftpwire.OK, &sftpwire.Write{Handle: h, Data: []byte("abc")})
	p.Holds("/g", "abc3456789")
	p.Want(sftpwire.OK, &sftpwire.Close{Handle: h})
	if !strings.Contains(w.log.String(), "in place") {
		t.Errorf("the log does not say that the file is written in place:\n%s", w.log)
	}
}

// TestManyGaps: a client that writes here and there does not make us remember
// it all.
func TestManyGaps(t *testing.T) {
	w := newWorld()
	p := dial(t, w.session())
	p.Put("/f", strings.Repeat("o", 5000))
	h := p.Open("/f", sftptest.Wr|sftptest.Creat)
	var writes []sftpwire.Request
	for off := uint64(0); off < 5000; off += 2 {
		writes = append(writes, &sftpwire.Write{Handle: h, Offset: off, Data: []byte("n")})
	}
	p.Send(writes...)
	p.Want(sftpwire.OK, &sftpwire.Close{Handle: h})
	p.Holds("/f", strings.Repeat("no", 2500))
}

// TestFsync publishes, and the handle goes on in place.
func TestFsync(t *testing.T) {
	w := newWorld()
	p, other := dial(t, w.session()), dial(t, w.session())
	h := p.Open("/f", sftptest.Wr|sftptest.Creat|sftptest.Trunc)
	p.Want(sftpwire.OK, &sftpwire.Write{Handle: h, Data: []byte("abc")}, &sftpwire.Fsync{Handle: h})
	other.Holds("/f", "abc")
	p.Want(sftpwire.OK, &sftpwire.Write{Handle: h, Offset: 3, Data: []byte("d")})
	other.Holds("/f", "abcd")
	p.Want(sftpwire.OK, &sftpwire.Close{Handle: h})
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
		{"read a new one", "", sftptest.Wr | sftptest.Creat | sftptest.Trunc, sftptest.Rd},
		{"read one that stood there", "the old content", sftptest.Wr | sftptest.Creat | sftptest.Trunc, sftptest.Rd},
		{"read what scp writes", "con", sftptest.Wr | sftptest.Creat, sftptest.Rd},
		{"write a new one", "", sftptest.Rd | sftptest.Wr | sftptest.Creat, sftptest.Wr},
		{"write one that stood there", "the old content", sftptest.Wr | sftptest.Trunc, sftptest.Rd | sftptest.Wr | sftptest.Creat},
		{"append", "", sftptest.Wr | sftptest.Creat | sftptest.App, sftptest.Wr | sftptest.App},
		{"in place", "con", sftptest.Rd | sftptest.Wr, sftptest.Rd},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld()
			p, other := dial(t, w.session()), dial(t, w.session())
			if row.before != "" {
				p.Put("/f", row.before)
			}
			first := p.Open("/f", row.first)
			p.Want(sftpwire.OK, &sftpwire.Write{Handle: first, Data: []byte("con")})
			second := p.Open("/f", row.second)
			p.Sized(&sftpwire.Fstat{Handle: second}, 3)
			if row.second&sftptest.Wr == 0 {
				if got := p.ReadAt(second, 0, 10); got != "con" {
					t.Errorf("the second handle reads %q", got)
				}
				p.Want(sftpwire.OK, &sftpwire.Write{Handle: first, Offset: 3, Data: []byte("tent")})
				if got := p.ReadAt(second, 0, 10); got != "content" {
					t.Errorf("the second handle reads %q", got)
				}
			} else {
				p.Want(sftpwire.OK, &sftpwire.Write{Handle: second, Offset: 3, Data: []byte("tent")})
			}
			other.Holds("/f", "content")
			p.Want(sftpwire.OK, &sftpwire.Close{Handle: first}, &sftpwire.Close{Handle: second})
			other.Holds("/f", "content")
		})
	}
	w := newWorld()
	w.tree = mem.New(mem.Config{Capacity: 100})
	p := dial(t, w.session())
	h := p.Open("/f", sftptest.Wr|sftptest.Creat|sftptest.Trunc)
	p.Want(sftpwire.Failure, &sftpwire.Write{Handle: h, Data: make([]byte, 200)}, &sftpwire.Open{Name: "/f", Flags: sftptest.Rd})
	dial(t, w.session()).Want(sftpwire.NoSuchFile, &sftpwire.Lstat{Name: "/f"})
}

// TestNamesOfDirectories: what ends with a slash is no file's name, as for
// open(2); scp to "new/" must not make a file "new".
func TestNamesOfDirectories(t *testing.T) {
	p := dial(t, newWorld().session())
	p.Put("/f", "content")
	p.Want(sftpwire.OK, &sftpwire.Mkdir{Name: "/d/"})
	p.Want(sftpwire.Failure, &sftpwire.Open{Name: "/new/", Flags: sftptest.Wr | sftptest.Creat}, &sftpwire.Open{Name: "/d/", Flags: sftptest.Wr | sftptest.Creat | sftptest.Trunc})
	p.Want(sftpwire.NoSuchFile, &sftpwire.Open{Name: "/f/", Flags: sftptest.Rd}, &sftpwire.Open{Name: "/f/", Flags: sftptest.Wr | sftptest.Creat | sftptest.Trunc},
		&sftpwire.Open{Name: "/no/new/", Flags: sftptest.Wr | sftptest.Creat}, &sftpwire.Lstat{Name: "/new"})
	p.Holds("/f", "content")
}

// TestReadCreate: open(2) with O_RDONLY|O_CREAT makes an empty file, and leaves
// one that is there.
func TestReadCreate(t *testing.T) {
	p := dial(t, newWorld().session())
	for range 2 {
		h := p.Open("/lock", sftptest.Rd|sftptest.Creat)
		p.Want(sftpwire.OK, &sftpwire.Close{Handle: h})
		p.Holds("/lock", "")
	}
}

// TestPermissionOfNewFiles is what OPEN and MKDIR ask for.
func TestPermissionOfNewFiles(t *testing.T) {
	p := dial(t, newWorld().session())
	mode := sftpwire.Attrs{Flags: sftpwire.AttrMode, Mode: 0o100750}
	h := p.Handle(&sftpwire.Open{Name: "/f", Flags: sftptest.Wr | sftptest.Creat, Attrs: mode})
	p.Want(sftpwire.OK, &sftpwire.Close{Handle: h}, &sftpwire.Mkdir{Name: "/d", Attrs: mode})
	for name, want := range map[string]uint32{"/f": 0o100750, "/d": 0o040750} {
		if got := p.Attrs(&sftpwire.Stat{Name: name}).Mode; got != want {
			t.Errorf("%s: %o, want %o", name, got, want)
		}
	}
}

// TestWritesWithRests: clients built on old versions of pkg/sftp send their
// whole buffer in each WRITE, of which only some are data (rclone 1.60).
func TestWritesWithRests(t *testing.T) {
	p := dial(t, newWorld().session())
	h := p.Open("/f", sftptest.Wr|sftptest.Creat|sftptest.Trunc)
	for off, data := range map[uint64]string{0: "con", 3: "tent"} {
		p.Last++
		packet := sftpwire.AppendRequest(nil, p.Last, &sftpwire.Write{Handle: h, Offset: off, Data: []byte(data)})
		packet = append(packet, strings.Repeat("rest", 8<<10)...)
		binary.BigEndian.PutUint32(packet, uint32(len(packet)-4))
		p.Write(packet)
		if got := p.CodeOf(nil, p.Wait(p.Last)); got != sftpwire.OK {
			t.Errorf("WRITE with bytes behind its data: %v", got)
		}
	}
	p.Want(sftpwire.OK, &sftpwire.Close{Handle: h})
	p.Holds("/f", "content")
}

// TestOwnFileIsCopied: what reads by a name means what the name shows the session.
func TestOwnFileIsCopied(t *testing.T) {
	w := newWorld()
	p := dial(t, w.session())
	p.Put("/f", "the old content")
	h := p.Open("/f", sftptest.Wr|sftptest.Creat|sftptest.Trunc)
	p.Want(sftpwire.OK, &sftpwire.Write{Handle: h, Data: []byte("new")})
	p.Sized(&sftpwire.Stat{Name: "/f"}, 3)
	p.Want(sftpwire.OK, &sftpwire.CopyFile{From: "/f", To: "/g"})
	p.Holds("/g", "new")
	p.Want(sftpwire.OK, &sftpwire.Write{Handle: h, Offset: 3, Data: []byte("er")}, &sftpwire.Close{Handle: h})
	p.Holds("/f", "newer")
}
