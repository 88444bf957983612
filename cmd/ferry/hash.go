package main

import (
	"context"

	"ferry/internal/config"
)

// hashCmd is `ferry hash`.
type hashCmd struct {
	passwordInput
	Config string `placeholder:"FILE" type:"path" help:"Config file that says what a hash may cost (users.hash_memory, users.hash_passes)."`
}

func (cmd *hashCmd) Run(c console) error {
	conf, err := config.Load(cmd.Config, nil)
	if err != nil {
		return err
	}
	h, err := conf.Hasher(1)
	if err != nil {
		return err
	}
	password, err := cmd.read(c, "")
	if err != nil {
		return err
	}
	encoded, err := h.Hash(context.Background(), password)
	if err != nil {
		return err
	}
	return c.print("%s", encoded)
}
