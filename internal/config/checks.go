package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"ferry"
	"ferry/internal/auth"
	"ferry/internal/setting"
)

// contradictions are what is right by itself and wrong together. They look at no file.
func contradictions() []Check { return slices.Concat(checks(), tlsChecks(), hostChecks()) }

const anonymousNeeded = "is for anonymous users, who are not let in: set users.anonymous (--anonymous) too"

func checks() []Check {
	return []Check{
		{[]string{"ftp.address", "ftps.address", "sftp.address"}, func(c *Config) error {
			if c.FTP.Address == "off" && c.FTPS.Address == "off" && c.SFTP.Address == "off" {
				return c.Wrong("ftp.address", `is "off", and nothing else listens: name an address, or that of ftps (--ftps) or sftp (--sftp)`)
			}
			return nil
		}},
		{nil, (*Config).checkPorts},
		{[]string{"ftp.passive_ports"}, (*Config).checkPassivePorts},
		wrongIf("users.drop", []string{"users.anonymous"}, func(c *Config) bool { return c.Users.Drop != "" && !c.Users.Anonymous }, anonymousNeeded),
		wrongIf("users.drop", []string{"storage.read_only"}, func(c *Config) bool { return c.Users.Drop != "" && c.Storage.ReadOnly },
			"takes uploads, but storage.read_only (--read-only) forbids them: leave one of them out"),
		wrongIf("users.drop", nil, func(c *Config) bool { return c.Users.Drop == string(ferry.Root) },
			`must be a directory below the root of anonymous users, such as "/incoming"`),
		wrongIf("users.anonymous_root", []string{"users.anonymous"}, func(c *Config) bool { return c.Users.AnonymousRoot != "" && !c.Users.Anonymous }, anonymousNeeded),
		{[]string{"users.hash_memory", "users.hash_passes"}, func(c *Config) error {
			if _, err := c.Hasher(1); err != nil {
				return c.Wrong(c.setLast("users.hash_memory", "users.hash_passes"), "and its like cannot be: %w", err)
			}
			return nil
		}},
		{[]string{"users.home"}, func(c *Config) error {
			if err := checkHomePattern(c.Users.Home); err != nil {
				return c.Wrong("users.home", "%w", err)
			}
			return nil
		}},
		{[]string{"users.static"}, (*Config).checkHashes},
		wrongIf("server.user", []string{"system.enabled"}, func(c *Config) bool { return c.Server.User != "" && c.System.Enabled },
			"(--run-as) cannot be together with system.enabled (--system): only root opens the home of everybody; leave one of them out"),
	}
}

// Serving are what a server needs beyond a configuration that is right.
func Serving() []Check {
	return []Check{
		{[]string{"storage.root", "users.home"}, func(c *Config) error {
			if c.File == "" && c.Storage.Root == "" && c.Users.Home == "" && !c.System.Enabled {
				return Usagef("there is nothing to serve: name a directory (ferry serve DIR), a config file (--config FILE), or the accounts of this machine (--system)")
			}
			return nil
		}},
		wrongIf("users.anonymous", []string{"users.anonymous_root", "storage.root"}, func(c *Config) bool { return c.Users.Anonymous && c.AnonymousRoot("") == "" },
			"is set, and there is nothing for anonymous users to see: set users.anonymous_root, or storage.root"),
		wrongIf("users.static", []string{"storage.root"}, func(c *Config) bool { return len(c.Users.Static) > 0 && c.Storage.Root == "" },
			"has users without a home: name the directory they share (storage.root)"),
	}
}

// settle brings what was given into the form that everything else takes: absolute paths,
// clean names, the state directory where none was named.
func (c *Config) settle() (found []error) {
	for _, name := range []string{"storage.root", "users.anonymous_root", "users.home", "log.transfer_log", "server.state",
		"sftp.revoked_keys", "tls.cert", "tls.key", "tls.client_ca", "tls.client_crl", "tls.acme_root_ca"} {
		if err := c.makeAbsolute(name); err != nil {
			c.unread[name] = true
			found = append(found, err)
		}
	}
	if err := c.cleanDrop(); err != nil {
		c.unread["users.drop"] = true
		found = append(found, err)
	}
	c.settleSystem()
	if c.Server.State == "" {
		var err error
		if c.Server.State, err = defaultState(); err != nil {
			found = append(found, err)
		}
	}
	return found
}

// cleanDrop makes the drop directory the clean name that rules want.
func (c *Config) cleanDrop() error {
	if c.Users.Drop == "" || c.unread["users.drop"] {
		return nil
	}
	name, err := ferry.Clean(ferry.Root, c.Users.Drop)
	if err != nil {
		return c.Wrong("users.drop", "cannot be %q: %w", c.Users.Drop, err)
	}
	c.Users.Drop = string(name)
	return nil
}

// makeAbsolute wants host paths in a file to be absolute: the server's working
// directory is nothing that a file should depend on. Flags are relative to the
// directory that the person stands in.
func (c *Config) makeAbsolute(name string) error {
	for _, k := range Keys() {
		if k.Name != name {
			continue
		}
		path := setting.String(k.At(c))
		if path == "" || filepath.IsAbs(path) {
			return nil
		}
		if c.from[name] != k.Flag {
			return c.Wrong(name, "must be an absolute path, not %q", path)
		}
		abs, err := filepath.Abs(path)
		if err != nil {
			return fmt.Errorf("cannot find the current directory: %w", err)
		}
		return k.At(c).Set(abs)
	}
	return nil
}

// changed tells whether a key says anything else than its preset.
func (c *Config) changed(k Key) bool {
	preset := new(Config)
	err := k.At(preset).Set(k.preset)
	return err != nil || k.At(preset).Toml() != k.At(c).Toml()
}

// checkHashes finds secrets of users.static that are meant as a hash and are none.
func (c *Config) checkHashes() error {
	var found []error
	for _, u := range c.Users.Static {
		if err := auth.CheckHash(u.Secret); u.Hashed() && err != nil {
			found = append(found, c.Wrong("users.static", "has a hash for user %q that no password can match: %s (ferry hash makes one)",
				u.Name, auth.HashFault(err)))
		}
	}
	return errors.Join(found...)
}
