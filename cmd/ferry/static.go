package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"ferry"
	"ferry/internal/auth"
)

// account is a user that the command line or the config file names.
type account struct {
	name   string
	secret string // a password or a hash; "" where none was given
}

// hashed tells whether the secret is a hash, by its form.
func (a account) hashed() bool {
	return regexp.MustCompile(`^\$(argon2id|2[aby]|5|6)\$`).MatchString(a.secret)
}

// accounts is several of them: "NAME", "NAME:PASSWORD", "NAME:HASH". Errors
// and toml never show the second half.
type accounts []account

func (a *accounts) set(v any) error {
	items, err := items(v)
	if err != nil {
		return fmt.Errorf("must be a list of strings such as [\"NAME:HASH\"]")
	}
	var all accounts
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
		all = append(all, account{name, secret})
	}
	*a = all
	return nil
}

func (a accounts) has(name string) bool {
	return slices.ContainsFunc(a, func(one account) bool { return one.name == name })
}

func (a *accounts) toml() string {
	var items []string
	for _, one := range *a {
		if one.secret == "" {
			items = append(items, one.name)
		} else {
			items = append(items, one.name+":(not shown)")
		}
	}
	return quoteList(items)
}

func (a *accounts) kind() string { return "list of users" }

// passwordInArguments tells whether a password stands on the command line,
// where ps shows it to everybody on the machine.
func (c *config) passwordInArguments() bool {
	return c.from["users.static"] == "--user" && slices.ContainsFunc(c.Users.Static, func(a account) bool {
		return a.secret != "" && !a.hashed()
	})
}
