package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// problem is something that is wrong, or could be better, at one place.
type problem struct {
	where string // "FILE:LINE", "FILE" or ""
	line  int    // of the file; 0: it stands on none
	text  error
}

func (p *problem) Error() string {
	if p.where == "" {
		return p.text.Error()
	}
	return p.where + ": " + p.text.Error()
}

func (p *problem) Unwrap() error { return p.text }

// warning is a problem with which a server can be run.
type warning struct{ *problem }

func (w warning) Unwrap() error { return w.problem }

// note is a problem only for who did not mean it so.
type note struct{ *problem }

func (n note) Unwrap() error { return n.problem }

// Wrong is an error about how a key was set, with the place: "FILE:LINE: KEY TEXT", or
// "--FLAG TEXT".
func (c *Config) Wrong(name, format string, args ...any) error {
	return UsageError{c.at(name, " ", fmt.Errorf(format, args...))}
}

// Unusable is an error about what a key names, which is not as it must be; err is a
// sentence that says what it is about.
func (c *Config) Unusable(name string, err error) error {
	if c.from[name] == "DIR" || c.File == "" && c.from[name] == "" {
		return &problem{text: err} // it is all that was said
	}
	return c.at(name, ": ", err)
}

// Warn is about a key that is set so that a server can run, and should not.
func (c *Config) Warn(name, format string, args ...any) error {
	return warning{c.at(name, " ", fmt.Errorf(format, args...))}
}

// Note is about a key that is set so that something may be missing yet.
func (c *Config) Note(name, format string, args ...any) error {
	return note{c.at(name, " ", fmt.Errorf(format, args...))}
}

// at puts text behind the place where the key was set: that of the file, the flag, or,
// where it has its default, the file as a whole.
func (c *Config) at(name, between string, text error) *problem {
	where, set := c.from[name]
	switch {
	case name == PasswordVariable: // which no file has set
		return &problem{text: fmt.Errorf("%s%s%w", name, between, text)}
	case set && !strings.HasPrefix(where, c.File+":"), set && c.File == "":
		return &problem{text: fmt.Errorf("%s%s%w", where, between, text)}
	case !set:
		where = c.File
	}
	line, _ := strconv.Atoi(where[strings.LastIndexByte(where, ':')+1:]) // 0 where there is none
	return &problem{where: where, line: line, text: fmt.Errorf("%s%s%w", name, between, text)}
}

// setLast is the one of names that was set last: by a flag, or furthest down the file.
// Of keys that are wrong together it is the one to tell of.
func (c *Config) setLast(names ...string) string {
	return slices.MaxFunc(names, func(a, b string) int { return cmp.Compare(c.rank(a), c.rank(b)) })
}

func (c *Config) rank(name string) int {
	where, set := c.from[name]
	line, err := strconv.Atoi(where[strings.LastIndexByte(where, ':')+1:])
	switch {
	case !set:
		return -1
	case err != nil:
		return 1 << 30 // a flag
	}
	return line
}

// sort puts what was found into the order of the file; what stands on no line comes
// first. Warnings and notes are c's, and the rest is wrong.
func (c *Config) sort(found []error) (wrong []error) {
	slices.SortStableFunc(found, func(a, b error) int { return cmp.Compare(lineOf(a), lineOf(b)) })
	for _, err := range found {
		switch {
		case errors.As(err, new(warning)):
			c.Warnings = append(c.Warnings, err)
		case errors.As(err, new(note)):
			c.Notes = append(c.Notes, err)
		default:
			wrong = append(wrong, err)
		}
	}
	return wrong
}

func lineOf(err error) int {
	if p := (*problem)(nil); errors.As(err, &p) {
		return p.line
	}
	return 0
}
