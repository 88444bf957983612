package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"ferry"
	"ferry/internal/config"
	"ferry/internal/home"
	"ferry/internal/store"
)

// How much of the homes of accounts is looked at before a server begins: they may be
// many, and on a network file system that does not answer.
const (
	mostHomes = 10_000
	mostTold  = 10
	homesTime = 2 * time.Second
)

// checkAccountHomes looks whether the server's user may do to the homes of accounts what
// the accounts may. Their users would learn of it one by one, and the operator last.
func checkAccountHomes(c *config.Config) error {
	if checkState(c) != nil {
		return nil // told of the state directory itself
	}
	accounts, err := store.Look(context.Background(), c.Database())
	if err != nil {
		return nil // there are none, or it is told of the database itself
	}
	faults, done := make(chan error), make(chan struct{})
	defer close(done)
	go lookAtHomes(c, accounts, faults, done)
	var found []error
	more, late := 0, time.After(homesTime)
	for {
		select {
		case fault, ok := <-faults:
			switch {
			case !ok && more > 0:
				found = append(found, c.Warn("server.state", "has %d more accounts whose homes cannot be used as they would be", more))
			case ok && len(found) >= mostTold:
				more++
				continue
			case ok:
				found = append(found, c.Warn("server.state", "has %w", fault))
				continue
			}
			return errors.Join(found...)
		case <-late:
			return errors.Join(append(found, c.Warn("server.state", "has accounts whose homes were not looked at: that took longer than %v; does their file system answer?", homesTime))...)
		}
	}
}

// lookAtHomes sends what is wrong with the homes of accounts, each home once, until all
// are looked at or done is closed.
func lookAtHomes(c *config.Config, accounts []store.Account, faults chan<- error, done <-chan struct{}) {
	defer close(faults)
	seen := map[string]bool{}
	for _, account := range accounts[:min(len(accounts), mostHomes)] {
		u := withinConfig(c, account.User)
		at, err := c.HomeOf(u)
		if err != nil || !u.MayLogin(time.Now()) {
			continue // it has no home, which a login tells, or needs none
		}
		made := u.Home == "" && c.Users.Home != ""
		key := fmt.Sprint(at, uploads(u))
		if seen[key] || u.Home == "" && !made { // the root, which is looked at by itself
			continue
		}
		seen[key] = true
		if err := usable(at, uploads(u), made); err != nil {
			select {
			case faults <- fmt.Errorf("the account %q, whose home %w", u.Name, err):
			case <-done:
				return
			}
		}
	}
}

// uploads tells whether a rule lets u change anything.
func uploads(u ferry.User) bool {
	for _, rule := range u.Rules {
		if rule.Rights&^ferry.RightsRead != 0 {
			return true
		}
	}
	return false
}

// usable tells why the server's user cannot use a home as its owner would, and what to
// do. made: it is made at the first login.
func usable(at string, written, made bool) error {
	path, err := home.Path(at)
	if err != nil {
		return fmt.Errorf("%s cannot be used: %w", at, err)
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && made:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s is not there: make it, or name another (ferry user set NAME --home DIR)", path)
	case err != nil:
		return refusedTo("look at", path, ferry.WithoutPath(err))
	case !info.IsDir():
		return fmt.Errorf("%s is no directory: name another (ferry user set NAME --home DIR)", path)
	}
	if err := unix.Access(path, unix.R_OK|unix.X_OK); err != nil {
		return refusedTo("read", path, err)
	}
	if err := unix.Access(path, unix.W_OK); written && err != nil {
		return refusedTo("write", path, err)
	}
	return nil
}

// refusedTo says who lacks what, and what to do.
func refusedTo(do, path string, err error) error {
	return fmt.Errorf("%s the user of this server (uid %d) may not %s (%w): change its owner or its permissions", path, os.Geteuid(), do, err)
}

// checkDropWritable looks whether anonymous uploads have a place beneath root. One that
// is missing is made.
func checkDropWritable(c *config.Config, root string) error {
	path, err := home.Path(root)
	if err != nil || c.Users.Drop == "" {
		return nil // told of the root
	}
	if why := writableDirectory(filepath.Join(path, strings.TrimPrefix(c.Users.Drop, string(ferry.Root)))); why != nil {
		return c.Warn("users.drop", "takes no uploads beneath %s: %w; change its owner or its permissions (the user of this server has uid %d)", path, why, os.Geteuid())
	}
	return nil
}
