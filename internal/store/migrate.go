package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"strconv"
	"strings"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the tables to the newest version, all in one transaction: a
// migration that fails leaves the database as it was.
func (s *Store) migrate(ctx context.Context) error {
	steps, err := readMigrations()
	if err != nil {
		return err
	}
	return s.within(ctx, s.write, nil, "open", func(tx *sql.Tx) error {
		version, err := schemaVersion(ctx, tx)
		if err != nil {
			return err
		}
		if version > len(steps) {
			return fmt.Errorf("%w (its schema is number %d, this one knows %d)", ErrNewer, version, len(steps))
		}
		for i, step := range steps[version:] {
			if _, err := tx.ExecContext(ctx, step); err != nil {
				return fmt.Errorf("migration %d: %w", version+i+1, err)
			}
		}
		_, err = tx.ExecContext(ctx, "UPDATE schema_version SET version = ?", len(steps))
		return err
	})
}

// schemaVersion is the number of the last migration that was applied: 0 in a
// new database.
func schemaVersion(ctx context.Context, tx *sql.Tx) (version int, err error) {
	const prepare = `CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL);
		INSERT INTO schema_version (version) SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM schema_version)`
	if _, err := tx.ExecContext(ctx, prepare); err != nil {
		return 0, err
	}
	if err := tx.QueryRowContext(ctx, "SELECT version FROM schema_version").Scan(&version); err != nil {
		return 0, err
	}
	if version < 0 {
		return 0, damage(fmt.Sprintf("schema number %d", version))
	}
	return version, nil
}

// readMigrations gives the embedded files in order. Their numbers begin with 1
// and have no gap, so that the index tells the version.
func readMigrations() (steps []string, err error) {
	files, err := migrations.ReadDir("migrations") // sorted by name
	if err != nil {
		return nil, err
	}
	for i, file := range files {
		number, _, _ := strings.Cut(file.Name(), "_")
		if n, err := strconv.Atoi(number); err != nil || n != i+1 {
			return nil, fmt.Errorf("migration %s: want number %d", file.Name(), i+1)
		}
		text, err := migrations.ReadFile("migrations/" + file.Name())
		if err != nil {
			return nil, err
		}
		steps = append(steps, string(text))
	}
	return steps, nil
}
