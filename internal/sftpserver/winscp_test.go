package sftpserver

import (
	"crypto/sha1"
	"slices"
	"strings"
	"testing"

	"ferry"
	"ferry/internal/sftptest"
	"ferry/internal/sftpwire"
)

// winscp is a peer that says hello as WinSCP does: it would speak version 6,
// and tells its name where the server told its own.
func winscp(t *testing.T, cfg Options) *sftptest.Peer {
	t.Helper()
	p := dialSilently(t, t.Context(), cfg)
	p.Write(sftpwire.AppendInit(nil, sftpwire.Hello{Version: 6}))
	go p.Read()
	p.Want(sftpwire.OK, &sftpwire.VendorID{Vendor: "Martin Prikryl", Product: "WinSCP", Version: "6.3.5", Build: 15118})
	if got := p.One(&sftpwire.Realpath{Name: "."}); got != "/" {
		t.Errorf("REALPATH .: %q", got)
	}
	p.Attrs(&sftpwire.Lstat{Name: "/"})
	return p
}

// browse lists a directory, asking for more before it has looked at what came,
// and waits for no answer to CLOSE.
func browse(p *sftptest.Peer, dir string) string {
	p.T.Helper()
	h := p.Handle(&sftpwire.Opendir{Name: dir})
	var names []string
	for id := p.Send(&sftpwire.Readdir{Handle: h}); ; {
		reply := p.Wait(id)
		found, ok := reply.(*sftpwire.Names)
		if !ok {
			if code := p.CodeOf(nil, reply); code != sftpwire.EOF {
				p.T.Errorf("READDIR %s: %v", dir, code)
			}
			p.Send(&sftpwire.Close{Handle: h})
			slices.Sort(names)
			return strings.Join(names, " ")
		}
		id = p.Send(&sftpwire.Readdir{Handle: h})
		for _, e := range found.Entries {
			if e.Name != "." && e.Name != ".." {
				names = append(names, e.Name)
			}
		}
	}
}

// announced are the attributes in WinSCP's OPEN: how long the file will be.
func announced(size int) sftpwire.Attrs {
	return sftpwire.Attrs{Flags: sftpwire.AttrSize, Size: uint64(size)}
}

// stamped are those of its SETSTAT at the end.
func stamped(mode uint32) sftpwire.Attrs {
	a := sftpwire.Attrs{Flags: sftpwire.AttrTimes, Access: 1_700_000_000, Modified: 1_600_000_000}
	if mode != 0 {
		a.Flags |= sftpwire.AttrMode
		a.Mode = mode
	}
	return a
}

// pour writes content from off on in blocks, without waiting, and then CLOSE.
// It gives the number of CLOSE.
func pour(p *sftptest.Peer, h, content string, off int) uint32 {
	const block = 32_000
	for ; off < len(content); off += block {
		p.Send(&sftpwire.Write{Handle: h, Offset: uint64(off), Data: []byte(content[off:min(off+block, len(content))])})
	}
	return p.Send(&sftpwire.Close{Handle: h})
}

// TestWinSCPSmallFile is uploaded under its own name: created exclusively, and
// closed and stamped without waiting in between. One that is there is asked
// about first.
func TestWinSCPSmallFile(t *testing.T) {
	w := newWorld()
	p := winscp(t, w.session())
	const wants = sftptest.Wr | sftptest.Creat | sftptest.Excl | sftptest.Trunc
	for _, content := range []string{"first", "second, and longer"} {
		reply := p.Ask(&sftpwire.Open{Name: "/f", Flags: wants, Attrs: announced(len(content))})
		if s, ok := reply.(*sftpwire.Status); ok {
			if s.Code != sftpwire.Failure {
				t.Errorf("OPEN of what is there: %v", s)
			}
			p.Sized(&sftpwire.Lstat{Name: "/f"}, 5)
			reply = p.Ask(&sftpwire.Open{Name: "/f", Flags: wants &^ sftptest.Excl, Attrs: announced(len(content))})
		}
		h, ok := reply.(*sftpwire.Handle)
		if !ok {
			t.Fatalf("OPEN: %#v", reply)
		}
		closed := pour(p, h.Handle, content, 0)
		set := p.Send(&sftpwire.Setstat{Name: "/f", Attrs: stamped(0o640)})
		for _, id := range []uint32{closed, set} {
			if code := p.CodeOf(nil, p.Wait(id)); code != sftpwire.OK {
				t.Errorf("CLOSE or SETSTAT: %v", code)
			}
		}
		p.Holds("/f", content)
		if a := p.Attrs(&sftpwire.Lstat{Name: "/f"}); a.Modified != 1_600_000_000 || a.Mode&0o777 != 0o640 {
			t.Errorf("attributes: %+v", a)
		}
	}
	if got := browse(p, "/"); got != "f" {
		t.Errorf("the directory shows %s", got)
	}
}

