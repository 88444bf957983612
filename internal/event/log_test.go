package event_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ferry"
	"ferry/internal/event"
)

// upload is an event with everything set.
func upload() ferry.Event {
	return ferry.Event{
		Time: time.Date(2026, 11, 20, 10, 11, 12, 500, time.Local), Kind: ferry.EventUpload, Session: "s1", Protocol: "ftp",
		Peer: netip.MustParseAddrPort("192.0.2.7:40000"), User: "alice", Name: "/in/a.csv", Bytes: 1234, Duration: 2600 * time.Millisecond,
	}
}

func TestFan(t *testing.T) {
	var got []string
	sink := func(name string) ferry.Sink {
		return func(e ferry.Event) { got = append(got, name+" "+e.User) }
	}
	event.Fan(sink("one"), sink("two"))(upload())
	event.Fan()(upload())
	if text := strings.Join(got, ", "); text != "one alice, two alice" {
		t.Errorf("got %q", text)
	}
}

func TestLogLines(t *testing.T) {
	tests := []struct {
		name string
		make func(*ferry.Event)
		want string
	}{
		{"upload", func(*ferry.Event) {}, "level=INFO msg=upload session=s1 protocol=ftp peer=192.0.2.7:40000 user=alice name=/in/a.csv bytes=1234 duration=2.6s"},
		{"anonymous ASCII", func(e *ferry.Event) { e.Kind = ferry.EventDownload; e.Anon = true; e.ASCII = true; e.Bytes = 0 },
			"level=INFO msg=download session=s1 protocol=ftp peer=192.0.2.7:40000 user=alice anonymous=true name=/in/a.csv bytes=0 duration=2.6s ascii=true"},
		{"failed", func(e *ferry.Event) { e.Err = fs.ErrNotExist },
			"level=INFO msg=upload session=s1 protocol=ftp peer=192.0.2.7:40000 user=alice name=/in/a.csv bytes=1234 duration=2.6s error=\"file does not exist\""},
		{"rename", func(e *ferry.Event) {
			*e = ferry.Event{Time: e.Time, Kind: ferry.EventRename, User: "alice", Name: "/a", To: "/b"}
		},
			"level=INFO msg=rename user=alice name=/a to=/b"},
		{"connect", func(e *ferry.Event) { *e = ferry.Event{Time: e.Time, Kind: ferry.EventConnect, Peer: e.Peer} }, "level=INFO msg=connect peer=192.0.2.7:40000"},
		{"disconnect", func(e *ferry.Event) { *e = ferry.Event{Time: e.Time, Kind: ferry.EventDisconnect} }, "level=INFO msg=disconnect bytes=0"},
		{"login failed", func(e *ferry.Event) {
			*e = ferry.Event{Time: e.Time, Kind: ferry.EventLoginFailed, Err: ferry.ErrLogin}
		},
			"level=WARN msg=login-failed error=\"login incorrect\""},
		{"refused", func(e *ferry.Event) { *e = ferry.Event{Time: e.Time, Kind: ferry.EventRefused} }, "level=WARN msg=refused"},
		{"ban", func(e *ferry.Event) { *e = ferry.Event{Time: e.Time, Kind: ferry.EventBan, Duration: time.Hour} }, "level=WARN msg=ban duration=1h0m0s"},
		{"panic", func(e *ferry.Event) {
			*e = ferry.Event{Time: e.Time, Kind: ferry.EventPanic, Err: &ferry.PanicError{Value: "boom", Stack: []byte("a\nb")}}
		},
			`level=ERROR msg=panic error="internal error: panic: boom" stack="a\nb"`},
	}
	for _, test := range tests {
		var out bytes.Buffer
		e := upload()
		test.make(&e)
		event.Log(slog.New(slog.NewTextHandler(&out, nil)))(e)
		stamp := "time=" + e.Time.Format("2006-01-02T15:04:05.000Z07:00") + " "
		if got := strings.TrimSuffix(out.String(), "\n"); got != stamp+test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.name, got, stamp+test.want)
		}
	}
}

func TestLogKeepsToItsLevel(t *testing.T) {
	var out bytes.Buffer
	sink := event.Log(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelWarn})))
	sink(upload())
	sink(ferry.Event{Kind: ferry.EventBan})
	if got := out.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "msg=ban") {
		t.Errorf("log %q, want the ban alone", got)
	}
}

func TestLogGivesATimeToAnEventWithoutOne(t *testing.T) {
	var out bytes.Buffer
	event.Log(slog.New(slog.NewTextHandler(&out, nil)))(ferry.Event{})
	if !strings.HasPrefix(out.String(), "time=2") {
		t.Errorf("log %q", out.String())
	}
}

// hostile are names and users as an attacker would choose them.
func hostile() []string {
	return []string{
		"a\ntime=2026-11-20T10:11:12Z level=INFO msg=login user=root", "a\r\nb", `a" level=ERROR msg="x`, `a","msg":"x`, "a\x1b[2Jb", "a\x00b",
		"a\u2028b", "a\u202eb", "a\xff\xfeb", "a b = c", "a\tb", "a\u0085b", "\n", "a\vb\fc", "a\u00a0b",
	}
}

func TestThreat36NamesCannotForgeALogLine(t *testing.T) {
	for _, name := range hostile() {
		e := upload()
		e.Name, e.To, e.User, e.Session, e.Protocol, e.Err = ferry.Name(name), name, name, name, name, errors.New(name)

		var text bytes.Buffer
		event.Log(slog.New(slog.NewTextHandler(&text, nil)))(e)
		if got := text.String(); strings.Count(got, "\n") != 1 || strings.ContainsAny(got, "\r\x1b\x00\u2028\u202e\u0085") || strings.Count(unquoted(got), " msg=") != 1 {
			t.Errorf("text: %q", got)
		}

		var line bytes.Buffer
		event.Log(slog.New(slog.NewJSONHandler(&line, nil)))(e)
		if got := line.String(); strings.Count(got, "\n") != 1 || strings.ContainsAny(got, "\r\x1b\x00") {
			t.Errorf("JSON: %q", got)
		}
		var fields map[string]any
		if err := json.Unmarshal(line.Bytes(), &fields); err != nil || fields["msg"] != "upload" || fields["name"] != strings.ToValidUTF8(name, "\ufffd") && !strings.Contains(name, "\xff") {
			t.Errorf("JSON: %q is %v, %v", line.String(), fields, err)
		}
	}
}

// unquoted is what stands outside of quotation marks.
func unquoted(s string) string {
	s = strings.ReplaceAll(s, `\\`, "")
	s = strings.ReplaceAll(s, `\"`, "")
	var out strings.Builder
	for i, part := range strings.Split(s, `"`) {
		if i%2 == 0 {
			out.WriteString(part)
		}
	}
	return out.String()
}

// TestWhatClientsSayIsCut: an error that repeats what a client has sent, and what it has shown for a login, take a
// line of some hundred bytes; the stack of a panic is whole.
func TestWhatClientsSayIsCut(t *testing.T) {
	long := strings.Repeat("x", 256<<10)
	for _, kind := range []ferry.EventKind{ferry.EventDisconnect, ferry.EventLoginFailed, ferry.EventLoginRefused, ferry.EventRefused, ferry.EventPanic} {
		var out bytes.Buffer
		event.Log(slog.New(slog.NewTextHandler(&out, nil)))(ferry.Event{Kind: kind, By: long, Err: errors.New(long)})
		if n := out.Len(); (n > 2000) != (kind == ferry.EventPanic) {
			t.Errorf("%v: %d bytes", kind, n)
		}
	}
}
