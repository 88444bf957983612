package sftpwire

import (
	"bytes"
	"errors"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"time"
)

// full has every attribute there is.
func full() Attrs {
	return Attrs{
		Flags: AttrSize | AttrOwner | AttrMode | AttrTimes | AttrExtended,
		Size:  1 << 40, UID: 1000, GID: 100, Mode: 0o100644, Access: 1, Modified: 1<<32 - 1,
		Extended: []Extension{{"a@b", "c"}, {"", ""}},
	}
}

func requests() []Request {
	return []Request{
		&Open{"/a b", OpenRead | OpenWrite | OpenAppend | OpenCreate | OpenTruncate | OpenExclusive, full()},
		&Open{"", 0, Attrs{}},
		&Close{"h"}, &Read{"h", 1 << 63, 1<<32 - 1}, &Write{"h", 7, []byte("data")}, &Write{"", 0, []byte{}},
		&Lstat{"n"}, &Stat{"n"}, &Fstat{"h"}, &Setstat{"n", full()}, &Fsetstat{"h", Attrs{}},
		&Opendir{"n"}, &Readdir{"h"}, &Remove{"n"}, &Mkdir{"n", full()}, &Rmdir{"n"}, &Realpath{"."},
		&Rename{"from", "to"}, &Readlink{"n"}, &Symlink{"target", "name"},
		&PosixRename{"from", "to"}, &Statvfs{"n"}, &Fstatvfs{"h"}, &Hardlink{"from", "to"}, &Fsync{"h"},
		&Lsetstat{"n", full()}, &Limits{}, &ExpandPath{"~/x"}, &CopyData{"a", 1, 2, "b", 3}, &HomeDirectory{"me"},
		&UsersGroups{[]uint32{0, 1000}, []uint32{1 << 31}}, &UsersGroups{},
		&CheckFile{CheckHandle, "h", []string{"sha256", "md5"}, 1, 2, 256},
		&CheckFile{CheckName, "n", []string{""}, 0, 0, 0}, &CheckFile{CheckOld, "h", []string{"md5"}, 0, 0, 0},
		&SpaceAvailable{"n"}, &VendorID{"v", "p", "1.0", 7}, &CopyFile{"from", "to", true},
		&Unknown{"who@knows", []byte{1, 2}},
	}
}

func replies() []Reply {
	return []Reply{
		&Status{PermissionDenied, "Permission denied", "en"}, &Handle{"h"}, &Data{[]byte("data")},
		&Names{}, &Names{[]Entry{{"n", "-rw n", full()}, {"m", "", Attrs{}}}}, &AttrsReply{full()},
		&ExtendedReply{[]byte{1}},
	}
}

func TestRequestsAreReadAsTheyWereWritten(t *testing.T) {
	for _, want := range requests() {
		packet := AppendRequest([]byte("before"), 42, want)[len("before"):]
		id, got, err := ParseRequest(body(t, packet))
		if id != 42 || err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%#v was read as %d, %#v, %v", want, id, got, err)
		}
	}
}

func TestRepliesAreReadAsTheyWereWritten(t *testing.T) {
	for _, want := range replies() {
		id, got, err := ParseReply(body(t, AppendReply(nil, 7, want)))
		if id != 7 || err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%#v was read as %d, %#v, %v", want, id, got, err)
		}
	}
}

func TestExtendedRepliesAreReadAsTheyWereWritten(t *testing.T) {
	for _, row := range []struct{ want, into Reply }{
		{&LimitsReply{1, 2, 3, 4}, new(LimitsReply)},
		{&StatvfsReply{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, new(StatvfsReply)},
		{&UsersGroupsReply{[]string{"root", ""}, []string{"wheel"}}, new(UsersGroupsReply)},
		{&SpaceReply{1, 2, 3, 4, 5}, new(SpaceReply)},
		{&CheckReply{CheckOld, "md5", []byte("0123456789abcdef")}, &CheckReply{Form: CheckOld}},
		{&CheckReply{CheckName, "md5", []byte("0123456789abcdef")}, &CheckReply{Form: CheckName}},
	} {
		_, got, err := ParseReply(body(t, AppendReply(nil, 7, row.want)))
		if err != nil {
			t.Fatal(err)
		}
		if err := got.(*ExtendedReply).Parse(row.into); err != nil || !reflect.DeepEqual(row.into, row.want) {
			t.Errorf("%#v was read as %#v, %v", row.want, row.into, err)
		}
	}
}

func TestHello(t *testing.T) {
	want := Hello{Version, append(Extensions(), (&VendorID{"a", "b", "c", 1}).Extension())}
	if got, err := ParseVersion(body(t, AppendVersion(nil, want))); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("VERSION was read as %#v, %v", got, err)
	}
	if _, err := ParseInit(body(t, AppendVersion(nil, want))); !errors.Is(err, ErrUnknown) {
		t.Errorf("VERSION read as INIT: %v", err)
	}
	if got, err := ParseInit(body(t, AppendInit(nil, Hello{Version: 6}))); err != nil || got.Version != 6 {
		t.Errorf("INIT was read as %#v, %v", got, err)
	}
}

