package store

import (
	"context"
	"database/sql"

	"ferry"
)

// Usages gives what is known of homes.
func (s *Store) Usages(ctx context.Context) ([]ferry.HomeUsage, error) {
	return s.usages(ctx, "SELECT home, bytes, files, state FROM home_usage ORDER BY home")
}

// RecountsAsked gives those that somebody has asked to be counted.
func (s *Store) RecountsAsked(ctx context.Context) ([]ferry.HomeUsage, error) {
	return s.usages(ctx, "SELECT home, bytes, files, state FROM home_usage WHERE state = 'recount' ORDER BY home")
}

func (s *Store) usages(ctx context.Context, query string) (all []ferry.HomeUsage, err error) {
	err = s.reading(ctx, func(tx *sql.Tx) error {
		return each(ctx, tx, query, nil, func(rows *sql.Rows) error {
			var u ferry.HomeUsage
			var state string
			err := rows.Scan(&u.Home, &u.Bytes, &u.Files, &state)
			u.Exact, u.Recount = state == "exact", state == "recount"
			all = append(all, u)
			return err
		})
	})
	return all, err
}

// SaveUsages keeps what homes hold, all of it or, where that fails, nothing. That
// somebody has asked for a recount stays, unless counted: this is the answer.
func (s *Store) SaveUsages(ctx context.Context, counted bool, all ...ferry.HomeUsage) error {
	const put = `INSERT INTO home_usage (home, bytes, files, state) VALUES (?, ?, ?, ?)
		ON CONFLICT (home) DO UPDATE SET bytes = excluded.bytes, files = excluded.files, state = excluded.state`
	query := put + " WHERE home_usage.state <> 'recount'"
	if counted {
		query = put
	}
	return s.within(ctx, s.write, nil, "change", func(tx *sql.Tx) error {
		for _, u := range all {
			if _, err := tx.ExecContext(ctx, query, u.Home, u.Bytes, u.Files, usageState(u)); err != nil {
				return err
			}
		}
		return nil
	})
}

// AskRecounts asks for homes to be counted.
func (s *Store) AskRecounts(ctx context.Context, homes []string) error {
	return s.within(ctx, s.write, nil, "change", func(tx *sql.Tx) error {
		for _, home := range homes {
			_, err := tx.ExecContext(ctx, `INSERT INTO home_usage (home, bytes, files, state) VALUES (?, 0, 0, 'recount')
				ON CONFLICT (home) DO UPDATE SET state = 'recount'`, home)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func usageState(u ferry.HomeUsage) string {
	switch {
	case u.Recount:
		return "recount"
	case u.Exact:
		return "exact"
	}
	return "open"
}
