package event

import (
	"io"
	"log/slog"
	"time"
)

// Form is how the lines of a log look.
type Form struct {
	// Format is "text" (KEY=VALUE, as log/slog writes it), "json" (one object a line)
	// or "short" (for people at a terminal).
	Format string
	// Level is the least that is written; nil: info.
	Level slog.Leveler
	// Color is for "short": what is wrong stands out.
	Color bool
}

// Handler writes lines of that form to w, each by one Write.
func (f Form) Handler(w io.Writer) slog.Handler {
	options := &slog.HandlerOptions{Level: f.Level}
	switch f.Format {
	case "json":
		options.ReplaceAttr = withUnit
		return slog.NewJSONHandler(Printable(w), options)
	case "short":
		return &short{to: w, form: f}
	}
	return slog.NewTextHandler(w, options)
}

// withUnit makes a span of time, of which JSON would tell the bare number of
// nanoseconds, a number of milliseconds whose key says so.
func withUnit(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() != slog.KindDuration {
		return a
	}
	return slog.Float64(a.Key+"_ms", float64(a.Value.Duration())/float64(time.Millisecond))
}
