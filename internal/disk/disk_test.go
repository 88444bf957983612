package disk

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ferry"
)

// served is a tree over a directory, as a test sees both.
type served struct {
	*testing.T
	root string
	tree *Tree
	id   ferry.Identity // of its sessions
}

// each runs a test over every way in which a tree may have to work.
func each(t *testing.T, test func(s *served)) {
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			root := t.TempDir()
			cfg := Config{Root: root, Resolver: v.resolver, Durable: v.durable, Umask: 0o022}
			test(&served{T: t, root: root, tree: openTree(t, cfg, v)})
		})
	}
}

func (s *served) as(name string) ferry.FS { return s.view(ferry.User{Name: name, Identity: s.id}) }

func (s *served) view(u ferry.User) ferry.FS {
	s.Helper()
	f, err := s.tree.View(context.Background(), u, nil)
	s.must(err)
	return f
}

// path is the host's name for what the tree calls name.
func (s *served) path(name string) string { return filepath.Join(s.root, name) }

func (s *served) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *served) want(err, target error) {
	s.Helper()
	if !errors.Is(err, target) {
		s.Errorf("error %v, want %v", err, target)
	}
}

// file makes a file behind the tree's back.
func (s *served) file(name, text string, mode fs.FileMode) {
	s.Helper()
	s.must(os.WriteFile(s.path(name), []byte(text), 0o600))
	s.must(os.Chmod(s.path(name), mode))
}

func (s *served) open(f ferry.FS, name ferry.Name, m ferry.Mode) ferry.Handle {
	s.Helper()
	h, err := f.Open(context.Background(), name, ferry.OpenOptions{Mode: m})
	s.must(err)
	return h
}

// openAt is open in mode Resume.
func (s *served) openAt(f ferry.FS, name ferry.Name, at int64) ferry.Handle {
	s.Helper()
	h, err := f.Open(context.Background(), name, ferry.OpenOptions{Mode: ferry.Resume, At: at})
	s.must(err)
	return h
}

func (s *served) put(h ferry.Handle, text string, off int64) {
	s.Helper()
	_, err := h.WriteAt([]byte(text), off)
	s.must(err)
}

// upload makes text the whole content of name.
func (s *served) upload(f ferry.FS, name ferry.Name, text string) {
	s.Helper()
	h := s.open(f, name, ferry.Replace)
	s.put(h, text, 0)
	s.must(h.Commit())
}

// holds checks content on the host.
func (s *served) holds(name, text string) {
	s.Helper()
	got, err := os.ReadFile(s.path(name))
	s.must(err)
	if string(got) != text {
		s.Errorf("%s holds %.60q, want %.60q", name, got, text)
	}
}

// parts are the host's names of the parts in a directory.
func (s *served) parts(dir string) []string {
	s.Helper()
	list, err := filepath.Glob(filepath.Join(s.path(dir), ferry.PartPrefix+"*"))
	s.must(err)
	return list
}

func (s *served) stat(path string) unix.Stat_t {
	s.Helper()
	var st unix.Stat_t
	s.must(unix.Stat(path, &st))
	return st
}

// Reopen is what is left after the process has died: the same directory, and
// nothing remembered.
func (s *served) Reopen() *served {
	s.Helper()
	tree, err := Open(Config{Root: s.root, Resolver: s.tree.Resolver(), Durable: s.tree.durable, Umask: 0o022})
	s.must(err)
	s.Cleanup(func() { tree.Close() })
	return &served{T: s.T, root: s.root, tree: tree}
}

// die lets go of a handle as the kernel does when its process is killed.
func die(h ferry.Handle) { unix.Close(h.(opened).base().fd) }

func TestOpenSaysWhatIsWrong(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ root, resolver, want string }{
		{filepath.Join(t.TempDir(), "none"), "", "there is no such directory"},
		{file, "", "it is not a directory"},
		{t.TempDir(), "guess", "there is no resolver"},
		{"/proc", "", "file system of the kernel"},
		{"/sys", "", "file system of the kernel"},
	} {
		tree, err := Open(Config{Root: row.root, Resolver: row.resolver})
		if err == nil {
			tree.Close()
			t.Errorf("Open %s with %q succeeded", row.root, row.resolver)
		} else if !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("Open %s with %q says %q, want one line with %q", row.root, row.resolver, err, row.want)
		}
	}
}

