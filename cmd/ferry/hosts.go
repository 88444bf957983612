package main

import (
	"context"
	"slices"
	"strings"

	"ferry"
	"ferry/internal/auth"
)

// hostsConfig is [hosts]. All names are in lower case.
type hostsConfig struct {
	Names          []string
	Greetings      []assignment
	AnonymousRoots []assignment
	OwnUsers       []string
}

// checkHosts wants every host that something is said of to be one.
func (c *config) checkHosts() error {
	for _, a := range c.Hosts.Greetings {
		if !slices.Contains(c.Hosts.Names, a.left) {
			return c.wrong("hosts.greetings", "speaks of %q, which hosts.names does not have", a.left)
		}
	}
	for _, a := range c.Hosts.AnonymousRoots {
		if !slices.Contains(c.Hosts.Names, a.left) {
			return c.wrong("hosts.anonymous_roots", "speaks of %q, which hosts.names does not have", a.left)
		}
	}
	for _, name := range c.Hosts.OwnUsers {
		if !slices.Contains(c.Hosts.Names, name) {
			return c.wrong("hosts.own_users", "speaks of %q, which hosts.names does not have", name)
		}
	}
	if len(c.Hosts.AnonymousRoots) > 0 && !c.Users.Anonymous {
		return c.wrong("hosts.anonymous_roots", "is for anonymous users, who are not let in: set users.anonymous (--anonymous) too")
	}
	return nil
}

// virtualHosts are the hosts with their greetings; "": the server's.
func virtualHosts(conf *config) map[string]string {
	known := make(map[string]string, len(conf.Hosts.Names))
	for _, name := range conf.Hosts.Names {
		known[name] = assigned(conf.Hosts.Greetings, name)
	}
	return known
}

// anonymousRoots are the directories that anonymous users see, of all hosts.
func (c *config) anonymousRoots() []string {
	if !c.Users.Anonymous {
		return nil
	}
	roots := []string{c.anonymousRoot("")}
	for _, a := range c.Hosts.AnonymousRoots {
		roots = append(roots, a.right)
	}
	return roots
}

// byHost asks the authenticator of the virtual host that the client asked
// for, where it has one of its own.
type byHost struct {
	hosts  []string
	own    map[string]ferry.Authenticator
	others ferry.Authenticator
}

// Authenticate implements ferry.Authenticator. "anonymous@HOST" is the
// anonymous user of that host: SSH, and FTP clients without HOST, have no other
// way of asking for one.
func (b byHost) Authenticate(ctx context.Context, c ferry.Claim) (ferry.User, error) {
	name, host, _ := strings.Cut(c.Name, "@")
	host = strings.ToLower(host)
	if auth.IsAnonymous(name) && slices.Contains(b.hosts, host) && (c.Host == "" || c.Host == host) {
		c.Name, c.Host = name, host
	}
	if own := b.own[c.Host]; own != nil {
		return own.Authenticate(ctx, c)
	}
	return b.others.Authenticate(ctx, c)
}

// welcoming is users with the anonymous ones of each host before them.
func welcoming(conf *config, users ferry.Authenticator) ferry.Authenticator {
	own := map[string]ferry.Authenticator{}
	for _, a := range conf.Hosts.AnonymousRoots {
		own[a.left] = auth.Anonymous(anonymous(conf, a.left), users)
	}
	return byHost{conf.Hosts.Names, own, auth.Anonymous(anonymous(conf, ""), users)}
}

// accountOn tells which account a login name means on a virtual host: on one
// whose users are its own, "alice" is "alice@HOST", and so is "alice@HOST".
// Anonymous users are nobody's own.
func accountOn(conf *config) func(host, name string) string {
	return func(host, name string) string {
		if host == "" || !slices.Contains(conf.Hosts.OwnUsers, host) || auth.IsAnonymous(name) || strings.HasSuffix(name, "@"+host) {
			return name
		}
		return name + "@" + host
	}
}
