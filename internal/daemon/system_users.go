package daemon

import (
	"context"
	"fmt"
	"iter"
	"time"

	"golang.org/x/sys/unix"

	"ferry"
	"ferry/internal/config"
	"ferry/internal/privilege"
	"ferry/internal/sysuser"
)

// systemUsers are the accounts of the machine. Who logs in with one may do everything
// that the kernel lets it do.
type systemUsers struct {
	accounts *sysuser.Accounts
	conf     *config.Config
}

// Lookup is auth.Users's.
func (s systemUsers) Lookup(_ context.Context, name string) (ferry.User, string, error) {
	a, err := s.accounts.Account(name, time.Now())
	if err != nil {
		return ferry.User{}, "", err
	}
	u := ferry.User{
		Name: a.Name, Home: a.Home, Barred: a.Barred, Identity: identityOf(a),
		Rules: []ferry.Rule{{Prefix: ferry.Root, Rights: ferry.RightsAll}},
	}
	return withinConfig(s.conf, u), a.Hash, nil
}

// Keys is auth.Users's: these accounts have passwords only.
func (s systemUsers) Keys(_ context.Context, name string) ([]string, error) {
	_, err := s.accounts.Account(name, time.Now())
	return nil, err
}

func identityOf(a sysuser.Account) ferry.Identity {
	return ferry.Identity{UID: a.UID, GID: a.GID, Groups: a.Groups}
}

// anonymousIdentity is that of the account ftp, where the accounts of the machine may
// log in and there is one.
func anonymousIdentity(conf *config.Config) ferry.Identity {
	if !conf.System.Enabled {
		return ferry.Identity{}
	}
	a, err := conf.SystemAccounts().Account("ftp", time.Now())
	if err != nil || a.UID == 0 {
		return ferry.Identity{}
	}
	return identityOf(a)
}

// checkSystem tells what keeps the accounts of the machine from logging in.
func checkSystem(c *config.Config) error {
	if !c.System.Enabled {
		return nil
	}
	if err := c.SystemAccounts().Check(); err != nil {
		return c.Unusable("system.enabled", fmt.Errorf("the accounts of this machine cannot be read: %w; start the server as root, or in the group shadow", err))
	}
	if missing := missingCapabilities(); missing != "" {
		return c.Unusable("system.enabled", fmt.Errorf("acting for the accounts of this machine takes the capability %s, which the server does not have: start it as root", missing))
	}
	return nil
}

// missingCapabilities names what of CAP_SETUID and CAP_SETGID the process lacks; "":
// nothing.
func missingCapabilities() string {
	have, err := privilege.Permitted()
	if err != nil {
		return ""
	}
	for _, c := range []struct {
		name string
		bit  uint
	}{{"CAP_SETUID", unix.CAP_SETUID}, {"CAP_SETGID", unix.CAP_SETGID}} {
		if !have.Has(c.bit) {
			return c.name
		}
	}
	return ""
}

// accountChanges yields when an account in the database may have changed, or one of the
// machine.
func (s *Server) accountChanges(ctx context.Context) iter.Seq[struct{}] {
	conf := s.now.Load().conf
	if !conf.System.Enabled {
		return s.db.Watch(ctx)
	}
	return either(ctx, s.db.Watch(ctx), conf.SystemAccounts().Watch(ctx))
}

// either yields when one of two does.
func either(ctx context.Context, a, b iter.Seq[struct{}]) iter.Seq[struct{}] {
	return func(yield func(struct{}) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		changed := make(chan struct{})
		for _, watch := range []iter.Seq[struct{}]{a, b} {
			go func() {
				for range watch {
					select {
					case changed <- struct{}{}:
					case <-ctx.Done():
						return
					}
				}
			}()
		}
		for {
			select {
			case <-changed:
				if !yield(struct{}{}) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}
