package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Changes is how a configuration differs from one that is in effect.
type Changes struct {
	Live    []string // keys whose new value a running server can take
	Restart []string // the others
}

// Follow makes c, which was read while before is in effect, what can be in effect
// without a restart: keys that need one keep their value. The error is that such a
// configuration contradicts itself, so that c takes a restart as a whole.
func (c *Config) Follow(before *Config) (Changes, error) {
	var d Changes
	for _, k := range Keys() {
		switch {
		case k.same(before, c):
		case k.Live:
			d.Live = append(d.Live, k.Name)
		default:
			d.Restart = append(d.Restart, k.Name)
			if err := k.copy(before, c); err != nil {
				return d, err
			}
		}
	}
	if len(d.Restart) == 0 {
		return d, nil
	}
	var found []error
	for _, check := range contradictions() {
		for _, err := range check.run(c) {
			found = append(found, fmt.Errorf("%w; as a whole this takes a restart, for %s", err, strings.Join(d.Restart, ", ")))
		}
	}
	return d, errors.Join(found...)
}

// same tells whether two configurations say the same of a key.
func (k Key) same(a, b *Config) bool {
	if list, ok := k.At(a).(*staticUserList); ok { // whose Toml hides the secrets
		return slices.Equal(*list, *k.At(b).(*staticUserList))
	}
	return k.At(a).Toml() == k.At(b).Toml()
}

// copy gives the key in to the value that it has in from.
func (k Key) copy(from, to *Config) error {
	var said struct{ V any }
	if err := toml.Unmarshal([]byte("V = "+k.At(from).Toml()), &said); err != nil {
		return fmt.Errorf("%s: %w", k.Name, err)
	}
	if err := k.At(to).Set(said.V); err != nil {
		return fmt.Errorf("%s %w", k.Name, err)
	}
	return nil
}
