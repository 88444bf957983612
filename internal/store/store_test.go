package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"ferry"
	"ferry/internal/store"
)

// newPath is where a database may be made.
func newPath(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "state", "ferry.db")
}

// open opens the database as one process does. A test may open it again, as
// another process.
func open(t *testing.T, path string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func add(t *testing.T, s *store.Store, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := s.Add(t.Context(), store.Account{User: ferry.User{Name: name}}); err != nil {
			t.Fatal(err)
		}
	}
}

// execute runs SQL past the Store, as damage or another program would.
func execute(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

func TestOpenMakesAPrivatePlace(t *testing.T) { // threat 34
	path := newPath(t)
	s := open(t, path)
	add(t, s, "alice")
	private(t, filepath.Dir(path), 0o700)
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) < 2 {
		t.Fatalf("files %q, %v: want the database and its log beside it", files, err)
	}
	for _, file := range files {
		private(t, file, 0o600)
	}
}

func TestOpenMakesAnOlderFilePrivate(t *testing.T) { // threat 34
	path := newPath(t)
	open(t, path).Close()
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	open(t, path)
	private(t, path, 0o600)
}

func private(t *testing.T, path string, want fs.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != want {
		t.Errorf("%s has mode %o, want %o", filepath.Base(path), got, want)
	}
}

func TestOpenAgainKeepsAccounts(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	add(t, s, "alice")
	s.Close()
	if _, err := open(t, path).Account(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
}

func TestOpenTakesAnyPath(t *testing.T) {
	for _, name := range []string{"with space.db", "50%?x=1&y#z.db", "ünï.db"} {
		dir := t.TempDir()
		open(t, filepath.Join(dir, name))
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
		t.Chdir(dir)
		add(t, open(t, name), "alice") // a relative path means the same file
		if _, err := open(t, filepath.Join(dir, name)).Account(t.Context(), "alice"); err != nil {
			t.Error(err)
		}
	}
}

// TestOpenAtOnce: where some make the database, and others put it away as the
// last who had it open, nobody is told that it is locked.
func TestOpenAtOnce(t *testing.T) {
	for range 3 {
		openAtOnce(t, newPath(t))
	}
}

func openAtOnce(t *testing.T, path string) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			s, err := store.Open(t.Context(), path)
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			if err := s.Add(t.Context(), store.Account{User: ferry.User{Name: fmt.Sprint("user", i)}}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if names := names(t, open(t, path)); len(names) != 8 {
		t.Errorf("accounts %q, want 8", names)
	}
}

func TestOpenRefuses(t *testing.T) {
	tests := []struct {
		name string
		harm func(t *testing.T, path string)
		want error
		says string
	}{
		{"newer version", func(t *testing.T, path string) { execute(t, path, "UPDATE schema_version SET version = 999") }, store.ErrNewer, "newer version"},
		{"negative version", func(t *testing.T, path string) { execute(t, path, "UPDATE schema_version SET version = -1") }, store.ErrDamaged, "backup"},
		{"no database", func(t *testing.T, path string) { write(t, path, strings.Repeat("not a database\n", 1000)) }, store.ErrDamaged, "backup"},
		{"cut off", func(t *testing.T, path string) { truncate(t, path, 6000) }, store.ErrDamaged, "backup"},
		{"overwritten pages", overwriteMiddle, store.ErrDamaged, "backup"},
		{"a directory", func(t *testing.T, path string) { remove(t, path); mkdir(t, path) }, nil, "cannot open the user database"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := newPath(t)
			s := open(t, path)
			add(t, s, "alice", "bob")
			s.Close()
			test.harm(t, path)
			s, err := store.Open(t.Context(), path)
			if err == nil {
				s.Close()
				t.Fatal("opened it")
			}
			if test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("error %q, want %q", err, test.want)
			}
			if text := err.Error(); !strings.Contains(text, test.says) || strings.Count(text, path) != 1 || strings.Contains(text, "\n") {
				t.Errorf("error %q: want one sentence with the file and %q", err, test.says)
			}
		})
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func truncate(t *testing.T, path string, size int64) {
	t.Helper()
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
}

func overwriteMiddle(t *testing.T, path string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 4096; i < len(content); i++ {
		content[i] = 0xA5
	}
	write(t, path, string(content))
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func mkdir(t *testing.T, path string) {
	t.Helper()
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
}

func TestOpenWhereNoDirectoryCanBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "")
	_, err := store.Open(t.Context(), filepath.Join(file, "state", "ferry.db"))
	if err == nil || !strings.Contains(err.Error(), "choose a state directory") {
		t.Errorf("error %v: want one that says what to do", err)
	}
}

func TestLocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the wait for the lock takes no time
		path := newPath(t)
		s := open(t, path)
		add(t, s, "alice")
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		db.SetMaxOpenConns(1)
		if _, err := db.Exec("BEGIN IMMEDIATE"); err != nil {
			t.Fatal(err)
		}
		err = s.Remove(t.Context(), "alice")
		if !errors.Is(err, store.ErrLocked) || strings.Count(err.Error(), path) != 1 {
			t.Errorf("Remove: %v, want ErrLocked with the file", err)
		}
		account(t, s, "alice") // readers are not held up
		if _, err := db.Exec("ROLLBACK"); err != nil {
			t.Fatal(err)
		}
		if err := s.Remove(t.Context(), "alice"); err != nil {
			t.Errorf("Remove after the lock is gone: %v", err)
		}
	})
}

func TestNewerDatabaseIsLeftAlone(t *testing.T) {
	path := newPath(t)
	open(t, path).Close()
	execute(t, path, "UPDATE schema_version SET version = 999")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), path); !errors.Is(err, store.ErrNewer) {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the file was changed (%v)", err)
	}
}

func TestConcurrentWritersLoseNothing(t *testing.T) {
	path := newPath(t)
	add(t, open(t, path), "alice")
	const processes, changes = 3, 10
	var wg sync.WaitGroup
	for range processes {
		s := open(t, path)
		for range changes {
			wg.Go(func() {
				err := s.Update(t.Context(), "alice", func(a *store.Account) error {
					a.Limits.Sessions++
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	a, err := open(t, path).Account(t.Context(), "alice")
	if err != nil || a.Limits.Sessions != processes*changes {
		t.Errorf("%d changes, %v; want %d", a.Limits.Sessions, err, processes*changes)
	}
}

func TestEndedContext(t *testing.T) {
	s := open(t, newPath(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Account(ctx, "alice"); !errors.Is(err, context.Canceled) {
		t.Errorf("Account: %v, want context.Canceled", err)
	}
	if err := s.Remove(ctx, "alice"); !errors.Is(err, context.Canceled) {
		t.Errorf("Remove: %v, want context.Canceled", err)
	}
}

func TestClosedStoreAnswersWithAnError(t *testing.T) {
	s := open(t, newPath(t))
	s.Close()
	if _, err := s.Account(t.Context(), "alice"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Account: %v; want an error that does not say that there is no user", err)
	}
}
