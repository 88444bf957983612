package event_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"ferry/internal/event"
)

// TestJSONSaysTheUnit: a span of time is a number of milliseconds, and its key says so.
func TestJSONSaysTheUnit(t *testing.T) {
	var b bytes.Buffer
	event.Log(slog.New(event.Form{Format: "json"}.Handler(&b)))(upload())
	var line map[string]any
	if err := json.Unmarshal(b.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if line["duration_ms"] != 2600.0 || line["duration"] != nil {
		t.Errorf("line %s, want duration_ms 2600", b.String())
	}
}

// TestShortLines are for people: the time of day, what, and what belongs to it.
func TestShortLines(t *testing.T) {
	tests := []struct {
		name  string
		color bool
		write func(*slog.Logger)
		want  string
	}{
		{"event", false, func(l *slog.Logger) { event.Log(l)(upload()) }, "upload protocol=ftp peer=192.0.2.7:40000 user=alice name=/in/a.csv bytes=1234 duration=2.6s"},
		{"rounded", false, func(l *slog.Logger) { l.Info("done", "took", 1234567*time.Nanosecond) }, "done took=1.23ms"},
		{"hostile", false, func(l *slog.Logger) { l.With("user", "a\x1b[2J\nb").Warn("x\x1b[0m", "name", "\u202e a=b") }, `x?[0m user="a\x1b[2J\nb" name="\u202e a=b"`},
		{"colored", true, func(l *slog.Logger) { l.Error("it broke", "n", 1) }, "\x1b[31merror: it broke\x1b[0m \x1b[2mn=\x1b[0m1"},
		{"below the level", false, func(l *slog.Logger) { l.Debug("no") }, ""},
	}
	for _, test := range tests {
		var b bytes.Buffer
		test.write(slog.New(event.Form{Format: "short", Color: test.color}.Handler(&b)))
		_, got, _ := strings.Cut(strings.TrimSuffix(b.String(), "\n"), " ")
		if got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

// FuzzShortLine: whatever stands in it, it is one line that steers no terminal.
func FuzzShortLine(f *testing.F) {
	for _, name := range hostile() {
		f.Add(name, name)
	}
	f.Fuzz(func(t *testing.T, message, value string) {
		var b bytes.Buffer
		slog.New(event.Form{Format: "short"}.Handler(&b)).Info(message, "name", value)
		got := b.String()
		if strings.Count(got, "\n") != 1 || strings.ContainsAny(got, "\r\x1b\x00\u2028\u202e\u0085\u009b") {
			t.Errorf("line %q", got)
		}
	})
}
