package account

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"ferry"
	"ferry/internal/auth"
	"ferry/internal/config"
	"ferry/internal/home"
	"ferry/internal/store"
)

// Accounts is the open database of accounts, and the configuration by which new
// passwords are hashed.
type Accounts struct {
	*store.Store
	conf *config.Config
}

// Open opens the database that conf names.
func Open(ctx context.Context, conf *config.Config) (*Accounts, error) {
	s, err := store.Open(ctx, conf.Database())
	if err != nil {
		return nil, err
	}
	return &Accounts{s, conf}, nil
}

// MakeHome makes the directory of a home where it is missing and the one above it is
// there; made tells that it did. It belongs to whom the database belongs to: to the
// user that the server runs as, whoever adds the account.
func (a *Accounts) MakeHome(at string) (made bool, err error) {
	path, err := home.Path(at)
	if err != nil {
		return false, err
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	var failed *fs.PathError
	if err := os.Mkdir(path, home.Mode); errors.As(err, &failed) {
		return false, fmt.Errorf("%s is not there, and cannot be made: %w", path, failed.Err)
	}
	info, err := os.Stat(a.conf.Database())
	if err != nil {
		return true, err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		err = os.Lchown(path, int(owner.Uid), int(owner.Gid))
	}
	return true, err
}

// Any tells whether there is a database that conf names; Open makes it otherwise.
func Any(conf *config.Config) bool {
	_, err := os.Stat(conf.Database())
	return !errors.Is(err, fs.ErrNotExist)
}

// New is the account of a user who may do everything, with changes. It is in no
// database yet.
func New(name string, changes *Changes) (ferry.User, error) {
	if err := ferry.CheckUserName(name); err != nil {
		return ferry.User{}, err
	}
	if auth.IsAnonymous(name) {
		return ferry.User{}, fmt.Errorf("user name %q stands for anonymous users: choose another", name)
	}
	u := ferry.User{Name: name, Rules: []ferry.Rule{{Prefix: ferry.Root, Rights: ferry.RightsAll}}}
	return u, changes.Apply(&u)
}

// Has tells whether there is an account of that name.
func (a *Accounts) Has(ctx context.Context, name string) bool {
	_, err := a.Account(ctx, name)
	return err == nil
}

// Change makes changes, all or none, and gives the account as it is then.
func (a *Accounts) Change(ctx context.Context, name string, changes *Changes) (changed store.Account, err error) {
	err = a.Update(ctx, name, func(account *store.Account) error {
		err := changes.Apply(&account.User)
		changed = *account
		return err
	})
	return changed, err
}

// SetHash gives an account another password, by its hash.
func (a *Accounts) SetHash(ctx context.Context, name, hash string) error {
	return a.Update(ctx, name, func(account *store.Account) error { account.Hash = hash; return nil })
}

// Records describes all accounts, by name.
func (a *Accounts) Records(ctx context.Context) ([]Record, error) {
	records := []Record{}
	for account, err := range a.Accounts(ctx) {
		if err != nil {
			return nil, err
		}
		records = append(records, RecordOf(account))
	}
	return records, nil
}

// Record describes one account.
func (a *Accounts) Record(ctx context.Context, name string) (Record, error) {
	account, err := a.Account(ctx, name)
	return RecordOf(account), err
}

// AddKeys gives an account keys; had calls back for each that it has already, added
// for each that is new.
func (a *Accounts) AddKeys(ctx context.Context, name string, keys []store.Key, added, had func(store.Key) error) error {
	for _, k := range keys {
		_, err := a.AddKey(ctx, name, k.Line)
		tell := added
		if errors.Is(err, store.ErrKeyExists) {
			tell, err = had, nil
		}
		if err == nil {
			err = tell(k)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Hash makes the hash of a password, at the cost that the configuration says.
func (a *Accounts) Hash(ctx context.Context, password string) (string, error) {
	h, err := a.conf.Hasher(1)
	if err != nil {
		return "", err
	}
	return h.Hash(ctx, password)
}
