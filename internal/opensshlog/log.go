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
	"sync"
)

// openLog is a log as OpenSSH's sftp-server writes it: to syslog, or to stderr
// where that is not nil. level and facility are OpenSSH's words. A machine without
// syslog has no log, as with OpenSSH's.
func Open(level, facility string, stderr io.Writer) (*slog.Logger, error) {
	least, err := levelOf(level)
	if err != nil {
		return nil, err
	}
	priority, ok := facilities()[strings.ToUpper(facility)]
	if !ok {
		return nil, fmt.Errorf("-f %s: there is no such facility; there are %s", facility, strings.Join(slices.Sorted(maps.Keys(facilities())), ", "))
	}
	switch {
	case strings.EqualFold(level, "QUIET"):
		return slog.New(slog.DiscardHandler), nil
	case stderr != nil:
		return slog.New(newLines(least, func(_ slog.Level, line string) { _, _ = io.WriteString(stderr, line+"\n") })), nil
	}
	to, err := syslog.New(priority, "sftp-server")
	if err != nil {
		return slog.New(slog.DiscardHandler), nil
	}
	return slog.New(newLines(least, func(level slog.Level, line string) { toSyslog(to, level, line) })), nil
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

func toSyslog(to *syslog.Writer, level slog.Level, line string) {
	switch {
	case level >= slog.LevelError:
		_ = to.Err(line)
	case level >= slog.LevelWarn:
		_ = to.Warning(line)
	case level >= slog.LevelInfo:
		_ = to.Info(line)
	default:
		_ = to.Debug(line)
	}
}

// lines is a log as OpenSSH writes it: the message as it is, what belongs to
// it behind. Time and process are syslog's to say.
type lines struct {
	level slog.Level
	write func(slog.Level, string)
	mu    *sync.Mutex
	attrs string
}

func newLines(level slog.Level, write func(slog.Level, string)) *lines {
	return &lines{level: level, write: write, mu: new(sync.Mutex)}
}

func (l *lines) Enabled(_ context.Context, level slog.Level) bool { return level >= l.level }

func (l *lines) Handle(_ context.Context, r slog.Record) error {
	line := r.Message
	r.Attrs(func(a slog.Attr) bool {
		line += attrText(a)
		return true
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.write(r.Level, line+l.attrs)
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
