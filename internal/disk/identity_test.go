package disk

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ferry"
	"ferry/internal/fstest"
)

// two users of the host that nobody is, and a group that both could be in.
const (
	anna  = 54321
	bert  = 54322
	staff = 54400
)

func identity(uid uint32, groups ...uint32) ferry.Identity {
	return ferry.Identity{UID: uid, GID: uid, Groups: groups}
}

// identities runs a test over a directory of anna's, in a process that may be her.
func identities(t *testing.T, test func(s *served)) {
	if os.Geteuid() != 0 {
		t.Skip("only root can use files as somebody else")
	}
	each(t, func(s *served) {
		s.must(os.Chown(s.root, anna, anna))
		s.id = identity(anna)
		test(s)
	})
}

// identityTree is a tree whose every session is anna's.
type identityTree struct{ *served }

func (i identityTree) For(u ferry.User) ferry.FS {
	u.Identity = i.id
	return i.view(u)
}

// TestConformanceWithAnIdentity: all that FS promises holds for who is not the server.
func TestConformanceWithAnIdentity(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can use files as somebody else")
	}
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			fstest.Run(t, func(t *testing.T) fstest.Tree {
				s := &served{T: t, root: t.TempDir(), id: identity(anna)}
				s.must(os.Chown(s.root, anna, anna))
				s.tree = openTree(t, Config{Root: s.root, Resolver: v.resolver, Durable: v.durable, Umask: 0o022}, v)
				return identityTree{s}
			}, fstest.ServersFiles)
		})
	}
}

// plantFor puts a file of that owner and mode below the tree's root, behind its back.
func (s *served) plantFor(name string, uid, gid int, mode fs.FileMode) {
	s.Helper()
	s.must(os.WriteFile(s.path(name), []byte("of "+fmt.Sprint(uid)), 0o600))
	s.must(os.Chown(s.path(name), uid, gid))
	s.must(os.Chmod(s.path(name), mode))
}

func (s *served) dirFor(name string, uid, gid int, mode fs.FileMode) {
	s.Helper()
	s.must(os.Mkdir(s.path(name), 0o700))
	s.must(os.Chown(s.path(name), uid, gid))
	s.must(os.Chmod(s.path(name), mode))
}

// wantOwner wants everything below the root to be anna's.
func (s *served) wantOwner(name string, uid, gid uint32) {
	s.Helper()
	var st unix.Stat_t
	s.must(unix.Lstat(s.path(name), &st))
	if st.Uid != uid || st.Gid != gid {
		s.Errorf("%s belongs to %d:%d, want %d:%d", name, st.Uid, st.Gid, uid, gid)
	}
}

func TestIdentityOwnsWhatItMakes(t *testing.T) {
	identities(t, func(s *served) {
		f := s.as("anna")
		s.upload(f, "/file", "content")
		s.must(f.Mkdir(s.Context(), "/dir", nil))
		s.must(f.Symlink(s.Context(), "file", "/link"))
		s.upload(s.view(ferry.User{Name: "anna", Identity: s.id, DirectUploads: true}), "/direct", "content")
		h := s.open(f, "/broken", ferry.Replace)
		s.put(h, "half", 0)
		s.must(h.Abort(nil))
		entries, err := os.ReadDir(s.root)
		s.must(err)
		if len(entries) != 5 {
			s.Errorf("%d entries, want 5", len(entries))
		}
		for _, e := range entries {
			s.wantOwner(e.Name(), anna, anna)
		}
		h = s.openAt(s.as("anna"), "/broken", 4)
		s.put(h, " and half", 4)
		s.must(h.Commit())
		s.holds("broken", "half and half")
		s.wantOwner("broken", anna, anna)
	})
}