// TestBytesOfPackets holds what draft-02 and PROTOCOL say byte by byte, where
// reading what was written would not notice a mistake.
func TestBytesOfPackets(t *testing.T) {
	for _, row := range []struct {
		r    Request
		want string
	}{
		{&Read{"ab", 3, 4}, "\x00\x00\x00\x17\x05\x00\x00\x00\x09\x00\x00\x00\x02ab\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x04"},
		{&Symlink{"t", "n"}, "\x00\x00\x00\x0f\x14\x00\x00\x00\x09\x00\x00\x00\x01t\x00\x00\x00\x01n"},
		{&Mkdir{"d", Attrs{Flags: AttrMode, Mode: 0o755}}, "\x00\x00\x00\x12\x0e\x00\x00\x00\x09\x00\x00\x00\x01d\x00\x00\x00\x04\x00\x00\x01\xed"},
		{&Fsync{"h"}, "\x00\x00\x00\x1f\xc8\x00\x00\x00\x09\x00\x00\x00\x11fsync@openssh.com\x00\x00\x00\x01h"},
	} {
		if got := string(AppendRequest(nil, 9, row.r)); got != row.want {
			t.Errorf("%#v:\n%q, want\n%q", row.r, got, row.want)
		}
	}
	packet := append(make([]byte, HeaderSize), "data"...)
	PutDataHeader(packet, 5)
	if want := AppendReply(nil, 5, &Data{[]byte("data")}); !bytes.Equal(packet, want) {
		t.Errorf("PutDataHeader: %q, want %q", packet, want)
	}
}

func TestNamesWriter(t *testing.T) {
	want := &Names{[]Entry{{"n", "long n", full()}, {"m", "", Attrs{}}}}
	w := NewNamesWriter(make([]byte, 100), 3)
	for _, e := range want.Entries {
		w.Add(e.Name, e.Attrs, func(dst []byte) []byte { return append(dst, e.Long...) })
	}
	if w.Count() != 2 || w.Size() != len(w.Packet()) || !bytes.Equal(w.Packet(), AppendReply(nil, 3, want)) {
		t.Errorf("%q, want %q", w.Packet(), AppendReply(nil, 3, want))
	}
}

// Every packet, cut anywhere, is too short, and says BAD_MESSAGE; bytes more
// than it holds change nothing. threat 17
func TestThreat17ShortAndLongPackets(t *testing.T) {
	for _, r := range requests() {
		whole := body(t, AppendRequest(nil, 1, r))
		for n := range whole {
			_, _, err := ParseRequest(whole[:n])
			if _, open := r.(*Unknown); open && err == nil {
				continue // whatever it holds is what it holds
			}
			if n < 5 && !errors.Is(err, ErrNoID) || n >= 5 && (!errors.Is(err, ErrShort) || StatusOf(err) != BadMessage) {
				t.Errorf("%#v cut to %d of %d bytes: %v", r, n, len(whole), err)
			}
		}
		_, open := r.(*Unknown)
		if _, got, err := ParseRequest(append(whole[:len(whole):len(whole)], 0, 1, 2)); !open && (err != nil || !reflect.DeepEqual(got, r)) {
			t.Errorf("%#v and three bytes: %#v, %v", r, got, err)
		}
	}
}

func TestUnknownTypes(t *testing.T) {
	for _, kind := range []Type{0, TypeInit, TypeVersion, 21, 99, TypeStatus, TypeExtendedReply, 255} {
		id, _, err := ParseRequest([]byte{byte(kind), 0, 0, 0, 8})
		if id != 8 || StatusOf(err) != OpUnsupported {
			t.Errorf("type %d: request %d, %v", kind, id, err)
		}
	}
}

func TestThreat17Lengths(t *testing.T) {
	for _, row := range []struct {
		header [4]byte
		want   int // 0: refused
	}{
		{[4]byte{}, 0}, {[4]byte{0, 0, 0, 1}, 1}, {[4]byte{0, 4, 4, 0}, MaxPacket + Slack}, {[4]byte{0, 4, 4, 1}, 0}, {[4]byte{255, 255, 255, 255}, 0},
	} {
		n, err := Length(row.header)
		if n != row.want || (err != nil) != (row.want == 0) {
			t.Errorf("%x: %d, %v", row.header, n, err)
		}
	}
}

func TestModes(t *testing.T) {
	for _, row := range []struct {
		mode  fs.FileMode
		posix uint32
	}{
		{0o644, 0o100644},
		{fs.ModeDir | fs.ModeSticky | 0o777, 0o041777},
		{fs.ModeSymlink | 0o777, 0o120777},
		{fs.ModeNamedPipe, 0o010000}, {fs.ModeSocket, 0o140000}, {fs.ModeDevice, 0o060000},
		{fs.ModeDevice | fs.ModeCharDevice, 0o020000},
		{fs.ModeSetuid | fs.ModeSetgid | 0o755, 0o106755},
	} {
		if got := PosixMode(row.mode); got != row.posix {
			t.Errorf("%v is %o, want %o", row.mode, got, row.posix)
		}
		if got := FileMode(row.posix); got != row.mode {
			t.Errorf("%o is %v, want %v", row.posix, got, row.mode)
		}
	}
}

