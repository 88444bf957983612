package sftpserver

import (
	"crypto/sha1"
	"io"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"ferry"
	"ferry/internal/sftpwire"
)

// winscp is a peer that says hello as WinSCP does: it would speak version 6,
// and tells its name where the server told its own.
func winscp(t *testing.T, cfg Session) *peer {
	t.Helper()
	p := dialSilently(t, t.Context(), cfg)
	p.write(sftpwire.AppendInit(nil, sftpwire.Hello{Version: 6}))
	go p.read()
	p.want(sftpwire.OK, &sftpwire.VendorID{Vendor: "Martin Prikryl", Product: "WinSCP", Version: "6.3.5", Build: 15118})
	if got := p.one(&sftpwire.Realpath{Name: "."}); got != "/" {
		t.Errorf("REALPATH .: %q", got)
	}
	p.attrs(&sftpwire.Lstat{Name: "/"})
	return p
}

// browse lists a directory, asking for more before it has looked at what came,
// and waits for no answer to CLOSE.
func (p *peer) browse(dir string) string {
	p.t.Helper()
	h := p.handle(&sftpwire.Opendir{Name: dir})
	var names []string
	for id := p.send(&sftpwire.Readdir{Handle: h}); ; {
		reply := p.wait(id)
		found, ok := reply.(*sftpwire.Names)
		if !ok {
			if code := p.codeOf(nil, reply); code != sftpwire.EOF {
				p.t.Errorf("READDIR %s: %v", dir, code)
			}
			p.send(&sftpwire.Close{Handle: h})
			slices.Sort(names)
			return strings.Join(names, " ")
		}
		id = p.send(&sftpwire.Readdir{Handle: h})
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
func (p *peer) pour(h, content string, off int) uint32 {
	const block = 32_000
	for ; off < len(content); off += block {
		p.send(&sftpwire.Write{Handle: h, Offset: uint64(off), Data: []byte(content[off:min(off+block, len(content))])})
	}
	return p.send(&sftpwire.Close{Handle: h})
}

// TestWinSCPSmallFile is uploaded under its own name: created exclusively, and
// closed and stamped without waiting in between. One that is there is asked
// about first.
func TestWinSCPSmallFile(t *testing.T) {
	w := newWorld()
	p := winscp(t, w.session())
	const wants = wr | creat | excl | trunc
	for _, content := range []string{"first", "second, and longer"} {
		reply := p.ask(&sftpwire.Open{Name: "/f", Flags: wants, Attrs: announced(len(content))})
		if s, ok := reply.(*sftpwire.Status); ok {
			if s.Code != sftpwire.Failure {
				t.Errorf("OPEN of what is there: %v", s)
			}
			p.sized(&sftpwire.Lstat{Name: "/f"}, 5)
			reply = p.ask(&sftpwire.Open{Name: "/f", Flags: wants &^ excl, Attrs: announced(len(content))})
		}
		h, ok := reply.(*sftpwire.Handle)
		if !ok {
			t.Fatalf("OPEN: %#v", reply)
		}
		closed := p.pour(h.Handle, content, 0)
		set := p.send(&sftpwire.Setstat{Name: "/f", Attrs: stamped(0o640)})
		for _, id := range []uint32{closed, set} {
			if code := p.codeOf(nil, p.wait(id)); code != sftpwire.OK {
				t.Errorf("CLOSE or SETSTAT: %v", code)
			}
		}
		p.holds("/f", content)
		if a := p.attrs(&sftpwire.Lstat{Name: "/f"}); a.Modified != 1_600_000_000 || a.Mode&0o777 != 0o640 {
			t.Errorf("attributes: %+v", a)
		}
	}
	if got := p.browse("/"); got != "f" {
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
			p.attrs(&sftpwire.Lstat{Name: "/f"})
		} else {
			p.want(sftpwire.NoSuchFile, &sftpwire.Lstat{Name: "/f"})
		}
		p.want(sftpwire.NoSuchFile, &sftpwire.Lstat{Name: "/f.filepart"})
		h := p.handle(&sftpwire.Open{Name: "/f.filepart", Flags: wr | creat | trunc, Attrs: announced(len(content))})
		if code := p.codeOf(nil, p.wait(p.pour(h, content, 0))); code != sftpwire.OK {
			t.Errorf("CLOSE: %v", code)
		}
		if old {
			p.want(sftpwire.OK, &sftpwire.Remove{Name: "/f"})
		}
		p.want(sftpwire.OK, &sftpwire.Rename{From: "/f.filepart", To: "/f"}, &sftpwire.Setstat{Name: "/f", Attrs: stamped(0)})
		p.holds("/f", content)
		if got := p.browse("/"); got != "f" {
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
		h := p.handle(&sftpwire.Open{Name: name, Flags: wr | creat | trunc, Attrs: announced(len(content))})
		p.want(sftpwire.OK, &sftpwire.Write{Handle: h, Data: []byte(content[:150_000])})
		if err := p.end(); err != nil {
			t.Errorf("the session ended with %v", err)
		}
	}
	begin("/f.filepart")
	p := winscp(t, w.session())
	p.sized(&sftpwire.Lstat{Name: "/f.filepart"}, 150_000)
	if got := p.browse("/"); got != "" {
		t.Errorf("the directory shows %s", got)
	}
	h := p.handle(&sftpwire.Open{Name: "/f.filepart", Flags: wr | creat, Attrs: announced(len(content))})
	if code := p.codeOf(nil, p.wait(p.pour(h, content, 150_000))); code != sftpwire.OK {
		t.Errorf("CLOSE: %v", code)
	}
	p.want(sftpwire.OK, &sftpwire.Rename{From: "/f.filepart", To: "/f"})
	p.holds("/f", content)

	begin("/g.filepart")
	p = winscp(t, w.session())
	p.want(sftpwire.OK, &sftpwire.Remove{Name: "/g.filepart"})
	p.want(sftpwire.NoSuchFile, &sftpwire.Lstat{Name: "/g.filepart"})

	begin("/other")
	p = winscp(t, w.session())
	p.want(sftpwire.NoSuchFile, &sftpwire.Lstat{Name: "/other"})
	bob := w.session()
	bob.FS = w.tree.For(ferry.User{Name: "bob"})
	begin("/h.filepart")
	winscp(t, bob).want(sftpwire.NoSuchFile, &sftpwire.Lstat{Name: "/h.filepart"})
}

// TestWinSCPDownload: many READs ahead of their answers, and CLOSE while those
// behind the end are still open.
func TestWinSCPDownload(t *testing.T) {
	w := newWorld()
	p := winscp(t, w.session())
	content := strings.Repeat("0123456789", 20_000)
	p.put("/f", content)
	h := p.open("/f", rd)
	p.sized(&sftpwire.Fstat{Handle: h}, uint64(len(content)))
	const block = 32_768
	var reads []uint32
	for off := 0; off < len(content)+4*block; off += block {
		reads = append(reads, p.send(&sftpwire.Read{Handle: h, Offset: uint64(off), Length: block}))
	}
	got, ended := "", false
	for i, id := range reads {
		switch reply := p.wait(id).(type) {
		case *sftpwire.Data:
			got += string(reply.Data)
		case *sftpwire.Status:
			if reply.Code != sftpwire.EOF {
				t.Errorf("READ %d: %v", i, reply)
			}
			if !ended {
				ended = true
				p.send(&sftpwire.Close{Handle: h})
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
	cfg.LinkFirst = linkFirst("SSH-2.0-WinSCP_release_6.3.5")
	p := winscp(t, cfg)
	p.put("/a", "content of a")
	p.put("/b", "content of b")
	sums := map[string]uint32{}
	for _, name := range []string{"/a", "/b"} {
		sums[name] = p.send(&sftpwire.CheckFile{Form: sftpwire.CheckName, Object: name, Algorithms: []string{"sha1"}})
	}
	for name, id := range sums {
		var got sftpwire.CheckReply
		e, ok := p.wait(id).(*sftpwire.ExtendedReply)
		if !ok || e.Parse(&got) != nil {
			t.Fatalf("check-file-name of %s: %#v", name, e)
		}
		if want := sha1.Sum([]byte("content of " + name[1:])); string(got.Hashes) != string(want[:]) || got.Algorithm != "sha1" {
			t.Errorf("%s: %s %x, want %x", name, got.Algorithm, got.Hashes, want)
		}
	}
	var space sftpwire.SpaceReply
	p.extended(&sftpwire.SpaceAvailable{Name: "/"}, &space)
	p.want(sftpwire.OK, &sftpwire.CopyFile{From: "/a", To: "/copy"})
	p.want(sftpwire.Failure, &sftpwire.CopyFile{From: "/a", To: "/b"})
	p.holds("/b", "content of b")
	p.want(sftpwire.OK, &sftpwire.Mkdir{Name: "/d"}, &sftpwire.Setstat{Name: "/d", Attrs: sftpwire.Attrs{Flags: sftpwire.AttrMode, Mode: 0o40700}})
	// The link, then its target: so the draft has it, and so WinSCP sends it to
	// whom it does not take for OpenSSH. Hard links have an order of their own.
	p.want(sftpwire.OK, &sftpwire.Symlink{Target: "/d/link", Name: "../a"}, &sftpwire.Hardlink{From: "/a", To: "/d/hard"})
	if got := p.one(&sftpwire.Readlink{Name: "/d/link"}); got != "../a" {
		t.Errorf("READLINK: %q", got)
	}
	p.holds("/d/link", "content of a")
	p.holds("/d/hard", "content of a")
	p.want(sftpwire.OK, &sftpwire.Remove{Name: "/d/link"}, &sftpwire.Remove{Name: "/d/hard"}, &sftpwire.Rmdir{Name: "/d"})
	if got := p.browse("/"); got != "a b copy" {
		t.Errorf("the directory shows %s", got)
	}
}

// TestLinksByClient: in which order a client sends SYMLINK is told by what it
// calls itself.
func TestLinksByClient(t *testing.T) {
	for version, first := range map[string]bool{
		"SSH-2.0-WinSCP_release_6.3.5": true, "SSH-2.0-libssh_0.10.6": true, "SSH-2.0-AsyncSSH_2.14.2": true,
		"SSH-2.0-OpenSSH_9.2": false, "SSH-2.0-libssh2_1.10.0": false, "SSH-2.0-PuTTY_Release_0.78": false, "SSH-2.0-Go": false, "SSH-2.0-paramiko_2.12.0": false,
	} {
		h := newHarbour(t).open()
		h.put("/target", "content")
		client, err := h.knockWith(&ssh.ClientConfig{User: "alice", Auth: []ssh.AuthMethod{ssh.Password("s3cret")}, ClientVersion: version})
		if err != nil {
			t.Fatal(err)
		}
		s, in := newProgram(t, client)
		out, err := s.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := s.RequestSubsystem("sftp"); err != nil {
			t.Fatal(err)
		}
		link := &sftpwire.Symlink{Target: "target", Name: "/link"}
		if first {
			link = &sftpwire.Symlink{Target: "/link", Name: "target"}
		}
		packets := sftpwire.AppendInit(nil, sftpwire.Hello{Version: 3})
		packets = sftpwire.AppendRequest(packets, 1, link)
		if _, err := in.Write(packets); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := readPacket(out); err != nil {
				t.Fatal(err)
			}
		}
		_ = in.Close()
		if _, err := io.Copy(io.Discard, out); err != nil {
			t.Error(err)
		}
		if got := h.content("/link"); got != "content" {
			t.Errorf("%s: /link holds %q", version, got)
		}
		_ = client.Close()
	}
}
