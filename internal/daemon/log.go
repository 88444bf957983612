package daemon

import (
	"log/slog"
	"os"
	"slices"
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
	level *slog.LevelVar
}

func openServerLog(conf *config.Config, to *os.File) serverLog {
	level := new(slog.LevelVar)
	form := formOf(conf, to, level)
	// What is lost is said by the goroutine that writes, past the queue that is full.
	direct := slog.New(form.Handler(to))
	lines := logqueue.NewLines(to, func(lines int, err error) {
		if err != nil {
			direct.Error("the log lost lines: they could not be written", "lines", lines, "error", err)
			return
		}
		direct.Warn("the log lost lines: they came faster than they were read", "lines", lines)
	})
	l := serverLog{slog.New(form.Handler(lines)), lines, level}
	l.setLevel(conf)
	return l
}

// Close writes what can be written in a short time.
func (l serverLog) Close() { l.lines.Close(flushTime) }

// setLevel is for what is logged from now on.
func (l serverLog) setLevel(conf *config.Config) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(conf.Log.Level)); err != nil {
		level = slog.LevelInfo // cannot be: the words of log.level are slog's
	}
	l.level.Set(level)
}

// warn logs what should be looked at of a configuration that works.
func (l serverLog) warn(conf *config.Config) {
	for _, warning := range slices.Concat(conf.Warnings, conf.Notes) {
		l.Warn("the configuration works, and should be looked at", "warning", warning)
	}
	if conf.PasswordInArguments() {
		l.Warn("other processes can see the password given with --user: use FERRY_PASSWORD, or ferry user add")
	}
}

// formOf is the form of the log: for people where it goes to a terminal, unless the
// configuration says another.
func formOf(conf *config.Config, to *os.File, level slog.Leveler) event.Form {
	form := event.Form{Format: conf.Log.Format, Level: level, Color: os.Getenv("NO_COLOR") == ""}
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