// TestWinSCPLargeFile is uploaded under another name, which takes its place in
// the end: the old one is removed, the new one renamed and stamped.
func TestWinSCPLargeFile(t *testing.T) {
	w := newWorld()
	p := winscp(t, w.session())
	content := strings.Repeat("0123456789", 20_000)
	for _, old := range []bool{false, true} {
		if old {
			p.Attrs(&sftpwire.Lstat{Name: "/f"})
		} else {
			p.Want(sftpwire.NoSuchFile, &sftpwire.Lstat{Name: "/f"})
		}
		p.Want(sftpwire.NoSuchFile, &sftpwire.Lstat{Name: "/f.filepart"})
		h := p.Handle(&sftpwire.Open{Name: "/f.filepart", Flags: sftptest.Wr | sftptest.Creat | sftptest.Trunc, Attrs: announced(len(content))})
		if code := p.CodeOf(nil, p.Wait(pour(p, h, content, 0))); code != sftpwire.OK {
			t.Errorf("CLOSE: %v", code)
		}
		if old {
			p.Want(sftpwire.OK, &sftpwire.Remove{Name: "/f"})
		}
		p.Want(sftpwire.OK, &sftpwire.Rename{From: "/f.filepart", To: "/f"}, &sftpwire.Setstat{Name: "/f", Attrs: stamped(0)})
		p.Holds("/f", content)
		if got := browse(p, "/"); got != "f" {
			t.Errorf("the directory shows %s", got)
		}
	}
}

// TestWinSCPBrokenUpload: after a connection that broke, WinSCP asks by LSTAT
// what there is of the .filepart, and goes on there; or has it removed. Of
// other names LSTAT tells only what stands there, which is what mounts ask.
func TestWinSCPBrokenUpload(t *testing.T) {
	w := newWorld()
	content := strings.Repeat("0123456789", 20_000)
	begin := func(name string) {
		t.Helper()
		p := winscp(t, w.session())
		h := p.Handle(&sftpwire.Open{Name: name, Flags: sftptest.Wr | sftptest.Creat | sftptest.Trunc, Attrs: announced(len(content))})
		p.Want(sftpwire.OK, &sftpwire.Write{Handle: h, Data: []byte(content[:150_000])})
		if err := p.End(); err != nil {
			t.Errorf("the session ended with %v", err)
		}
	}
	begin("/f.filepart")
	p := winscp(t, w.session())
	p.Sized(&sftpwire.Lstat{Name: "/f.filepart"}, 150_000)
	if got := browse(p, "/"); got != "" {
		t.Errorf("the directory shows %s", got)
	}
	h := p.Handle(&sftpwire.Open{Name: "/f.filepart", Flags: sftptest.Wr | sftptest.Creat, Attrs: announced(len(content))})
	if code := p.CodeOf(nil, p.Wait(pour(p, h, content, 150_000))); code != sftpwire.OK {
		t.Errorf("CLOSE: %v", code)
	}
	p.Want(sftpwire.OK, &sftpwire.Rename{From: "/f.filepart", To: "/f"})
	p.Holds("/f", content)

	begin("/g.filepart")
	p = winscp(t, w.session())
	p.Want(sftpwire.OK, &sftpwire.Remove{Name: "/g.filepart"})
	p.Want(sftpwire.NoSuchFile, &sftpwire.Lstat{Name: "/g.filepart"})

	begin("/other")
	p = winscp(t, w.session())
	p.Want(sftpwire.NoSuchFile, &sftpwire.Lstat{Name: "/other"})
	bob := w.session()
	bob.FS = w.tree.For(ferry.User{Name: "bob"})
	begin("/h.filepart")
	winscp(t, bob).Want(sftpwire.NoSuchFile, &sftpwire.Lstat{Name: "/h.filepart"})
}

