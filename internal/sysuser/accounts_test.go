package sysuser_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/internal/sysuser"
)

const hash = "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$42RgPIrXdXSEEs77lDi/4IqKVqFBAVaHJkzw5uD1r57"

// now is day 20,000 since 1970: 2024-10-04.
func now() time.Time { return time.Unix(20_000*86_400+3_600, 0) }

// etc is a directory with the files of a small system.
func etc(t *testing.T, more map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{
		"passwd": `# a comment
root:x:0:0:root:/root:/bin/bash
ftp:x:107:65534::/srv/ftp:/usr/sbin/nologin
alice:x:1000:1000:Alice,,,:/home/alice:/bin/bash
bob:x:1001:100::/home/bob:/usr/sbin/nologin
carol:x:1002:1002::/home/carol:
toor:x:0:0::/root:/bin/bash
old:` + hash + `:1003:1003::/home/old:/bin/sh
open::1004:1004::/home/open:/bin/sh
short:x:1005:1005:/home/short
letters:x:10a:1005::/home/letters:/bin/sh
minus:x:-1:1005::/home/minus:/bin/sh
zeros:x:01006:1006::/home/zeros:/bin/sh
last:x:4294967295:1006::/home/last:/bin/sh
relative:x:1007:1007::home:/bin/sh
unshadowed:x:1008:1008::/home/unshadowed:/bin/sh
twice:x:1009:1009::/home/first:/bin/sh
twice:x:1010:1010::/home/second:/bin/sh
denied:x:1011:1011::/home/denied:/bin/sh
+nis:x:1012:1012::/home/nis:/bin/sh
`,
		"shadow": `root:` + hash + `:19000:0:99999:7:::
ftp:*:19000:0:99999:7:::
alice:` + hash + `:19000:0:99999:7:::
bob:` + hash + `:19000:0:99999:7:::
carol:` + hash + `:19000:0:99999:7:::
toor:` + hash + `:19000:0:99999:7:::
relative:` + hash + `:19000:0:99999:7:::
twice:` + hash + `:19000:0:99999:7:::
denied:` + hash + `:19000:0:99999:7:::
`,
		"group":    "root:x:0:\nusers:x:100:alice,bob\nstaff:x:50:alice\nwrong:x:5a:alice\nalice:x:1000:\ncarol:x:1002:\n",
		"shells":   "# /etc/shells: valid login shells\n/bin/sh\n/bin/bash # the usual one\n",
		"ftpusers": "# who may not\nroot\ndenied\n",
	}
	for name, content := range more {
		files[name] = content
	}
	for name, content := range files {
		if content == "-" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestAccounts(t *testing.T) {
	dir := etc(t, nil)
	a := sysuser.New(sysuser.Config{Dir: dir, Denied: filepath.Join(dir, "ftpusers")})
	tests := []struct{ name, barred, hash string }{
		{"alice", "", hash},
		{"carol", "", hash}, // no shell is /bin/sh
		{"old", "", hash},
		{"open", "", ""}, // no password opens it: an empty one least of all
		{"bob", "its shell /usr/sbin/nologin is not in", hash},
		{"root", "user ID 0", hash},
		{"toor", "user ID 0", hash},
		{"ftp", "its user ID 107 is below 1000", ""},
		{"denied", "ftpusers names it", hash},
		{"short", "has 5 fields, not 7", ""},
		{"letters", "user ID \"10a\" is none", ""},
		{"minus", "user ID \"-1\" is none", ""},
		{"zeros", "user ID \"01006\" is none", ""},
		{"last", "user ID \"4294967295\" is none", ""},
		{"relative", "its home is not an absolute path", hash},
		{"unshadowed", "its line in shadow is wrong: there is none", ""},
		{"twice", "", hash},
	}
	for _, test := range tests {
		got, err := a.Account(test.name, now())
		if err != nil || got.Name != test.name || got.Hash != test.hash ||
			(got.Barred == "") != (test.barred == "") || !strings.Contains(got.Barred, test.barred) {
			t.Errorf("%s: %+v, %v; want barred %q and hash %q", test.name, got, err, test.barred, test.hash)
		}
		if strings.Contains(got.Barred, "$y$") {
			t.Errorf("%s: the reason %q shows the hash", test.name, got.Barred)
		}
	}
	for _, name := range []string{"nobody-there", "+nis", "", "alice:x", "-", "#"} {
		if got, err := a.Account(name, now()); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %+v, %v; want that there is none", name, got, err)
		}
	}
	alice, _ := a.Account("alice", now())
	if alice.UID != 1000 || alice.GID != 1000 || alice.Home != "/home/alice" || !slices.Equal(alice.Groups, []uint32{50, 100, 1000}) {
		t.Errorf("alice is %+v", alice)
	}
	if twice, _ := a.Account("twice", now()); twice.Home != "/home/first" {
		t.Errorf("of two lines with one name the later counts: %+v", twice)
	}
}

func TestAccountsThatTheConfigurationLetsIn(t *testing.T) {
	dir := etc(t, nil)
	tests := []struct {
		name   string
		cfg    sysuser.Config
		barred string
	}{
		{"bob", sysuser.Config{AnyShell: true}, ""},
		{"ftp", sysuser.Config{AnyShell: true, MinUID: 100}, ""},
		{"root", sysuser.Config{AnyShell: true, MinUID: 1}, "user ID 0"},
		{"denied", sysuser.Config{}, ""},
		{"denied", sysuser.Config{Denied: filepath.Join(dir, "no such file")}, ""},
		{"alice", sysuser.Config{Groups: []string{"staff"}}, ""},
		{"bob", sysuser.Config{AnyShell: true, Groups: []string{"staff", "users"}}, ""},
		{"carol", sysuser.Config{Groups: []string{"carol"}}, ""}, // her own group names nobody
		{"carol", sysuser.Config{Groups: []string{"staff", "wrong"}}, "none of the groups"},
	}
	for _, test := range tests {
		test.cfg.Dir = dir
		got, err := sysuser.New(test.cfg).Account(test.name, now())
		if err != nil || (got.Barred == "") != (test.barred == "") || !strings.Contains(got.Barred, test.barred) {
			t.Errorf("%s with %+v: %+v, %v; want barred %q", test.name, test.cfg, got, err, test.barred)
		}
	}
}

func TestPasswordsAndAccountsExpire(t *testing.T) {
	tests := []struct{ fields, barred string }{
		{"19000:0:99999:7:::", ""},
		{":::::::", "has 10 fields"},
		{"::::::", ""},
		{"0:0:99999:7:::", "must be changed first"},
		{"19990:0:10:7:::", ""},
		{"19989:0:10:7:::", "the password has expired on 2024-10-03"},
		{"19989:0:10:7:30::", "the password has expired"}, // it could be changed, but not here
		{"30000:0:10:7:::", ""},                           // a clock that was wrong
		{"19000:0:99999:7::20001:", ""},
		{"19000:0:99999:7::20000:", "the account has expired on 2024-10-04"},
		{"19000:0:99999:7::0:", "the account has expired on 1970-01-01"},
		{"19000:0:99999:7::-1:", ""},
		{"19000:0:-1:7:::", ""},
		{"x:0:99999:7:::", "the day of the last change is not a number"},
		{"19000:0:99999:7::soon:", "the day on which the account expires is not a number"},
	}
	for _, test := range tests {
		dir := etc(t, map[string]string{"shadow": "alice:" + hash + ":" + test.fields + "\n"})
		got, err := sysuser.New(sysuser.Config{Dir: dir}).Account("alice", now())
		if err != nil || (got.Barred == "") != (test.barred == "") || !strings.Contains(got.Barred, test.barred) {
			t.Errorf("%s: barred %q, %v; want %q", test.fields, got.Barred, err, test.barred)
		}
	}
	for password, want := range map[string]string{"!": "locked", "!" + hash: "locked", "!!": "locked", "*": "", "": "", "x": ""} {
		dir := etc(t, map[string]string{"shadow": "alice:" + password + ":19000:0:99999:7:::\n"})
		got, err := sysuser.New(sysuser.Config{Dir: dir}).Account("alice", now())
		if err != nil || got.Hash != "" || (got.Barred == "") != (want == "") {
			t.Errorf("password %q: %+v, %v; want no hash, and barred %q", password, got, err, want)
		}
	}
}

func TestFilesAreReadAgainWhenTheyChange(t *testing.T) {
	dir := etc(t, nil)
	a := sysuser.New(sysuser.Config{Dir: dir})
	if got, err := a.Account("alice", now()); err != nil || got.Barred != "" {
		t.Fatal(got, err)
	}
	replace := func(name, content string) { // as passwd(1) does it
		t.Helper()
		next := filepath.Join(dir, name+"-next")
		if err := errors.Join(os.WriteFile(next, []byte(content), 0o600), os.Rename(next, filepath.Join(dir, name))); err != nil {
			t.Fatal(err)
		}
	}
	replace("shadow", "alice:!"+hash+":19000:0:99999:7:::\n")
	if got, err := a.Account("alice", now()); err != nil || got.Barred == "" {
		t.Errorf("after usermod -L: %+v, %v", got, err)
	}
	replace("passwd", "dave:x:1020:1020::/home/dave:/bin/sh\n")
	if got, err := a.Account("alice", now()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after userdel: %+v, %v", got, err)
	}
}

// What cannot be read is no account that is not there: somebody else's of the same name
// would take its place.
func TestFilesThatCannotBeRead(t *testing.T) {
	for _, name := range []string{"passwd", "shadow", "group"} {
		a := sysuser.New(sysuser.Config{Dir: etc(t, map[string]string{name: "-"})})
		if got, err := a.Account("alice", now()); err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %+v, %v", name, got, err)
		}
		if err := a.Check(); err == nil {
			t.Errorf("without %s the check says nothing", name)
		}
	}
	a := sysuser.New(sysuser.Config{Dir: etc(t, map[string]string{"shells": "-"})})
	if got, err := a.Account("carol", now()); err != nil || got.Barred != "" {
		t.Errorf("without shells /bin/sh is one: %+v, %v", got, err)
	}
}

func FuzzAccount(f *testing.F) {
	f.Add("alice:x:1000:1000::/home/alice:/bin/sh", "alice:"+hash+":19000:0:99999:7:::", "alice:x:1000:alice,bob")
	f.Add("alice::0:0:::", "alice:!::::::::", "::::")
	f.Fuzz(func(t *testing.T, passwd, shadow, groups string) {
		dir := etc(t, map[string]string{"passwd": passwd, "shadow": shadow, "group": groups})
		got, err := sysuser.New(sysuser.Config{Dir: dir}).Account("alice", now())
		if err != nil || got.Barred != "" {
			return
		}
		if got.UID < 1000 || !filepath.IsAbs(got.Home) || got.Hash != "" && got.Hash[0] != '$' || !slices.Contains(got.Groups, got.GID) {
			t.Errorf("%q, %q, %q: %+v may log in", passwd, shadow, groups, got)
		}
	})
}
