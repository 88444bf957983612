package sftpserver

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ferry/internal/sftptest"
	"ferry/internal/sftpwire"
)

// TestLooksAndLinks: attributes, listings and links, as ls -l shows them.
func TestLooksAndLinks(t *testing.T) {
	s := newWorld().session()
	s.Owner = func(id uint32) string { return map[uint32]string{7: "alice"}[id] }
	p := dial(t, s)
	p.Put("/f", "content")
	p.Want(sftpwire.OK,
		&sftpwire.Setstat{Name: "/f", Attrs: sftpwire.Attrs{
			Flags: sftpwire.AttrMode | sftpwire.AttrOwner | sftpwire.AttrTimes, Mode: 0o640, UID: 7, GID: 8, Access: 100, Modified: 200}},
		&sftpwire.Symlink{Target: "f", Name: "/l"},
		&sftpwire.Lsetstat{Name: "/l", Attrs: sftpwire.Attrs{Flags: sftpwire.AttrTimes, Access: 1, Modified: 2}})
	want := sftpwire.Attrs{Flags: sftpwire.AttrSize | sftpwire.AttrOwner | sftpwire.AttrMode | sftpwire.AttrTimes,
		Size: 7, UID: 7, GID: 8, Mode: 0o100640, Access: 100, Modified: 200}
	h := p.Open("/f", sftptest.Rd)
	for _, r := range []sftpwire.Request{&sftpwire.Stat{Name: "/l"}, &sftpwire.Stat{Name: "/f"}, &sftpwire.Lstat{Name: "/f"}, &sftpwire.Fstat{Handle: h}} {
		if got := p.Attrs(r); !reflect.DeepEqual(got, want) {
			t.Errorf("%#v: %+v, want %+v", r, got, want)
		}
	}
	if got := p.Attrs(&sftpwire.Lstat{Name: "/l"}); got.Mode != 0o120777 || got.Modified != 2 {
		t.Errorf("LSTAT of a link: %+v", got)
	}
	if got := p.One(&sftpwire.Readlink{Name: "/l"}); got != "f" {
		t.Errorf("READLINK: %q", got)
	}
	var names []string
	for _, e := range p.List("/") {
		names = append(names, e.Name)
		if e.Name == "f" && (e.Long != "-rw-r-----    1 alice    8               7 Jan  1  1970 f" || !reflect.DeepEqual(e.Attrs, want)) {
			t.Errorf("READDIR: %q, %+v", e.Long, e.Attrs)
		}
	}
	if slices.Sort(names); !slices.Equal(names, []string{".", "..", "f", "l"}) {
		t.Errorf("READDIR: %q", names)
	}
}

// TestRenames: RENAME never replaces, posix-rename does.
func TestRenames(t *testing.T) {
	p := dial(t, newWorld().session())
	p.Put("/a", "a")
	p.Put("/b", "b")
	p.Want(sftpwire.Failure, &sftpwire.Rename{From: "/a", To: "/b"})
	p.Holds("/b", "b")
	p.Want(sftpwire.OK, &sftpwire.PosixRename{From: "/a", To: "/b"})
	p.Holds("/b", "a")
	p.Want(sftpwire.OK, &sftpwire.Hardlink{From: "/b", To: "/c"}, &sftpwire.Remove{Name: "/b"})
	p.Holds("/c", "a")
}

func TestVersionNamesTheExtensions(t *testing.T) {
	s := newWorld().session()
	s.Version = "1.2"
	p := dial(t, s)
	p.Want(sftpwire.NoSuchFile, &sftpwire.Stat{Name: "/x"})
	var names []string
	for _, e := range p.Hello.Extensions {
		names = append(names, e.Name+" "+e.Data)
	}
	for _, want := range []string{"posix-rename@openssh.com 1", "statvfs@openssh.com 2", "fstatvfs@openssh.com 2", "hardlink@openssh.com 1",
		"fsync@openssh.com 1", "lsetstat@openssh.com 1", "limits@openssh.com 1", "expand-path@openssh.com 1", "copy-data 1",
		"home-directory 1", "users-groups-by-id@openssh.com 1", "check-file 1", "check-file-name 1", "space-available 1", "copy-file 1",
		"vendor-id \x00\x00\x00\x05Ferry\x00\x00\x00\x05Ferry\x00\x00\x00\x031.2\x00\x00\x00\x00\x00\x00\x00\x00"} {
		if !slices.Contains(names, want) {
			t.Errorf("%q is missing in VERSION", want)
		}
	}
}

