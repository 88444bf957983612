package sshserver

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"ferry"
)

func TestSCPSink(t *testing.T) {
	tests := []struct {
		name, command, stdin string
		stdout               string            // as it comes, or a part of it
		files                map[string]string // afterwards
	}{
		{"a new file", "scp -t /f", "C0644 2 other\nhi\x00", "\x00\x00\x00", map[string]string{"/f": "hi"}},
		{"into a directory", "scp -t /d", "C0644 2 f\nhi\x00", "\x00\x00\x00", map[string]string{"/d/f": "hi"}},
		{"over a file", "scp -t /old", "C0644 2 f\nhi\x00", "\x00\x00\x00", map[string]string{"/old": "hi"}},
		{"an empty file", "scp -t /f", "C0644 0 f\n\x00", "\x00\x00\x00", map[string]string{"/f": ""}},
		{"two files", "scp -d -t /d", "C0644 1 a\nA\x00C0644 1 b\nB\x00", "\x00\x00\x00\x00\x00", map[string]string{"/d/a": "A", "/d/b": "B"}},
		{"a tree", "scp -r -t /", "D0755 0 n\nC0644 1 a\nA\x00D0755 0 m\nE\nC0644 1 b\nB\x00E\n", "\x00\x00\x00\x00\x00\x00\x00\x00\x00", map[string]string{"/n/a": "A", "/n/b": "B"}},
		{"no -d", "scp -d -t /old", "", "\x02scp: /old: Not a directory\n", nil},
		{"no -r", "scp -t /", "D0755 0 n\n", "\x02scp: /n: not a regular file\n", nil},
		{"missing directory", "scp -t /no/f", "C0644 2 f\nhi\x00", "\x01scp: /no/f: No such file or directory\n", map[string]string{"/no/f": "(none)"}},
		{"a directory that is missing", "scp -t /new/", "C0644 2 f\nhi\x00", "\x00\x01scp: /new/: Is a directory\n", map[string]string{"/new": "(none)"}},
		{"a directory that is a file", "scp -t /old/", "C0644 2 f\nhi\x00", "\x00\x01scp: /old/: Not a directory\n", map[string]string{"/old": "old"}},
		{"a tree as a directory", "scp -r -t /new/", "D0755 0 n\nC0644 1 a\nA\x00E\nD0755 0 n\nC0644 1 b\nB\x00E\n", "\x00\x00\x00\x00\x00\x00\x00\x00\x00", map[string]string{"/new/a": "A", "/new/b": "B"}},
		{"climbing (threat 2)", "scp -r -t /d", "D0755 0 ..\n", "unexpected filename", nil},
		{"climbing by a file", "scp -t /d", "C0644 1 ../x\nX\x00", "unexpected filename", map[string]string{"/x": "(none)"}},
		{"E too many", "scp -r -t /d", "E\n", "protocol error", nil},
		{"HTTP", "scp -t /d", "GET / HTTP/1.0\n", "protocol error", nil},
		{"cut off", "scp -t /old", "C0644 9 f\nhi", "\x00\x00", map[string]string{"/old": "old"}},
		{"cut off, new", "scp -t /f", "C0644 9 f\nhi", "\x00\x00", map[string]string{"/f": "(none)"}},
		{"the client could not read it", "scp -t /old", "C0644 2 f\n\x00\x00\x01scp: read error\n", "\x00\x00\x00", map[string]string{"/old": "old"}},
		{"the client gives up", "scp -t /old", "\x02sorry\n", "\x00", map[string]string{"/old": "old"}},
		{"a part's name", "scp -t /d", "C0644 1 .ferry-part-0123456789abcdef0123456789abcdef\nX\x00", "\x01scp: ", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newHarbour(t)
			h.Put("/old", "old")
			mkdir(t, h, "/d")
			stdout, _, err := run(t, h.Open().enter(), test.command, test.stdin)
			if exact := strings.Trim(test.stdout, "\x00") == ""; exact && stdout != test.stdout || !strings.Contains(stdout, test.stdout) {
				t.Errorf("said %q, want %q", stdout, test.stdout)
			}
			whole := strings.Count(stdout, "\x00") == len(stdout) && strings.HasSuffix(test.stdin, "\x00") || strings.HasSuffix(test.stdin, "B\x00E\n")
			if (err == nil) != whole {
				t.Errorf("exit: %v", err)
			}
			for name, want := range test.files {
				if got := h.content(ferry.Name(name)); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
		})
	}
}

