package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"ferry"
	"ferry/internal/auth"
	"ferry/internal/gate"
	"ferry/internal/store"
)

// sweepEvery is how often expired parts are looked for.
const sweepEvery = 6 * time.Hour

// sweep removes expired parts from every home, at the start and then every few
// hours, on one node at a time.
func sweep(ctx context.Context, nodes ferry.Cluster, t *trees, db *store.Store, log *slog.Logger) {
	err := nodes.Lead(ctx, "sweep", func(ctx context.Context) {
		again := time.NewTicker(sweepEvery)
		defer again.Stop()
		for {
			if err := t.sweep(ctx, db); err != nil && ctx.Err() == nil {
				log.Warn("not every expired part could be swept; tried again later", "error", err)
			}
			select {
			case <-ctx.Done():
				return
			case <-again.C:
			}
		}
	})
	if err != nil && ctx.Err() == nil {
		log.Error("expired parts are not swept any more", "error", err)
	}
}

// sweep goes once through the homes of all accounts and the roots of the
// configuration. A home that cannot be swept does not keep the others from it.
func (t *trees) sweep(ctx context.Context, db *store.Store) error {
	homes, failed := t.homes(ctx, db)
	for home := range homes {
		tree, release, err := t.lease(home)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		failed = errors.Join(failed, tree.Sweep(ctx))
		release()
	}
	return failed
}

// homes are the directories that uploads may have gone to. Those of accounts
// that never logged in may not be there yet, and are not made.
func (t *trees) homes(ctx context.Context, db *store.Store) (map[string]bool, error) {
	homes := map[string]bool{}
	if t.conf.Storage.Root != "" {
		homes[filepath.Clean(t.conf.Storage.Root)] = true
	}
	for _, root := range t.conf.anonymousRoots() {
		homes[filepath.Clean(root)] = true
	}
	for account, err := range db.Accounts(ctx) {
		if err != nil {
			return homes, err
		}
		home, err := t.conf.homeOf(account.User)
		if err != nil {
			return homes, err
		}
		if info, err := os.Stat(home); err == nil && info.IsDir() {
			homes[filepath.Clean(home)] = true
		}
	}
	return homes, nil
}

// refresh ends the sessions of users that were removed or disabled, each time
// an account changes.
func refresh(ctx context.Context, conf *config, g *gate.Gate, db *store.Store, users auth.Users, log *slog.Logger) {
	current := func(ctx context.Context, name string) (ferry.User, error) {
		if auth.IsAnonymous(name) {
			return anonymous(conf, ""), nil // no account, so no change of one is about it
		}
		u, _, err := users.Lookup(ctx, name)
		return u, err
	}
	for range db.Watch(ctx) {
		if err := g.Refresh(ctx, current); err != nil && ctx.Err() == nil {
			log.Warn("some accounts could not be looked at after a change; their sessions go on", "error", err)
		}
	}
}
