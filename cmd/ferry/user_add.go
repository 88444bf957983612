package main

import (
	"context"
	"errors"
	"fmt"

	"ferry"
	"ferry/internal/auth"
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
	if err := ferry.CheckUserName(cmd.Name); err != nil {
		return usageError{err}
	}
	if auth.IsAnonymous(cmd.Name) {
		return usagef("user name %q stands for anonymous users: choose another", cmd.Name)
	}
	u := ferry.User{Name: cmd.Name, Rules: []ferry.Rule{{Prefix: "/", Rights: ferry.RightsAll}}}
	if err := cmd.apply(&u); err != nil {
		return err
	}
	return cmd.withStore(func(ctx context.Context, s state) error {
		// Looked at before the password is asked for: nobody should type one in vain.
		if _, err := s.Account(ctx, cmd.Name); err == nil {
			return cmd.exists()
		}
		hash, err := cmd.newHash(ctx, c, s, u)
		if err != nil {
			return err
		}
		err = s.Add(ctx, store.Account{User: u, Hash: hash})
		if errors.Is(err, store.ErrUserExists) {
			return cmd.exists()
		}
		if err != nil {
			return err
		}
		c.warnHome(u.Home)
		c.warnLogin(store.Account{User: u, Hash: hash})
		return c.print("added user %s", cmd.Name)
	})
}

// newHash gets the password of u. Who logs in by key alone needs none.
func (cmd *userAddCmd) newHash(ctx context.Context, c console, s state, u ferry.User) (string, error) {
	if u.Login == ferry.LoginKey && !cmd.PasswordStdin {
		return "", nil
	}
	password, err := cmd.read(c, cmd.Name)
	if err != nil {
		return "", err
	}
	return s.hash(ctx, password)
}

func (cmd *userAddCmd) exists() error {
	return fmt.Errorf("user %q is there already: change it with ferry user set", cmd.Name)
}
