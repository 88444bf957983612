package main

import (
	"cmp"
	"context"

	"ferry"
	"ferry/internal/auth"
	"ferry/internal/store"
)

// person is a user of the command line or the config file, with a password.
type person struct {
	account
	made bool // the password was made up just now, and has to be shown
}

// defaultUser is let in when there is neither a config file nor --user.
const defaultUser = "ferry"

// staticUsers gives every account of users.static its password: its own, that
// of FERRY_PASSWORD, or one that is made up now. The last only without a
// config file, where the greeting shows it.
func staticUsers(conf *config, envPassword string) ([]person, error) {
	list := conf.Users.Static
	if len(list) == 0 && conf.file == "" {
		list = []account{{name: defaultUser}}
	}
	var people []person
	for _, a := range list {
		p := person{account: a}
		switch {
		case p.secret != "":
		case envPassword != "":
			p.secret = envPassword
		case conf.file == "":
			p.secret, p.made = newPassword(), true
		default:
			return nil, conf.wrong("users.static", "has no password for user %q: set FERRY_PASSWORD, or write NAME:HASH", a.name)
		}
		people = append(people, p)
	}
	return people, nil
}

// entries are people as the authenticator wants them: at home in the root,
// with every right, their passwords hashed.
func entries(ctx context.Context, conf *config, people []person, h *auth.Hasher) ([]auth.Entry, error) {
	var all []auth.Entry
	for _, p := range people {
		hash := p.secret
		if !p.hashed() {
			var err error
			if hash, err = h.Hash(ctx, p.secret); err != nil {
				return nil, usagef("the password of user %q cannot be used: %w", p.name, err)
			}
		}
		u := ferry.User{Name: p.name, Home: conf.Storage.Root, Rules: []ferry.Rule{{Prefix: "/", Rights: ferry.RightsAll}}}
		all = append(all, auth.Entry{User: withinConfig(conf, u), Hash: hash})
	}
	return all, nil
}

// accountsIn looks accounts up in the database, as the configuration lets them be.
type accountsIn struct {
	db   *store.Store
	conf *config
}

// Lookup is auth.Users's.
func (a accountsIn) Lookup(ctx context.Context, name string) (ferry.User, string, error) {
	u, hash, err := a.db.Lookup(ctx, name)
	if err != nil {
		return ferry.User{}, "", err
	}
	return withinConfig(a.conf, u), hash, nil
}

// Keys is auth.Users's.
func (a accountsIn) Keys(ctx context.Context, name string) ([]string, error) {
	return a.db.Keys(ctx, name)
}

// withinConfig takes away from u what the configuration grants nobody.
func withinConfig(conf *config, u ferry.User) ferry.User {
	if !conf.Storage.ReadOnly {
		return u
	}
	rules := make([]ferry.Rule, len(u.Rules))
	for i, r := range u.Rules {
		rules[i] = ferry.Rule{Prefix: r.Prefix, Rights: r.Rights & ferry.RightsRead}
	}
	u.Rules = rules
	return u
}

// authenticator asks users, and knows the anonymous ones by their names. On
// virtual hosts both may be others.
func authenticator(conf *config, users auth.Users, h *auth.Hasher) ferry.Authenticator {
	const most = 4096 // passwords remembered at once
	var remembered *auth.Remembered
	if conf.Users.Remember > 0 {
		remembered = auth.Remember(conf.Users.Remember, most)
	}
	virtual := auth.Virtual(users, h, remembered)
	if !conf.Users.Anonymous {
		return virtual
	}
	return welcoming(conf, virtual)
}

// anonymous may read everywhere and, where there is a drop directory, put new
// files into it without seeing what is there. Its home is that of host, a
// virtual one or "".
func anonymous(conf *config, host string) ferry.User {
	u := ferry.User{Name: "anonymous", Anonymous: true, Shared: true, Home: conf.anonymousRoot(host),
		Rules: []ferry.Rule{{Prefix: "/", Rights: ferry.RightsRead}}}
	// The name was found clean when the configuration was checked.
	if drop, err := ferry.Clean(ferry.Root, conf.Users.Drop); err == nil && drop != ferry.Root {
		u.Rules = append(u.Rules, ferry.Rule{Prefix: drop, Rights: ferry.RightCreate})
	}
	return u
}

// anonymousRoot is the directory that anonymous users see on host, a virtual
// one or "".
func (c *config) anonymousRoot(host string) string {
	return cmp.Or(assigned(c.Hosts.AnonymousRoots, host), c.Users.AnonymousRoot, c.Storage.Root)
}
