package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"modernc.org/sqlite"
)

// badRow is the error for a row of the user that means nothing. What SQLite or
// the context say is no matter of the row and stays as it is.
func badRow(name string, err error) error {
	var driver *sqlite.Error
	if errors.As(err, &driver) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return damage(fmt.Sprintf("user %.140q: %v", name, err))
}

// truth reads 0 and 1, and nothing else.
type truth bool

// Scan implements sql.Scanner.
func (t *truth) Scan(value any) error {
	n, ok := value.(int64)
	if !ok || n != 0 && n != 1 {
		return fmt.Errorf("%v is neither 0 nor 1", value)
	}
	*t = n == 1
	return nil
}

// moment reads what formatTime writes.
type moment time.Time

// Scan implements sql.Scanner.
func (m *moment) Scan(value any) error {
	s, ok := value.(string)
	if !ok {
		return fmt.Errorf("%v is no time", value)
	}
	t, err := parseTime(s)
	*m = moment(t)
	return err
}

// formatTime writes a time in UTC, to the nanosecond; "" for the zero one.
func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func parseTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%.40q is no time", s)
	}
	return t.UTC(), nil
}