// TestIdentityIsRefusedWhatTheKernelRefuses: root's rights are not the user's.
func TestIdentityIsRefusedWhatTheKernelRefuses(t *testing.T) {
	identities(t, func(s *served) {
		s.dirFor("closed", bert, bert, 0o700)
		s.plantFor("closed/in", bert, bert, 0o666)
		s.dirFor("readonly", bert, bert, 0o755)
		s.plantFor("readonly/file", bert, bert, 0o644)
		s.plantFor("readonly/open", bert, bert, 0o666)
		s.dirFor("sticky", 0, 0, 0o777|fs.ModeSticky)
		s.plantFor("sticky/berts", bert, bert, 0o644)
		s.plantFor("own", anna, anna, 0o644)
		f, ctx := s.as("anna"), s.Context()
		mode, uid, now := fs.FileMode(0o777), uint32(0), time.Now()
		size := int64(0)
		list := func(name ferry.Name) error {
			for _, err := range f.List(ctx, name, ferry.Full) {
				return err
			}
			return nil
		}
		stat := func(name ferry.Name) error { _, err := f.Stat(ctx, name); return err }
		lstat := func(name ferry.Name) error { _, err := f.Lstat(ctx, name); return err }
		open := func(name ferry.Name, m ferry.Mode) error {
			h, err := f.Open(ctx, name, ferry.OpenOptions{Mode: m})
			if err == nil {
				_ = h.Abort(nil)
			}
			return err
		}
		for what, err := range map[string]error{
			"list of a closed directory":        list("/closed"),
			"stat in a closed directory":        stat("/closed/in"),
			"lstat in a closed directory":       lstat("/closed/in"),
			"read in a closed directory":        open("/closed/in", ferry.Read),
			"upload in a closed directory":      open("/closed/new", ferry.Replace),
			"update in a closed directory":      open("/closed/in", ferry.Update),
			"mkdir in a closed directory":       f.Mkdir(ctx, "/closed/dir", nil),
			"remove in a closed directory":      f.Remove(ctx, "/closed/in"),
			"rename into a closed directory":    f.Rename(ctx, "/own", "/closed/own", false),
			"link out of a closed directory":    f.Link(ctx, "/closed/in", "/in"),
			"symlink in a closed directory":     f.Symlink(ctx, "x", "/closed/l"),
			"upload where one may not write":    open("/readonly/new", ferry.Replace),
			"exclusive where one may not write": open("/readonly/new", ferry.Exclusive),
			"resume where one may not write":    open("/readonly/new", ferry.Resume),
			"replace of what one may not write": open("/readonly/file", ferry.Replace),
			"update of what one may not write":  open("/readonly/file", ferry.Update),
			"mkdir where one may not write":     f.Mkdir(ctx, "/readonly/dir", nil),
			"remove where one may not write":    f.Remove(ctx, "/readonly/open"),
			"rename where one may not write":    f.Rename(ctx, "/readonly/open", "/readonly/x", false),
			"rmdir of a foreign directory":      f.Rmdir(ctx, "/readonly/x"),
			"chmod of a foreign file":           f.SetAttr(ctx, "/readonly/open", ferry.Attr{Mode: &mode}),
			"truncate of a foreign file":        f.SetAttr(ctx, "/readonly/file", ferry.Attr{Size: &size}),
			"times of a foreign file":           f.SetAttr(ctx, "/readonly/file", ferry.Attr{ModTime: &now}),
			"giving a file away":                f.SetAttr(ctx, "/own", ferry.Attr{UID: &uid}),
			"giving a file to a group":          f.SetAttr(ctx, "/own", ferry.Attr{GID: &uid}),
			"remove in a sticky directory":      f.Remove(ctx, "/sticky/berts"),
			"rename in a sticky directory":      f.Rename(ctx, "/sticky/berts", "/sticky/x", false),
			"replace in a sticky directory":     open("/sticky/berts", ferry.Replace),
		} {
			if want := fs.ErrPermission; what == "rmdir of a foreign directory" {
				s.want(err, fs.ErrNotExist)
			} else if s.want(err, want); s.Failed() {
				s.Fatalf("that was: %s", what)
			}
		}
		s.upload(f, "/sticky/own", "content")
		s.must(f.Rename(ctx, "/sticky/own", "/sticky/still", false))
		s.must(f.Remove(ctx, "/sticky/still"))
		// A file that may be written stays its owner's.
		s.upload(f, "/readonly/open", "written in place")
		s.holds("readonly/open", "written in place")
		s.wantOwner("readonly/open", bert, bert)
		if left := s.parts("/readonly"); len(left) != 0 {
			s.Errorf("left over: %v", left)
		}
	})
}

