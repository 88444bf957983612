package ftptree

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ferry"
	"ferry/internal/ftplist"
	"ferry/internal/ftpparam"
	"ferry/internal/ftpreply"
	"ferry/internal/mem"
)

// fixture is a login over files in memory.
type fixture struct {
	*Files
	tree   ferry.FS
	rights ferry.Right
}

func (x *fixture) FS() ferry.FS                  { return x.tree }
func (x *fixture) Rights(ferry.Name) ferry.Right { return x.rights }
func (x *fixture) Share() string                 { return "alice" }

// content is that of a file.
func (x *fixture) content(t *testing.T, name ferry.Name) string {
	t.Helper()
	h, err := x.tree.Open(t.Context(), name, ferry.OpenOptions{Mode: ferry.Read})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Abort(nil)
	text, err := io.ReadAll(io.NewSectionReader(h, 0, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// newFixture has a directory /d and these files, each with its name as content and a
// line end.
func newFixture(t *testing.T, files ...string) *fixture {
	t.Helper()
	x := &fixture{tree: mem.New(mem.Config{}).For(ferry.User{Name: "alice"}), rights: ferry.RightsAll}
	t.Cleanup(func() { _ = x.tree.Close() })
	if err := x.tree.Mkdir(t.Context(), "/d", nil); err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		h, err := x.tree.Open(t.Context(), ferry.Name(name), ferry.OpenOptions{Mode: ferry.Exclusive})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.WriteAt([]byte(name+"\n"), 0); err != nil {
			t.Fatal(err)
		}
		if err := h.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	x.Files = Of(x, ftpreply.Reporter{Log: func() *slog.Logger { return log }}, NewHashing(nil))
	return x
}

// do runs a command to its last reply.
func (x *fixture) do(ctx context.Context, line string) ftpreply.Reply {
	p := ftpparam.Initial(true)
	plain := map[string]func(f *Files, ctx context.Context, arg string) ftpreply.Reply{
		"CWD": (*Files).Cwd, "CDUP": (*Files).Cdup, "RMD": (*Files).Rmd, "DELE": (*Files).Dele, "RNFR": (*Files).Rnfr,
		"RNTO": (*Files).Rnto, "MDTM": (*Files).Mdtm, "MFMT": (*Files).Mfmt, "MFF": (*Files).Mff, "AVBL": (*Files).Avbl,
		"CHMOD": (*Files).Chmod, "UTIME": (*Files).Utime, "SYMLINK": (*Files).Symlink, "CPFR": (*Files).Cpfr,
		"MD5": (*Files).Md5, "XCRC": Xhash("CRC32"),
	}
	verb, arg, _ := strings.Cut(line, " ")
	var r ftpreply.Reply
	switch do := plain[verb]; {
	case do != nil:
		r = do(x.Files, ctx, arg)
	case verb == "PWD":
		r = x.Pwd()
	case verb == "SIZE":
		r = x.Size(ctx, arg, func() bool { return false })
	case verb == "TEXTSIZE":
		r = x.Size(ctx, arg, func() bool { return true })
	default:
		r = map[string]func(f *Files, ctx context.Context, arg string, p ftpparam.Params) ftpreply.Reply{
			"MKD": (*Files).Mkd, "MLST": (*Files).Mlst, "COMB": (*Files).Comb, "HASH": (*Files).Hash, "COPY": (*Files).Copy, "CPTO": (*Files).Cpto,
		}[verb](x.Files, ctx, arg, p)
	}
	if r.Then != nil {
		r = r.Then.Run(ctx, nil)
	}
	return r
}

// TestCommandsAboutNames: a line, and what its last reply begins with. The lines of a
// case are one session, which begins in / with /a, /b and the directory /d.
func TestCommandsAboutNames(t *testing.T) {
	for _, test := range []struct {
		name  string
		steps []string // command, reply, command, reply
	}{
		{"directories", []string{"PWD", `257 "/"`, "CWD d", `250 Directory is "/d"`, "CWD nothing", "550", "CWD ../a", "550", "CDUP", `250 Directory is "/"`, "CDUP", `250 Directory is "/"`}},
		{"MKD and RMD", []string{`MKD d/e"f`, `257 "/d/e""f" created`, `RMD d/e"f`, "250", "RMD /", "550", "RMD a", "550"}},
		{"a name in the current directory", []string{"CWD d", "250", "MKD e", `257 "/d/e"`, "DELE ../a", "250", "SIZE /a", "550"}},
		{"rename", []string{"RNFR nothing", "550", "RNTO c", "503", "RNFR a", "350", "RNTO d/a", "250", "SIZE d/a", "213 3"}},
		{"SIZE", []string{"SIZE a", "213 3", "TEXTSIZE a", "213 4", "SIZE d", "550", "TEXTSIZE d", "550"}},
		{"times", []string{"MFMT 20200102030405 a", "213 Modify=20200102030405; a", "MDTM a", "213 20200102030405", "MDTM 20210102030405 a", "213 Mod", "MDTM a", "213 20210102030405", "MFMT yesterday a", "501"}},
		{"the two forms of SITE UTIME", []string{"UTIME 202001020304 a", "200", "MDTM a", "213 20200102030400", "UTIME a 20190101000000 20220102030405 20190101000000 UTC", "200", "MDTM a", "213 20220102030405", "UTIME a", "501"}},
		{"MFF", []string{"MFF Modify=20200102030405;UNIX.mode=0640; a", "213 Modify=20200102030405;UNIX.mode=0640; a", "MFF Modify=x; a", "501", "MFF UNIX.mode=9; a", "501", "MFF Size=3; a", "504", "MFF Modify a", "501"}},
		{"SITE CHMOD", []string{"CHMOD 640 a", "200", "CHMOD 999 a", "501", "CHMOD 640", "501", "CHMOD 10000 a", "501"}},
		{"hashes", []string{"HASH a", "213 SHA-256 0-2 ", "MD5 a", "251 a ", "XCRC a 0 0", "250 79D3D2D4", "XCRC a 2 1", "501", "XCRC a 9 9", "554", "HASH d", "553"}},
		{"copies", []string{"COPY a c", "250", "SIZE c", "213 3", "COPY a a", "553", "CPTO e", "503", "CPFR b", "350", "CPTO e", "250", "CPTO e", "503"}},
		{"links", []string{"SYMLINK a l", "200", "SIZE l", "213 3", "SYMLINK a", "501", "COPY a l", "553"}},
		{"COMB", []string{"COMB all a b", "250", "SIZE all", "213 6", "SIZE a", "550", "COMB all", "501", "COMB all all", "501", `COMB "all`, "501"}},
		{"AVBL", []string{"AVBL a", "550 Not a directory"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			x := newFixture(t, "/a", "/b")
			for i := 0; i < len(test.steps); i += 2 {
				r := x.do(t.Context(), test.steps[i])
				if got := strconv.Itoa(r.Code) + " " + r.Text; !strings.HasPrefix(got, test.steps[i+1]) {
					t.Errorf("%s: %s; want %s", test.steps[i], got, test.steps[i+1])
				}
			}
		})
	}
}

// TestPreparedNamesAreForgotten: what stands between RNFR and RNTO, or SITE CPFR and
// SITE CPTO, ends them (RFC 959 §4.1.3).
func TestPreparedNamesAreForgotten(t *testing.T) {
	x := newFixture(t, "/a")
	x.do(t.Context(), "RNFR a")
	x.do(t.Context(), "CPFR a")
	x.ForgetRename()
	x.ForgetCopy()
	if a, b := x.do(t.Context(), "RNTO b"), x.do(t.Context(), "CPTO b"); a.Code != 503 || b.Code != 503 {
		t.Errorf("RNTO is answered with %d, CPTO with %d", a.Code, b.Code)
	}
}

// TestJobsEndWithTheirContext: a copy that is cancelled leaves no file.
func TestJobsEndWithTheirContext(t *testing.T) {
	x := newFixture(t, "/a")
	r := x.Copy(t.Context(), "a c", ftpparam.Initial(false))
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(ferry.ErrAborted)
	if r.Then == nil {
		t.Fatalf("SITE COPY began no job: %v", r)
	}
	if end := r.Then.Run(ctx, nil); end.Code != 426 {
		t.Errorf("a cancelled copy ends with %d %s", end.Code, end.Text)
	}
	if r := x.do(t.Context(), "SIZE c"); r.Code != 550 {
		t.Errorf("the copy is there: %d %s", r.Code, r.Text)
	}
}

// TestCOMBJoinsInOrder: at the end of what the target has.
func TestCOMBJoinsInOrder(t *testing.T) {
	x := newFixture(t, "/a", "/b", "/c")
	if r := x.do(t.Context(), `COMB b "c" a`); r.Code != 250 {
		t.Fatalf("%d %s", r.Code, r.Text)
	}
	if got := x.content(t, "/b"); got != "/b\n/c\n/a\n" {
		t.Errorf("the target has %q", got)
	}
}

// TestArgumentsOfLIST: what the argument of LIST means. A file of that very name wins.
func TestArgumentsOfLIST(t *testing.T) {
	x := newFixture(t, "/a", "/b", "/-l", "/[x]")
	for _, test := range []struct {
		arg, name string
		code      int  // 0: it is a listing
		dir       bool // of a directory
		pattern   bool
	}{
		{"", "/", 0, true, false},
		{"-la", "/", 0, true, false},
		{"-l", "/-l", 0, false, false},
		{"-a d", "/d", 0, true, false},
		{"-d d", "/d", 0, false, false},
		{"a", "/a", 0, false, false},
		{"[x]", "/[x]", 0, false, false},
		{"*", "/", 0, true, true},
		{"d/*", "/d", 0, true, true},
		{"a/*", "", 550, false, false},
		{"*/a", "", 501, false, false},
		{"nothing", "", 550, false, false},
	} {
		l, r, ok := x.Listing(t.Context(), "LIST", test.arg, ftplist.Long)
		switch {
		case ok != (test.code == 0) || r.Code != test.code:
			t.Errorf("LIST %s: %v, %d %s", test.arg, ok, r.Code, r.Text)
		case ok && (string(l.Name) != test.name || l.Dir != test.dir || (l.Glob != nil) != test.pattern):
			t.Errorf("LIST %s: %s, of a directory: %v, pattern: %v", test.arg, l.Name, l.Dir, l.Glob != nil)
		}
	}
}

func TestSplitNames(t *testing.T) {
	for _, test := range []struct {
		arg  string
		want []string // nil: an error
	}{
		{"a b", []string{"a", "b"}},
		{`  "a b"  c `, []string{"a b", "c"}},
		{`"a ""b""" c`, []string{`a "b"`, "c"}},
		{`a "b`, nil},
		{`""`, []string{""}},
	} {
		got, err := splitNames(test.arg)
		if (err != nil) != (test.want == nil) || err == nil && !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, %v", test.arg, got, err)
		}
	}
}
