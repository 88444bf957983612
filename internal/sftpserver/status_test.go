package sftpserver

import (
	"strings"
	"testing"

	"ferry/internal/sftptest"
	"ferry/internal/sftpwire"
)

// TestStatuses is what OpenSSH's server answers by the errno of each.
func TestStatuses(t *testing.T) {
	w := newWorld()
	p := dial(t, w.session())
	p.Put("/file", "content")
	p.Want(sftpwire.OK, &sftpwire.Mkdir{Name: "/dir"}, &sftpwire.Mkdir{Name: "/dir/sub"},
		&sftpwire.Symlink{Target: "loop", Name: "/loop"}, &sftpwire.Symlink{Target: "file", Name: "/link"})
	reader, writer := p.Open("/file", sftptest.Rd), p.Open("/new", sftptest.Wr|sftptest.Creat)
	listing := p.Handle(&sftpwire.Opendir{Name: "/"})
	closed := p.Open("/file", sftptest.Rd)
	p.Want(sftpwire.OK, &sftpwire.Close{Handle: closed})
	long := "/" + strings.Repeat("n", 256)

	for _, row := range []struct {
		code sftpwire.Code
		r    sftpwire.Request
	}{
		{sftpwire.NoSuchFile, &sftpwire.Open{Name: "/missing", Flags: sftptest.Rd}},
		{sftpwire.NoSuchFile, &sftpwire.Open{Name: "/missing", Flags: sftptest.Wr}},
		{sftpwire.NoSuchFile, &sftpwire.Open{Name: "/missing", Flags: sftptest.Wr | sftptest.Trunc}},
		{sftpwire.NoSuchFile, &sftpwire.Open{Name: "/missing", Flags: sftptest.Wr | sftptest.App}},
		{sftpwire.NoSuchFile, &sftpwire.Open{Name: "/missing/a", Flags: sftptest.Wr | sftptest.Creat}},
		{sftpwire.NoSuchFile, &sftpwire.Open{Name: "/file/a", Flags: sftptest.Wr | sftptest.Creat}},
		{sftpwire.NoSuchFile, &sftpwire.Open{Name: "/loop", Flags: sftptest.Rd}},
		{sftpwire.NoSuchFile, &sftpwire.Open{Name: "", Flags: sftptest.Rd}},
		{sftpwire.Failure, &sftpwire.Open{Name: "/dir", Flags: sftptest.Wr | sftptest.Creat}},
		{sftpwire.Failure, &sftpwire.Open{Name: "/dir", Flags: sftptest.Wr | sftptest.Creat | sftptest.Trunc}},
		{sftpwire.Failure, &sftpwire.Open{Name: "/file", Flags: sftptest.Wr | sftptest.Creat | sftptest.Excl}},
		{sftpwire.BadMessage, &sftpwire.Open{Name: long, Flags: sftptest.Wr | sftptest.Creat}},
		{sftpwire.BadMessage, &sftpwire.Stat{Name: "/a\x00b"}},
		{sftpwire.BadMessage, &sftpwire.Stat{Name: "/.ferry-part-0123456789abcdef0123456789abcdef"}},
		{sftpwire.NoSuchFile, &sftpwire.Stat{Name: "/missing"}},
		{sftpwire.NoSuchFile, &sftpwire.Lstat{Name: "/missing"}},
		{sftpwire.NoSuchFile, &sftpwire.Setstat{Name: "/missing"}},
		{sftpwire.BadMessage, &sftpwire.Setstat{Name: "/file", Attrs: sftpwire.Attrs{Flags: sftpwire.AttrSize, Size: 1 << 63}}},
		{sftpwire.NoSuchFile, &sftpwire.Opendir{Name: "/missing"}},
		{sftpwire.NoSuchFile, &sftpwire.Opendir{Name: "/file"}},
		{sftpwire.Failure, &sftpwire.Mkdir{Name: "/dir"}},
		{sftpwire.NoSuchFile, &sftpwire.Mkdir{Name: "/missing/dir"}},
		{sftpwire.Failure, &sftpwire.Rmdir{Name: "/dir"}},
		{sftpwire.NoSuchFile, &sftpwire.Rmdir{Name: "/file"}},
		{sftpwire.PermissionDenied, &sftpwire.Rmdir{Name: "/"}},
		{sftpwire.Failure, &sftpwire.Remove{Name: "/dir"}},
		{sftpwire.NoSuchFile, &sftpwire.Remove{Name: "/missing"}},
		{sftpwire.BadMessage, &sftpwire.Readlink{Name: "/file"}},
		{sftpwire.NoSuchFile, &sftpwire.Realpath{Name: "/missing/file"}},
		{sftpwire.NoSuchFile, &sftpwire.Realpath{Name: "/file/file"}},
		{sftpwire.Failure, &sftpwire.Rename{From: "/file", To: "/link"}},
		{sftpwire.NoSuchFile, &sftpwire.Rename{From: "/missing", To: "/x"}},
		{sftpwire.BadMessage, &sftpwire.PosixRename{From: "/dir", To: "/dir/sub/x"}},
		{sftpwire.Failure, &sftpwire.Symlink{Target: "x", Name: "/file"}},
		{sftpwire.BadMessage, &sftpwire.Symlink{Target: "x\x00", Name: "/y"}},
		{sftpwire.Failure, &sftpwire.Hardlink{From: "/file", To: "/link"}},
		{sftpwire.OpUnsupported, &sftpwire.Unknown{Name: "who@knows"}},
		{sftpwire.OK, &sftpwire.VendorID{Vendor: "v"}},

		// Handles: of nobody, of a closed file, of the wrong kind.
		{sftpwire.Failure, &sftpwire.Read{Handle: closed, Length: 1}},
		{sftpwire.Failure, &sftpwire.Write{Handle: closed}},
		{sftpwire.NoSuchFile, &sftpwire.Close{Handle: closed}},
		{sftpwire.NoSuchFile, &sftpwire.Close{Handle: ""}},
		{sftpwire.NoSuchFile, &sftpwire.Close{Handle: strings.Repeat("h", 1000)}},
		{sftpwire.Failure, &sftpwire.Fstat{Handle: "\x00\x00\x00\x00\x00\x00\x00\x00"}},
		{sftpwire.Failure, &sftpwire.Fsetstat{Handle: closed}},
		{sftpwire.Failure, &sftpwire.Readdir{Handle: reader}},
		{sftpwire.Failure, &sftpwire.Read{Handle: listing, Length: 1}},
		{sftpwire.Failure, &sftpwire.CopyData{From: reader, To: reader}},
		{sftpwire.PermissionDenied, &sftpwire.Write{Handle: reader, Data: []byte("x")}},
		{sftpwire.PermissionDenied, &sftpwire.Read{Handle: writer, Length: 1}},

		// Offsets and lengths.
		{sftpwire.EOF, &sftpwire.Read{Handle: reader, Offset: 7, Length: 1}},
		{sftpwire.EOF, &sftpwire.Read{Handle: reader, Offset: 1 << 62, Length: 1<<32 - 1}},
		{sftpwire.BadMessage, &sftpwire.Read{Handle: reader, Offset: 1 << 63, Length: 1}},
		{sftpwire.BadMessage, &sftpwire.Read{Handle: reader, Offset: 1<<63 - 1, Length: 1}},
		{sftpwire.BadMessage, &sftpwire.Read{Handle: reader, Offset: 1<<64 - 1, Length: 1<<32 - 1}},
		{sftpwire.BadMessage, &sftpwire.Write{Handle: writer, Offset: 1<<63 - 1, Data: []byte("x")}},
		{sftpwire.BadMessage, &sftpwire.CopyData{From: reader, To: writer, FromOffset: 1 << 63}},
		{sftpwire.BadMessage, &sftpwire.CopyData{From: reader, To: writer, Length: 1<<64 - 1}},
		{sftpwire.BadMessage, &sftpwire.CheckFile{Form: sftpwire.CheckHandle, Object: reader, Algorithms: []string{"md5"}, Offset: 1 << 63}},
		{sftpwire.Failure, &sftpwire.CheckFile{Form: sftpwire.CheckHandle, Object: reader, Algorithms: []string{"md5"}, Block: 255}},
		{sftpwire.OpUnsupported, &sftpwire.CheckFile{Form: sftpwire.CheckHandle, Object: reader, Algorithms: []string{"rot13"}}},
	} {
		reply := p.Ask(row.r)
		s, ok := reply.(*sftpwire.Status)
		if !ok || s.Code != row.code || !strings.HasPrefix(s.Text, row.code.String()) {
			t.Errorf("%#v: %#v, want %v", row.r, reply, row.code)
		}
	}
	if d, ok := p.Ask(&sftpwire.Read{Handle: reader}).(*sftpwire.Data); !ok || len(d.Data) != 0 {
		t.Error("READ of 0 bytes is no DATA of 0 bytes")
	}
	if got := p.ReadAt(reader, 0, 1<<32-1); got != "content" {
		t.Errorf("READ of 4 GiB: %q", got)
	}
}