func TestThreat2NamesStayBeneathTheRoot(t *testing.T) {
	each(t, func(s *served) {
		outside := filepath.Join(s.TempDir(), "secret")
		s.must(os.WriteFile(outside, []byte("secret"), 0o644))
		s.must(os.Mkdir(s.path("dir"), 0o755))
		f := s.as("alice")
		// No name is like this: ferry.Clean makes none. The kernel is the last
		// wall, should one come all the same.
		for _, name := range []ferry.Name{"/../secret", "/dir/../../secret", "..", "../secret"} {
			if h, err := f.Open(s.Context(), name, ferry.OpenOptions{Mode: ferry.Read}); err == nil {
				s.Errorf("opened %s, which is outside", name)
				s.must(h.Abort(nil))
			}
			_ = f.Remove(s.Context(), name)
			_ = f.Rename(s.Context(), "/dir", name, true)
			_ = f.Symlink(s.Context(), "x", name)
			_ = f.SetAttr(s.Context(), name, ferry.Attr{Size: new(int64)})
		}
		for _, target := range []string{outside, "../../../../../../../.." + outside, "dir/../.." + outside} {
			s.must(os.Symlink(target, s.path("link")))
			_, err := f.Open(s.Context(), "/link", ferry.OpenOptions{Mode: ferry.Read})
			s.want(err, fs.ErrNotExist)
			_, err = f.Stat(s.Context(), "/link")
			s.want(err, fs.ErrNotExist)
			if h, err := f.Open(s.Context(), "/link", ferry.OpenOptions{Mode: ferry.Replace}); err == nil {
				s.must(h.Commit())
			}
			s.must(os.Remove(s.path("link")))
		}
		got, err := os.ReadFile(outside)
		if string(got) != "secret" || err != nil {
			s.Errorf("the file outside holds %q, %v", got, err)
		}
	})
}

func TestThreat6LinksAreFollowedOnlyBeneathTheRoot(t *testing.T) {
	each(t, func(s *served) {
		s.must(os.Mkdir(s.path("dir"), 0o755))
		s.must(os.Mkdir(s.path("dir/deep"), 0o755))
		s.file("dir/file", "content", 0o644)
		f := s.as("alice")
		for _, target := range []string{
			"/dir/file", "dir/file", "./dir//file", "../../dir/file", "/../dir/file", "dir/deep/../file", "/dir/deep/../../dir/file",
		} {
			s.must(f.Symlink(s.Context(), target, "/link"))
			s.must(f.Symlink(s.Context(), "/link", "/dir/deep/again"))
			h := s.open(f, "/dir/deep/again", ferry.Read)
			got, err := io.ReadAll(io.NewSectionReader(h, 0, 100))
			if string(got) != "content" || err != nil {
				s.Errorf("through a link to %s: %q, %v", target, got, err)
			}
			s.must(h.Commit())
			s.must(f.Rename(s.Context(), "/link", "/moved", false)) // the link, not the file
			s.must(f.Remove(s.Context(), "/moved"))
			s.must(f.Remove(s.Context(), "/dir/deep/again"))
		}
		s.holds("dir/file", "content")
	})
}

// Two directories change places with links that lead outside, while files in
// them are opened, made, renamed and removed.
func TestThreat6RacesDoNotLeaveTheRoot(t *testing.T) {
	each(t, func(s *served) {
		outside := s.TempDir()
		s.must(os.WriteFile(filepath.Join(outside, "file"), []byte("outside"), 0o644))
		s.must(os.Mkdir(s.path("real"), 0o755))
		s.file("real/file", "inside", 0o644)
		s.must(os.Symlink(outside, s.path("evil")))
		stop, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			for {
				select {
				case <-stop:
					return
				default:
				}
				unix.Renameat2(unix.AT_FDCWD, s.path("real"), unix.AT_FDCWD, s.path("evil"), unix.RENAME_EXCHANGE)
			}
		}()
		f := s.as("alice")
		for range 300 {
			if h, err := f.Open(s.Context(), "/real/file", ferry.OpenOptions{Mode: ferry.Read}); err == nil {
				got, _ := io.ReadAll(io.NewSectionReader(h, 0, 100))
				if bytes.Equal(got, []byte("outside")) {
					s.Error("read a file outside")
				}
				h.Commit()
			}
			if h, err := f.Open(s.Context(), "/real/new", ferry.OpenOptions{Mode: ferry.Replace}); err == nil {
				h.Commit()
			}
			f.Rename(s.Context(), "/real/new", "/evil/renamed", true)
			f.Mkdir(s.Context(), "/real/dir", nil)
			f.Rmdir(s.Context(), "/real/dir")
			f.Remove(s.Context(), "/evil/renamed")
		}
		close(stop)
		<-done
		list, err := os.ReadDir(outside)
		if len(list) != 1 || err != nil {
			s.Errorf("outside there is %v, %v; want the one file", list, err)
		}
	})
}

