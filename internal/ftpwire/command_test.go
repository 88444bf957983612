package ftpwire_test

import (
	"strings"
	"testing"

	"ferry/internal/ftpwire"
)

func TestParseCommand(t *testing.T) {
	tests := []struct {
		line string
		want ftpwire.Command
		bad  bool
	}{
		{line: "QUIT", want: ftpwire.Command{Verb: "QUIT"}},
		{line: "user alice", want: ftpwire.Command{Verb: "USER", Arg: "alice", HasArg: true}},
		{line: "PASS ", want: ftpwire.Command{Verb: "PASS", HasArg: true}},
		{line: "STOR   x ", want: ftpwire.Command{Verb: "STOR", Arg: "  x ", HasArg: true}},
		{line: "xsha512 f", want: ftpwire.Command{Verb: "XSHA512", Arg: "f", HasArg: true}},
		{line: "RETR \xff\xe4", want: ftpwire.Command{Verb: "RETR", Arg: "\xff\xe4", HasArg: true}},
		{line: "\xf4\xf2ABOR", want: ftpwire.Command{Verb: "ABOR"}},
		{line: "", bad: true},
		{line: " NOOP", bad: true},
		{line: "\xf2", bad: true},
		{line: "NO\tOP", bad: true},
		{line: "NOOP\x00", bad: true},
		{line: "1NOOP", bad: true},
		{line: "ABCDEFGHI x", bad: true},
		{line: "NOÖP", bad: true},
		{line: "\x16\x03\x01\x02", bad: true}, // a TLS handshake
	}
	for _, tt := range tests {
		got, err := ftpwire.ParseCommand([]byte(tt.line))
		if got != tt.want || (err != nil) != tt.bad {
			t.Errorf("ParseCommand(%q) = %+v, %v; want %+v, error %t", tt.line, got, err, tt.want, tt.bad)
		}
	}
}

func FuzzParseCommand(f *testing.F) {
	for _, s := range []string{"QUIT", "user alice", "PASS ", "\xf4\xf2ABOR", "STOR  a b", "", " ", "GET / HTTP/1.1"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		c, err := ftpwire.ParseCommand(line)
		if err != nil {
			return
		}
		if c.Verb == "" || len(c.Verb) > 8 || strings.ToUpper(c.Verb) != c.Verb {
			t.Fatalf("verb %q", c.Verb)
		}
		printed := c.Verb
		if c.HasArg {
			printed += " " + c.Arg
		}
		if again, err := ftpwire.ParseCommand([]byte(printed)); err != nil || again != c {
			t.Fatalf("%q: %+v, printed and parsed again %+v, %v", line, c, again, err)
		}
	})
}
