package event

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// short writes a log for people at a terminal: the time of day, what happened, and
// what belongs to it. The id of the session, which is for searching, is left out. It
// writes to a queue, whose Write may be called by many at once.
type short struct {
	to    io.Writer
	form  Form
	attrs []slog.Attr
}

// What colours a terminal (ECMA-48, SGR).
const (
	colorReset = "\x1b[0m"
	colorFaint = "\x1b[2m"
	colorBold  = "\x1b[1m"
	colorWarn  = "\x1b[33m" // yellow
	colorError = "\x1b[31m" // red
)

func (s *short) Enabled(_ context.Context, level slog.Level) bool {
	least := slog.LevelInfo
	if s.form.Level != nil {
		least = s.form.Level.Level()
	}
	return level >= least
}

func (s *short) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	s.paint(&b, colorFaint, r.Time.Local().Format(time.TimeOnly))
	b.WriteByte(' ')
	switch {
	case r.Level >= slog.LevelError:
		s.paint(&b, colorError, "error: "+plain(r.Message))
	case r.Level >= slog.LevelWarn:
		s.paint(&b, colorWarn, plain(r.Message))
	default:
		s.paint(&b, colorBold, plain(r.Message))
	}
	for _, a := range s.attrs {
		s.attr(&b, a)
	}
	r.Attrs(func(a slog.Attr) bool {
		s.attr(&b, a)
		return true
	})
	b.WriteByte('\n')
	_, err := io.WriteString(s.to, b.String())
	return err
}

func (s *short) attr(b *strings.Builder, a slog.Attr) {
	if a.Key == "session" || a.Equal(slog.Attr{}) {
		return
	}
	b.WriteByte(' ')
	s.paint(b, colorFaint, a.Key+"=")
	text := a.Value.Resolve().String()
	if a.Value.Kind() == slog.KindDuration {
		text = rounded(a.Value.Duration()).String()
	}
	b.WriteString(quoted(text))
}

// rounded is d with three digits or so.
func rounded(d time.Duration) time.Duration {
	for unit := time.Second; unit > time.Nanosecond; unit /= 1000 {
		if d >= unit {
			return d.Round(unit / 100)
		}
	}
	return d
}

func (s *short) paint(b *strings.Builder, color, text string) {
	if !s.form.Color {
		b.WriteString(text)
		return
	}
	b.WriteString(color + text + colorReset)
}

// quoted is text as it is, or in quotes where it could be taken for something else.
func quoted(text string) string {
	if text == "" || strings.ContainsAny(text, ` "=\`) || plain(text) != text {
		return strconv.Quote(text)
	}
	return text
}

// plain is text without what steers a terminal.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return '?'
		}
		return r
	}, text)
}

func (s *short) WithAttrs(attrs []slog.Attr) slog.Handler {
	more := *s
	more.attrs = append(s.attrs[:len(s.attrs):len(s.attrs)], attrs...)
	return &more
}

// WithGroup is nobody's here.
func (s *short) WithGroup(string) slog.Handler { return s }
