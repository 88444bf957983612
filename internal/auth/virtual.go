package auth

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"ferry"
)

// Virtual lets in the accounts of users by their password, or by a public key
// of theirs. r remembers passwords that were right; with nil every login costs
// a verification. The account itself is looked up at every login, so one that
// was removed, disabled or changed is known as such at once.
func Virtual(users Users, h *Hasher, r *Remembered) ferry.Authenticator {
	return virtual{users, h, r}
}

type virtual struct {
	users  Users
	hasher *Hasher
	memory *Remembered
}

// Authenticate implements ferry.Authenticator.
func (v virtual) Authenticate(ctx context.Context, c ferry.Claim) (ferry.User, error) {
	u, hash, err := v.lookup(ctx, c.Name)
	if err != nil {
		return ferry.User{}, fmt.Errorf("cannot look up the account: %w", err)
	}
	if c.Key != "" {
		return v.byKey(ctx, u, c)
	}
	if c.Certified && u.Name != "" && u.MayLogin(time.Now()) {
		return u, nil
	}
	if c.Denied {
		hash = "" // never right, and the same work
	}
	// Only who may log in is looked up in the memory: its quick answer would
	// tell of a disabled account that the password is right.
	if !c.Denied && u.MayLogin(time.Now()) && v.memory.knows(u, hash, c.Password) {
		return u, nil
	}
	right, err := v.hasher.Verify(ctx, hash, c.Password)
	if errors.Is(err, ErrHash) {
		// To the client a wrong password like any other; the log gets the cause.
		return ferry.User{}, fmt.Errorf("%w: account %q: %w", ferry.ErrLogin, u.Name, err)
	}
	if err != nil {
		return ferry.User{}, fmt.Errorf("cannot verify the password: %w", err)
	}
	if !right || !u.MayLogin(time.Now()) {
		return ferry.User{}, ferry.ErrLogin
	}
	v.memory.keep(u, hash, c.Password)
	return u, nil
}

// byKey lets in who has shown one of the keys of u. That costs no hash: a wrong
// key takes as long for a name that is known as for one that is not.
func (v virtual) byKey(ctx context.Context, u ferry.User, c ferry.Claim) (ferry.User, error) {
	keys, err := v.users.Keys(ctx, c.Name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return ferry.User{}, fmt.Errorf("cannot look up the account's keys: %w", err)
	}
	if u.Name == "" || c.Denied || !slices.Contains(keys, c.Key) || !u.MayLogin(time.Now()) {
		return ferry.User{}, ferry.ErrLogin
	}
	return u, nil
}

// lookup gives an unknown name an empty hash: Verify does its work on that,
// too, and never finds it right. A name that no account may have is not even
// asked for.
func (v virtual) lookup(ctx context.Context, name string) (ferry.User, string, error) {
	if ferry.CheckUserName(name) != nil {
		return ferry.User{}, "", nil
	}
	u, hash, err := v.users.Lookup(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return ferry.User{}, "", nil
	}
	return u, hash, err
}
