package home

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"

	"ferry"
	"ferry/internal/config"
)

// Check opens a home as a server would, closes it again, and makes nothing. The error is
// a sentence that says which directory cannot be served, and why.
func Check(conf *config.Config, home string) error {
	storage, err := New(conf, nil, slog.New(slog.DiscardHandler)).openStorage(home)
	if err != nil {
		return err
	}
	return storage.Close()
}

// CheckDrop tells what keeps the directory for anonymous uploads from being made beneath
// a home, or used.
func CheckDrop(conf *config.Config, home string) error {
	if conf.Users.Drop == "" || home == "" {
		return nil
	}
	path, err := Path(home)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil // told of the home itself
	}
	defer root.Close()
	info, err := root.Stat(strings.TrimPrefix(conf.Users.Drop, string(ferry.Root)))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil // it is made
	case err != nil:
		return dropError(conf, path, err)
	case !info.IsDir():
		return dropError(conf, path, ferry.ErrNotDir)
	}
	return nil
}

func dropError(conf *config.Config, root string, err error) error {
	return fmt.Errorf("cannot use the drop directory %s beneath %s: %w", conf.Users.Drop, root, ferry.WithoutPath(err))
}
