package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"ferry"
)

// Account is one virtual user.
type Account struct {
	ferry.User
	Hash    string // as package auth makes it; "": no login by password
	Keys    []Key  // by fingerprint
	Created time.Time
	Changed time.Time
}

// Account gives the account with that name; ErrNoUser when there is none.
func (s *Store) Account(ctx context.Context, name string) (a Account, err error) {
	err = s.reading(ctx, func(tx *sql.Tx) error {
		a, err = readAccount(ctx, tx, name)
		return err
	})
	return a, err
}

// Lookup gives what a login needs of an account: the user and the password
// hash; ErrNoUser, which matches fs.ErrNotExist, when there is none.
func (s *Store) Lookup(ctx context.Context, name string) (u ferry.User, hash string, err error) {
	err = s.reading(ctx, func(tx *sql.Tx) error {
		a, err := readUser(ctx, tx, name)
		u, hash = a.User, a.Hash
		return err
	})
	return u, hash, err
}

// Keys gives the fingerprints of the public keys that the account may log in
// with; ErrNoUser when there is no such account.
func (s *Store) Keys(ctx context.Context, name string) (fingerprints []string, err error) {
	err = s.reading(ctx, func(tx *sql.Tx) error {
		a, err := readAccount(ctx, tx, name)
		for _, k := range a.Keys {
			fingerprints = append(fingerprints, k.Fingerprint)
		}
		return err
	})
	return fingerprints, err
}

// Accounts yields all accounts, ordered by name, as they were at one moment.
// The first error ends the sequence.
func (s *Store) Accounts(ctx context.Context) iter.Seq2[Account, error] {
	return func(yield func(Account, error) bool) {
		left := errors.New("the loop was left")
		err := s.reading(ctx, func(tx *sql.Tx) error {
			names, err := readNames(ctx, tx)
			if err != nil {
				return err
			}
			for _, name := range names {
				a, err := readAccount(ctx, tx, name)
				if err != nil {
					return err
				}
				if !yield(a, nil) {
					return left
				}
			}
			return nil
		})
		if err != nil && err != left {
			yield(Account{}, err)
		}
	}
}

// Add makes a new account; ErrUserExists when the name is taken. Version,
// Created, Changed, and Fingerprint and Added of the keys are set here.
func (s *Store) Add(ctx context.Context, a Account) error {
	return s.writing(ctx, func(tx *sql.Tx) error {
		switch _, err := readUser(ctx, tx, a.Name); {
		case err == nil:
			return fmt.Errorf("%q: %w", a.Name, ErrUserExists)
		case !errors.Is(err, ErrNoUser):
			return err
		}
		now := time.Now()
		a.Created = now
		return writeAccount(ctx, tx, a, now)
	})
}

// Update lets change alter the account with that name, in one transaction: no
// other change comes between. An error of change is returned as it is, and
// nothing has happened then. Name and Created cannot be altered; Version and
// Changed are set here. change must not call the Store.
func (s *Store) Update(ctx context.Context, name string, change func(*Account) error) error {
	return s.writing(ctx, func(tx *sql.Tx) error {
		a, err := readAccount(ctx, tx, name)
		if err != nil {
			return err
		}
		if err := change(&a); err != nil {
			return err
		}
		if a.Name != name {
			return fmt.Errorf("user %q: an account cannot be renamed; add a new one and remove this", name)
		}
		return writeAccount(ctx, tx, a, time.Now())
	})
}

// Remove removes the account; ErrNoUser when there is none. Its files stay.
func (s *Store) Remove(ctx context.Context, name string) error {
	return s.writing(ctx, func(tx *sql.Tx) error {
		if _, err := nextVersion(ctx, tx); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, "DELETE FROM users WHERE name = ?", name) // rules and keys go with it
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, noUser(name))
		}
		return nil
	})
}

func noUser(name string) error { return fmt.Errorf("%.140q: %w", name, ErrNoUser) }

// nextVersion counts a change of any account, for Watch, and gives the number
// that the changed account gets as its version.
func nextVersion(ctx context.Context, tx *sql.Tx) (version int64, err error) {
	const count = "UPDATE counters SET value = value + 1 WHERE name = 'accounts' RETURNING value"
	err = tx.QueryRowContext(ctx, count).Scan(&version)
	return version, err
}

