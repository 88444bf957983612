package home

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"ferry"
	"ferry/internal/config"
	"ferry/internal/disk"
	"ferry/internal/quota"
)

// Homes are the homes that are in use: one ferry.Storage for each, shared by all
// sessions there.
type Homes struct {
	conf *config.Config
	book *quota.Book // nil: nothing is counted
	log  *slog.Logger

	mu   sync.Mutex
	open map[string]*lent // by home
	held []func()         // gives back what prepare took
}

// lent is a storage, and how many use it.
type lent struct {
	ferry.Storage
	users int
}

// New makes the homes of conf. What they hold is counted in book; nil: nothing is.
func New(conf *config.Config, book *quota.Book, log *slog.Logger) *Homes {
	return &Homes{conf: conf, book: book, log: log, open: map[string]*lent{}}
}

// Prepare opens what the configuration names, so that a directory that is not
// there is known now and not at the first login.
func (s *Homes) Prepare() error {
	if err := s.PrepareDrops(s.conf); err != nil {
		return err
	}
	roots := s.conf.AnonymousRoots()
	if s.conf.Storage.Root != "" {
		roots = append(roots, s.conf.Storage.Root)
	}
	slices.Sort(roots)
	for _, root := range slices.Compact(roots) {
		storage, release, err := s.lease(root)
		if err != nil {
			return err
		}
		s.held = append(s.held, release)
		s.log.Info("serving", "root", root, "resolver", resolver(storage), "durable", s.conf.Storage.Durable, "read_only", s.conf.Storage.ReadOnly)
	}
	return nil
}

// PrepareDrops makes the directory for anonymous uploads that conf names, where it is
// missing beneath a root of theirs.
func (s *Homes) PrepareDrops(conf *config.Config) error {
	if conf.Users.Drop == "" {
		return nil
	}
	for _, root := range conf.AnonymousRoots() {
		if err := prepareDrop(root, conf.Users.Drop); err != nil {
			return err
		}
	}
	return nil
}

func prepareDrop(home, drop string) error {
	path, err := Path(home)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return fmt.Errorf("cannot open the directory for anonymous users: %w", err)
	}
	defer root.Close()
	if err := root.MkdirAll(strings.TrimPrefix(drop, "/"), 0o755); err != nil {
		return fmt.Errorf("cannot make the drop directory %s beneath %s: %w", drop, root.Name(), err)
	}
	return nil
}

// View opens the bare files of a user for one session; now is the user at any moment. A home that follows from the
// pattern of the configuration is made when it is missing.
func (s *Homes) View(ctx context.Context, now func() ferry.User) (ferry.FS, error) {
	u := now()
	home, err := s.home(u)
	if err != nil {
		return nil, err
	}
	storage, release, err := s.lease(home)
	if err != nil {
		return nil, err
	}
	files, err := storage.View(ctx, u, func() ferry.Limits { return now().Limits })
	if err != nil {
		release()
		return nil, err
	}
	return leased{files, release}, nil
}

func (s *Homes) home(u ferry.User) (string, error) {
	if u.Home == "" && s.conf.Users.Home != "" {
		return makeHome(s.conf.Users.Home, u.Name)
	}
	return s.conf.HomeOf(u)
}

// leased gives its storage back when the session closes it.
type leased struct {
	ferry.FS
	release func()
}

// Straight gives it back when it is closed, too.
func (l leased) Straight() ferry.FS { return leased{l.FS.Straight(), l.release} }

func (l leased) Close() error {
	defer l.release()
	return l.FS.Close()
}

// Sweep ends the expired parts in each of homes. One that cannot be swept does not
// keep the others from it.
func (s *Homes) Sweep(ctx context.Context, homes []string) error {
	var failed error
	for _, home := range homes {
		storage, release, err := s.lease(home)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		failed = errors.Join(failed, storage.Sweep(ctx))
		release()
	}
	return failed
}