func TestThreat7FileSystemsOfTheKernelAreNotServed(t *testing.T) {
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			s := &served{T: t, root: "/", tree: openTree(t, Config{Root: "/", Resolver: v.resolver}, v)}
			f := s.as("alice")
			for _, name := range []string{"/proc/version", "/proc/self/environ", "/sys/kernel/mm/ksm/run", "/proc/1/maps", "/proc/1/cwd"} {
				for _, m := range []ferry.Mode{ferry.Read, ferry.Update, ferry.Replace} {
					h, err := f.Open(t.Context(), ferry.Name(name), ferry.OpenOptions{Mode: m})
					if err == nil {
						h.Abort(nil)
						t.Errorf("opened %s", name)
					}
				}
				if _, err := f.Stat(t.Context(), ferry.Name(name)); err == nil {
					t.Errorf("looked at %s", name)
				}
			}
			_, err := f.Open(t.Context(), "/dev/null", ferry.OpenOptions{Mode: ferry.Read})
			s.want(err, ferry.ErrNotRegular)
			for _, dir := range []string{"/proc", "/sys", "/proc/self/fd"} {
				for _, err := range f.List(t.Context(), ferry.Name(dir), ferry.Names) {
					if err == nil {
						t.Errorf("listed %s", dir)
					}
					break
				}
			}
		})
	}
}

func TestSpecialFilesAreNotOpened(t *testing.T) {
	each(t, func(s *served) {
		s.must(unix.Mkfifo(s.path("fifo"), 0o666))
		s.must(os.Symlink("fifo", s.path("link")))
		f := s.as("alice")
		for _, name := range []string{"/fifo", "/link"} {
			for _, m := range []ferry.Mode{ferry.Read, ferry.Replace, ferry.Resume, ferry.Update} {
				_, err := f.Open(s.Context(), ferry.Name(name), ferry.OpenOptions{Mode: m}) // and does not wait
				s.want(err, ferry.ErrNotRegular)
			}
		}
		size := int64(0)
		s.want(f.SetAttr(s.Context(), "/fifo", ferry.Attr{Size: &size}), ferry.ErrNotRegular)
		s.must(f.Remove(s.Context(), "/fifo"))
	})
}

func TestUploadIsHiddenUntilCommit(t *testing.T) {
	each(t, func(s *served) {
		s.file("a", "old", 0o640)
		h := s.open(s.as("alice"), "/a", ferry.Replace)
		s.put(h, "new content", 0)
		s.holds("a", "old")
		parts := s.parts("/")
		if len(parts) != 1 || !ferry.IsPart(filepath.Base(parts[0])) || s.stat(parts[0]).Mode&0o777 != 0o600 {
			s.Fatalf("parts: %v, want one that only we can read", parts)
		}
		s.must(h.Commit())
		s.holds("a", "new content")
		if st := s.stat(s.path("a")); st.Mode&0o7777 != 0o640 {
			s.Errorf("mode %o, want the old file's", st.Mode)
		}
		if left := s.parts("/"); len(left) != 0 {
			s.Errorf("left over: %v", left)
		}
	})
}

func TestNewFilesHaveTheModeAskedFor(t *testing.T) {
	each(t, func(s *served) {
		f := s.as("alice")
		for _, row := range []struct {
			perm *fs.FileMode
			want fs.FileMode
		}{{nil, 0o644}, {new(fs.FileMode(0)), 0}, {new(fs.FileMode(0o600)), 0o600}, {new(fs.FileMode(0o777)), 0o755}} {
			h, err := f.Open(s.Context(), "/a", ferry.OpenOptions{Mode: ferry.Replace, Perm: row.perm})
			s.must(err)
			s.must(h.Commit())
			if got := s.stat(s.path("a")).Mode & 0o7777; got != uint32(row.want) {
				s.Errorf("perm %v gives %o, want %o", row.perm, got, row.want)
			}
			s.must(os.Remove(s.path("a")))
		}
	})
}

