package config

import (
	"path/filepath"
	"testing"

	"ferry"
)

// TestThreat3HomesStayBeneathTheirBase: a name such as ".." in a pattern such
// as "/srv/ftp/%u" led to other users' files in other servers.
func TestThreat3HomesStayBeneathTheirBase(t *testing.T) {
	for _, name := range []string{"..", ".", "", "/", "a/b", "../etc", "a/../..", "%u", "a\x00", "-rf", "a b", `..\x`} {
		if _, _, err := ExpandHome("/srv/ftp/%u", name); err == nil {
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
		base, below, err := ExpandHome(test.pattern, test.name)
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

func TestHomeOf(t *testing.T) {
	with := func(pattern, root string) *Config {
		c := &Config{}
		c.Users.Home, c.Storage.Root = pattern, root
		return c
	}
	for _, test := range []struct {
		name string
		conf *Config
		home string
		want string
	}{
		{"its own first", with("/p/%u", "/r"), "/own", "/own"},
		{"which is absolute", with("/p/%u", "/r"), "own", ""},
		{"then the pattern", with("/p/%u", "/r"), "", "/p/alice"},
		{"then the root", with("", "/r"), "", "/r"},
		{"or none", with("", ""), "", ""},
	} {
		got, err := test.conf.HomeOf(ferry.User{Name: "alice", Home: test.home})
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%s: %q, %v", test.name, got, err)
		}
	}
}
