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

// Virtual lets in the accounts of users by their password, a public key of
// theirs, a certificate, or two of these, as each account wants it. r remembers passwords that were right; with nil every login costs
// a verification. renew takes the new hash of a password that was right, where the
// account's is not what h would make; nil: none is made. The account itself is looked up at every login, so one that
// was removed, disabled or changed is known as such at once.
func Virtual(users Users, h *Hasher, r *Remembered, renew Renew) ferry.Authenticator {
	return virtual{users, h, r, renew}
}

// Renew puts the hash now in the place of was, unless the account of that name has
// another one meanwhile. What goes wrong is its own matter: the login holds.
type Renew func(ctx context.Context, name, was, now string)

type virtual struct {
	users  Users
	hasher *Hasher
	memory *Remembered
	renew  Renew
}

// Authenticate implements ferry.Authenticator.
func (v virtual) Authenticate(ctx context.Context, c ferry.Claim) (ferry.User, error) {
	u, hash, err := v.lookup(ctx, c.Name)
	if err != nil {
		return ferry.User{}, fmt.Errorf("cannot look up the account: %w", err)
	}
	refused := v.refusal(u, c)
	key, password := c.Shows()
	if key {
		holds, err := v.keyHolds(ctx, u, c)
		if err != nil {
			return ferry.User{}, err
		}
		if !holds && !errors.Is(refused, ferry.ErrLogin) {
			refused = because("the key is none of the account's")
		}
	}
	if password {
		return v.byPassword(ctx, u, hash, c, refused)
	}
	// A wrong key or certificate costs no hash, or offering many would be an
	// attack: it takes as long for a name that is known as for one that is not.
	if refused != nil {
		return ferry.User{}, refused
	}
	return u, nil
}

// refusal is why c does not let u in, whether what it shows is right or not.
func (v virtual) refusal(u ferry.User, c ferry.Claim) error {
	switch {
	case c.Denied != "":
		return because(c.Denied)
	case u.Name == "":
		return because("there is no such account")
	}
	return u.Admits(c, time.Now())
}

// because is ferry.ErrLogin with the reason, which goes to the log and to no client.
func because(reason string) error { return fmt.Errorf("%w: %s", ferry.ErrLogin, reason) }

// keyHolds tells whether c shows a key of u, or a certificate that stands for it.
func (v virtual) keyHolds(ctx context.Context, u ferry.User, c ferry.Claim) (bool, error) {
	if c.Certified {
		return true, nil
	}
	keys, err := v.users.Keys(ctx, c.Name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("cannot look up the account's keys: %w", err)
	}
	return u.Name != "" && slices.Contains(keys, c.Key), nil
}

// byPassword lets in who has the right password of u, unless the claim is
// refused anyhow: then the work is the same.
func (v virtual) byPassword(ctx context.Context, u ferry.User, hash string, c ferry.Claim, refused error) (ferry.User, error) {
	if refused != nil {
		hash = "" // never right
	}
	// Only who would be let in is looked up in the memory: its quick answer
	// would tell of a disabled account that the password is right.
	if refused == nil && v.memory.knows(u, hash, c.Password) {
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
	if refused != nil {
		return ferry.User{}, refused
	}
	if !right && hash == "" {
		return ferry.User{}, because("the account has no password")
	}
	if !right {
		return ferry.User{}, because("wrong password")
	}
	v.memory.keep(u, hash, c.Password)
	if v.renew != nil && v.hasher.outdated(hash) {
		if now, err := v.hasher.Hash(ctx, c.Password); err == nil {
			v.renew(ctx, u.Name, hash, now)
		}
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
