package config

import (
	"fmt"
	"slices"
	"strings"

	"ferry"
	"ferry/internal/auth"
)

// StaticUser is a user that the command line or the config file names.
type StaticUser struct {
	Name   string
	Secret string // a password or a hash; "" where none was given
}

// Hashed tells whether the secret is a hash, by its form.
func (a StaticUser) Hashed() bool {
	return auth.LooksHashed(a.Secret)
}

// staticUserList is several of them: "NAME", "NAME:PASSWORD", "NAME:HASH". Errors
// and toml never show the second half.
type staticUserList []StaticUser

func (a *staticUserList) set(v any) error {
	items, err := items(v)
	if err != nil {
		return fmt.Errorf("must be a list of strings such as [\"NAME:HASH\"]")
	}
	var all staticUserList
	for _, item := range items {
		name, secret, given := strings.Cut(item, ":")
		if err := ferry.CheckUserName(name); err != nil {
			return fmt.Errorf("must be NAME or NAME:PASSWORD: %w", err)
		}
		if auth.IsAnonymous(name) {
			return fmt.Errorf("must not name %q, which stands for anonymous users: use --anonymous (users.anonymous)", name)
		}
		if given && secret == "" {
			return fmt.Errorf("must be NAME or NAME:PASSWORD: user %q has an empty password", name)
		}
		if all.has(name) {
			return fmt.Errorf("must name each user once, not %q twice", name)
		}
		all = append(all, StaticUser{name, secret})
	}
	*a = all
	return nil
}

func (a staticUserList) has(name string) bool {
	return slices.ContainsFunc(a, func(one StaticUser) bool { return one.Name == name })
}

func (a *staticUserList) Toml() string {
	var items []string
	for _, one := range *a {
		if one.Secret == "" {
			items = append(items, one.Name)
		} else {
			items = append(items, one.Name+":(not shown)")
		}
	}
	return quoteList(items)
}

func (a *staticUserList) kind() string { return "list of users" }

// PasswordInArguments tells whether a password stands on the command line,
// where ps shows it to everybody on the machine.
func (c *Config) PasswordInArguments() bool {
	return c.from["users.static"] == "--user" && slices.ContainsFunc(c.Users.Static, func(a StaticUser) bool {
		return a.Secret != "" && !a.Hashed()
	})
}

// SecretsInFile tells whether passwords or hashes stand in the config file.
func (c *Config) SecretsInFile() bool {
	return c.from["users.static"] != "--user" && slices.ContainsFunc(c.Users.Static, func(a StaticUser) bool { return a.Secret != "" })
}
