package main

import (
	"context"

	"github.com/alecthomas/kong"

	"ferry/internal/account"
	"ferry/internal/config"
)

// userSetCmd is `ferry user set NAME`.
type userSetCmd struct {
	stateFlags
	accountFlags
	Name string `arg:"" user:"" help:"The user."`
}

func (cmd *userSetCmd) Run(c console, k *kong.Context) error {
	given := flagsGiven(k)
	for _, other := range []string{"--config", "--state", "NAME"} {
		delete(given, other)
	}
	if len(given) == 0 {
		return config.Usagef("nothing to change: say what (see: ferry user set --help)")
	}
	return cmd.withUser(cmd.Name, func(ctx context.Context, accounts *account.Accounts) error {
		changed, err := accounts.Change(ctx, cmd.Name, cmd.changes())
		if err != nil {
			return misused(err)
		}
		if cmd.Home != nil {
			c.makeHome(accounts, changed.Home)
		}
		if cmd.Login != nil {
			c.warnLogin(changed)
		}
		return c.print("changed user %s", cmd.Name)
	})
}
