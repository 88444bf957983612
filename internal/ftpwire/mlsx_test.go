package ftpwire_test

import (
	"io/fs"
	"strings"
	"testing"
	"time"

	"ferry/internal/ftpwire"
)

// someday is the modification time of the tests' files.
func someday() time.Time { return time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC) }

func TestAppendFacts(t *testing.T) {
	full := ftpwire.Entry{
		Name: "a b.txt", Size: 3, Modify: someday(), Birth: someday().AddDate(-1, 0, 0), Perm: "adfrw", Unique: "801g2a",
		Mode: 0o644 | fs.ModeSetuid, Owner: "alice", Group: "Domain Users;", UID: 1000, GID: 100,
	}
	none := ftpwire.Entry{Name: "x"}
	tests := []struct {
		name  string
		facts ftpwire.Facts
		entry ftpwire.Entry
		want  string
	}{
		{"everything", ftpwire.AllFacts, full, "type=file;size=3;modify=20240102030405;create=20230102030405;perm=adfrw;unique=801g2a;" +
			"UNIX.mode=4644;UNIX.uid=1000;UNIX.gid=100;UNIX.owner=alice;UNIX.group=Domain_Users_; a b.txt"},
		{"nothing asked", 0, full, " a b.txt"},
		{"nothing known", ftpwire.AllFacts, none, "type=file;size=0;perm=;UNIX.mode=0000;UNIX.uid=0;UNIX.gid=0; x"},
		{"directory has no size", ftpwire.FactType | ftpwire.FactSize, ftpwire.Entry{Name: "d", Kind: ftpwire.KindDir, Size: 4096}, "type=dir; d"},
		{"listed one", ftpwire.FactType, ftpwire.Entry{Name: "/d", Kind: ftpwire.KindCdir}, "type=cdir; /d"},
		{"parent", ftpwire.FactType, ftpwire.Entry{Name: "..", Kind: ftpwire.KindPdir}, "type=pdir; .."},
		{"link", ftpwire.FactType, ftpwire.Entry{Name: "l", Kind: ftpwire.KindLink, Target: "/x/y"}, "type=OS.unix=slink:/x/y; l"},
		{"link whose target would end the fact", ftpwire.FactType, ftpwire.Entry{Name: "l", Kind: ftpwire.KindLink, Target: "a;b c"}, "type=OS.unix=symlink; l"},
		{"link to nobody knows", ftpwire.FactType, ftpwire.Entry{Name: "l", Kind: ftpwire.KindLink}, "type=OS.unix=symlink; l"},
		{"FIFO", ftpwire.FactType, ftpwire.Entry{Name: "p", Kind: ftpwire.KindOther, Mode: fs.ModeNamedPipe}, "type=OS.unix=fifo; p"},
		{"device", ftpwire.FactType, ftpwire.Entry{Name: "c", Kind: ftpwire.KindOther, Mode: fs.ModeDevice | fs.ModeCharDevice}, "type=OS.unix=chr; c"},
		{"threat 21: line end in the name", ftpwire.FactType, ftpwire.Entry{Name: "a\r\ntype=dir; b\x00"}, "type=file; a??type=dir; b?"},
		{"leading space is the name's", ftpwire.FactType, ftpwire.Entry{Name: "  a"}, "type=file;   a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(ftpwire.AppendFacts(nil, tt.facts, &tt.entry)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestParseEntryReadsWhatIsPrinted(t *testing.T) {
	entries := []ftpwire.Entry{
		{Name: " a b; c", Size: 3, Modify: someday(), Birth: someday(), Perm: "adfrw", Unique: "x=1", Mode: 0o644 | fs.ModeSticky, Owner: "a", Group: "b", UID: 1, GID: 2},
		{Name: "d", Kind: ftpwire.KindDir, Mode: 0o755 | fs.ModeDir, Perm: "el"},
		{Name: "l", Kind: ftpwire.KindLink, Mode: 0o777 | fs.ModeSymlink, Target: "../x"},
		{Name: "p", Kind: ftpwire.KindOther, Mode: 0o600 | fs.ModeNamedPipe},
		{Name: "s", Kind: ftpwire.KindOther, Mode: 0o600 | fs.ModeSocket},
		{Name: "c", Kind: ftpwire.KindOther, Mode: 0o600 | fs.ModeDevice | fs.ModeCharDevice},
		{Name: "b", Kind: ftpwire.KindOther, Mode: 0o600 | fs.ModeDevice},
	}
	for _, want := range entries {
		line := string(ftpwire.AppendFacts(nil, ftpwire.AllFacts, &want))
		if got, _, err := ftpwire.ParseEntry(line); err != nil || got != want {
			t.Errorf("%s\ngot  %+v, %v\nwant %+v", line, got, err, want)
		}
	}
}

func TestParseEntryOfOtherServers(t *testing.T) {
	got, set, err := ftpwire.ParseEntry("Type=OS.UNIX=slink:/a;Size=25730;Modify=19940728095854;Perm=;x.foo=a=b;UNIX.mode=0120777; cap60.pl198.tar.gz")
	want := ftpwire.Entry{Name: "cap60.pl198.tar.gz", Kind: ftpwire.KindLink, Target: "/a", Size: 25730, Mode: 0o777 | fs.ModeSymlink,
		Modify: time.Date(1994, 7, 28, 9, 58, 54, 0, time.UTC)}
	if err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	if s := set.String(); s != "type;size;modify;perm;UNIX.mode;" {
		t.Errorf("facts %s", s)
	}
}

func TestParseEntryRefuses(t *testing.T) {
	for _, line := range []string{"", "a", "type=file;", "type=file; ", "type=file a", "type;size=1; a", "size=-1; a", "size=99999999999999999999; a",
		"modify=2024; a", "UNIX.mode=9; a", "UNIX.uid=-1; a", "UNIX.gid=x; a", "create=; a", ";; a"} {
		if got, _, err := ftpwire.ParseEntry(line); err == nil {
			t.Errorf("ParseEntry(%q) = %+v, want an error", line, got)
		}
	}
}

func TestAppendPerm(t *testing.T) {
	all := ftpwire.Perm{Append: true, Create: true, Delete: true, Enter: true, Rename: true, List: true, Mkdir: true, Purge: true, Read: true, Write: true}
	tests := []struct {
		perm ftpwire.Perm
		want string
	}{
		{ftpwire.Perm{}, ""},
		{all, "acdeflmprw"},
		{ftpwire.Perm{Append: true, Delete: true, Rename: true, Read: true, Write: true}, "adfrw"},
		{ftpwire.Perm{Create: true, Enter: true, List: true, Mkdir: true, Purge: true}, "celmp"},
	}
	for _, tt := range tests {
		if got := string(ftpwire.AppendPerm(nil, tt.perm)); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.perm, got, tt.want)
		}
	}
}

func FuzzMLSx(f *testing.F) {
	for _, s := range []string{"type=file;size=3;modify=20240102030405.5; a b", "type=OS.unix=slink:/x;perm=el;UNIX.mode=0777; l", "type=cdir;unique=1g2; /",
		" name", "type=OS.unix=chr-1/2;UNIX.owner=a;UNIX.group=b;UNIX.uid=1;UNIX.gid=2;create=20240102030405; c", "type=x;type=dir;UNIX.mode=4755; \x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		e, _, err := ftpwire.ParseEntry(line)
		if err != nil {
			return
		}
		printed := string(ftpwire.AppendFacts(nil, ftpwire.AllFacts, &e))
		if strings.ContainsAny(printed[strings.Index(printed, " "):], "\r\n\x00") {
			t.Fatalf("printed %q", printed)
		}
		e, _, err = ftpwire.ParseEntry(printed)
		if err != nil {
			t.Fatalf("%q printed as %q: %v", line, printed, err)
		}
		if again := string(ftpwire.AppendFacts(nil, ftpwire.AllFacts, &e)); again != printed {
			t.Fatalf("printed %q, and again %q", printed, again)
		}
	})
}
