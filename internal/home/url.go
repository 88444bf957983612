package home

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"ferry/internal/quota"
)

// A home is a host path, "/srv/alice", or a URL that says what kind of storage it
// is, "file:///srv/alice". A path means a URL of the scheme "file".

// Path is the host path that a home of the scheme "file" names.
func Path(home string) (string, error) {
	if !strings.Contains(home, "://") {
		return home, nil
	}
	u, err := url.Parse(home)
	if err != nil {
		return "", fmt.Errorf("the home %q is no URL: %w", home, err)
	}
	switch {
	case u.Scheme != "file":
		return "", fmt.Errorf("the home %q: there is no storage of the kind %q; use a directory, or file:///DIR", home, u.Scheme)
	case u.Host != "" || !filepath.IsAbs(u.Path):
		return "", fmt.Errorf("the home %q must be file:///DIR: three slashes, for the directory of this machine", home)
	}
	return u.Path, nil
}

// Clean is the one form of a home by which sessions share a storage.
func Clean(home string) string {
	if path, err := Path(home); err == nil {
		return filepath.Clean(path)
	}
	return home
}

// Key is a home as what it holds is kept by: its path without links.
func Key(home string) (string, error) {
	path, err := Path(home)
	if err != nil {
		return "", err
	}
	return quota.Key(path), nil
}

// Exists tells whether a home is there to be used, without making it.
func Exists(home string) bool {
	path, err := Path(home)
	if err != nil {
		return false
	}
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