func mkdir(t *testing.T, h *harbour, name ferry.Name) {
	t.Helper()
	perm := os.FileMode(0o755)
	if err := h.tree.For(ferry.User{Name: "root"}).Mkdir(t.Context(), name, &perm); err != nil {
		t.Fatal(err)
	}
}

// TestSCPGivesTheModeAskedFor: 0000 is one, too; and into a directory that its owner
// may not write the files of it come all the same.
func TestSCPGivesTheModeAskedFor(t *testing.T) {
	h := newHarbour(t)
	const tree = "D0000 0 none\nC0000 1 f\nX\x00E\nD0555 0 read\nC0600 1 f\nX\x00E\n"
	for _, options := range []string{"-r", "-rp"} {
		mkdir(t, h, ferry.Name("/"+options))
		if _, _, err := run(t, h.Open().enter(), "scp "+options+" -t /"+options, tree); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]os.FileMode{
			"/none": os.ModeDir, "/none/f": 0, "/read": os.ModeDir | 0o555, "/read/f": 0o600,
		} {
			name := ferry.Name("/" + options + name)
			i, err := h.tree.For(ferry.User{Name: "root"}).Stat(t.Context(), name)
			if err != nil || i.Mode != want {
				t.Errorf("%s has mode %v, want %v (%v)", name, i.Mode, want, err)
			}
		}
	}
}

// TestSCPKeepsTimes: with -p, for files and for the directories they are in.
func TestSCPKeepsTimes(t *testing.T) {
	h := newHarbour(t).Open()
	client := h.enter()
	const tree = "T1000000000 0 1000000001 0\nD0700 0 d\nT1000000002 0 1000000003 0\nC0640 1 f\nX\x00E\n"
	if _, _, err := run(t, client, "scp -rp -t /", tree); err != nil {
		t.Fatal(err)
	}
	const acks = "\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	got, _, err := run(t, client, "scp -rp -f /d", acks)
	if err != nil {
		t.Error(err)
	}
	for _, want := range []string{"T1000000000 0 ", "D0700 0 d\n", "T1000000002 0 ", "C0640 1 f\nX\x00", "E\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in %q", want, got)
		}
	}
}

func TestSCPSource(t *testing.T) {
	const ok = "\x00\x00\x00\x00\x00\x00\x00\x00"
	tests := []struct{ name, command, stdin, stdout string }{
		{"a file", "scp -f /a.txt", ok, "C0644 1 a.txt\nA\x00"},
		{"a pattern", "scp -f '/'*.txt", ok, "C0644 1 a.txt\nA\x00C0644 1 b.txt\nB\x00"},
		{"a quoted pattern", "scp -f '/*.txt'", ok, "\x01scp: /*.txt: No such file or directory\n"},
		{"home", "scp -f ~/a.txt", ok, "C0644 1 a.txt\nA\x00"},
		{"missing", "scp -f no", ok, "\x01scp: /no: No such file or directory\n"},
		{"a directory without -r", "scp -f /d", ok, "\x01scp: /d: not a regular file\n"},
		{"a tree", "scp -r -f /d", ok, "D0755 0 d\nC0644 1 f\nF\x00E\n"},
		{"refused by the client", "scp -f /a.txt", "\x00\x01no\n", "C0644 1 a.txt\n"},
		{"hung up", "scp -f /a.txt", "\x00", "C0644 1 a.txt\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newHarbour(t)
			mkdir(t, h, "/d")
			h.Put("/a.txt", "A")
			h.Put("/b.txt", "B")
			h.Put("/d/f", "F")
			stdout, _, err := run(t, h.Open().enter(), test.command, test.stdin)
			if stdout != test.stdout && !sameParts(stdout, test.stdout) {
				t.Errorf("said %q, want %q", stdout, test.stdout)
			}
			if well := strings.HasPrefix(test.stdin, ok) && test.stdout[0] != 1; (err == nil) != well {
				t.Errorf("exit: %v", err)
			}
		})
	}
}

