package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ferry"
)

// TestThreat3HomesStayBeneathTheirBase: a name such as ".." in a pattern such
// as "/srv/ftp/%u" led to other users' files in other servers.
func TestThreat3HomesStayBeneathTheirBase(t *testing.T) {
	for _, name := range []string{"..", ".", "", "/", "a/b", "../etc", "a/../..", "%u", "a\x00", "-rf", "a b", `..\x`} {
		if _, _, err := expandHome("/srv/ftp/%u", name); err == nil {
			t.Errorf("the name %q was taken", name)
		}
	}
	for _, test := range []struct{ pattern, name, want string }{
		{"/srv/ftp/%u", "alice", "/srv/ftp/alice"},
		{"/srv/ftp/%u/files", "alice", "/srv/ftp/alice/files"},
		{"/srv/ftp/u-%u", "alice", "/srv/ftp/u-alice"},
		{"/srv/ftp/%u/%u", "a..b", "/srv/ftp/a..b/a..b"},
		{"/srv/%u.", ".", ""}, // ".." by the pattern's help
		{"/srv/ftp/.%u", ".", ""},
	} {
		base, below, err := expandHome(test.pattern, test.name)
		if test.want == "" {
			if err == nil {
				t.Errorf("%s for %s is %s", test.pattern, test.name, filepath.Join(base, below))
			}
			continue
		}
		if got := filepath.Join(base, below); err != nil || got != test.want {
			t.Errorf("%s for %s is %s (%v), want %s", test.pattern, test.name, got, err, test.want)
		}
	}
}

func TestHomePatternNeedsUserAndBase(t *testing.T) {
	for pattern, good := range map[string]bool{"": true, "/srv/%u": true, "/srv/ftp-%u": true, "/srv/ftp": false, "/%u": false, "/x%u/y": false} {
		if err := checkHomePattern(pattern); (err == nil) != good {
			t.Errorf("%q: %v", pattern, err)
		}
	}
}

// TestThreat3HomesAreMadeBeneathTheirBase: also where links lie in the way.
func TestThreat3HomesAreMadeBeneathTheirBase(t *testing.T) {
	base, outside := t.TempDir(), t.TempDir()
	home, err := makeHome(base+"/%u/files", "alice")
	if err != nil || home != filepath.Join(base, "alice/files") {
		t.Fatalf("made %s: %v", home, err)
	}
	if info, err := os.Stat(home); err != nil || !info.IsDir() || info.Mode().Perm()&0o007 != 0 {
		t.Errorf("the new home: %v, %v; want a directory that is not for others", info, err)
	}
	if again, err := makeHome(base+"/%u/files", "alice"); err != nil || again != home {
		t.Errorf("the second time: %s, %v", again, err)
	}

	for name, target := range map[string]string{"mallory": outside, "eve": "../" + filepath.Base(outside)} {
		if err := os.Symlink(target, filepath.Join(base, name)); err != nil {
			t.Fatal(err)
		}
		if home, err := makeHome(base+"/%u", name); err == nil {
			t.Errorf("a link out of the base was taken for the home %s", home)
		}
		if home, err := makeHome(base+"/%u/files", name); err == nil {
			t.Errorf("a home was made through a link out of the base: %s", home)
		}
	}
	if left, err := os.ReadDir(outside); err != nil || len(left) > 0 {
		t.Errorf("something was made outside: %v %v", left, err)
	}

	if err := os.WriteFile(filepath.Join(base, "bob"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := makeHome(base+"/%u", "bob"); err == nil || !strings.Contains(err.Error(), "bob") {
		t.Errorf("a file as home: %v", err)
	}
}

func TestHomeOf(t *testing.T) {
	with := func(pattern, root string) *config {
		c := &config{}
		c.Users.Home, c.Storage.Root = pattern, root
		return c
	}
	for _, test := range []struct {
		name string
		conf *config
		home string
		want string
	}{
		{"its own first", with("/p/%u", "/r"), "/own", "/own"},
		{"which is absolute", with("/p/%u", "/r"), "own", ""},
		{"then the pattern", with("/p/%u", "/r"), "", "/p/alice"},
		{"then the root", with("", "/r"), "", "/r"},
		{"or none", with("", ""), "", ""},
	} {
		got, err := test.conf.homeOf(ferry.User{Name: "alice", Home: test.home})
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%s: %q, %v", test.name, got, err)
		}
	}
}
