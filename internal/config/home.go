package config

import (
	"fmt"
	"path/filepath"
	"strings"

	"ferry"
)

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

// ExpandHome is the home that pattern gives to the user name. However the name
// was made, the home lies beneath the fixed part of the pattern: the name is
// checked first, and the path that comes out once more.
func ExpandHome(pattern, name string) (base, below string, err error) {
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

// HomeOf is the host directory that is u's home, whether it is there or not.
func (c *Config) HomeOf(u ferry.User) (string, error) {
	switch {
	case u.Home != "" && !filepath.IsAbs(u.Home) && !strings.Contains(u.Home, "://"):
		return "", fmt.Errorf("the home %q of user %q is not an absolute path: set another with ferry user set %s --home DIR", u.Home, u.Name, u.Name)
	case u.Home != "":
		return u.Home, nil
	case c.Users.Home != "":
		base, below, err := ExpandHome(c.Users.Home, u.Name)
		return filepath.Join(base, below), err
	case c.Storage.Root != "":
		return c.Storage.Root, nil
	}
	return "", fmt.Errorf("user %q has no home: set one with ferry user set %s --home DIR", u.Name, u.Name)
}
