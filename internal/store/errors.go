package store

import (
	"errors"
	"fmt"
	"io/fs"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"ferry"
)

// damage is what is wrong in the file, in a way that matches ErrDamaged.
func damage(what string) error { return fmt.Errorf("%w: %s", ErrDamaged, what) }

func errBroken() error { return damage("its structure is broken") }

// trouble is an error of the database file, as one sentence: what was wanted,
// which file, why not, what to do.
type trouble struct {
	what, path string
	why        error
	remedy     string
}

func (t trouble) Error() string {
	return fmt.Sprintf("cannot %s the user database %s: %v; %s", t.what, t.path, t.why, t.remedy)
}

func (t trouble) Unwrap() error { return t.why }

// explain makes an error met while somebody wanted to open, read or change the
// database into a trouble. One that is about an account, and not about the
// file, stays as it is; so does one that was explained before.
func (s *Store) explain(what string, err error) error {
	var before trouble
	if err == nil || errors.As(err, &before) {
		return err
	}
	var driver *sqlite.Error
	switch {
	case errors.As(err, &driver):
		err = meaning(driver)
	case !errors.Is(err, ErrNewer) && !errors.Is(err, ErrDamaged):
		return err
	}
	return trouble{what, s.path, err, remedyFor(err)}
}

func remedyFor(err error) string {
	switch {
	case errors.Is(err, ErrNewer):
		return "use that version, or restore the backup from before"
	case errors.Is(err, ErrDamaged):
		return "restore it from a backup, or move it away to begin with an empty one"
	case errors.Is(err, ErrLocked):
		return "try again, or end the process that holds it"
	case errors.Is(err, fs.ErrPermission):
		return "make the file and its directory writable for the user who runs ferry"
	case errors.Is(err, ferry.ErrNoSpace):
		return "free some space on its disk"
	}
	return "look at the disk and at the file"
}

// isBusy tells whether err is SQLite's, and says that somebody else has the file
// locked.
func isBusy(err error) bool {
	var driver *sqlite.Error
	return errors.As(err, &driver) && meaning(driver) == ErrLocked
}

// meaning says in our words what SQLite's result code means (the low byte is
// the primary one).
func meaning(err *sqlite.Error) error {
	switch err.Code() & 0xff {
	case sqlite3.SQLITE_NOTADB:
		return damage("it is not an SQLite database")
	case sqlite3.SQLITE_CORRUPT:
		return errBroken()
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return ErrLocked
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH:
		return fmt.Errorf("it cannot be written: %w", fs.ErrPermission)
	case sqlite3.SQLITE_FULL:
		return ferry.ErrNoSpace
	default:
		return errors.New(err.Error()) // without the driver in the chain: what it means is said now
	}
}
