package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"ferry/internal/account"
	"ferry/internal/config"
	"ferry/internal/store"
)

// userKeyCmd is `ferry user key ...`: public keys, for SFTP.
type userKeyCmd struct {
	Add    userKeyAddCmd    `cmd:"" help:"Add public keys to a user."`
	List   userKeyListCmd   `cmd:"" help:"List a user's public keys."`
	Remove userKeyRemoveCmd `cmd:"" aliases:"delete,del,rm" help:"Remove a public key from a user."`
}

type userKeyAddCmd struct {
	stateFlags
	Name string `arg:"" user:"" help:"The user."`
	File string `arg:"" help:"File with public keys, one a line as in authorized_keys; - for standard input."`
}

func (cmd *userKeyAddCmd) Run(c console) error {
	data, err := cmd.readFile(c)
	if err != nil {
		return err
	}
	keys, err := account.ParseKeys(cmd.File, data)
	if err != nil {
		return config.Usagef("%w", err)
	}
	return cmd.withUser(cmd.Name, func(ctx context.Context, accounts *account.Accounts) error {
		return accounts.AddKeys(ctx, cmd.Name, keys,
			func(k store.Key) error { return c.print("added key %s to user %s", k.Fingerprint, cmd.Name) },
			func(k store.Key) error { c.note("user %s has key %s already", cmd.Name, k.Fingerprint); return nil })
	})
}

// maxKeyFile is far beyond any file of keys.
const maxKeyFile = 1 << 20

func (cmd *userKeyAddCmd) readFile(c console) ([]byte, error) {
	in := c.in
	if cmd.File != "-" {
		f, err := os.Open(cmd.File)
		if err != nil {
			return nil, fmt.Errorf("cannot read the keys: %w", err)
		}
		defer f.Close()
		in = f
	}
	return io.ReadAll(io.LimitReader(in, maxKeyFile))
}

type userKeyListCmd struct {
	stateFlags
	Name string `arg:"" user:"" help:"The user."`
	JSON bool   `help:"Print JSON."`
}

func (cmd *userKeyListCmd) Run(c console) error {
	return cmd.withUser(cmd.Name, func(ctx context.Context, accounts *account.Accounts) error {
		u, err := accounts.Record(ctx, cmd.Name)
		if err != nil {
			return err
		}
		keys := u.Keys
		if cmd.JSON {
			return printJSON(c, keys)
		}
		for _, k := range keys {
			if err := c.print("%s  %s", k.Fingerprint, printable(k.Line)); err != nil {
				return err
			}
		}
		return nil
	})
}

type userKeyRemoveCmd struct {
	stateFlags
	Name        string `arg:"" user:"" help:"The user."`
	Fingerprint string `arg:"" help:"Fingerprint of the key, as ferry user key list shows it (SHA256:...)."`
}

func (cmd *userKeyRemoveCmd) Run(c console) error {
	return cmd.withUser(cmd.Name, func(ctx context.Context, accounts *account.Accounts) error {
		err := accounts.RemoveKey(ctx, cmd.Name, cmd.Fingerprint)
		if errors.Is(err, store.ErrNoKey) {
			return fmt.Errorf("user %q has no key %s: ferry user key list %s shows which there are", cmd.Name, cmd.Fingerprint, cmd.Name)
		}
		if err != nil {
			return err
		}
		return c.print("removed key %s from user %s", cmd.Fingerprint, cmd.Name)
	})
}
