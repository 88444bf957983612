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
		hash, err := cmd.hashOf(ctx, c, accounts, u)
		if err != nil {
			return err
		}
		added := store.Account{User: u, Hash: hash}
		err = accounts.Add(ctx, added)
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

// hashOf gets the hash of u's password. Who logs in by key alone needs none.
func (cmd *userAddCmd) hashOf(ctx context.Context, c console, accounts *account.Accounts, u ferry.User) (string, error) {
	if u.Login == ferry.LoginKey && !cmd.PasswordStdin && cmd.PasswordHash == "" {
		return "", nil
	}
	return cmd.hash(ctx, c, accounts, cmd.Name)
}

func (cmd *userAddCmd) exists() error {
	return fmt.Errorf("user %q is there already: change it with ferry user set", cmd.Name)
}
