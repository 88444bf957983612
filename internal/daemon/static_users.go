package daemon

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"slices"
	"strings"

	"ferry"
	"ferry/internal/auth"
	"ferry/internal/config"
	"ferry/internal/digest"
	"ferry/internal/store"
)

// StaticUser is a user of the command line or the config file, with a password.
type StaticUser struct {
	config.StaticUser
	Made    bool // the password was made up just now, and has to be shown
	FromEnv bool // it is that of FERRY_PASSWORD
}

// defaultUser is let in when there is neither a config file nor --user.
const defaultUser = "ferry"

// staticUsers gives every account of users.static its password: its own, that
// of FERRY_PASSWORD, or one that is made up now. The last only without a
// config file, where the greeting shows it, and without accounts in the database.
func staticUsers(conf *config.Config, envPassword string) ([]StaticUser, error) {
	list := conf.Users.Static
	if len(list) == 0 && conf.File == "" && !conf.System.Enabled && (envPassword != "" || !hasAccounts(conf)) {
		list = []config.StaticUser{{Name: defaultUser}}
	}
	var all []StaticUser
	for _, a := range list {
		p := StaticUser{StaticUser: a}
		switch {
		case p.Secret != "":
		case envPassword != "":
			p.Secret, p.FromEnv = envPassword, true
		case conf.File == "":
			p.Secret, p.Made = newPassword(), true
		default:
			return nil, conf.Wrong("users.static", "has no password for user %q: set FERRY_PASSWORD, or write NAME:HASH", a.Name)
		}
		all = append(all, p)
	}
	return all, nil
}

// hasAccounts tells whether anybody has an account in the database: then nobody has to be
// made up who can log in.
func hasAccounts(conf *config.Config) bool {
	accounts, err := store.Look(context.Background(), conf.Database())
	return err == nil && len(accounts) > 0
}

// keepMade gives users whose password was made up the one that they have already.
func keepMade(users, before []StaticUser) {
	for i, u := range users {
		at := slices.IndexFunc(before, func(b StaticUser) bool { return b.Made && b.Name == u.Name })
		if u.Made && at >= 0 {
			users[i].Secret = before[at].Secret
		}
	}
}

// entries are static users as the authenticator wants them: at home in the root,
// with every right, their passwords hashed.
func entries(ctx context.Context, conf *config.Config, users []StaticUser, h *auth.Hasher) ([]auth.Entry, error) {
	var all []auth.Entry
	for _, p := range users {
		hash := p.Secret
		if !p.Hashed() {
			var err error
			if hash, err = h.Hash(ctx, p.Secret); err != nil {
				return nil, config.Usagef("the password of user %q cannot be used: %w", p.Name, err)
			}
		}
		u := ferry.User{Name: p.Name, Home: conf.Storage.Root, Rules: []ferry.Rule{{Prefix: "/", Rights: ferry.RightsAll}}}
		all = append(all, auth.Entry{User: withinConfig(conf, u), Hash: hash})
	}
	return all, nil
}

// accountsIn looks accounts up in the database, as the configuration lets them be.
type accountsIn struct {
	db   *store.Store
	conf *config.Config
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
func withinConfig(conf *config.Config, u ferry.User) ferry.User {
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
func authenticator(conf *config.Config, users auth.Users, h *auth.Hasher, renew auth.Renew) ferry.Authenticator {
	const most = 4096 // passwords remembered at once
	var remembered *auth.Remembered
	if conf.Users.Remember > 0 {
		remembered = auth.Remember(conf.Users.Remember, most)
	}
	virtual := auth.Virtual(users, h, remembered, renew)
	if !conf.Users.Anonymous {
		return virtual
	}
	return welcoming(conf, virtual)
}

// renewal keeps the new hashes of passwords in the database; nil, where the
// configuration does not want them made.
func renewal(conf *config.Config, db *store.Store, log *slog.Logger) auth.Renew {
	if !conf.Users.Rehash {
		return nil
	}
	return func(ctx context.Context, name, was, now string) {
		err := db.Update(ctx, name, func(a *store.Account) error {
			if a.Hash == was {
				a.Hash = now
			}
			return nil
		})
		switch {
		case errors.Is(err, store.ErrNoUser): // one of users.static
		case err != nil:
			log.Warn("cannot keep the new hash of a password", "user", name, "error", err)
		default:
			log.Info("password hashed anew", "user", name)
		}
	}
}

// loginsFirst holds the hashes of files up while a login is checked: somebody waits
// for it, and it hashes as well.
type loginsFirst struct {
	users  ferry.Authenticator
	hashes *digest.Queue
}

func (l loginsFirst) Authenticate(ctx context.Context, c ferry.Claim) (ferry.User, error) {
	defer l.hashes.GiveWay()()
	return l.users.Authenticate(ctx, c)
}

// anonymous may read everywhere and, where there is a drop directory, put new
// files into it without seeing what is there. Its home is that of host, a
// virtual one or "".
func anonymous(conf *config.Config, host string) ferry.User {
	u := ferry.User{Name: "anonymous", Anonymous: true, Shared: true, Home: conf.AnonymousRoot(host), Identity: anonymousIdentity(conf),
		Rules: []ferry.Rule{{Prefix: "/", Rights: ferry.RightsRead}}}
	// The name was found clean when the configuration was checked.
	if drop, err := ferry.Clean(ferry.Root, conf.Users.Drop); err == nil && drop != ferry.Root {
		u.Rules = append(u.Rules, ferry.Rule{Prefix: drop, Rights: ferry.RightCreate})
	}
	return u
}

// newPassword makes one up: 26 letters and digits, 128 random bits, that can
// stand in a URL and in a shell as they are.
func newPassword() string {
	return strings.ToLower(rand.Text())
}
