package main

import (
	"context"

	"github.com/alecthomas/kong"

	"ferry/internal/store"
)

// userSetCmd is `ferry user set NAME`.
type userSetCmd struct {
	stateFlags
	accountFlags
	Name string `arg:"" help:"The user."`
}

func (cmd *userSetCmd) Run(c console, k *kong.Context) error {
	changes := flagsGiven(k)
	for _, other := range []string{"--config", "--state", "NAME"} {
		delete(changes, other)
	}
	if len(changes) == 0 {
		return usagef("nothing to change: say what (see: ferry user set --help)")
	}
	return cmd.withStore(func(ctx context.Context, s state) error {
		var changed store.Account
		err := s.Update(ctx, cmd.Name, func(a *store.Account) error {
			err := cmd.apply(&a.User)
			changed = *a
			return err
		})
		if err != nil {
			return noSuchUser(err, cmd.Name)
		}
		if cmd.Home != nil {
			c.warnHome(*cmd.Home)
		}
		if cmd.Login != nil {
			c.warnLogin(changed)
		}
		return c.print("changed user %s", cmd.Name)
	})
}