func TestFactsAboutTheServer(t *testing.T) {
	s := newWorld().session()
	s.Owner = func(id uint32) string { return map[uint32]string{0: "root"}[id] }
	p := dial(t, s)
	var limits sftpwire.LimitsReply
	if p.Extended(&sftpwire.Limits{}, &limits); limits != (sftpwire.LimitsReply{Packet: 262144, Read: 261120, Write: 261120, Handles: maxFiles}) {
		t.Errorf("limits: %+v", limits)
	}
	var names sftpwire.UsersGroupsReply
	p.Extended(&sftpwire.UsersGroups{UIDs: []uint32{0, 5}, GIDs: []uint32{1}}, &names)
	if !slices.Equal(names.Users, []string{"root", ""}) || !slices.Equal(names.Groups, []string{""}) {
		t.Errorf("users-groups-by-id: %+v", names)
	}
	var fs, byHandle sftpwire.StatvfsReply
	p.Extended(&sftpwire.Statvfs{Name: "/"}, &fs)
	h := p.Open("/new", sftptest.Wr|sftptest.Creat)
	p.Extended(&sftpwire.Fstatvfs{Handle: h}, &byHandle)
	if fs.Frsize == 0 || fs != byHandle {
		t.Errorf("statvfs: %+v, fstatvfs: %+v", fs, byHandle)
	}
	var space sftpwire.SpaceReply
	if p.Extended(&sftpwire.SpaceAvailable{Name: "/"}, &space); uint64(space.Unit) != fs.Frsize {
		t.Errorf("space-available: %+v", space)
	}
	p.Want(sftpwire.NoSuchFile, &sftpwire.Statvfs{Name: "/missing"}, &sftpwire.SpaceAvailable{Name: "/missing"})
}

func TestCheckFile(t *testing.T) {
	p := dial(t, newWorld().session())
	content := strings.Repeat("0123456789", 100)
	p.Put("/f", content)
	p.Put("/empty", "")
	h, empty := p.Open("/f", sftptest.Rd), p.Open("/empty", sftptest.Rd)
	sum256 := func(s string) []byte { b := sha256.Sum256([]byte(s)); return b[:] }
	sum512 := sha512.Sum512([]byte(content))
	sum1 := sha1.Sum([]byte(content))
	sum5 := md5.Sum([]byte(content))
	blocks := slices.Concat(sum256(content[:300]), sum256(content[300:600]), sum256(content[600:900]), sum256(content[900:]))
	for _, row := range []struct {
		r         sftpwire.CheckFile
		algorithm string
		want      []byte
	}{
		{sftpwire.CheckFile{Object: h, Algorithms: []string{"md5"}}, "md5", sum5[:]},
		{sftpwire.CheckFile{Object: h, Algorithms: []string{"rot13", "sha1", "md5"}}, "sha1", sum1[:]},
		{sftpwire.CheckFile{Object: h, Algorithms: []string{"sha512"}}, "sha512", sum512[:]},
		{sftpwire.CheckFile{Object: h, Algorithms: []string{"sha256"}, Offset: 10, Length: 20}, "sha256", sum256(content[10:30])},
		{sftpwire.CheckFile{Object: h, Algorithms: []string{"sha256"}, Offset: 990, Length: 1 << 40}, "sha256", sum256(content[990:])},
		{sftpwire.CheckFile{Object: h, Algorithms: []string{"sha256"}, Block: 300}, "sha256", blocks},
		{sftpwire.CheckFile{Object: empty, Algorithms: []string{"sha256"}, Block: 300}, "sha256", sum256("")},
	} {
		for _, form := range []sftpwire.CheckForm{sftpwire.CheckHandle, sftpwire.CheckOld, sftpwire.CheckName} {
			r := row.r
			r.Form = form
			if form == sftpwire.CheckName {
				r.Object = map[string]string{h: "/f", empty: "/empty"}[r.Object]
			}
			got := sftpwire.CheckReply{Form: form}
			if p.Extended(&r, &got); got.Algorithm != row.algorithm || !bytes.Equal(got.Hashes, row.want) {
				t.Errorf("%+v: %s %x, want %s %x", r, got.Algorithm, got.Hashes, row.algorithm, row.want)
			}
		}
	}
	p.Want(sftpwire.Failure, &sftpwire.CheckFile{Form: sftpwire.CheckHandle, Object: h, Algorithms: []string{"md5"}, Offset: 1001})
	p.Want(sftpwire.NoSuchFile, &sftpwire.CheckFile{Form: sftpwire.CheckName, Object: "/missing", Algorithms: []string{"md5"}})
	p.Put("/large", strings.Repeat("x", 200_000))
	p.Want(sftpwire.OK, &sftpwire.Setstat{Name: "/large", Attrs: sftpwire.Attrs{Flags: sftpwire.AttrSize, Size: 2 << 20}})
	p.Want(sftpwire.Failure, &sftpwire.CheckFile{Form: sftpwire.CheckName, Object: "/large", Algorithms: []string{"sha512"}, Block: 256})
}