func TestSupplementaryGroupGivesAccess(t *testing.T) {
	identities(t, func(s *served) {
		s.dirFor("staff", bert, staff, 0o770)
		s.plantFor("staff/theirs", bert, staff, 0o664)
		_, err := s.as("anna").Stat(s.Context(), "/staff/theirs")
		s.want(err, fs.ErrPermission)
		s.id = identity(anna, staff)
		f := s.as("anna")
		s.upload(f, "/staff/new", "content")
		s.wantOwner("staff/new", anna, anna)
		gid := uint32(staff)
		s.must(f.SetAttr(s.Context(), "/staff/new", ferry.Attr{GID: &gid}))
		s.wantOwner("staff/new", anna, staff)
		s.upload(f, "/staff/theirs", "changed")
		s.holds("staff/theirs", "changed")
		s.wantOwner("staff/theirs", bert, staff)
	})
}

// TestIdentityMayLendItself: a file that is the user's own may run as the user; what others
// write into such a file makes it run as nobody.
func TestIdentityMayLendItself(t *testing.T) {
	identities(t, func(s *served) {
		f, mode := s.as("anna"), 0o755|fs.ModeSetuid
		s.upload(f, "/tool", "program")
		s.must(f.SetAttr(s.Context(), "/tool", ferry.Attr{Mode: &mode}))
		if st := s.stat(s.path("tool")); st.Mode&0o7777 != 0o4755 || st.Uid != anna {
			s.Errorf("mode %o of uid %d", st.Mode, st.Uid)
		}
		s.plantFor("berts", bert, bert, 0o777|fs.ModeSetuid)
		h := s.open(f, "/berts", ferry.Update)
		s.put(h, "another program", 0)
		s.must(h.Commit())
		if st := s.stat(s.path("berts")); st.Mode&0o7777 != 0o777 {
			s.Errorf("a file of bert's that anna has written to runs as bert: mode %o", st.Mode)
		}
		s.want(s.view(ferry.User{Name: "guest"}).SetAttr(s.Context(), "/tool", ferry.Attr{Mode: &mode}), fs.ErrPermission)
	})
}

// TestTwoIdentitiesAtTheSameTime each make, and are refused, what is theirs.
func TestTwoIdentitiesAtTheSameTime(t *testing.T) {
	identities(t, func(s *served) {
		s.dirFor("anna", anna, anna, 0o700)
		s.dirFor("bert", bert, bert, 0o700)
		s.dirFor("both", 0, 0, 0o777)
		views := map[string]ferry.FS{
			"anna": s.view(ferry.User{Name: "anna", Identity: identity(anna)}),
			"bert": s.view(ferry.User{Name: "bert", Identity: identity(bert)}),
		}
		other := map[string]string{"anna": "bert", "bert": "anna"}
		var all sync.WaitGroup
		for i := range 500 {
			for who, f := range views {
				all.Go(func() {
					name := ferry.Name(fmt.Sprintf("/both/%s-%d", who, i))
					if err := f.Mkdir(context.Background(), name, nil); err != nil {
						s.Error(err)
					}
					_, err := f.Stat(context.Background(), ferry.Name("/"+other[who]+"/x"))
					s.want(err, fs.ErrPermission)
					_, err = f.Stat(context.Background(), ferry.Name("/"+who+"/x"))
					s.want(err, fs.ErrNotExist)
				})
			}
		}
		all.Wait()
		entries, err := os.ReadDir(s.path("both"))
		s.must(err)
		if len(entries) != 1000 {
			s.Errorf("%d directories, want 1000", len(entries))
		}
		for _, e := range entries {
			uid := uint32(anna)
			if strings.HasPrefix(e.Name(), "bert") {
				uid = bert
			}
			s.wantOwner(filepath.Join("both", e.Name()), uid, uid)
		}
	})
}

// TestListingAsAnIdentity shows what the user may read, and looks as the user.
func TestListingAsAnIdentity(t *testing.T) {
	identities(t, func(s *served) {
		s.dirFor("names", bert, bert, 0o744) // may be read and not searched
		s.plantFor("names/in", bert, bert, 0o644)
		var seen []string
		for i, err := range s.as("anna").List(s.Context(), "/names", ferry.Full) {
			if !s.tree.root.HasProc() { // nothing opens a directory then but by a way through it
				s.want(err, fs.ErrPermission)
				return
			}
			s.must(err)
			seen = append(seen, fmt.Sprintf("%s %d %v", i.Name, i.Size, i.ModTime.IsZero()))
		}
		if !slices.Equal(seen, []string{"in 0 true"}) {
			s.Errorf("listed %v", seen)
		}
	})
}
