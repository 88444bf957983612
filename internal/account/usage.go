package account

import (
	"context"
	"slices"

	"ferry"
	"ferry/internal/home"
	"ferry/internal/store"
)

// Usage is what a user may keep, and what the home holds, as people and scripts read it.
type Usage struct {
	Name       string `json:"name"`
	Home       string `json:"home"` // without links; "": it is not known here
	QuotaBytes int64  `json:"quota_bytes"`
	QuotaFiles int64  `json:"quota_files"`
	Bytes      int64  `json:"bytes"`
	Files      int64  `json:"files"`
	State      string `json:"state"`
}

// What is known of a home.
const (
	UsageUnknown = "never"   // no user with a quota has changed it yet
	UsageExact   = "exact"   // it holds what is said
	UsageOpen    = "open"    // a server changes it, and knows better
	UsageAsked   = "recount" // somebody has asked for it to be counted
)

// Usages tells what the user of that name may keep and what the home holds; "": all users
// who have a quota.
func (a *Accounts) Usages(ctx context.Context, name string) ([]Usage, error) {
	kept, err := a.Store.Usages(ctx)
	if err != nil {
		return nil, err
	}
	byHome := make(map[string]ferry.HomeUsage, len(kept))
	for _, u := range kept {
		byHome[u.Home] = u
	}
	usages := []Usage{}
	err = a.quotas(ctx, name, func(account store.Account) {
		usages = append(usages, a.usage(account, byHome))
	})
	return usages, err
}

// quotas calls f with the account of that name; "": with all that have a quota.
func (a *Accounts) quotas(ctx context.Context, name string, f func(store.Account)) error {
	if name != "" {
		account, err := a.Account(ctx, name)
		if err == nil {
			f(account)
		}
		return err
	}
	for account, err := range a.Accounts(ctx) {
		switch {
		case err != nil:
			return err
		case account.Limits.QuotaBytes > 0 || account.Limits.QuotaFiles > 0:
			f(account)
		}
	}
	return nil
}

func (a *Accounts) usage(account store.Account, kept map[string]ferry.HomeUsage) Usage {
	u := Usage{Name: account.Name, QuotaBytes: account.Limits.QuotaBytes, QuotaFiles: account.Limits.QuotaFiles, State: UsageUnknown}
	u.Home, _ = a.homeKey(account)
	row, known := kept[u.Home]
	if !known {
		return u
	}
	u.Bytes, u.Files = row.Bytes, row.Files
	switch {
	case row.Recount:
		u.State = UsageAsked
	case row.Exact:
		u.State = UsageExact
	default:
		u.State = UsageOpen
	}
	return u
}

// homeKey is the home of an account as it is in the table of usage.
func (a *Accounts) homeKey(account store.Account) (string, error) {
	at, err := a.conf.HomeOf(account.User)
	if err != nil {
		return "", err
	}
	return home.Key(at)
}

// Recount asks for the home of the user of that name to be counted; "": the homes of all
// users who have a quota.
func (a *Accounts) Recount(ctx context.Context, name string) (homes []string, err error) {
	var failed error
	err = a.quotas(ctx, name, func(account store.Account) {
		at, err := a.homeKey(account)
		switch {
		case err != nil:
			failed = err
		case !slices.Contains(homes, at):
			homes = append(homes, at)
		}
	})
	if err == nil {
		err = failed
	}
	if err != nil || len(homes) == 0 {
		return nil, err
	}
	return homes, a.AskRecounts(ctx, homes)
}
