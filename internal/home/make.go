package home

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"ferry"
	"ferry/internal/config"
)

// Mode is the mode of homes that are made: for the server and its group.
const Mode = 0o750

// makeHome is config.ExpandHome's path, made where it is missing. Links on the way
// may lead anywhere beneath the fixed part of the pattern, and not out of it.
func makeHome(pattern, name string) (string, error) {
	base, below, err := config.ExpandHome(pattern, name)
	if err != nil {
		return "", err
	}
	root, err := os.OpenRoot(base)
	if err != nil {
		return "", fmt.Errorf("users.home: cannot open %s, where the homes are: %w", base, err)
	}
	defer root.Close()
	if err := root.MkdirAll(below, Mode); err != nil {
		return "", fmt.Errorf("cannot make the home of user %q beneath %s: %w", name, base, err)
	}
	info, err := root.Stat(below)
	if err != nil {
		return "", fmt.Errorf("cannot use the home of user %q beneath %s: %w", name, base, err)
	}
	if !info.IsDir() {
		return "", &fs.PathError{Op: "home", Path: filepath.Join(base, below), Err: ferry.ErrNotDir}
	}
	return filepath.Join(base, below), nil
}
