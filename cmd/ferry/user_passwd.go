package main

import (
	"context"

	"ferry/internal/account"
)

// userPasswdCmd is `ferry user passwd NAME`.
type userPasswdCmd struct {
	stateFlags
	passwordFlags
	Name string `arg:"" help:"The user."`
}

func (cmd *userPasswdCmd) Run(c console) error {
	return cmd.withAccounts(func(ctx context.Context, accounts *account.Accounts) error {
		if _, err := accounts.Account(ctx, cmd.Name); err != nil {
			return noSuchUser(err, cmd.Name)
		}
		password, err := cmd.read(c, cmd.Name)
		if err != nil {
			return err
		}
		if err := accounts.SetPassword(ctx, cmd.Name, password); err != nil {
			return noSuchUser(err, cmd.Name)
		}
		return c.print("changed the password of user %s", cmd.Name)
	})
}
