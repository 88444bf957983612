package main

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

	"ferry"
	"ferry/internal/access"
	"ferry/internal/disk"
	"ferry/internal/event"
	"ferry/internal/gate"
)

// trees are the directories that sessions work in: one disk.Tree for each home
// that is in use, shared by all sessions there.
type trees struct {
	conf *config
	log  *slog.Logger

	mu   sync.Mutex
	open map[string]*sharedTree // by path
	held []func()               // gives back what prepare took
}

// sharedTree is a tree, and how many use it.
type sharedTree struct {
	*disk.Tree
	users int
}

func newTrees(conf *config, log *slog.Logger) *trees {
	return &trees{conf: conf, log: log, open: map[string]*sharedTree{}}
}

// prepare opens what the configuration names, so that a directory that is not
// there is known now and not at the first login.
func (t *trees) prepare() error {
	roots := t.conf.anonymousRoots()
	for _, root := range roots {
		if err := t.prepareDrop(root); err != nil {
			return err
		}
	}
	if t.conf.Storage.Root != "" {
		roots = append(roots, t.conf.Storage.Root)
	}
	slices.Sort(roots)
	for _, root := range slices.Compact(roots) {
		tree, release, err := t.lease(root)
		if err != nil {
			return err
		}
		t.held = append(t.held, release)
		t.log.Info("serving", "root", root, "resolver", tree.Resolver(), "durable", t.conf.Storage.Durable, "read_only", t.conf.Storage.ReadOnly)
	}
	return nil
}

// prepareDrop makes the directory for anonymous uploads beneath a root of
// theirs where it is missing.
func (t *trees) prepareDrop(path string) error {
	if t.conf.Users.Drop == "" {
		return nil
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return fmt.Errorf("cannot open the directory for anonymous users: %w", err)
	}
	defer root.Close()
	if err := root.MkdirAll(strings.TrimPrefix(t.conf.Users.Drop, "/"), 0o755); err != nil {
		return fmt.Errorf("cannot make the drop directory %s beneath %s: %w", t.conf.Users.Drop, root.Name(), err)
	}
	return nil
}

// session opens the tree of a session's home, and puts around it what stands
// between a client and its files: gate.Config.Files. What refuses is innermost, so
// that nothing above it can reach what it refuses, and what tells is outermost, so
// that it tells of what was done.
func (t *trees) session(_ context.Context, s *gate.Session) (ferry.FS, error) {
	files, err := t.bare(s.User())
	if err != nil {
		return nil, err
	}
	files = access.New(files, s.User)
	files = s.Meter(files)
	return event.Watch(files, s.Emit), nil
}

// bare opens the bare tree of u's home.
func (t *trees) bare(u ferry.User) (ferry.FS, error) {
	home, err := t.home(u)
	if err != nil {
		return nil, err
	}
	tree, release, err := t.lease(home)
	if err != nil {
		return nil, fmt.Errorf("the home of user %q: %w", u.Name, err)
	}
	return leased{tree.For(u), release}, nil
}

// leased gives its tree back when the session closes it.
type leased struct {
	ferry.FS
	release func()
}

func (l leased) Close() error {
	defer l.release()
	return l.FS.Close()
}

// home is the host directory of u. One that follows from the pattern of the
// configuration is made when it is missing.
func (t *trees) home(u ferry.User) (string, error) {
	if u.Home == "" && t.conf.Users.Home != "" {
		return makeHome(t.conf.Users.Home, u.Name)
	}
	return t.conf.homeOf(u)
}

// lease gives the tree of a directory, opened if nobody uses it yet; release
// gives it back, and may be called more than once.
func (t *trees) lease(path string) (tree *disk.Tree, release func(), err error) {
	path = filepath.Clean(path)
	if tree := t.take(path); tree != nil {
		return tree.Tree, t.releaser(path), nil
	}
	if err := t.checkState(path); err != nil {
		return nil, nil, err
	}
	// Not under the lock: a network file system that hangs must not keep
	// everybody else from logging in.
	opened, err := disk.Open(t.diskConfig(path))
	if err != nil {
		return nil, nil, err
	}
	return t.put(path, opened), t.releaser(path), nil
}

func (t *trees) take(path string) *sharedTree {
	t.mu.Lock()
	defer t.mu.Unlock()
	tree := t.open[path]
	if tree != nil {
		tree.users++
	}
	return tree
}

// put makes opened the tree of path, unless somebody else was quicker.
func (t *trees) put(path string, opened *disk.Tree) *disk.Tree {
	t.mu.Lock()
	tree := t.open[path]
	if tree == nil {
		tree = &sharedTree{Tree: opened}
		t.open[path] = tree
	}
	tree.users++
	t.mu.Unlock()
	if tree.Tree != opened {
		t.closeTree(opened)
	}
	return tree.Tree
}

func (t *trees) releaser(path string) func() {
	return sync.OnceFunc(func() {
		t.mu.Lock()
		tree := t.open[path]
		tree.users--
		last := tree.users == 0
		if last {
			delete(t.open, path)
		}
		t.mu.Unlock()
		if last {
			t.closeTree(tree.Tree)
		}
	})
}

func (t *trees) closeTree(tree *disk.Tree) {
	if err := tree.Close(); err != nil {
		t.log.Warn("closing a tree of files failed", "error", err)
	}
}

// close gives back what prepare took.
func (t *trees) close() {
	for _, release := range t.held {
		release()
	}
}

func (t *trees) diskConfig(path string) disk.Config {
	resolver := t.conf.Storage.Resolver
	if resolver == "auto" {
		resolver = ""
	}
	return disk.Config{
		Root:     path,
		Keep:     t.conf.Storage.Keep,
		Durable:  t.conf.Storage.Durable,
		Umask:    fs.FileMode(t.conf.Storage.Umask),
		Resolver: resolver,
		Log:      t.log,
	}
}

// checkState refuses to serve a directory that holds the server's state: the
// server can read it, so its clients could, password hashes included.
func (t *trees) checkState(path string) error {
	state, err := realPath(t.conf.Server.State)
	if err != nil {
		return fmt.Errorf("cannot find the state directory: %w", err)
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
		return usagef("the state directory %s lies within %s, which is served: clients could read its password hashes; put it elsewhere with --state", t.conf.Server.State, path)
	}
	return nil
}

// realPath is path without links, as far as it is there.
func realPath(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if !errors.Is(err, fs.ErrNotExist) || path == filepath.Dir(path) {
		return real, err
	}
	above, err := realPath(filepath.Dir(path))
	return filepath.Join(above, filepath.Base(path)), err
}
