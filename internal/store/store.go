package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// readers is how many look-ups may run at once.
const readers = 4

// Store is an open database. Its methods may be called from several goroutines
// at once, and other processes may have the same database open.
type Store struct {
	path  string
	read  *sql.DB // several connections that cannot write
	write *sql.DB // one, so that writers of this process wait in its queue and not for SQLite's lock

	mu      sync.Mutex
	changed chan struct{} // closed and replaced at every change made here
	closed  chan struct{}
	close   func() error
}

// Open opens the database at path, makes it where there is none, and brings
// its tables up to date. The directory is made for this user alone (0700), and
// the file is open to nobody else (0600), also where an older one was.
//
// Errors match ErrNewer, ErrDamaged, ErrLocked, fs.ErrPermission or another
// error of the file system, and say what to do.
func Open(ctx context.Context, path string) (*Store, error) {
	if err := makeFile(path); err != nil {
		return nil, err
	}
	s := &Store{path: path, changed: make(chan struct{}), closed: make(chan struct{})}
	s.close = sync.OnceValue(s.shut)
	if err := s.connect(ctx); err != nil {
		s.Close()
		return nil, s.explain("open", err)
	}
	return s, nil
}

// busyRounds is how often Open looks whether a database is still being made or
// put away by another process, busyPause apart: as long as busy_timeout.
const (
	busyRounds = 100
	busyPause  = 50 * time.Millisecond
)

// makeFile sees to it that the database file is there, and private. SQLite
// gives the files it puts beside it (-wal, -shm) the same permissions.
func makeFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("cannot make the directory of the user database: %w; choose a state directory that can be written (--state)", err)
	}
	if err := createOnce(path); err != nil {
		return fmt.Errorf("cannot open the user database: %w; run as the user who owns it, or choose another state directory (--state)", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return fmt.Errorf("cannot make the user database private: %w; it must belong to the user who runs ferry", err)
	}
	return nil
}

// createOnce makes an empty file at path where there is none. It never has the
// file open under that name: to close it would drop the locks that SQLite has
// on it elsewhere in this process, for POSIX gives a process its locks of a
// file, not a descriptor (fcntl(2), "Advisory record locking").
func createOnce(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".new-database-") // with 0600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	if err := file.Close(); err != nil {
		return err
	}
	if err := os.Link(file.Name(), path); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil // somebody else was faster
}

func (s *Store) connect(ctx context.Context) (err error) {
	if s.write, err = sql.Open("sqlite", dsn(s.path, url.Values{"_txlock": {"immediate"}})); err != nil {
		return err
	}
	s.write.SetMaxOpenConns(1)
	if err := s.checkWhenFree(ctx); err != nil {
		return err
	}
	if err := s.migrate(ctx); err != nil {
		return err
	}
	if s.read, err = sql.Open("sqlite", dsn(s.path, url.Values{"_query_only": {"1"}})); err != nil {
		return err
	}
	s.read.SetMaxOpenConns(readers)
	s.read.SetMaxIdleConns(readers)
	return nil
}

// dsn names the file and what every connection to it must set first. WAL lets
// readers and a writer work at once; synchronous FULL makes a change durable
// before it is reported as done.
func dsn(path string, more url.Values) string {
	more["_pragma"] = []string{"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"}
	u := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: more.Encode()}
	if !filepath.IsAbs(path) {
		u = url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: u.RawQuery}
	}
	return u.String()
}

// checkWhenFree is check, repeated while somebody else brings the file into WAL
// mode or, as the last who had it open, takes the WAL away: SQLite answers
// SQLITE_BUSY then without a wait (sqlite.org/wal.html, "Sometimes Queries
// Return SQLITE_BUSY In WAL Mode"). From the first query on nobody else is last.
func (s *Store) checkWhenFree(ctx context.Context) (err error) {
	for range busyRounds {
		if err = s.check(ctx); !isBusy(err) {
			return err
		}
		select {
		case <-time.After(busyPause):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return err
}

// check looks through the whole file for damage: it is small, and an account
// that has silently lost a rule would be worse than a server that does not
// start.
func (s *Store) check(ctx context.Context) error {
	var verdict string
	if err := s.write.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return errBroken()
	}
	return nil
}

// Close closes the database and ends every Watch. It may be called more than
// once.
func (s *Store) Close() error { return s.close() }

func (s *Store) shut() error {
	close(s.closed)
	var errs []error
	for _, db := range []*sql.DB{s.read, s.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// reading runs f in a transaction that sees one state of the database.
func (s *Store) reading(ctx context.Context, f func(*sql.Tx) error) error {
	return s.within(ctx, s.read, &sql.TxOptions{ReadOnly: true}, "read", f)
}

// writing runs f in a transaction of its own and tells the watchers when it
// was committed.
func (s *Store) writing(ctx context.Context, f func(*sql.Tx) error) error {
	if err := s.within(ctx, s.write, nil, "change", f); err != nil {
		return err
	}
	s.announce()
	return nil
}

func (s *Store) within(ctx context.Context, db *sql.DB, o *sql.TxOptions, what string, f func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, o)
	if err != nil {
		return s.explain(what, err)
	}
	defer tx.Rollback() // after Commit it does nothing
	if err := f(tx); err != nil {
		return s.explain(what, err)
	}
	return s.explain(what, tx.Commit())
}

var (
	// ErrNoUser: no account has that name. It matches fs.ErrNotExist.
	ErrNoUser = fmt.Errorf("no such user: %w", fs.ErrNotExist)
	// ErrUserExists: an account with that name is there already.
	ErrUserExists = fmt.Errorf("user exists already: %w", fs.ErrExist)
	// ErrNoKey: the account has no key with that fingerprint.
	ErrNoKey = fmt.Errorf("no such key: %w", fs.ErrNotExist)
	// ErrKeyExists: the account has that key already.
	ErrKeyExists = fmt.Errorf("key exists already: %w", fs.ErrExist)
	// ErrNewer: a newer version of ferry has changed the tables.
	ErrNewer = errors.New("written by a newer version of ferry")
	// ErrDamaged: the file is no database, or a broken one, or holds a value
	// that means nothing.
	ErrDamaged = errors.New("damaged")
	// ErrLocked: another process holds the database, for seconds.
	ErrLocked = errors.New("locked by another process")
)