func TestTimesThatDoNotFit(t *testing.T) {
	for year, want := range map[int]uint32{1969: 0, 1970: 0, 2001: 978307200, 2200: 1<<32 - 1} {
		if got := Seconds(time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)); got != want {
			t.Errorf("%d: %d, want %d", year, got, want)
		}
	}
}

func TestLongNames(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		l    Long
		want string
	}{
		{Long{"a b", 0o640, 1, "alice", "users", 1234, now.Add(-time.Hour)}, "-rw-r-----    1 alice    users        1234 Nov 20 11:00 a b"},
		{Long{"d", fs.ModeDir | fs.ModeSticky | 0o776, 12, "1000", "100", 0, now.AddDate(-1, 0, -15)}, "drwxrwxrwT   12 1000     100             0 Nov  5  2025 d"},
		{Long{"x", fs.ModeSetuid | fs.ModeSetgid | 0o710, 0, "averylongname", "g", 1 << 40, now.AddDate(0, 0, 2)}, "-rws--s---    1 averylongname g        1099511627776 Nov 22  2026 x"},
		{Long{"l", fs.ModeSymlink | 0o777, 1, "0", "0", 3, now}, "lrwxrwxrwx    1 0        0               3 Nov 20 12:00 l"},
	} {
		if got := string(AppendLong(nil, row.l, now)); got != row.want {
			t.Errorf("%q, want\n%q", got, row.want)
		}
	}
}

func TestStatusTextsAreOpenSSHs(t *testing.T) {
	for code, want := range []string{"Success", "End of file", "No such file", "Permission denied", "Failure", "Bad message",
		"No connection", "Connection lost", "Operation unsupported", "Unknown error 9"} {
		if got := Code(code).String(); got != want {
			t.Errorf("%d: %q, want %q", code, got, want)
		}
	}
}

func TestNamesOfRequests(t *testing.T) {
	var names []string
	for _, r := range []Request{&Open{}, &Readdir{}, &Symlink{}, &PosixRename{}, &UsersGroups{}, &CheckFile{Form: CheckName}, &Unknown{Name: "x@y"}} {
		names = append(names, NameOf(r))
	}
	if got, want := strings.Join(names, " "), "open readdir symlink posix-rename users-groups-by-id check-file-name x"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// body is a packet without its length, which must be right.
func body(t *testing.T, packet []byte) []byte {
	t.Helper()
	n, err := Length([4]byte(packet))
	if err != nil || n != len(packet)-4 {
		t.Fatalf("a packet of %d bytes says %d, %v", len(packet), n, err)
	}
	return packet[4:]
}

// FuzzRequest: whatever is read is written, and read, as the same; nothing
// panics, and nothing larger than the packet is made.
func FuzzRequest(f *testing.F) {
	for _, r := range requests() {
		f.Add(AppendRequest(nil, 1, r)[4:])
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		id, r, err := ParseRequest(packet)
		if err != nil {
			return
		}
		again, same, err := ParseRequest(AppendRequest(nil, id, r)[4:])
		if err != nil || again != id || !reflect.DeepEqual(same, r) {
			t.Errorf("%#v was written and read as %#v, %v", r, same, err)
		}
	})
}

func FuzzReply(f *testing.F) {
	for _, r := range replies() {
		f.Add(AppendReply(nil, 1, r)[4:])
	}
	for _, r := range []Reply{&LimitsReply{}, &StatvfsReply{}, &UsersGroupsReply{Users: []string{"a"}}, &SpaceReply{}, &CheckReply{Form: CheckOld}} {
		f.Add(AppendReply(nil, 1, r)[4:])
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		id, r, err := ParseReply(packet)
		if err != nil {
			return
		}
		again, same, err := ParseReply(AppendReply(nil, id, r)[4:])
		if err != nil || again != id || !reflect.DeepEqual(same, r) {
			t.Errorf("%#v was written and read as %#v, %v", r, same, err)
		}
		if e, ok := r.(*ExtendedReply); ok {
			for _, into := range []Reply{&LimitsReply{}, &StatvfsReply{}, &UsersGroupsReply{}, &SpaceReply{}, &CheckReply{Form: CheckOld}, &CheckReply{}} {
				_ = e.Parse(into) // errors are fine, panics are not
			}
		}
	})
}

func FuzzHello(f *testing.F) {
	f.Add(AppendInit(nil, Hello{Version: 3, Extensions: Extensions()})[4:])
	f.Fuzz(func(t *testing.T, packet []byte) {
		h, err := ParseInit(packet)
		if err != nil {
			return
		}
		if same, err := ParseInit(AppendInit(nil, h)[4:]); err != nil || !reflect.DeepEqual(same, h) {
			t.Errorf("%#v was written and read as %#v, %v", h, same, err)
		}
	})
}
