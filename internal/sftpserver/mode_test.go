package sftpserver

import (
	"io/fs"
	"testing"

	"ferry"
	"ferry/internal/sftptest"
	"ferry/internal/sftpwire"
)

// TestModeZero: OPEN and MKDIR give 0000 where that is asked for, and the storage's
// default where nothing is.
func TestModeZero(t *testing.T) {
	w := newWorld()
	p := dial(t, w.session())
	closed := sftpwire.Attrs{Flags: sftpwire.AttrMode}
	for _, open := range []*sftpwire.Open{
		{Name: "/file", Flags: sftptest.Wr | sftptest.Creat | sftptest.Trunc, Attrs: closed},
		{Name: "/excl", Flags: sftptest.Wr | sftptest.Creat | sftptest.Excl, Attrs: closed},
		{Name: "/read", Flags: sftptest.Rd | sftptest.Creat, Attrs: closed},
		{Name: "/open", Flags: sftptest.Wr | sftptest.Creat | sftptest.Trunc},
	} {
		p.Want(sftpwire.OK, &sftpwire.Close{Handle: p.Handle(open)})
	}
	p.Want(sftpwire.OK, &sftpwire.Mkdir{Name: "/dir", Attrs: closed}, &sftpwire.Mkdir{Name: "/opendir"})
	for name, want := range map[ferry.Name]fs.FileMode{
		"/file": 0, "/excl": 0, "/read": 0, "/open": 0o666, "/dir": fs.ModeDir, "/opendir": fs.ModeDir | 0o777,
	} {
		i, err := w.tree.For(ferry.User{Name: "root"}).Stat(t.Context(), name)
		if err != nil || i.Mode != want {
			t.Errorf("%s has mode %v, want %v (%v)", name, i.Mode, want, err)
		}
	}
}
