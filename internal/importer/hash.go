package importer

import (
	"errors"
	"strings"

	"ferry/internal/auth"
	"ferry/internal/store"
)

// hash takes over a password hash as it stands in a file of accounts: one that begins
// with "!" is of an account that is locked, and what no password can match leaves the
// account out. A hash of a kind that is not read is reported; the account has no
// password then.
func (a *Accounts) hash(e *Entry, hash string) error {
	locked := strings.HasPrefix(hash, "!")
	bare := strings.TrimLeft(hash, "!")
	switch {
	case hash == "":
		return errors.New("it has an empty password hash: anybody could log in")
	case bare == "" || bare == "*" || bare == "x" || strings.HasPrefix(bare, "*"):
		return errLeftOut("it has no password: nobody logs in with it")
	}
	if err := auth.CheckHash(bare); err != nil {
		a.note(e, "password", "%s; it has no password until ferry user passwd gives it one", auth.HashFault(err))
		bare = ""
	}
	e.set(func(account *store.Account) {
		account.Hash = bare
		account.Disabled = locked
	})
	return nil
}