// TestSCPPatternForTooMuch: nothing is given rather than some of it.
func TestSCPPatternForTooMuch(t *testing.T) {
	h := newHarbour(t)
	tree := h.tree.For(ferry.User{Name: "alice"})
	for i := range 10_001 {
		if err := tree.Symlink(t.Context(), "x", ferry.Name(fmt.Sprintf("/%d", i))); err != nil {
			t.Fatal(err)
		}
	}
	stdout, _, err := run(t, h.Open().enter(), "scp -f /*", "\x00")
	if stdout != "\x01scp: /*: argument list too long\n" || err == nil {
		t.Errorf("said %.100q, exit: %v", stdout, err)
	}
}

// sameParts is equality where files may come in any order.
func sameParts(a, b string) bool {
	for _, part := range strings.SplitAfter(b, "\x00") {
		if !strings.Contains(a, part) {
			return false
		}
	}
	return len(a) == len(b)
}

// TestSCPLoopsHaveAnEnd: a link to a directory above it is followed once.
func TestSCPLoopsHaveAnEnd(t *testing.T) {
	h := newHarbour(t)
	mkdir(t, h, "/d")
	if err := h.tree.For(ferry.User{Name: "root"}).Symlink(t.Context(), "/d", "/d/again"); err != nil {
		t.Fatal(err)
	}
	stdout, _, err := run(t, h.Open().enter(), "scp -r -f /d", strings.Repeat("\x00", 100))
	if err == nil || !strings.Contains(stdout, "too many levels") {
		t.Errorf("%q, %v", stdout, err)
	}
}

// TestThreat17RecordsAreBounded: a line without an end costs no memory.
func TestThreat17RecordsAreBounded(t *testing.T) {
	client := newHarbour(t).Open().enter()
	stdout, _, err := run(t, client, "scp -t /", "C0644 1 "+strings.Repeat("a", 1<<20))
	if err == nil || !strings.Contains(stdout, "protocol error") {
		t.Errorf("%q, %v", stdout, err)
	}
}

// TestSCPDeadClient: a connection that breaks within a file publishes nothing
// and keeps the part.
func TestSCPDeadClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarbour(t)
		h.Put("/old", "old")
		client := h.Open().enter()
		s, in := newProgram(t, client)
		if err := s.Start("scp -t /old"); err != nil {
			t.Fatal(err)
		}
		send(t, in, "C0644 9 old\nhalf")
		synctest.Wait()
		client.Close()
		synctest.Wait()
		if got := h.content("/old"); got != "old" {
			t.Errorf("half a file was published: %q", got)
		}
		if uploads := h.events(ferry.EventUpload); len(uploads) != 1 || uploads[0].Err == nil {
			t.Errorf("told: %v", uploads)
		}
	})
}

// TestSCPEndsBehindTheLastByte: curl, and what else is built on libssh2, does
// not say that its bytes were right, but ends the stream. All of them are there.
func TestSCPEndsBehindTheLastByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarbour(t)
		h.Put("/old", "old")
		client := h.Open().enter()
		s, in := newProgram(t, client)
		if err := s.Start("scp -t /old"); err != nil {
			t.Fatal(err)
		}
		content := strings.Repeat("0123456789", 50_000)
		send(t, in, "C0644 500000 old\n")
		synctest.Wait() // it waits for the answer to this
		send(t, in, content)
		in.Close()
		if err := s.Wait(); err != nil {
			t.Errorf("exit: %v", err)
		}
		client.Close()
		synctest.Wait()
		if got := h.content("/old"); got != content {
			t.Errorf("the file has %d bytes", len(got))
		}
		if uploads := h.events(ferry.EventUpload); len(uploads) != 1 || uploads[0].Err != nil {
			t.Errorf("told: %v", uploads)
		}
	})
}
