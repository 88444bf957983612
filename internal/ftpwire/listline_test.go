package ftpwire_test

import (
	"io/fs"
	"strings"
	"testing"
	"time"

	"ferry/internal/ftpwire"
)

// today is the tests' now.
func today() time.Time { return time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC) }

func TestAppendListLine(t *testing.T) {
	east := time.FixedZone("east", 3*60*60)
	file := func(change func(*ftpwire.Entry)) ftpwire.Entry {
		e := ftpwire.Entry{Name: "a", Size: 1234, Modify: someday(), Mode: 0o644, Owner: "owner", Group: "group", Links: 1}
		change(&e)
		return e
	}
	kind := func(k ftpwire.Kind, m fs.FileMode) ftpwire.Entry {
		return file(func(e *ftpwire.Entry) { e.Kind, e.Mode = k, m })
	}
	modified := func(at time.Time) ftpwire.Entry { return file(func(e *ftpwire.Entry) { e.Modify = at }) }
	tests := []struct {
		name  string
		entry ftpwire.Entry
		zone  *time.Location
		want  string
	}{
		{"file", file(func(e *ftpwire.Entry) { e.Name = "two words" }), nil, "-rw-r--r--   1 owner    group        1234 Jan 02 03:04 two words"},
		{"zone", modified(someday()), east, "-rw-r--r--   1 owner    group        1234 Jan 02 06:04 a"},
		{"directory", kind(ftpwire.KindDir, 0o755), nil, "drwxr-xr-x   1 owner    group        1234 Jan 02 03:04 a"},
		{"itself", kind(ftpwire.KindCdir, 0o755), nil, "drwxr-xr-x   1 owner    group        1234 Jan 02 03:04 a"},
		{"link", file(func(e *ftpwire.Entry) { e.Kind, e.Mode, e.Target = ftpwire.KindLink, 0o777, "/x y" }), nil,
			"lrwxrwxrwx   1 owner    group        1234 Jan 02 03:04 a -> /x y"},
		{"FIFO", kind(ftpwire.KindOther, 0o600|fs.ModeNamedPipe), nil, "prw-------   1 owner    group        1234 Jan 02 03:04 a"},
		{"special bits", kind(ftpwire.KindFile, 0o755|fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky), nil, "-rwsr-sr-t   1 owner    group        1234 Jan 02 03:04 a"},
		{"special bits alone", kind(ftpwire.KindFile, fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky), nil, "---S--S--T   1 owner    group        1234 Jan 02 03:04 a"},
		{"numbers for names", file(func(e *ftpwire.Entry) { e.Owner, e.Group, e.UID, e.GID = "", "", 1000, 4294967295 }), nil,
			"-rw-r--r--   1 1000     4294967295     1234 Jan 02 03:04 a"},
		{"name with a space in a column", file(func(e *ftpwire.Entry) { e.Group = "Domain Users" }), nil, "-rw-r--r--   1 owner    Domain_Users     1234 Jan 02 03:04 a"},
		{"large", file(func(e *ftpwire.Entry) { e.Size, e.Links = 1<<63-1, 12345 }), nil, "-rw-r--r-- 12345 owner    group    9223372036854775807 Jan 02 03:04 a"},
		{"182 days old", modified(today().AddDate(0, 0, -182)), nil, "-rw-r--r--   1 owner    group        1234 Sep 01 12:00 a"},
		{"older", modified(today().AddDate(0, 0, -182).Add(-time.Second)), nil, "-rw-r--r--   1 owner    group        1234 Sep 01  2023 a"},
		{"written while listing", modified(today().Add(time.Second)), nil, "-rw-r--r--   1 owner    group        1234 Mar 01 12:00 a"},
		{"future", modified(today().Add(time.Hour)), nil, "-rw-r--r--   1 owner    group        1234 Mar 01  2024 a"},
		{"time not known", modified(time.Time{}), nil, "-rw-r--r--   1 owner    group        1234 Jan 01  0001 a"},
		{"threat 21: line end in the name", file(func(e *ftpwire.Entry) { e.Name = "a\r\nb" }), nil, "-rw-r--r--   1 owner    group        1234 Jan 02 03:04 a??b"},
		{"leading space is the name's", file(func(e *ftpwire.Entry) { e.Name = " a" }), nil, "-rw-r--r--   1 owner    group        1234 Jan 02 03:04  a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(ftpwire.AppendListLine(nil, &tt.entry, today(), tt.zone)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestAppendClass(t *testing.T) {
	tests := []struct {
		kind ftpwire.Kind
		mode fs.FileMode
		want string
	}{
		{ftpwire.KindFile, 0o644, ""},
		{ftpwire.KindFile, 0o654, "*"},
		{ftpwire.KindDir, 0o755, "/"},
		{ftpwire.KindLink, 0o777, "@"},
		{ftpwire.KindOther, fs.ModeNamedPipe, "|"},
		{ftpwire.KindOther, fs.ModeSocket, "="},
		{ftpwire.KindOther, fs.ModeDevice, ""},
	}
	for _, tt := range tests {
		if got := string(ftpwire.AppendClass([]byte("a"), &ftpwire.Entry{Kind: tt.kind, Mode: tt.mode})); got != "a"+tt.want {
			t.Errorf("kind %d, mode %v: %s, want a%s", tt.kind, tt.mode, got, tt.want)
		}
	}
}

func TestKindOf(t *testing.T) {
	for mode, want := range map[fs.FileMode]ftpwire.Kind{0o644: ftpwire.KindFile, fs.ModeDir | 0o755: ftpwire.KindDir, fs.ModeSymlink | 0o777: ftpwire.KindLink,
		fs.ModeNamedPipe: ftpwire.KindOther, fs.ModeDevice | fs.ModeCharDevice: ftpwire.KindOther, fs.ModeSetuid | 0o755: ftpwire.KindFile} {
		if got := ftpwire.KindOf(mode); got != want {
			t.Errorf("KindOf(%v) = %d, want %d", mode, got, want)
		}
	}
}

func TestParseListLine(t *testing.T) {
	date := func(year, month, day, hour, minute int) time.Time {
		return time.Date(year, time.Month(month), day, hour, minute, 0, 0, time.UTC)
	}
	tests := []struct {
		line string
		want ftpwire.Entry
	}{
		{"-rw-r--r--   1 owner    group        1234 Jan 02 15:04 two  words ",
			ftpwire.Entry{Name: "two  words ", Size: 1234, Mode: 0o644, Owner: "owner", Group: "group", Links: 1, Modify: date(2024, 1, 2, 15, 4)}},
		{"drwxr-sr-t+ 12 1000 100 4096 Apr  2 15:04  a",
			ftpwire.Entry{Name: " a", Kind: ftpwire.KindDir, Size: 4096, Mode: 0o755 | fs.ModeDir | fs.ModeSetgid | fs.ModeSticky, UID: 1000, GID: 100, Links: 12, Modify: date(2023, 4, 2, 15, 4)}},
		{"lrwxrwxrwx 1 a b 3 dec 31  1999 l -> x -> y",
			ftpwire.Entry{Name: "l", Kind: ftpwire.KindLink, Target: "x -> y", Size: 3, Mode: 0o777 | fs.ModeSymlink, Owner: "a", Group: "b", Links: 1, Modify: date(1999, 12, 31, 0, 0)}},
		{"-rw------- 1 nogroup 5 Mar 02 11:59 tomorrow",
			ftpwire.Entry{Name: "tomorrow", Size: 5, Mode: 0o600, Owner: "nogroup", Links: 1, Modify: date(2024, 3, 2, 11, 59)}},
		{"-rw------- 1 a b 5 Mar 02 12:01 long ago",
			ftpwire.Entry{Name: "long ago", Size: 5, Mode: 0o600, Owner: "a", Group: "b", Links: 1, Modify: date(2023, 3, 2, 12, 1)}},
		{"crw-rw-rw- 1 root root 1, 3 Feb 29 2020 null",
			ftpwire.Entry{Name: "null", Kind: ftpwire.KindOther, Mode: 0o666 | fs.ModeDevice | fs.ModeCharDevice, Owner: "root", Group: "root", Links: 1, Modify: date(2020, 2, 29, 0, 0)}},
		{"-rw-r--r-- 1 a b 5 Jan 02 2020 Mar 03 2021 c",
			ftpwire.Entry{Name: "Mar 03 2021 c", Size: 5, Mode: 0o644, Owner: "a", Group: "b", Links: 1, Modify: date(2020, 1, 2, 0, 0)}},
		{"-rw-r--r-- 1 99999999999 b 5 Jan 02 2020 c",
			ftpwire.Entry{Name: "c", Size: 5, Mode: 0o644, Owner: "99999999999", Group: "b", Links: 1, Modify: date(2020, 1, 2, 0, 0)}},
	}
	for _, tt := range tests {
		if got, err := ftpwire.ParseListLine(tt.line, today(), nil); err != nil || got != tt.want {
			t.Errorf("%s\ngot  %+v, %v\nwant %+v", tt.line, got, err, tt.want)
		}
	}
}

func TestParseListLineRefuses(t *testing.T) {
	for _, line := range []string{"", "total 12", "-rw-r--r--", "-rw-r--r-- ", "-rw-r--r-- 1 a b 5 Jan 02 15:04", "-rw-r--r-- 1 a b 5 Jan 02 15:04 ",
		"xrw-r--r-- 1 a b 5 Jan 02 15:04 a", "-rw-r--r-x-1 a b 5 Jan 02 15:04 a", "-rz-r--r-- 1 a b 5 Jan 02 15:04 a", "-rw-r--r-- 1 a b 5 Foo 02 15:04 a",
		"-rw-r--r-- 1 a b 5 Jan 32 2020 a", "-rw-r--r-- 1 a b 5 Feb 29 2023 a", "-rw-r--r-- 1 a b 5 Jan 02 24:00 a", "-rw-r--r-- 1 a b 5 Jan 02 1:60 a",
		"-rw-r--r-- x a b 5 Jan 02 15:04 a", "-rw-r--r-- 1 a b 99999999999999999999 Jan 02 15:04 a", "-rw-r--r-- 1 2 3 4 5 6 7 8 9 10 Jan 02 15:04 a",
		"01-02-24  03:04PM       <DIR>          Windows"} {
		if got, err := ftpwire.ParseListLine(line, today(), nil); err == nil {
			t.Errorf("ParseListLine(%q) = %+v, want an error", line, got)
		}
	}
}

func FuzzListLine(f *testing.F) {
	for _, s := range []string{"-rw-r--r--   1 owner    group        1234 Jan 02 15:04 name", "drwxr-sr-t+ 12 1000 100 4096 Apr  2 15:04  a", "lrwxrwxrwx 1 a b 3 dec 31  1999 l -> x -> y",
		"crw-rw-rw- 1 root root 1, 3 Feb 29 2020 null", "-rw------- 1 nogroup 5 Mar 02 11:59 tomorrow", "total 0", "?--------- 1 a b 0 Jan 01  0000 \x00\r", "lrwxrwxrwx 1 a b 3 Jan 1 1999  -> x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		e, err := ftpwire.ParseListLine(line, today(), nil)
		if err != nil {
			return
		}
		// What is printed once may lose a time of day, for a year or for ever;
		// from then on nothing changes.
		var printed, last string
		for range 3 {
			printed, last = string(ftpwire.AppendListLine(nil, &e, today(), nil)), printed
			if strings.ContainsAny(printed, "\r\n\x00") {
				t.Fatalf("printed %q", printed)
			}
			if e, err = ftpwire.ParseListLine(printed, today(), nil); err != nil {
				t.Fatalf("%q printed as %q: %v", line, printed, err)
			}
		}
		if printed != last {
			t.Fatalf("printed %q, and before %q", printed, last)
		}
	})
}