// writeAccount checks the account and puts it in the place of what is there.
func writeAccount(ctx context.Context, tx *sql.Tx, a Account, now time.Time) (err error) {
	if err := prepare(&a, now); err != nil {
		return fmt.Errorf("user %.140q: %w", a.Name, err)
	}
	if a.Version, err = nextVersion(ctx, tx); err != nil {
		return err
	}
	if err := putUser(ctx, tx, a); err != nil {
		return err
	}
	return putLists(ctx, tx, a)
}

// putLists replaces the account's rules and keys.
func putLists(ctx context.Context, tx *sql.Tx, a Account) error {
	for _, clear := range []string{"DELETE FROM user_rules WHERE user_name = ?", "DELETE FROM user_keys WHERE user_name = ?"} {
		if _, err := tx.ExecContext(ctx, clear, a.Name); err != nil {
			return err
		}
	}
	for _, r := range a.Rules {
		const insert = "INSERT INTO user_rules (user_name, prefix, rights) VALUES (?, ?, ?)"
		if _, err := tx.ExecContext(ctx, insert, a.Name, r.Prefix, r.Rights.String()); err != nil {
			return err
		}
	}
	for _, k := range a.Keys {
		const insert = "INSERT INTO user_keys (user_name, fingerprint, line, added) VALUES (?, ?, ?, ?)"
		if _, err := tx.ExecContext(ctx, insert, a.Name, k.Fingerprint, k.Line, formatTime(k.Added)); err != nil {
			return err
		}
	}
	return nil
}

// putUser writes the account's own row. An existing one is changed in place:
// whatever else refers to it must not go with it.
func putUser(ctx context.Context, tx *sql.Tx, a Account) error {
	const put = `INSERT INTO users (name, version, hash, login, principals, home, shared, disabled, expires, charset, direct_uploads,
		max_sessions, upload_rate, download_rate, quota_bytes, quota_files, created, changed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET version = excluded.version, hash = excluded.hash, login = excluded.login,
		principals = excluded.principals, home = excluded.home,
		shared = excluded.shared, disabled = excluded.disabled, expires = excluded.expires, charset = excluded.charset,
		direct_uploads = excluded.direct_uploads, max_sessions = excluded.max_sessions,
		upload_rate = excluded.upload_rate, download_rate = excluded.download_rate,
		quota_bytes = excluded.quota_bytes, quota_files = excluded.quota_files, changed = excluded.changed`
	_, err := tx.ExecContext(ctx, put, a.Name, a.Version, a.Hash, a.Login.String(), strings.Join(a.Principals, ","), a.Home, number(a.Shared), number(a.Disabled),
		formatTime(a.Expires), a.Charset, number(a.DirectUploads),
		a.Limits.Sessions, a.Limits.Upload, a.Limits.Download, a.Limits.QuotaBytes, a.Limits.QuotaFiles, formatTime(a.Created), formatTime(a.Changed))
	return err
}

func number(truth bool) int64 {
	if truth {
		return 1
	}
	return 0
}

// AddKey lets the account log in with the public key in line, which has the
// form of authorized_keys; ErrKeyExists when it may already.
func (s *Store) AddKey(ctx context.Context, name, line string) (Key, error) {
	key, err := ParseKey(line)
	if err != nil {
		return Key{}, err
	}
	key.Added = time.Now().UTC()
	err = s.Update(ctx, name, func(a *Account) error {
		if slices.ContainsFunc(a.Keys, key.same) {
			return fmt.Errorf("user %q: %w", name, ErrKeyExists)
		}
		a.Keys = append(a.Keys, key)
		return nil
	})
	if err != nil {
		return Key{}, err
	}
	return key, nil
}

// RemoveKey takes the key with that fingerprint ("SHA256:…") from the account;
// ErrNoKey when it has no such key.
func (s *Store) RemoveKey(ctx context.Context, name, fingerprint string) error {
	return s.Update(ctx, name, func(a *Account) error {
		n := len(a.Keys)
		a.Keys = slices.DeleteFunc(a.Keys, Key{Fingerprint: fingerprint}.same)
		if len(a.Keys) == n {
			return fmt.Errorf("user %q: %w", name, ErrNoKey)
		}
		return nil
	})
}
