package sftpfacts

import (
	"errors"
	"io/fs"
	"math"
	"slices"
	"testing"
	"time"

	"ferry"
	"ferry/internal/sftpwire"
)

// TestAttrs: what a client reads of a file, in seconds and in the bits of POSIX.
func TestAttrs(t *testing.T) {
	changed := time.Unix(1_700_000_000, 999)
	got := Attrs(ferry.Info{Size: 7, Mode: fs.ModeDir | fs.ModeSetgid | 0o750, UID: 10, GID: 20, ModTime: changed})
	want := sftpwire.Attrs{
		Flags: sftpwire.AttrSize | sftpwire.AttrOwner | sftpwire.AttrMode | sftpwire.AttrTimes,
		Size:  7, UID: 10, GID: 20, Mode: 0o042750, Access: 1_700_000_000, Modified: 1_700_000_000,
	}
	if got.Flags != want.Flags || got.Size != want.Size || got.UID != want.UID || got.GID != want.GID || got.Mode != want.Mode ||
		got.Access != want.Access || got.Modified != want.Modified {
		t.Errorf("%+v, want %+v", got, want)
	}
	if a := Attrs(ferry.Info{Size: -1, ModTime: changed, Access: time.Unix(5, 0)}); a.Size != 0 || a.Access != 5 {
		t.Errorf("a size that is not known is %d, the access at %d", a.Size, a.Access)
	}
}

// TestChanges: what the flags do not name stays as it is.
func TestChanges(t *testing.T) {
	if a, err := Changes(sftpwire.Attrs{Size: 5, UID: 1, Mode: 0o777, Modified: 9}); err != nil ||
		a.Size != nil || a.UID != nil || a.GID != nil || a.Mode != nil || a.Access != nil || a.ModTime != nil {
		t.Errorf("without flags: %+v, %v", a, err)
	}
	a, err := Changes(sftpwire.Attrs{
		Flags: sftpwire.AttrSize | sftpwire.AttrOwner | sftpwire.AttrMode | sftpwire.AttrTimes,
		Size:  5, UID: 1, GID: 2, Mode: 0o104711, Access: 8, Modified: 9,
	})
	if err != nil || *a.Size != 5 || *a.UID != 1 || *a.GID != 2 || *a.Mode != fs.ModeSetuid|0o711 || a.Access.Unix() != 8 || a.ModTime.Unix() != 9 {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := Changes(sftpwire.Attrs{Flags: sftpwire.AttrSize, Size: math.MaxInt64 + 1}); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("a size that no file has: %v", err)
	}
}

// TestRoom: both extensions tell of the same room, and of what is kept from the user.
func TestRoom(t *testing.T) {
	s := ferry.Space{Total: 1 << 20, Free: 1 << 19, Available: 1 << 18, BlockSize: 1 << 10, Files: 9, FilesFree: 8, FilesAvail: 7, MaxName: 255, ReadOnly: true}
	v := Statvfs(s)
	if v.Bsize != 1<<10 || v.Blocks != 1<<10 || v.Bfree != 1<<9 || v.Bavail != 1<<8 || v.Files != 9 || v.Ffree != 8 || v.Favail != 7 || v.Namemax != 255 ||
		v.Flag != sftpwire.StatvfsReadOnly|sftpwire.StatvfsNoSetuid {
		t.Errorf("statvfs: %+v", v)
	}
	if a := Space(s); a.Total != 1<<20 || a.Unused != 1<<19 || a.UserTotal != 1<<20-1<<18 || a.UserUnused != 1<<18 || a.Unit != 1<<10 {
		t.Errorf("space-available: %+v", a)
	}
	if v := Statvfs(ferry.Space{Total: 8192}); v.Bsize != 4096 || v.Blocks != 2 {
		t.Errorf("without a block size: %+v", v)
	}
}

// TestPeople: who has no name is a number in a line for people, and nothing in an answer
// to programs.
func TestPeople(t *testing.T) {
	some := People{Owner: func(id uint32) string { return map[uint32]string{1: "alice"}[id] }}
	if l := some.Long(ferry.Info{UID: 1, GID: 7}); l.Owner != "alice" || l.Group != "7" {
		t.Errorf("%+v", l)
	}
	if l := some.Long(ferry.Info{UID: 2}); l.Owner != "2" {
		t.Errorf("%+v", l)
	}
	r := some.UsersGroups(&sftpwire.UsersGroups{UIDs: []uint32{1, 2}, GIDs: []uint32{7}})
	if !slices.Equal(r.Users, []string{"alice", ""}) || !slices.Equal(r.Groups, []string{""}) {
		t.Errorf("%+v", r)
	}
}
