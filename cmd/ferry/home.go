package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"ferry"
)

// homeMode is the mode of homes that are made at a first login: for the
// server and its group.
const homeMode = 0o750

// checkHomePattern tells what is wrong with a pattern for homes.
func checkHomePattern(pattern string) error {
	if pattern == "" {
		return nil
	}
	if !strings.Contains(pattern, "%u") {
		return fmt.Errorf("must hold %%u, the user's name, such as \"/srv/ftp/%%u\": without it every user has the same home, which storage.root is for")
	}
	base, _ := splitHome(pattern)
	if base == "/" {
		return fmt.Errorf("must name a directory before %%u, such as \"/srv/ftp/%%u\"")
	}
	return nil
}

// splitHome cuts a pattern before the first element that holds %u: what
// stands before is a directory that names cannot change.
func splitHome(pattern string) (base, below string) {
	fixed, _, _ := strings.Cut(filepath.Clean(pattern), "%u")
	at := strings.LastIndexByte(fixed, '/')
	return filepath.Clean(fixed[:at+1]), filepath.Clean(pattern)[at+1:]
}

// expandHome is the home that pattern gives to the user name. However the name
// was made, the home lies beneath the fixed part of the pattern: the name is
// checked first, and the path that comes out once more.
func expandHome(pattern, name string) (base, below string, err error) {
	if err := ferry.CheckUserName(name); err != nil {
		return "", "", err
	}
	base, below = splitHome(pattern)
	below = filepath.Clean(strings.ReplaceAll(below, "%u", name))
	if !filepath.IsLocal(below) || below == "." {
		return "", "", fmt.Errorf("the home of user %q would not lie beneath %s", name, base)
	}
	return base, below, nil
}

// makeHome is expandHome's path, made where it is missing. Links on the way
// may lead anywhere beneath the fixed part of the pattern, and not out of it.
func makeHome(pattern, name string) (string, error) {
	base, below, err := expandHome(pattern, name)
	if err != nil {
		return "", err
	}
	root, err := os.OpenRoot(base)
	if err != nil {
		return "", fmt.Errorf("users.home: cannot open %s, where the homes are: %w", base, err)
	}
	defer root.Close()
	if err := root.MkdirAll(below, homeMode); err != nil {
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

// homeOf is the host directory that is u's home, whether it is there or not.
func (c *config) homeOf(u ferry.User) (string, error) {
	switch {
	case u.Home != "" && !filepath.IsAbs(u.Home):
		return "", fmt.Errorf("the home %q of user %q is not an absolute path: set another with ferry user set %s --home DIR", u.Home, u.Name, u.Name)
	case u.Home != "":
		return u.Home, nil
	case c.Users.Home != "":
		base, below, err := expandHome(c.Users.Home, u.Name)
		return filepath.Join(base, below), err
	case c.Storage.Root != "":
		return c.Storage.Root, nil
	}
	return "", fmt.Errorf("user %q has no home: set one with ferry user set %s --home DIR", u.Name, u.Name)
}
