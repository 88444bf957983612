package opensshlog

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"log/syslog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"ferry/internal/logqueue"
)

// flushTime is how long the end of a session waits for its log to be written.
const flushTime = 2 * time.Second

// Open is a log as OpenSSH's sftp-server writes it: to syslog, or to stderr
// where that is not nil. level and facility are OpenSSH's words. A machine without
// syslog has no log, as with OpenSSH's. Nobody waits for what takes the lines; flush,
// for the end, does so for a short time.
func Open(level, facility string, stderr io.Writer) (log *slog.Logger, flush func(), err error) {
	least, err := levelOf(level)
	if err != nil {
		return nil, nil, err
	}
	priority, ok := facilities()[strings.ToUpper(facility)]
	if !ok {
		return nil, nil, fmt.Errorf("-f %s: there is no such facility; there are %s", facility, strings.Join(slices.Sorted(maps.Keys(facilities())), ", "))
	}
	nothing := slog.New(slog.DiscardHandler)
	if strings.EqualFold(level, "QUIET") {
		return nothing, func() {}, nil
	}
	write := func(l line) error { _, err := io.WriteString(stderr, l.text+"\n"); return err }
	if stderr == nil {
		to, err := syslog.New(priority, "sftp-server")
		if err != nil {
			return nothing, func() {}, nil
		}
		write = func(l line) error { return toSyslog(to, l) }
	}
	queue := newQueue(write)
	return slog.New(newLines(least, queue.Put)), func() { queue.Close(flushTime) }, nil
}

// line is one of the log.
type line struct {
	level slog.Level
	text  string
}

// newQueue makes a queue of lines for write, and says in the log itself what was lost.
func newQueue(write func(line) error) *logqueue.Queue[line] {
	return logqueue.New(logqueue.Config[line]{
		Size: func(l line) int { return len(l.text) },
		Write: func(lines []line) (int, error) {
			for i, l := range lines {
				if err := write(l); err != nil {
					return i, err
				}
			}
			return len(lines), nil
		},
		Lost: func(n int, _ error) {
			_ = write(line{slog.LevelError, fmt.Sprintf("%d lines of this log were lost", n)}) // it has nowhere else to go
		},
	})
}

// levelOf is that of OpenSSH's word. What OpenSSH tells from VERBOSE on, each
// request that failed, is at the lowest level here.
func levelOf(word string) (slog.Level, error) {
	switch strings.ToUpper(word) {
	case "QUIET", "FATAL", "ERROR":
		return slog.LevelError, nil
	case "INFO":
		return slog.LevelInfo, nil
	case "VERBOSE", "DEBUG", "DEBUG1", "DEBUG2", "DEBUG3":
		return slog.LevelDebug, nil
	}
	return 0, fmt.Errorf("-l %s: there is no such level; there are QUIET, FATAL, ERROR, INFO, VERBOSE, DEBUG, DEBUG1, DEBUG2, DEBUG3", word)
}

// facilities are those that OpenSSH knows.
func facilities() map[string]syslog.Priority {
	return map[string]syslog.Priority{
		"DAEMON": syslog.LOG_DAEMON, "USER": syslog.LOG_USER, "AUTH": syslog.LOG_AUTH, "AUTHPRIV": syslog.LOG_AUTHPRIV,
		"LOCAL0": syslog.LOG_LOCAL0, "LOCAL1": syslog.LOG_LOCAL1, "LOCAL2": syslog.LOG_LOCAL2, "LOCAL3": syslog.LOG_LOCAL3,
		"LOCAL4": syslog.LOG_LOCAL4, "LOCAL5": syslog.LOG_LOCAL5, "LOCAL6": syslog.LOG_LOCAL6, "LOCAL7": syslog.LOG_LOCAL7,
	}
}

func toSyslog(to *syslog.Writer, l line) error {
	switch {
	case l.level >= slog.LevelError:
		return to.Err(l.text)
	case l.level >= slog.LevelWarn:
		return to.Warning(l.text)
	case l.level >= slog.LevelInfo:
		return to.Info(l.text)
	}
	return to.Debug(l.text)
}

// lines is a log as OpenSSH writes it: the message as it is, what belongs to
// it behind. Time and process are syslog's to say.
type lines struct {
	level slog.Level
	write func(line)
	attrs string
}

func newLines(level slog.Level, write func(line)) *lines { return &lines{level: level, write: write} }

func (l *lines) Enabled(_ context.Context, level slog.Level) bool { return level >= l.level }

func (l *lines) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(a slog.Attr) bool {
		text += attrText(a)
		return true
	})
	l.write(line{r.Level, text + l.attrs})
	return nil
}

func (l *lines) WithAttrs(attrs []slog.Attr) slog.Handler {
	more := *l
	for _, a := range attrs {
		more.attrs += attrText(a)
	}
	return &more
}

// WithGroup is nobody's here.
func (l *lines) WithGroup(string) slog.Handler { return l }

func attrText(a slog.Attr) string {
	text := a.Value.String()
	if quoted := strconv.Quote(text); len(quoted) != len(text)+2 || strings.ContainsRune(text, ' ') {
		text = quoted
	}
	return " " + a.Key + "=" + text
}