func TestAttributesOfAReplacedFileAreKept(t *testing.T) {
	each(t, func(s *served) {
		s.file("a", "old", 0o604)
		if !s.tree.root.HasProc() {
			return // said in the documentation of copyAttributes
		}
		if err := unix.Setxattr(s.path("a"), "user.origin", []byte("camera 7"), 0); errors.Is(err, unix.EOPNOTSUPP) {
			s.Log("no extended attributes here")
			return
		}
		if os.Geteuid() == 0 {
			s.must(os.Chown(s.path("a"), 1234, 5678))
		}
		s.upload(s.as("alice"), "/a", "new")
		value := make([]byte, 100)
		n, err := unix.Getxattr(s.path("a"), "user.origin", value)
		if err != nil || string(value[:n]) != "camera 7" {
			s.Errorf("attribute: %q, %v", value[:max(0, n)], err)
		}
		st := s.stat(s.path("a"))
		if os.Geteuid() == 0 && (st.Uid != 1234 || st.Gid != 5678) {
			s.Errorf("owner %d:%d", st.Uid, st.Gid)
		}
		if st.Mode&0o7777 != 0o604 {
			s.Errorf("mode %o", st.Mode)
		}
	})
}

func TestSetuidDoesNotGoToNewContent(t *testing.T) {
	each(t, func(s *served) {
		s.file("a", "old", 0o755)
		s.must(unix.Chmod(s.path("a"), 0o6755))
		s.upload(s.as("alice"), "/a", "new")
		if mode := s.stat(s.path("a")).Mode & 0o7777; mode != 0o755 {
			s.Errorf("mode %o", mode)
		}
	})
}

func TestHardLinksStayOneFile(t *testing.T) {
	each(t, func(s *served) {
		s.file("a", "old content", 0o644)
		s.must(os.Link(s.path("a"), s.path("b")))
		s.upload(s.as("alice"), "/a", "new")
		s.holds("a", "new")
		s.holds("b", "new")
		if left := s.parts("/"); len(left) != 0 {
			s.Errorf("left over: %v", left)
		}
	})
}

func TestUploadThroughALinkReplacesTheFileItNames(t *testing.T) {
	each(t, func(s *served) {
		s.must(os.Mkdir(s.path("dir"), 0o755))
		s.file("dir/file", "old", 0o644)
		s.must(os.Symlink("/dir/file", s.path("link")))
		h := s.open(s.as("alice"), "/link", ferry.Replace)
		s.put(h, "new", 0)
		if len(s.parts("dir")) != 1 {
			s.Error("the part does not lie beside the file")
		}
		s.must(h.Commit())
		s.holds("dir/file", "new")
		if target, err := os.Readlink(s.path("link")); target != "/dir/file" || err != nil {
			s.Errorf("link: %q, %v", target, err)
		}
	})
}

func TestPartsArePlacedByUserAndName(t *testing.T) {
	tree := variants()[0].open(t)
	of := func(u ferry.User, base string) string { return tree.For(u).(*sessionFS).owner.Name(base) }
	alice, bob := ferry.User{Name: "alice"}, ferry.User{Name: "bob"}
	guest := ferry.User{Name: "guest", Anonymous: true}
	if again := of(alice, "a"); again != of(alice, "a") {
		t.Error("a second session would not find the part")
	}
	different := map[string]bool{
		of(alice, "a"): true, of(alice, "b"): true, of(bob, "a"): true,
		of(guest, "a"): true,
	}
	different[of(guest, "a")] = true // each upload of a user who keeps none
	if len(different) != 5 {
		t.Errorf("parts share a name: %v", different)
	}
	for name := range different {
		if !ferry.IsPart(name) {
			t.Errorf("%s is not the name of a part", name)
		}
	}
	if v := tree.For(alice).(*sessionFS); !v.owner.Owns(of(alice, "a")) || v.owner.Owns(of(bob, "a")) {
		t.Error("a user cannot tell his own parts")
	}
}

