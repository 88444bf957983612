package config

import (
	"cmp"
	"errors"
	"slices"

	"ferry/internal/setting"
)

// hostsConfig is [hosts]. All names are in lower case.
type hostsConfig struct {
	Names          []string
	Greetings      []setting.Assignment
	AnonymousRoots []setting.Assignment
	OwnUsers       []string
}

// hostChecks want every host that something is said of to be one.
func hostChecks() []Check {
	lefts := func(all []setting.Assignment) (names []string) {
		for _, a := range all {
			names = append(names, a.Left)
		}
		return names
	}
	return []Check{
		knownHosts("hosts.greetings", func(c *Config) []string { return lefts(c.Hosts.Greetings) }),
		knownHosts("hosts.anonymous_roots", func(c *Config) []string { return lefts(c.Hosts.AnonymousRoots) }),
		knownHosts("hosts.own_users", func(c *Config) []string { return c.Hosts.OwnUsers }),
		wrongIf("hosts.anonymous_roots", []string{"users.anonymous"}, func(c *Config) bool { return len(c.Hosts.AnonymousRoots) > 0 && !c.Users.Anonymous }, anonymousNeeded),
	}
}

// knownHosts wants the hosts that key speaks of to be in hosts.names.
func knownHosts(key string, of func(*Config) []string) Check {
	return Check{[]string{key, "hosts.names"}, func(c *Config) error {
		var found []error
		for _, name := range of(c) {
			if !slices.Contains(c.Hosts.Names, name) {
				found = append(found, c.Wrong(key, "speaks of %q, which hosts.names does not have", name))
			}
		}
		return errors.Join(found...)
	}}
}

// AnonymousRoots are the directories that anonymous users see, of all hosts.
func (c *Config) AnonymousRoots() []string {
	if !c.Users.Anonymous {
		return nil
	}
	roots := []string{c.AnonymousRoot("")}
	for _, a := range c.Hosts.AnonymousRoots {
		roots = append(roots, a.Right)
	}
	return roots
}

// AnonymousRoot is the directory that anonymous users see on host, a virtual
// one or "".
func (c *Config) AnonymousRoot(host string) string {
	return cmp.Or(setting.Assigned(c.Hosts.AnonymousRoots, host), c.Users.AnonymousRoot, c.Storage.Root)
}