func TestCopies(t *testing.T) {
	p := dial(t, newWorld().session())
	content := strings.Repeat("0123456789", 60_000)
	p.Put("/f", content[:200_000])
	from := p.Open("/f", sftptest.Rd|sftptest.Wr|sftptest.App)
	p.Want(sftpwire.OK, &sftpwire.Write{Handle: from, Data: []byte(content[200_000:400_000])},
		&sftpwire.Write{Handle: from, Data: []byte(content[400_000:])})
	to := p.Open("/g", sftptest.Wr|sftptest.Creat|sftptest.Excl)
	p.Want(sftpwire.OK, &sftpwire.CopyData{From: from, To: to})
	p.Want(sftpwire.OK, &sftpwire.CopyData{From: from, FromOffset: 5, Length: 3, To: to, ToOffset: 2})
	p.Want(sftpwire.EOF, &sftpwire.CopyData{From: from, FromOffset: 599_995, Length: 10, To: to, ToOffset: 0})
	p.Want(sftpwire.PermissionDenied, &sftpwire.CopyData{From: to, To: from})
	p.Want(sftpwire.OK, &sftpwire.Close{Handle: to})
	got := ""
	h := p.Open("/g", sftptest.Rd)
	for len(got) < len(content) {
		got += p.ReadAt(h, uint64(len(got)), 1<<20)
	}
	if want := "56789" + content[5:]; got != want {
		t.Errorf("copy-data made %.20q… of %d bytes, want %.20q… of %d", got, len(got), want, len(want))
	}

	p.Put("/old", "old")
	p.Want(sftpwire.Failure, &sftpwire.CopyFile{From: "/f", To: "/old"})
	p.Holds("/old", "old")
	p.Want(sftpwire.OK, &sftpwire.CopyFile{From: "/old", To: "/copy"}, &sftpwire.CopyFile{From: "/f", To: "/old", Overwrite: true})
	p.Holds("/copy", "old")
	p.Sized(&sftpwire.Stat{Name: "/old"}, uint64(len(content)))
	p.Want(sftpwire.NoSuchFile, &sftpwire.CopyFile{From: "/missing", To: "/x"})
}

// TestCopiesOntoThemselves are refused: the source would be cut before it is
// read, or what was written read again.
func TestCopiesOntoThemselves(t *testing.T) {
	p := dial(t, newWorld().session())
	p.Put("/f", "content")
	p.Want(sftpwire.OK, &sftpwire.Hardlink{From: "/f", To: "/g"}, &sftpwire.Symlink{Target: "/f", Name: "/link"})
	for _, to := range []string{"/f", "/g", "/link"} {
		p.Want(sftpwire.Failure, &sftpwire.CopyFile{From: "/f", To: to, Overwrite: true})
		from, into := p.Open("/f", sftptest.Rd), p.Open(to, sftptest.Wr)
		p.Want(sftpwire.Failure, &sftpwire.CopyData{From: from, To: into, ToOffset: 3}, &sftpwire.Close{Handle: into})
		p.Want(sftpwire.OK, &sftpwire.Close{Handle: from})
		p.Holds("/f", "content")
	}
}

