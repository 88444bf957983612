package main

import (
	"context"

	"ferry/internal/account"
)

// userPasswdCmd is `ferry user passwd NAME`.
type userPasswdCmd struct {
	stateFlags
	passwordFlags
	Name string `arg:"" user:"" help:"The user."`
}

func (cmd *userPasswdCmd) Run(c console) error {
	return cmd.withUser(cmd.Name, func(ctx context.Context, accounts *account.Accounts) error {
		if _, err := accounts.Account(ctx, cmd.Name); err != nil {
			return err
		}
		hash, err := cmd.hash(ctx, c, accounts, cmd.Name)
		if err != nil {
			return err
		}
		if err := accounts.SetHash(ctx, cmd.Name, hash); err != nil {
			return err
		}
		return c.print("changed the password of user %s", cmd.Name)
	})
}
