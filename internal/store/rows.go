package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"ferry"
)

// readNames gives the names of all accounts, in order.
func readNames(ctx context.Context, tx *sql.Tx) (names []string, err error) {
	err = each(ctx, tx, "SELECT name FROM users ORDER BY name", nil, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		names = append(names, name)
		return err
	})
	return names, err
}

// readAccount reads an account whole.
func readAccount(ctx context.Context, tx *sql.Tx, name string) (Account, error) {
	a, err := readUser(ctx, tx, name)
	if err != nil {
		return Account{}, err
	}
	const query = "SELECT line, fingerprint, added FROM user_keys WHERE user_name = ? ORDER BY fingerprint"
	err = each(ctx, tx, query, []any{name}, func(rows *sql.Rows) error {
		var line, fingerprint, added string
		if err := rows.Scan(&line, &fingerprint, &added); err != nil {
			return badRow(name, err)
		}
		key, err := ParseKey(line)
		if err != nil || key.Fingerprint != fingerprint {
			return badRow(name, fmt.Errorf("key %.60q is not what its line says", fingerprint))
		}
		if key.Added, err = parseTime(added); err != nil {
			return badRow(name, err)
		}
		a.Keys = append(a.Keys, key)
		return nil
	})
	if err != nil {
		return Account{}, err
	}
	return a, nil
}

// readUser reads an account without its keys.
func readUser(ctx context.Context, tx *sql.Tx, name string) (a Account, err error) {
	const query = `SELECT name, version, hash, login, principals, home, shared, disabled, expires, charset, direct_uploads,
		max_sessions, upload_rate, download_rate, quota_bytes, quota_files, created, changed FROM users WHERE name = ?`
	var shared, disabled, direct truth
	var expires, created, changed moment
	var login, principals string
	err = tx.QueryRowContext(ctx, query, name).Scan(&a.Name, &a.Version, &a.Hash, &login, &principals, &a.Home, &shared, &disabled, &expires,
		&a.Charset, &direct, &a.Limits.Sessions, &a.Limits.Upload, &a.Limits.Download, &a.Limits.QuotaBytes, &a.Limits.QuotaFiles, &created, &changed)
	if errors.Is(err, sql.ErrNoRows) {
		return Account{}, noUser(name)
	}
	if err != nil {
		return Account{}, badRow(name, err)
	}
	if a.Login, err = ferry.ParseLogin(login); err != nil {
		return Account{}, badRow(name, err)
	}
	if principals != "" {
		a.Principals = strings.Split(principals, ",")
	}
	a.Shared, a.Disabled, a.DirectUploads = bool(shared), bool(disabled), bool(direct)
	a.Expires, a.Created, a.Changed = time.Time(expires), time.Time(created), time.Time(changed)
	if a.Rules, err = readRules(ctx, tx, name); err != nil {
		return Account{}, err
	}
	if err := check(a); err != nil {
		return Account{}, badRow(name, err)
	}
	return a, nil
}

func readRules(ctx context.Context, tx *sql.Tx, name string) (rules []ferry.Rule, err error) {
	const query = "SELECT prefix, rights FROM user_rules WHERE user_name = ? ORDER BY prefix"
	err = each(ctx, tx, query, []any{name}, func(rows *sql.Rows) error {
		var prefix, rights string
		if err := rows.Scan(&prefix, &rights); err != nil {
			return badRow(name, err)
		}
		set, err := ferry.ParseRights(rights)
		if err != nil {
			return badRow(name, fmt.Errorf("rule for %q: %w", prefix, err))
		}
		clean, err := ferry.Clean(ferry.Root, prefix)
		if err != nil {
			return badRow(name, fmt.Errorf("rule for %q: %w", prefix, err))
		}
		rules = append(rules, ferry.Rule{Prefix: clean, Rights: set})
		return nil
	})
	return rules, err
}

// each runs the query and calls f for each row.
func each(ctx context.Context, tx *sql.Tx, query string, args []any, f func(*sql.Rows) error) error {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
