package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"ferry/internal/store"
)

// userKeyCmd is `ferry user key ...`: public keys, for SFTP.
type userKeyCmd struct {
	Add    userKeyAddCmd    `cmd:"" help:"Add public keys to a user."`
	List   userKeyListCmd   `cmd:"" help:"List a user's public keys."`
	Remove userKeyRemoveCmd `cmd:"" help:"Remove a public key from a user."`
}

type userKeyAddCmd struct {
	stateFlags
	Name string `arg:"" help:"The user."`
	File string `arg:"" help:"File with public keys, one a line as in authorized_keys; - for standard input."`
}

func (cmd *userKeyAddCmd) Run(c console) error {
	data, err := cmd.readFile(c)
	if err != nil {
		return err
	}
	keys, err := parseKeys(cmd.File, data)
	if err != nil {
		return err
	}
	return cmd.withStore(func(ctx context.Context, s state) error {
		for _, k := range keys {
			_, err := s.AddKey(ctx, cmd.Name, k.Line)
			if errors.Is(err, store.ErrKeyExists) {
				c.note("user %s has key %s already", cmd.Name, k.Fingerprint)
				continue
			}
			if err != nil {
				return noSuchUser(err, cmd.Name)
			}
			if err := c.print("added key %s to user %s", k.Fingerprint, cmd.Name); err != nil {
				return err
			}
		}
		return nil
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

// parseKeys reads lines of authorized_keys. All are good, or none is taken.
func parseKeys(file string, data []byte) ([]store.Key, error) {
	var keys []store.Key
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		if strings.HasPrefix(line, "-----BEGIN") {
			return nil, usagef("%s:%d: this is a private key or a certificate: give the public key (the file that ends in .pub)", file, n)
		}
		k, err := store.ParseKey(line)
		if err != nil {
			return nil, usagef("%s:%d: %w", file, n, err)
		}
		keys = append(keys, k)
	}
	if err := lines.Err(); err != nil {
		return nil, usagef("%s: not a file of public keys: %w", file, err)
	}
	if len(keys) == 0 {
		return nil, usagef("%s: holds no public key", file)
	}
	return keys, nil
}

type userKeyListCmd struct {
	stateFlags
	Name string `arg:"" help:"The user."`
	JSON bool   `help:"Print JSON."`
}

func (cmd *userKeyListCmd) Run(c console) error {
	return cmd.withStore(func(ctx context.Context, s state) error {
		a, err := s.Account(ctx, cmd.Name)
		if err != nil {
			return noSuchUser(err, cmd.Name)
		}
		keys := recordOf(a).Keys
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
	Name        string `arg:"" help:"The user."`
	Fingerprint string `arg:"" help:"Fingerprint of the key, as ferry user key list shows it (SHA256:...)."`
}

func (cmd *userKeyRemoveCmd) Run(c console) error {
	return cmd.withStore(func(ctx context.Context, s state) error {
		err := s.RemoveKey(ctx, cmd.Name, cmd.Fingerprint)
		if errors.Is(err, store.ErrNoKey) {
			return fmt.Errorf("user %q has no key %s: ferry user key list %s shows which there are", cmd.Name, cmd.Fingerprint, cmd.Name)
		}
		if err != nil {
			return noSuchUser(err, cmd.Name)
		}
		return c.print("removed key %s from user %s", cmd.Fingerprint, cmd.Name)
	})
}
