package ftpwire_test

import (
	"bytes"
	"testing"

	"ferry/internal/ftpwire"
)

func TestAppendReply(t *testing.T) {
	tests := []struct {
		name  string
		code  int
		lines []string
		want  string
	}{
		{"one line", 220, []string{"Ferry"}, "220 Ferry\r\n"},
		{"no text", 200, nil, "200 \r\n"},
		{"two lines", 230, []string{"Hello", "Welcome"}, "230-Hello\r\n230 Welcome\r\n"},
		{"features", 211, []string{"Features:", "MDTM", " SIZE", "End"}, "211-Features:\r\n MDTM\r\n SIZE\r\n211 End\r\n"},
		{"inner line like the last", 214, []string{"a", "214 b", "", "c"}, "214-a\r\n 214 b\r\n \r\n214 c\r\n"},
		{"threat 21: name with a reply in it", 550, []string{"a\r\n226 Done\x00\x1b[2J\x7f: no such file"}, "550 a??226 Done??[2J?: no such file\r\n"},
		{"threat 21: name with IAC in it", 257, []string{"\"\xff\xf4\""}, "257 \"\xff\xff\xf4\"\r\n"},
		{"UTF-8 stays", 257, []string{`"/Öl/日本"`}, "257 \"/Öl/日本\"\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(ftpwire.AppendReply(nil, tt.code, tt.lines...)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestPrinterWithoutTelnet(t *testing.T) {
	got := ftpwire.Printer{}.AppendReply([]byte("x"), 257, "\xff")
	if want := "x257 \xff\r\n"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestReplyInPieces(t *testing.T) {
	var p ftpwire.Printer
	b := p.AppendFirst(nil, 213, "Computing")
	b = p.AppendFirst(b, 213, "still")
	b = p.AppendInner(b, "213 no end")
	b = p.AppendReply(b, 213, "SHA-256 0-9 ab f")
	if want := "213-Computing\r\n213-still\r\n 213 no end\r\n213 SHA-256 0-9 ab f\r\n"; string(b) != want {
		t.Errorf("got %q, want %q", b, want)
	}
}

func TestQuote(t *testing.T) {
	for name, want := range map[string]string{"/": `"/"`, `/a"b"`: `"/a""b"""`, "": `""`} {
		if got := ftpwire.Quote(name); got != want {
			t.Errorf("Quote(%q) = %s, want %s", name, got, want)
		}
	}
}

func FuzzAppendReply(f *testing.F) {
	f.Add("a", "b", "c", true)
	f.Add("a\r\n226 x", "226 b", "\xff\x00", false)
	f.Fuzz(func(t *testing.T, first, inner, last string, telnet bool) {
		b := ftpwire.Printer{Telnet: telnet}.AppendReply(nil, 226, first, inner, last)
		lines := bytes.SplitAfter(b, []byte("\n"))
		if len(lines) != 4 || !bytes.HasPrefix(lines[0], []byte("226-")) || lines[1][0] != ' ' || !bytes.HasPrefix(lines[2], []byte("226 ")) {
			t.Fatalf("reply %q", b)
		}
		if r := bytes.Count(b, []byte("\r")); r != 3 || bytes.Count(b, []byte("\r\n")) != 3 {
			t.Fatalf("reply %q has %d CR", b, r)
		}
	})
}
