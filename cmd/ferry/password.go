package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"golang.org/x/term"

	"ferry/internal/account"
	"ferry/internal/auth"
	"ferry/internal/config"
)

// passwordInput says where a password comes from.
type passwordInput struct {
	PasswordStdin bool `xor:"password" help:"Read the password from standard input instead of asking for it."`
}

// passwordFlags say how the password of an account is given.
type passwordFlags struct {
	passwordInput
	PasswordHash string `xor:"password" placeholder:"HASH" help:"Take the hash of a password, of ferry hash or another program: argon2id, bcrypt, scrypt, yescrypt, PBKDF2, SHA-crypt or MD5-crypt."`
}

// hash gets the hash of a user's password, made by accounts where it is not given.
func (f passwordFlags) hash(ctx context.Context, c console, accounts *account.Accounts, user string) (string, error) {
	if f.PasswordHash != "" {
		if err := auth.CheckHash(f.PasswordHash); err != nil {
			return "", config.Usagef("--password-hash: no password can match it: %s", auth.HashFault(err))
		}
		return f.PasswordHash, nil
	}
	password, err := f.read(c, " for "+user)
	if err != nil {
		return "", err
	}
	if auth.Short(password) {
		c.note("ferry: warning: the password of %s is short, and soon guessed: take 8 characters or more (ferry user passwd %[1]s)", user)
	}
	return accounts.Hash(ctx, password)
}

// read gets a password, from standard input or by asking twice without echo. A short
// one is taken: scripts and tests have their reasons.
func (f passwordInput) read(c console, whose string) (string, error) {
	if f.PasswordStdin {
		return readPassword(c.in)
	}
	if !term.IsTerminal(int(c.in.Fd())) {
		return "", config.Usagef("there is no terminal to ask for the password at: use --password-stdin")
	}
	first, err := ask(c, fmt.Sprintf("Password%s: ", whose))
	if err != nil {
		return "", err
	}
	second, err := ask(c, "Once more: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", config.Usagef("the two passwords differ: nothing was changed")
	}
	return first, checkPassword(first)
}

func ask(c console, prompt string) (string, error) {
	fmt.Fprint(c.err, prompt)
	password, err := term.ReadPassword(int(c.in.Fd()))
	fmt.Fprintln(c.err)
	if err != nil {
		return "", fmt.Errorf("cannot read the password: %w", err)
	}
	return string(password), nil
}

func readPassword(r io.Reader) (string, error) {
	data, err := io.ReadAll(io.LimitReader(r, auth.MaxPassword+3))
	if err != nil {
		return "", fmt.Errorf("cannot read the password: %w", err)
	}
	password := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	return password, checkPassword(password)
}

// checkPassword refuses what no client could send.
func checkPassword(password string) error {
	switch {
	case password == "":
		return config.Usagef("the password is empty: nothing was changed")
	case len(password) > auth.MaxPassword:
		return config.Usagef("the password is longer than %d bytes: nothing was changed", auth.MaxPassword)
	case strings.ContainsAny(password, "\r\n\x00"):
		return config.Usagef("the password holds a line end or a NUL, which FTP cannot carry: nothing was changed")
	}
	return nil
}
