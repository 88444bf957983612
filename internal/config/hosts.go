package config

import (
	"cmp"
	"slices"
)

// hostsConfig is [hosts]. All names are in lower case.
type hostsConfig struct {
	Names          []string
	Greetings      []assignment
	AnonymousRoots []assignment
	OwnUsers       []string
}

// checkHosts wants every host that something is said of to be one.
func (c *Config) checkHosts() error {
	for _, a := range c.Hosts.Greetings {
		if !slices.Contains(c.Hosts.Names, a.Left) {
			return c.Wrong("hosts.greetings", "speaks of %q, which hosts.names does not have", a.Left)
		}
	}
	for _, a := range c.Hosts.AnonymousRoots {
		if !slices.Contains(c.Hosts.Names, a.Left) {
			return c.Wrong("hosts.anonymous_roots", "speaks of %q, which hosts.names does not have", a.Left)
		}
	}
	for _, name := range c.Hosts.OwnUsers {
		if !slices.Contains(c.Hosts.Names, name) {
			return c.Wrong("hosts.own_users", "speaks of %q, which hosts.names does not have", name)
		}
	}
	if len(c.Hosts.AnonymousRoots) > 0 && !c.Users.Anonymous {
		return c.Wrong("hosts.anonymous_roots", "is for anonymous users, who are not let in: set users.anonymous (--anonymous) too")
	}
	return nil
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
	return cmp.Or(Assigned(c.Hosts.AnonymousRoots, host), c.Users.AnonymousRoot, c.Storage.Root)
}