// everyRequest is one of each, with what it needs to succeed.
func everyRequest(reader, writer, listing string) []sftpwire.Request {
	return []sftpwire.Request{
		&sftpwire.Open{Name: "/f", Flags: sftptest.Rd}, &sftpwire.Read{Handle: reader, Length: 1}, &sftpwire.Lstat{Name: "/f"},
		&sftpwire.Fstat{Handle: reader}, &sftpwire.Opendir{Name: "/"}, &sftpwire.Readdir{Handle: listing},
		&sftpwire.Realpath{Name: "/f"}, &sftpwire.Stat{Name: "/f"}, &sftpwire.Readlink{Name: "/l"},
		&sftpwire.Statvfs{Name: "/"}, &sftpwire.Fstatvfs{Handle: reader}, &sftpwire.Limits{}, &sftpwire.ExpandPath{Name: "~"},
		&sftpwire.HomeDirectory{}, &sftpwire.UsersGroups{}, &sftpwire.SpaceAvailable{Name: "/"}, &sftpwire.VendorID{},
		&sftpwire.CheckFile{Form: sftpwire.CheckOld, Object: reader, Algorithms: []string{"md5"}},
		&sftpwire.CheckFile{Form: sftpwire.CheckHandle, Object: reader, Algorithms: []string{"md5"}},
		&sftpwire.CheckFile{Form: sftpwire.CheckName, Object: "/f", Algorithms: []string{"md5"}},

		&sftpwire.Write{Handle: writer, Data: []byte("x")}, &sftpwire.Setstat{Name: "/f"}, &sftpwire.Fsetstat{Handle: writer},
		&sftpwire.Mkdir{Name: "/d"}, &sftpwire.Rmdir{Name: "/d"}, &sftpwire.Rename{From: "/f", To: "/g"},
		&sftpwire.PosixRename{From: "/g", To: "/f"}, &sftpwire.Symlink{Target: "x", Name: "/s"}, &sftpwire.Hardlink{From: "/f", To: "/h"},
		&sftpwire.Remove{Name: "/h"}, &sftpwire.Fsync{Handle: writer}, &sftpwire.Lsetstat{Name: "/l"},
		&sftpwire.CopyData{From: reader, To: writer}, &sftpwire.CopyFile{From: "/f", To: "/copy"},
		&sftpwire.Close{Handle: writer},
	}
}

// TestEveryRequestCanBeRefused: by its name, by not being named, and for what
// changes something by ReadOnly.
func TestEveryRequestCanBeRefused(t *testing.T) {
	var named []string
	for _, r := range everyRequest("", "", "") {
		named = append(named, sftpwire.NameOf(r))
	}
	known := Requests()
	slices.Sort(named)
	if slices.Sort(known); !slices.Equal(named, known) {
		t.Fatalf("Requests: %q; this test has %q", known, named)
	}
	for _, row := range []struct {
		what    string
		set     func(s *Options)
		refused func(name string) bool
	}{
		{"everything allowed", func(*Options) {}, func(string) bool { return false }},
		{"read-only", func(s *Options) { s.ReadOnly = true }, func(name string) bool { return slices.Contains(changing(), name) }},
		{"allowed by name", func(s *Options) { s.Allow = []string{"open", "opendir", "stat"} },
			func(name string) bool { return !slices.Contains([]string{"open", "opendir", "stat"}, name) }},
		{"denied by name", func(s *Options) { s.Deny = []string{"write", "rename", "posix-rename", "check-file"} },
			func(name string) bool {
				return slices.Contains([]string{"write", "rename", "posix-rename", "check-file"}, name)
			}},
	} {
		t.Run(row.what, func(t *testing.T) {
			w := newWorld()
			setup := dial(t, w.session())
			setup.Put("/f", "content")
			setup.Put("/w", "content")
			setup.Want(sftpwire.OK, &sftpwire.Symlink{Target: "f", Name: "/l"})
			s := w.session()
			row.set(&s)
			p := dial(t, s)
			reader, listing, writer := p.Open("/f", sftptest.Rd), p.Handle(&sftpwire.Opendir{Name: "/"}), ""
			if !s.ReadOnly {
				writer = p.Open("/w", sftptest.Wr)
			}
			for _, r := range everyRequest(reader, writer, listing) {
				name := sftpwire.NameOf(r)
				status, _ := p.Ask(r).(*sftpwire.Status)
				denied := status != nil && status.Code == sftpwire.PermissionDenied
				if denied != row.refused(name) {
					t.Errorf("%s: refused: %v", name, denied)
				}
				if row.what == "everything allowed" && status != nil && status.Code != sftpwire.OK {
					t.Errorf("%s: %v", name, status)
				}
			}
			for _, e := range p.Hello.Extensions {
				name := shortName(e.Name)
				if name != "vendor-id" && row.refused(name) {
					t.Errorf("VERSION names %s, which is refused", name)
				}
			}
			if s.ReadOnly {
				p.Want(sftpwire.PermissionDenied, &sftpwire.Open{Name: "/f", Flags: sftptest.Wr}, &sftpwire.Open{Name: "/n", Flags: sftptest.Rd | sftptest.Creat},
					&sftpwire.Open{Name: "/f", Flags: sftptest.Rd | sftptest.Trunc})
				setup.Holds("/f", "content")
			}
		})
	}
}
