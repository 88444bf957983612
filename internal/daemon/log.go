package daemon

import (
	"log/slog"
	"os"
	"time"

	"golang.org/x/term"

	"ferry/internal/config"
	"ferry/internal/event"
	"ferry/internal/logqueue"
)

// flushTime is how long the server waits, at its end, for its log to be written.
const flushTime = 2 * time.Second

// serverLog is the log, by way of a queue: whoever reads it slowly, or not at all,
// holds up nobody.
type serverLog struct {
	*slog.Logger
	lines logqueue.Lines
}

func openServerLog(conf *config.Config, to *os.File) serverLog {
	form := formOf(conf, to)
	// What is lost is said by the goroutine that writes, past the queue that is full.
	direct := slog.New(form.Handler(to))
	lines := logqueue.NewLines(to, func(lines int, err error) {
		if err != nil {
			direct.Error("the log lost lines: they could not be written", "lines", lines, "error", err)
			return
		}
		direct.Warn("the log lost lines: they came faster than they were read", "lines", lines)
	})
	return serverLog{slog.New(form.Handler(lines)), lines}
}

// Close writes what can be written in a short time.
func (l serverLog) Close() { l.lines.Close(flushTime) }

// formOf is the form of the log: for people where it goes to a terminal, unless the
// configuration says another.
func formOf(conf *config.Config, to *os.File) event.Form {
	form := event.Form{Format: conf.Log.Format, Color: os.Getenv("NO_COLOR") == ""}
	if err := form.Level.UnmarshalText([]byte(conf.Log.Level)); err != nil {
		form.Level = slog.LevelInfo // cannot be: the words of log.level are slog's
	}
	terminal := term.IsTerminal(int(to.Fd()))
	form.Color = form.Color && terminal
	if form.Format == "auto" {
		form.Format = "text"
		if terminal {
			form.Format = "short"
		}
	}
	return form
}
