package config

import (
	"fmt"
	"os"
	"strings"
	"time"

	"ferry/internal/setting"
	"ferry/internal/sysuser"
)

// systemConfig is [system].
type systemConfig struct {
	Enabled  bool
	MinUID   int
	Groups   []string
	Denied   string
	AnyShell bool
}

// systemKeys are those of the accounts of the operating system.
func systemKeys() []Key {
	return []Key{
		{"system.enabled", "--system", restart, false,
			"Let the accounts of this machine in (passwd, shadow), each at home in its own directory. The kernel\ndecides what they may do there, as if they had logged in. The server must be started as root.",
			func(c *Config) setting.Value { return setting.Boolean(&c.System.Enabled) }},
		{"system.min_uid", "", live, int64(1000),
			"The lowest user ID that may log in. Root never may.",
			func(c *Config) setting.Value { return setting.Count(&c.System.MinUID) }},
		{"system.groups", "", live, []string{},
			"Groups of which an account must be in one to log in. Empty: all may.",
			func(c *Config) setting.Value { return setting.List(&c.System.Groups, checkGroup) }},
		{"system.denied", "", live, "/etc/ftpusers",
			"A file with names of accounts that may not log in, one a line.",
			func(c *Config) setting.Value { return setting.Text(&c.System.Denied) }},
		{"system.any_shell", "", live, false,
			"Let those in, too, whose shell is not one of /etc/shells.",
			func(c *Config) setting.Value { return setting.Boolean(&c.System.AnyShell) }},
	}
}

// checkGroup wants the name of a group, as group(5) has it.
func checkGroup(name string) error {
	if name == "" || strings.ContainsAny(name, ":,\n") {
		return fmt.Errorf("must hold names of groups, not %q", name)
	}
	return nil
}

// SystemAccounts are the accounts of this machine, as the configuration lets them in.
func (c *Config) SystemAccounts() *sysuser.Accounts {
	return sysuser.New(sysuser.Config{Denied: c.System.Denied, MinUID: uint32(c.System.MinUID), Groups: c.System.Groups, AnyShell: c.System.AnyShell})
}

// settleSystem makes a machine's server of anonymous FTP of it, where the machine is
// one: it has the account ftp, and that has a home.
func (c *Config) settleSystem() {
	if !c.System.Enabled || c.Users.Anonymous || c.Users.AnonymousRoot != "" || c.Storage.Root != "" {
		return
	}
	ftp, err := c.SystemAccounts().Account("ftp", time.Now())
	if err != nil {
		return
	}
	for _, dir := range []string{"/var/ftp", ftp.Home} {
		if info, err := os.Stat(dir); err == nil && info.IsDir() && dir != "/" {
			c.Users.Anonymous, c.Users.AnonymousRoot = true, dir
			return
		}
	}
}
