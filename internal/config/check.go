package config

import (
	"slices"
)

// Check is one row of the table of what a configuration must hold to.
type Check struct {
	// Keys are those that it looks at. Where one of them could not be read, the check
	// would speak of what nobody has said, and is left out.
	Keys []string
	// Find gives what is wrong, made by Wrong, Unusable or Warn; several by
	// errors.Join; nil: nothing.
	Find func(*Config) error
}

// run gives what the check finds, one by one.
func (k Check) run(c *Config) []error {
	if slices.ContainsFunc(k.Keys, func(name string) bool { return c.unread[name] }) {
		return nil
	}
	return faults(k.Find(c))
}

// faults are the errors that were joined to err, or err alone; none, where it is nil.
func faults(err error) []error {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		return several.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

// wrongIf is the check that key is not what text says where it is, given also the keys
// besides.
func wrongIf(key string, also []string, is func(*Config) bool, text string) Check {
	return Check{append([]string{key}, also...), func(c *Config) error {
		if is(c) {
			return c.Wrong(key, "%s", text)
		}
		return nil
	}}
}
