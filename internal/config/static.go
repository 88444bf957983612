package config

import (
	"fmt"
	"slices"
	"strings"

	"ferry"
	"ferry/internal/auth"
	"ferry/internal/setting"
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

func (a *staticUserList) Set(v any) error {
	if _, err := setting.Items(v); err != nil {
		return fmt.Errorf("must be a list of strings such as [\"NAME:HASH\"]")
	}
	var seen []string
	return setting.Fill((*[]StaticUser)(a), v, func(item string) (StaticUser, error) {
		name, secret, given := strings.Cut(item, ":")
		u, err := StaticUser{name, secret}, ferry.CheckUserName(name)
		switch {
		case err != nil:
			return u, fmt.Errorf("must be NAME or NAME:PASSWORD: %w", err)
		case auth.IsAnonymous(name):
			return u, fmt.Errorf("must not name %q, which stands for anonymous users: use --anonymous (users.anonymous)", name)
		case given && secret == "":
			return u, fmt.Errorf("must be NAME or NAME:PASSWORD: user %q has an empty password", name)
		case slices.Contains(seen, name):
			return u, fmt.Errorf("must name each user once, not %q twice", name)
		}
		seen = append(seen, name)
		return u, nil
	})
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
	return setting.QuoteList(items)
}

func (a *staticUserList) Kind() string { return "list of users" }

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
