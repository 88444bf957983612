package auth

import (
	"context"
	"errors"
	"io/fs"

	"ferry"
)

// Users knows accounts and their password hashes.
type Users interface {
	// Lookup gives the account with that name and its password hash; the hash
	// "" means that it has no password to log in with. The error matches
	// fs.ErrNotExist when there is no such account; any other one means that
	// it could not find out. It is asked at every login, so it has to be
	// quick, and may be called from several goroutines at once.
	Lookup(ctx context.Context, name string) (u ferry.User, hash string, err error)
	// Keys gives the fingerprints of the public keys that let the account in,
	// in the form of ferry.Claim's Key; the errors are those of Lookup.
	Keys(ctx context.Context, name string) ([]string, error)
}

// Entry is one account of Static.
type Entry struct {
	User ferry.User
	Hash string
}

// Static are the accounts that are given here, and never change. Of two with
// one name the last holds.
func Static(entries ...Entry) Users {
	s := make(static, len(entries))
	for _, e := range entries {
		s[e.User.Name] = e
	}
	return s
}

type static map[string]Entry

func (s static) Lookup(_ context.Context, name string) (ferry.User, string, error) {
	e, found := s[name]
	if !found {
		return ferry.User{}, "", fs.ErrNotExist
	}
	return e.User, e.Hash, nil
}

// Keys has none: these accounts have passwords only.
func (s static) Keys(_ context.Context, name string) ([]string, error) {
	if _, found := s[name]; !found {
		return nil, fs.ErrNotExist
	}
	return nil, nil
}

// Join asks several one after the other: a name belongs to the first that
// knows it. One that could not find out ends the search, so that a name never
// means another account only because its own is out of reach.
func Join(all ...Users) Users { return joined(all) }

type joined []Users

func (j joined) Lookup(ctx context.Context, name string) (ferry.User, string, error) {
	for _, users := range j {
		u, hash, err := users.Lookup(ctx, name)
		if !errors.Is(err, fs.ErrNotExist) {
			return u, hash, err
		}
	}
	return ferry.User{}, "", fs.ErrNotExist
}

func (j joined) Keys(ctx context.Context, name string) ([]string, error) {
	for _, users := range j {
		keys, err := users.Keys(ctx, name)
		if !errors.Is(err, fs.ErrNotExist) {
			return keys, err
		}
	}
	return nil, fs.ErrNotExist
}