// Somebody with an account on the machine knows where a part will lie.
func TestPlantedPartsAreNotWrittenThrough(t *testing.T) {
	each(t, func(s *served) {
		f := s.as("alice")
		part := s.path(f.(*sessionFS).owner.Name("a"))
		victim := filepath.Join(s.TempDir(), "victim")
		for _, plant := range []func() error{
			func() error { return os.Symlink(victim, part) },
			func() error { return os.Link(victim, part) },
			func() error { return unix.Mkfifo(part, 0o666) },
		} {
			s.must(os.WriteFile(victim, []byte("untouched"), 0o644))
			s.must(plant())
			_, err := f.Open(s.Context(), "/a", ferry.OpenOptions{Mode: ferry.Resume})
			s.want(err, fs.ErrPermission)
			_, err = f.Part(s.Context(), "/a")
			if err == nil {
				s.Error("something planted counts as a part")
			}
			s.upload(f, "/a", "new")
			s.holds("a", "new")
			if got, err := os.ReadFile(victim); string(got) != "untouched" || err != nil {
				s.Errorf("the victim holds %q, %v", got, err)
			}
			if st := s.stat(s.path("a")); st.Nlink != 1 {
				s.Error("the published file has another name")
			}
			s.must(os.Remove(s.path("a")))
		}
	})
}

func TestSymlinksToPartsAreRefused(t *testing.T) {
	each(t, func(s *served) {
		f := s.as("mallory")
		part := s.as("alice").(*sessionFS).owner.Name("a")
		for _, target := range []string{part, "/" + part, "x/../" + part} {
			s.want(f.Symlink(s.Context(), target, "/link"), ferry.ErrBadName)
		}
	})
}

func TestSweepRemovesOnlyWhatHasExpired(t *testing.T) {
	each(t, func(s *served) {
		s.must(os.MkdirAll(s.path("x/y/z"), 0o755))
		s.must(os.Symlink("/", s.path("x/loop")))
		s.file("x/y/whole", "whole", 0o644)
		f := s.as("alice")
		h := s.open(f, "/x/y/z/broken", ferry.Replace)
		s.must(h.Abort(nil))
		live := s.open(f, "/x/live", ferry.Replace)
		s.must(s.tree.Sweep(s.Context()))
		if len(s.parts("x/y/z")) != 1 {
			s.Error("a part was swept that had not expired")
		}
		s.tree.parts.Keep = time.Nanosecond
		s.must(s.tree.SweepDir(s.Context(), "/x/y"))
		if len(s.parts("x/y/z")) != 1 {
			s.Error("a part was swept below the directory")
		}
		s.must(s.tree.SweepDir(s.Context(), "/x/y/z"))
		if len(s.parts("x/y/z")) != 0 {
			s.Error("an expired part was left in the directory")
		}
		s.want(s.tree.SweepDir(s.Context(), "/x/y/whole"), ferry.ErrNotDir)
		s.want(s.tree.SweepDir(s.Context(), "/nothing"), fs.ErrNotExist)
		s.must(s.open(f, "/x/y/z/broken", ferry.Replace).Abort(nil))
		s.must(s.tree.Sweep(s.Context()))
		if len(s.parts("x/y/z")) != 0 {
			s.Error("an expired part was left")
		}
		other := s.Reopen() // another process must not sweep what this one holds
		other.tree.parts.Keep = time.Nanosecond
		s.must(other.tree.Sweep(s.Context()))
		s.put(live, "alive", 0)
		s.must(live.Commit())
		s.holds("x/live", "alive")
		s.holds("x/y/whole", "whole")
	})
}

func TestExpiredPartIsNotGoneOnWith(t *testing.T) {
	each(t, func(s *served) {
		s.file("a", "old content", 0o644)
		f := s.as("alice")
		h := s.open(f, "/a", ferry.Replace)
		s.put(h, "new", 0)
		s.must(h.Abort(nil))
		s.tree.parts.Keep = time.Nanosecond
		_, err := f.Part(s.Context(), "/a")
		s.want(err, fs.ErrNotExist)
		h = s.openAt(f, "/a", ferry.AtEnd)
		if h.Start() != int64(len("old content")) {
			s.Errorf("goes on from %d", h.Start())
		}
		s.must(h.Abort(nil))
	})
}

func TestListOfADirectoryThatIsNotSmall(t *testing.T) {
	each(t, func(s *served) {
		want := make(map[string]bool)
		for i := range 1200 {
			name := strings.Repeat("n", 1+i%200) + string(rune('a'+i%26)) + strings.Repeat("x", i/200)
			s.file(name, "", 0o644)
			want[name] = true
		}
		for _, d := range []ferry.Detail{ferry.Names, ferry.Full} {
			got := make(map[string]bool)
			for i, err := range s.as("alice").List(s.Context(), "/", d) {
				s.must(err)
				if got[i.Name] {
					s.Errorf("%s twice", i.Name)
				}
				got[i.Name] = true
			}
			if len(got) != len(want) {
				s.Errorf("%d entries, want %d", len(got), len(want))
			}
		}
	})
}
