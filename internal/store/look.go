package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
)

// ErrOlder: the database is of an earlier version, and Open would bring it up to date.
var ErrOlder = errors.New("it was made by an earlier version")

// Look gives the accounts in the database at path, and makes and changes nothing: it is
// for who wants to know what Open would find. fs.ErrNotExist: there is no database yet;
// other errors match ErrOlder, ErrNewer, ErrDamaged or fs.ErrPermission.
func Look(ctx context.Context, path string) ([]Account, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("cannot look at the user database: %w", err)
	}
	s := &Store{path: path}
	db, err := sql.Open("sqlite", lookDSN(path))
	if err != nil {
		return nil, s.explain("read", err)
	}
	defer db.Close()
	s.read = db
	if err := s.look(ctx); err != nil {
		return nil, s.explain("read", err)
	}
	var all []Account
	for account, err := range s.Accounts(ctx) {
		if err != nil {
			return nil, err
		}
		all = append(all, account)
	}
	return all, nil
}

// look is check and migrate without a change.
func (s *Store) look(ctx context.Context) error {
	steps, err := readMigrations()
	if err != nil {
		return err
	}
	var verdict string
	if err := s.read.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return errBroken()
	}
	version, tables := 0, 0
	if err := s.read.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master WHERE name = 'schema_version'").Scan(&tables); err != nil {
		return err
	}
	if tables > 0 {
		if err := s.read.QueryRowContext(ctx, "SELECT version FROM schema_version").Scan(&version); err != nil {
			return err
		}
	}
	switch {
	case version > len(steps):
		return fmt.Errorf("%w (its schema is number %d, this one knows %d)", ErrNewer, version, len(steps))
	case version < len(steps):
		return ErrOlder
	}
	return nil
}

// lookDSN opens the file as it is. Where a writer has left a log beside it, that is read,
// too; else SQLite is told that nobody writes, or it would make the log's files, perhaps
// as another user than the server.
func lookDSN(path string) string {
	query := url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(5000)", "query_only(1)"}}
	if info, err := os.Stat(path + "-wal"); err != nil || info.Size() == 0 {
		query.Set("immutable", "1")
	}
	u := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: query.Encode()}
	return u.String()
}
