package config

import (
	"fmt"
	"path/filepath"
	"strings"

	"ferry"
)

// check finds what is right by itself and wrong together.
func (c *Config) check() error {
	switch {
	case c.FTP.Address == "off" && c.FTPS.Address == "off" && c.SFTP.Address == "off":
		return c.Wrong("ftp.address", `is "off", and nothing else listens: name an address, or that of ftps (--ftps) or sftp (--sftp)`)
	case c.Users.Drop != "" && !c.Users.Anonymous:
		return c.Wrong("users.drop", "is for anonymous users, who are not let in: set users.anonymous (--anonymous) too")
	case c.Users.Drop != "" && c.Storage.ReadOnly:
		return c.Wrong("users.drop", "takes uploads, but storage.read_only (--read-only) forbids them: leave one of them out")
	case c.Users.AnonymousRoot != "" && !c.Users.Anonymous:
		return c.Wrong("users.anonymous_root", "is for anonymous users, who are not let in: set users.anonymous (--anonymous) too")
	}
	for _, k := range []string{"storage.root", "users.anonymous_root", "users.home", "log.transfer_log", "server.state",
		"sftp.revoked_keys", "tls.cert", "tls.key", "tls.client_ca", "tls.client_crl", "tls.acme_root_ca"} {
		if err := c.checkPath(k); err != nil {
			return err
		}
	}
	if _, err := c.Hasher(1); err != nil {
		return c.Wrong("users.hash_memory", "and users.hash_passes cannot be: %w", err)
	}
	if err := checkHomePattern(c.Users.Home); err != nil {
		return c.Wrong("users.home", "%w", err)
	}
	if err := c.checkTLS(); err != nil {
		return err
	}
	if err := c.checkHosts(); err != nil {
		return err
	}
	return c.checkDrop()
}

// CheckServing finds what a server needs beyond a configuration that is right.
func (c *Config) CheckServing() error {
	if c.Storage.Root == "" && c.Users.Home == "" {
		return Usagef("there is nothing to serve: name a directory (ferry serve DIR), or set storage.root or users.home in a config file (--config)")
	}
	if c.Users.Anonymous && c.AnonymousRoot("") == "" {
		return Usagef("there is nothing for anonymous users to see: set users.anonymous_root, or storage.root")
	}
	if len(c.Users.Static) > 0 && c.Storage.Root == "" {
		return c.Wrong("users.static", "has users without a home: name the directory they share (storage.root)")
	}
	return nil
}

// checkDrop makes the drop directory the clean name that rules want.
func (c *Config) checkDrop() error {
	if c.Users.Drop == "" {
		return nil
	}
	name, err := ferry.Clean("/", c.Users.Drop)
	if err != nil {
		return c.Wrong("users.drop", "cannot be %q: %w", c.Users.Drop, err)
	}
	if name == "/" {
		return c.Wrong("users.drop", `must be a directory below the root of anonymous users, such as "/incoming"`)
	}
	c.Users.Drop = string(name)
	return nil
}

// checkPath wants host paths in a file to be absolute: the server's working
// directory is nothing that a file should depend on. Flags are relative to the
// directory that the person stands in.
func (c *Config) checkPath(name string) error {
	for _, k := range Keys() {
		if k.Name != name {
			continue
		}
		path := (*string)(k.At(c).(*text))
		if *path == "" || filepath.IsAbs(*path) {
			return nil
		}
		if c.from[name] != k.Flag {
			return c.Wrong(name, "must be an absolute path, not %q", *path)
		}
		abs, err := filepath.Abs(*path)
		if err != nil {
			return fmt.Errorf("cannot find the current directory: %w", err)
		}
		*path = abs
	}
	return nil
}

// changed tells whether a key says anything else than its preset.
func (c *Config) changed(k Key) bool {
	preset := new(Config)
	err := k.At(preset).set(k.preset)
	return err != nil || k.At(preset).Toml() != k.At(c).Toml()
}

// Wrong is an error about a key, with the place where it was set.
func (c *Config) Wrong(name, format string, args ...any) error {
	where := c.from[name]
	if !strings.HasPrefix(where, "--") {
		return Usagef("%s: %s %w", where, name, fmt.Errorf(format, args...))
	}
	return Usagef("%s %w", where, fmt.Errorf(format, args...))
}
