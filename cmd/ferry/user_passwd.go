package main

import (
	"context"

	"ferry/internal/store"
)

// userPasswdCmd is `ferry user passwd NAME`.
type userPasswdCmd struct {
	stateFlags
	passwordFlags
	Name string `arg:"" help:"The user."`
}

func (cmd *userPasswdCmd) Run(c console) error {
	return cmd.withStore(func(ctx context.Context, s state) error {
		if _, err := s.Account(ctx, cmd.Name); err != nil {
			return noSuchUser(err, cmd.Name)
		}
		password, err := cmd.read(c, cmd.Name)
		if err != nil {
			return err
		}
		hash, err := s.hash(ctx, password)
		if err != nil {
			return err
		}
		err = s.Update(ctx, cmd.Name, func(a *store.Account) error { a.Hash = hash; return nil })
		if err != nil {
			return noSuchUser(err, cmd.Name)
		}
		return c.print("changed the password of user %s", cmd.Name)
	})
}