// lease gives the storage of a home, opened if nobody uses it yet; release gives it
// back, and may be called more than once.
func (s *Homes) lease(home string) (storage ferry.Storage, release func(), err error) {
	home = Clean(home)
	if storage := s.take(home); storage != nil {
		return storage, s.releaser(home), nil
	}
	// Not under the lock: a network file system that hangs must not keep
	// everybody else from logging in.
	opened, err := s.openStorage(home)
	if err != nil {
		return nil, nil, err
	}
	return s.put(home, opened), s.releaser(home), nil
}

func (s *Homes) take(home string) ferry.Storage {
	s.mu.Lock()
	defer s.mu.Unlock()
	storage := s.open[home]
	if storage == nil {
		return nil
	}
	storage.users++
	return storage.Storage
}

// put makes opened the storage of home, unless somebody else was quicker.
func (s *Homes) put(home string, opened ferry.Storage) ferry.Storage {
	s.mu.Lock()
	storage := s.open[home]
	if storage == nil {
		storage = &lent{Storage: opened}
		s.open[home] = storage
	}
	storage.users++
	s.mu.Unlock()
	if storage.Storage != opened {
		s.closeStorage(opened)
	}
	return storage.Storage
}

func (s *Homes) releaser(home string) func() {
	return sync.OnceFunc(func() {
		s.mu.Lock()
		storage := s.open[home]
		storage.users--
		last := storage.users == 0
		if last {
			delete(s.open, home)
		}
		s.mu.Unlock()
		if last {
			s.closeStorage(storage.Storage)
		}
	})
}

func (s *Homes) closeStorage(storage ferry.Storage) {
	if err := storage.Close(); err != nil {
		s.log.Warn("closing the storage of a home failed", "error", err)
	}
}

// Close gives back what prepare took.
func (s *Homes) Close() {
	for _, release := range s.held {
		release()
	}
}

// openStorage is the one place that knows which kinds of storage there are.
func (s *Homes) openStorage(home string) (ferry.Storage, error) {
	path, err := Path(home)
	if err != nil {
		return nil, err
	}
	if err := s.checkState(path); err != nil {
		return nil, err
	}
	return disk.Open(s.diskConfig(path))
}

// resolver is who resolves names in a storage, for the log.
func resolver(storage ferry.Storage) string {
	if tree, ok := storage.(*disk.Tree); ok {
		return tree.Resolver()
	}
	return ""
}

func (s *Homes) diskConfig(path string) disk.Config {
	resolver := s.conf.Storage.Resolver
	if resolver == "auto" {
		resolver = ""
	}
	return disk.Config{
		Root:     path,
		Keep:     s.conf.Storage.Keep,
		Durable:  s.conf.Storage.Durable,
		Umask:    fs.FileMode(s.conf.Storage.Umask),
		Resolver: resolver,
		Quota:    s.book.Tree(path),
		Log:      s.log,
	}
}

// checkState refuses to serve a directory that holds the server's state: the
// server can read it, so its clients could, password hashes included.
func (s *Homes) checkState(path string) error {
	state, err := realPath(s.conf.Server.State)
	if err != nil {
		return fmt.Errorf("cannot look for the state directory: %w; name another with --state", err)
	}
	root, err := realPath(path)
	if err != nil {
		return fmt.Errorf("cannot find %s: %w", path, err)
	}
	below, err := filepath.Rel(root, state)
	if err != nil {
		return fmt.Errorf("cannot compare %s with the state directory: %w", path, err)
	}
	if filepath.IsLocal(below) {
		return config.Usagef("the state directory %s lies within %s, which is served: clients could read its password hashes; put it elsewhere with --state", s.conf.Server.State, path)
	}
	return nil
}

// realPath is path without links, as far as it is there.
func realPath(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	gone := errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
	if !gone || path == filepath.Dir(path) {
		return real, err
	}
	above, err := realPath(filepath.Dir(path))
	return filepath.Join(above, filepath.Base(path)), err
}
