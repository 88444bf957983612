package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"math"
	"strings"

	"golang.org/x/term"

	"ferry/internal/auth"
)

// passwordFlags say where a password comes from.
type passwordFlags struct {
	PasswordStdin bool `help:"Read the password from standard input instead of asking for it."`
}

// read gets a password, from standard input or by asking twice without echo.
func (f passwordFlags) read(c console, user string) (string, error) {
	if f.PasswordStdin {
		return readPassword(c.in)
	}
	if !term.IsTerminal(int(c.in.Fd())) {
		return "", usagef("there is no terminal to ask for the password of %q at: use --password-stdin", user)
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
		return "", usagef("the two passwords differ: nothing was changed")
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
		return usagef("the password is empty: nothing was changed")
	case len(password) > auth.MaxPassword:
		return usagef("the password is longer than %d bytes: nothing was changed", auth.MaxPassword)
	case strings.ContainsAny(password, "\r\n\x00"):
		return usagef("the password holds a line end or a NUL, which FTP cannot carry: nothing was changed")
	}
	return nil
}

// newPassword makes one up: 26 letters and digits, 128 random bits, that can
// stand in a URL and in a shell as they are.
func newPassword() string {
	return strings.ToLower(rand.Text())
}

// hasher makes password hashes of the configured cost, at most parallel at once.
func (c *config) hasher(parallel int) (*auth.Hasher, error) {
	memory := min(c.Users.HashMemory>>10, math.MaxUint32)
	return auth.NewHasher(auth.Cost{Memory: uint32(memory), Passes: uint32(c.Users.HashPasses)}, parallel)
}
