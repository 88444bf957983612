package daemon

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"ferry"
	"ferry/internal/auth"
	"ferry/internal/config"
	"ferry/internal/gate"
	"ferry/internal/home"
	"ferry/internal/store"
)

// sweepEvery is how often expired parts are looked for.
const sweepEvery = 6 * time.Hour

// sweep removes expired parts from every home, at the start and then every few
// hours, on one node at a time.
func sweep(ctx context.Context, nodes ferry.Cluster, conf *config.Config, homes *home.Homes, db *store.Store, log *slog.Logger) {
	err := nodes.Lead(ctx, "sweep", func(ctx context.Context) {
		again := time.NewTicker(sweepEvery)
		defer again.Stop()
		for {
			all, err := allHomes(ctx, conf, db)
			if err = errors.Join(err, homes.Sweep(ctx, all)); err != nil && ctx.Err() == nil {
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

// allHomes are the homes that uploads may have gone to. Those of accounts that never
// logged in may not be there yet, and are not made. An account whose home cannot be
// told is in the error, and the others are in the list all the same.
func allHomes(ctx context.Context, conf *config.Config, db *store.Store) ([]string, error) {
	homes := conf.AnonymousRoots()
	if conf.Storage.Root != "" {
		homes = append(homes, conf.Storage.Root)
	}
	var failed error
	for account, err := range db.Accounts(ctx) {
		if err != nil {
			return homes, errors.Join(failed, err)
		}
		at, err := conf.HomeOf(account.User)
		switch {
		case err != nil:
			failed = errors.Join(failed, err)
		case home.Exists(at):
			homes = append(homes, at)
		}
	}
	for i, at := range homes {
		homes[i] = home.Clean(at)
	}
	slices.Sort(homes)
	return slices.Compact(homes), failed
}

// refresh ends the sessions of users that were removed or disabled, each time
// an account changes.
func refresh(ctx context.Context, conf *config.Config, g *gate.Gate, db *store.Store, users auth.Users, log *slog.Logger) {
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