// TestNamesOfFiles: relative ones, "." and "..", and what cannot leave the root.
func TestNamesOfFiles(t *testing.T) {
	s := newWorld().session()
	s.Start, s.Home = "/home/alice/files", "/home/alice"
	p := dial(t, s)
	p.Want(sftpwire.OK, &sftpwire.Mkdir{Name: "/home"}, &sftpwire.Mkdir{Name: "/home/alice"}, &sftpwire.Mkdir{Name: "."})
	p.Put("file", "x")
	p.Holds("/home/alice/files/file", "x")
	p.Holds("../../../../../home/alice/files/./file", "x")
	for r, want := range map[sftpwire.Request]string{
		&sftpwire.Realpath{Name: "."}:             "/home/alice/files",
		&sftpwire.Realpath{Name: ""}:              "/home/alice/files",
		&sftpwire.Realpath{Name: "missing"}:       "/home/alice/files/missing",
		&sftpwire.Realpath{Name: "/../../.."}:     "/",
		&sftpwire.Realpath{Name: "//home//alice"}: "/home/alice",
		&sftpwire.ExpandPath{Name: "~"}:           "/home/alice",
		&sftpwire.ExpandPath{Name: "~/x"}:         "/home/alice/x",
		&sftpwire.ExpandPath{Name: "~alice/x"}:    "/home/alice/x",
		&sftpwire.ExpandPath{Name: "x"}:           "/home/alice/files/x",
		&sftpwire.HomeDirectory{}:                 "/home/alice",
		&sftpwire.HomeDirectory{User: "alice"}:    "/home/alice",
	} {
		if got := p.One(r); got != want {
			t.Errorf("%#v: %q, want %q", r, got, want)
		}
	}
	p.Want(sftpwire.NoSuchFile, &sftpwire.ExpandPath{Name: "~bob"}, &sftpwire.HomeDirectory{User: "bob"})
}
