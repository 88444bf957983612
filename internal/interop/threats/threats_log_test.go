package threats

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"ferry/internal/interop/harness"
)

// TestThreat36Logs: names of users and files with line ends, escape codes and
// whatever separates fields. No log gets a line, a field or a control
// character of the client's making.
func TestThreat36Logs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name           string
		log, transfers string
		wellFormed     func(line string) error // of the log
		record         func(line string) error // of the transfer log
	}{
		{"text and xferlog", "text", "xferlog", textLine, xferlogLine},
		{"JSON", "json", "json", jsonLine, jsonLine},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			transfers := filepath.Join(t.TempDir(), "transfers")
			v := startLogging(t, c.log, harness.Setup{Config: fmt.Sprintf("%s[log]\ntransfer_log = %q\ntransfer_format = %q\n[limits]\nfail_delay = \"0s\"\nfails = 0\nban_after = 0\n",
				harness.CheapLogins, transfers, c.transfers)})
			l := harness.Phone(t, v)
			names := []string{
				"a\rtime=now level=INFO msg=login user=root", "b\x1b[2J\x1b]0;title\x07", `c" user="root" msg="login`, `d","user":"root"`,
				"e b _ i r root ftp 0 * c", "f\x7f\x01\x08\x08", "g\xff\xfe\xc3(", "h\u2028i\u0085j\u202ek", "\\n\\r", "m=n", "o\ttab",
			}
			for _, name := range names {
				wire := strings.ReplaceAll(name, "\xff", "\xff\xff") // Telnet's way to say 255
				l.WantStored("STOR "+wire, []byte("x"))
				l.WantFetched("RETR "+wire, []byte("x"))
				l.Want("RNFR "+wire, 350)
				l.Want("RNTO r"+wire, 250)
				l.Want("DELE r"+wire, 250)
				l.Want("CLNT "+wire, 200)
			}
			l.Want("QUIT", 221)
			for _, name := range names {
				k, _, err := harness.Call("", v.Addr)
				if err != nil {
					t.Fatal(err)
				}
				evil := harness.Caller{RawClient: k, T: t}
				evil.Want("USER "+strings.ReplaceAll(name, "\xff", "\xff\xff"), 331, 501)
				evil.Want("PASS x"+name, 530, 503, 501)
				k.HangUp()
			}
			v.Stop()
			wantLines(t, "log", v.Log.String(), c.wellFormed)
			content, err := os.ReadFile(transfers)
			if err != nil {
				t.Fatal(err)
			}
			wantLines(t, "transfer log", string(content), c.record)
			if n := strings.Count(string(content), "\n"); n != 2*len(names) {
				t.Errorf("the transfer log has %d lines of %d transfers:\n%s", n, 2*len(names), content)
			}
		})
	}
}

// startLogging is start for a log of another form.
func startLogging(t testing.TB, format string, s harness.Setup) *harness.Server {
	t.Helper()
	if format == "text" {
		s.Args = append(s.Args, "--log-level", "debug")
		return harness.Start(t, s)
	}
	s.Args = append(s.Args, "--log-format", format, "--log-level", "debug")
	v := harness.Launch(t, s)
	line := v.Log.Wait(t, `"msg":"ready"`, v.Ended)
	var ready struct{ FTP string }
	if err := json.Unmarshal([]byte(line), &ready); err != nil {
		t.Fatal(err)
	}
	v.Addr = ready.FTP
	return v
}

func wantLines(t testing.TB, what, text string, wellFormed func(string) error) {
	t.Helper()
	for row := range strings.Lines(text) {
		row = strings.TrimSuffix(row, "\n")
		for _, r := range row {
			if r == utf8.RuneError || !unicode.IsPrint(r) {
				t.Errorf("the %s has the character %U in %q", what, r, row)
				break
			}
		}
		if err := wellFormed(row); err != nil {
			t.Errorf("the %s has a line that was made by a client: %v: %q", what, err, row)
		}
	}
}

// textLine wants what slog's text has: time first, and each key once.
func textLine(row string) error {
	if !strings.HasPrefix(row, "time=20") {
		return fmt.Errorf("it does not begin with a time")
	}
	outside := ""
	for i, half := range strings.Split(strings.ReplaceAll(row, `\"`, ""), `"`) {
		if i%2 == 0 {
			outside += half
		}
	}
	for _, key := range []string{"time=", "level=", "msg=", "user="} {
		if strings.Count(" "+outside, " "+key) > 1 {
			return fmt.Errorf("it has %s twice", key)
		}
	}
	return nil
}

func jsonLine(row string) error {
	var fields map[string]any
	return json.Unmarshal([]byte(row), &fields)
}

// xferlogLine wants the 18 words of xferlog(5), of which the date is five.
func xferlogLine(row string) error {
	words := strings.Fields(row)
	if len(words) != 18 || words[13] != harness.User || words[17] != "c" {
		return fmt.Errorf("it has %d fields", len(words))
	}
	return nil
}
