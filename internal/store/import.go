package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Put lets change fill in the account with that name: the one that exists, or a new one.
// Where change says so it is written.
type Put func(name string, change func(a *Account, exists bool) (write bool)) error

// Import lets do put any number of accounts in one transaction: all of them, or, when
// it answers an error, which is returned as it is, none.
func (s *Store) Import(ctx context.Context, do func(Put) error) error {
	now := time.Now()
	return s.writing(ctx, func(tx *sql.Tx) error {
		return do(func(name string, change func(*Account, bool) bool) error {
			a, err := readAccount(ctx, tx, name)
			exists := err == nil
			if err != nil && !errors.Is(err, ErrNoUser) {
				return err
			}
			if !exists {
				a.Name, a.Created = name, now
			}
			if !change(&a, exists) {
				return nil
			}
			return writeAccount(ctx, tx, a, now)
		})
	})
}
