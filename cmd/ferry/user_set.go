package main

import (
	"context"

	"ferry/internal/store"
)

// userSetCmd is `ferry user set NAME`.
type userSetCmd struct {
	stateFlags
	accountFlags
	Name string `arg:"" help:"The user."`
}

func (cmd *userSetCmd) Run(c console) error {
	return cmd.withStore(func(ctx context.Context, s state) error {
		err := s.Update(ctx, cmd.Name, func(a *store.Account) error { return cmd.apply(&a.User) })
		if err != nil {
			return noSuchUser(err, cmd.Name)
		}
		if cmd.Home != nil {
			c.warnHome(*cmd.Home)
		}
		return c.print("changed user %s", cmd.Name)
	})
}