// TestWinSCPDownload: many READs ahead of their answers, and CLOSE while those
// behind the end are still open.
func TestWinSCPDownload(t *testing.T) {
	w := newWorld()
	p := winscp(t, w.session())
	content := strings.Repeat("0123456789", 20_000)
	p.Put("/f", content)
	h := p.Open("/f", sftptest.Rd)
	p.Sized(&sftpwire.Fstat{Handle: h}, uint64(len(content)))
	const block = 32_768
	var reads []uint32
	for off := 0; off < len(content)+4*block; off += block {
		reads = append(reads, p.Send(&sftpwire.Read{Handle: h, Offset: uint64(off), Length: block}))
	}
	got, ended := "", false
	for i, id := range reads {
		switch reply := p.Wait(id).(type) {
		case *sftpwire.Data:
			got += string(reply.Data)
		case *sftpwire.Status:
			if reply.Code != sftpwire.EOF {
				t.Errorf("READ %d: %v", i, reply)
			}
			if !ended {
				ended = true
				p.Send(&sftpwire.Close{Handle: h})
			}
		}
	}
	if got != content {
		t.Errorf("%d bytes came, of %d", len(got), len(content))
	}
}

// TestWinSCPCommands: what its menus send: checksums of several files at once,
// space, copies, properties, links, directories.
func TestWinSCPCommands(t *testing.T) {
	w := newWorld()
	cfg := w.session()
	cfg.LinkFirst = true // as the SSH side tells by its version
	p := winscp(t, cfg)
	p.Put("/a", "content of a")
	p.Put("/b", "content of b")
	sums := map[string]uint32{}
	for _, name := range []string{"/a", "/b"} {
		sums[name] = p.Send(&sftpwire.CheckFile{Form: sftpwire.CheckName, Object: name, Algorithms: []string{"sha1"}})
	}
	for name, id := range sums {
		var got sftpwire.CheckReply
		e, ok := p.Wait(id).(*sftpwire.ExtendedReply)
		if !ok || e.Parse(&got) != nil {
			t.Fatalf("check-file-name of %s: %#v", name, e)
		}
		if want := sha1.Sum([]byte("content of " + name[1:])); string(got.Hashes) != string(want[:]) || got.Algorithm != "sha1" {
			t.Errorf("%s: %s %x, want %x", name, got.Algorithm, got.Hashes, want)
		}
	}
	var space sftpwire.SpaceReply
	p.Extended(&sftpwire.SpaceAvailable{Name: "/"}, &space)
	p.Want(sftpwire.OK, &sftpwire.CopyFile{From: "/a", To: "/copy"})
	p.Want(sftpwire.Failure, &sftpwire.CopyFile{From: "/a", To: "/b"})
	p.Holds("/b", "content of b")
	p.Want(sftpwire.OK, &sftpwire.Mkdir{Name: "/d"}, &sftpwire.Setstat{Name: "/d", Attrs: sftpwire.Attrs{Flags: sftpwire.AttrMode, Mode: 0o40700}})
	// The link, then its target: so the draft has it, and so WinSCP sends it to
	// whom it does not take for OpenSSH. Hard links have an order of their own.
	p.Want(sftpwire.OK, &sftpwire.Symlink{Target: "/d/link", Name: "../a"}, &sftpwire.Hardlink{From: "/a", To: "/d/hard"})
	if got := p.One(&sftpwire.Readlink{Name: "/d/link"}); got != "../a" {
		t.Errorf("READLINK: %q", got)
	}
	p.Holds("/d/link", "content of a")
	p.Holds("/d/hard", "content of a")
	p.Want(sftpwire.OK, &sftpwire.Remove{Name: "/d/link"}, &sftpwire.Remove{Name: "/d/hard"}, &sftpwire.Rmdir{Name: "/d"})
	if got := browse(p, "/"); got != "a b copy" {
		t.Errorf("the directory shows %s", got)
	}
}
