package runas

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"ferry"
)

// nobody is an identity, in a process that may take it.
func nobody(t *testing.T, uid uint32, groups ...uint32) *User {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can run as somebody else")
	}
	u, err := New(ferry.Identity{UID: uid, GID: uid, Groups: groups})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// asThread is what the current thread is judged by.
func asThread(t *testing.T) (uid, gid, groups int) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	uid, _ = unix.SetfsuidRetUid(-1)
	gid, _ = unix.SetfsgidRetGid(-1)
	list, err := unix.Getgroups()
	if err != nil {
		t.Fatal(err)
	}
	return uid, gid, len(list)
}

func TestDoHasTheRightsOfTheUserOnly(t *testing.T) {
	u := nobody(t, 54321, 54322)
	dir := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for parent := dir; parent != "/"; parent = filepath.Dir(parent) {
		must(os.Chmod(parent, 0o777)) // temporary directories are the owner's
		if filepath.Dir(parent) == os.TempDir() {
			break
		}
	}
	must(os.Mkdir(filepath.Join(dir, "closed"), 0o700))
	must(os.Mkdir(filepath.Join(dir, "group"), 0o070))
	must(os.Chown(filepath.Join(dir, "group"), 0, 54322))
	must(os.Chmod(filepath.Join(dir, "group"), 0o070))
	must(os.WriteFile(filepath.Join(dir, "other"), nil, 0o600))
	err := u.Do(func() error {
		if err := os.WriteFile(filepath.Join(dir, "made"), nil, 0o600); err != nil {
			t.Error(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "group", "made"), nil, 0o600); err != nil {
			t.Errorf("where the supplementary group may write: %v", err)
		}
		for _, name := range []string{"closed/made", "other"} {
			if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); !errors.Is(err, fs.ErrPermission) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := os.Chown(filepath.Join(dir, "made"), 0, 0); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("chown: %v", err)
		}
		return nil
	})
	must(err)
	var st unix.Stat_t
	must(unix.Stat(filepath.Join(dir, "made"), &st))
	if st.Uid != 54321 || st.Gid != 54321 {
		t.Errorf("made belongs to %d:%d", st.Uid, st.Gid)
	}
}

// TestTheThreadIsRestored: after success, an error, a panic, and an end of the goroutine.
func TestTheThreadIsRestored(t *testing.T) {
	u := nobody(t, 54321, 1, 2, 3)
	uid, gid, groups := asThread(t)
	want := errors.New("of f")
	for name, f := range map[string]func(){
		"success": func() { _ = u.Do(func() error { return nil }) },
		"error": func() {
			if err := u.Do(func() error { return want }); err != want {
				t.Errorf("Do answers %v", err)
			}
		},
		"panic": func() {
			defer func() { _ = recover() }()
			_ = u.Do(func() error { panic("in f") })
		},
	} {
		runtime.LockOSThread()
		f()
		if u, g, n := asThread(t); u != uid || g != gid || n != groups {
			t.Errorf("after %s: uid %d, gid %d, %d groups", name, u, g, n)
		}
		runtime.UnlockOSThread()
	}
	over := make(chan bool)
	go func() {
		defer close(over)
		defer func() {
			if u, _, _ := asThread(t); u != uid {
				t.Errorf("after Goexit: uid %d", u)
			}
		}()
		_ = u.Do(func() error { runtime.Goexit(); return nil })
	}()
	<-over
}

// TestTwoIdentitiesNeverMix: whatever runs at the same time, each thread is its user's.
func TestTwoIdentitiesNeverMix(t *testing.T) {
	users := []*User{nobody(t, 54321), nobody(t, 54322, 7), nil}
	uid, _, _ := asThread(t)
	var all sync.WaitGroup
	for i := range 1000 {
		all.Go(func() {
			u := users[i%len(users)]
			for range 10 {
				_ = u.Do(func() error {
					now, _ := unix.SetfsuidRetUid(-1)
					runtime.Gosched()
					after, _ := unix.SetfsuidRetUid(-1)
					if want := u.UID(); now != after || u != nil && now != want || u == nil && now != uid {
						t.Errorf("uid %d, then %d, for %d", now, after, want)
					}
					return nil
				})
			}
		})
	}
	all.Wait()
}

func TestIdentitiesThatAreRefused(t *testing.T) {
	if u, err := New(ferry.Identity{}); u != nil || err != nil {
		t.Errorf("the server itself: %v, %v", u, err)
	}
	for _, id := range []ferry.Identity{{GID: 5}, {Groups: []uint32{5}}} {
		if _, err := New(id); err == nil {
			t.Errorf("%+v is taken, as root", id)
		}
	}
}

func TestDoOfTheServerCostsNothing(t *testing.T) {
	var u *User
	n := 0
	if allocs := testing.AllocsPerRun(100, func() { _ = u.Do(func() error { n++; return nil }) }); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}
