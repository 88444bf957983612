package main

import (
	"context"
	"errors"
	"fmt"

	"ferry"
	"ferry/internal/account"
	"ferry/internal/config"
	"ferry/internal/store"
)

// userAddCmd is `ferry user add NAME`.
type userAddCmd struct {
	stateFlags
	accountFlags
	passwordFlags
	Name string `arg:"" help:"Name to log in with."`
}

func (cmd *userAddCmd) Run(c console) error {
	u, err := account.New(cmd.Name, cmd.changes())
	if err != nil {
		return config.Usagef("%w", misused(err))
	}
	conf, err := cmd.load()
	if err != nil {
		return err
	}
	return withAccounts(conf, func(ctx context.Context, accounts *account.Accounts) error {
		// Looked at before the password is asked for: nobody should type one in vain.
		if accounts.Has(ctx, cmd.Name) {
			return cmd.exists()
		}
		password, err := cmd.password(c, u)
		if err != nil {
			return err
		}
		added, err := accounts.AddUser(ctx, u, password)
		if errors.Is(err, store.ErrUserExists) {
			return cmd.exists()
		}
		if err != nil {
			return err
		}
		c.makeHome(accounts, u.Home)
		c.warnLogin(added)
		return c.print("added user %s", cmd.Name)
	})
}

// password gets that of u. Who logs in by key alone needs none.
func (cmd *userAddCmd) password(c console, u ferry.User) (string, error) {
	if u.Login == ferry.LoginKey && !cmd.PasswordStdin {
		return "", nil
	}
	return cmd.read(c, cmd.Name)
}

func (cmd *userAddCmd) exists() error {
	return fmt.Errorf("user %q is there already: change it with ferry user set", cmd.Name)
}
