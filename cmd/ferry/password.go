package main

import (
	"fmt"
	"io"
	"strings"

	"golang.org/x/term"

	"ferry/internal/auth"
	"ferry/internal/config"
)

// passwordFlags say where a password comes from.
type passwordFlags struct {
	PasswordStdin bool `help:"Read the password from standard input instead of asking for it."`
}

// read gets a password, from standard input or by asking twice without echo. A short
// one is told of: scripts and tests have their reasons.
func (f passwordFlags) read(c console, user string) (string, error) {
	password, err := f.readAny(c, user)
	if err == nil && auth.Short(password) {
		c.note("ferry: warning: the password of %s is short, and soon guessed: take 8 characters or more (ferry user passwd %[1]s)", user)
	}
	return password, err
}

func (f passwordFlags) readAny(c console, user string) (string, error) {
	if f.PasswordStdin {
		return readPassword(c.in)
	}
	if !term.IsTerminal(int(c.in.Fd())) {
		return "", config.Usagef("there is no terminal to ask for the password of %q at: use --password-stdin", user)
	}
	first, err := ask(c, fmt.Sprintf("Password for %s: ", user))
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
