package daemon

import (
	"context"
	"errors"
	"slices"
	"time"

	"ferry"
	"ferry/internal/config"
	"ferry/internal/home"
	"ferry/internal/store"
)

// sweepEvery is how often expired parts are looked for.
const sweepEvery = 6 * time.Hour

// sweep removes expired parts from every home, at the start and then every few
// hours, on one node at a time.
func (s *Server) sweep(ctx context.Context, nodes ferry.Cluster) {
	log := s.log
	err := nodes.Lead(ctx, "sweep", func(ctx context.Context) {
		again := time.NewTicker(sweepEvery)
		defer again.Stop()
		for {
			all, err := allHomes(ctx, s.now.Load().conf, s.db)
			if err = errors.Join(err, s.homes.Sweep(ctx, all)); err != nil && ctx.Err() == nil {
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

// followAccounts makes the sessions of users what their accounts say, each time one
// changes.
func (s *Server) followAccounts(ctx context.Context) {
	for range s.accountChanges(ctx) {
		s.followUsers(ctx)
	}
}

// followUsers makes live sessions what the users are now.
func (s *Server) followUsers(ctx context.Context) {
	if err := s.gate.Refresh(ctx, currentUsers{s}.account); err != nil && ctx.Err() == nil {
		s.log.Warn("some accounts could not be looked at after a change; their sessions go on", "error", err)
	}
}
