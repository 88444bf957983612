package config

import "fmt"

// UsageError marks what the person has to write differently: exit code 2.
type UsageError struct{ error }

func (e UsageError) Unwrap() error { return e.error }

func Usagef(format string, args ...any) error {
	return UsageError{fmt.Errorf(format, args...)}
}
