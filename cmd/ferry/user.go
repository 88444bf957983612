package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"ferry"
	"ferry/internal/account"
	"ferry/internal/bytesize"
	"ferry/internal/config"
	"ferry/internal/home"
	"ferry/internal/store"
)

// userCmd is `ferry user ...`: the accounts in the server's database. The
// commands open the database themselves, whether a server runs or not; a
// running one sees a change at the next login.
type userCmd struct {
	Add    userAddCmd    `cmd:"" help:"Add a user."`
	List   userListCmd   `cmd:"" help:"List the users."`
	Show   userShowCmd   `cmd:"" help:"Show one user."`
	Set    userSetCmd    `cmd:"" help:"Change what a user has and may do."`
	Passwd userPasswdCmd `cmd:"" help:"Change a user's password."`
	Key    userKeyCmd    `cmd:"" help:"Add, list or remove a user's public keys."`
	Remove userRemoveCmd `cmd:"" aliases:"delete,del,rm" help:"Remove a user. The files stay."`
}

// stateFlags say where the database is.
type stateFlags struct {
	Config string  `placeholder:"FILE" type:"path" help:"Config file that names the state directory."`
	State  *string `placeholder:"DIR" help:"Directory of the database (default: /var/lib/ferry for root, else ~/.local/state/ferry)."`
}

// load reads the configuration that the flags name.
func (f stateFlags) load() (*config.Config, error) {
	flags := map[string]any{}
	if f.State != nil {
		flags["--state"] = *f.State
	}
	return config.Load(f.Config, flags)
}

// withUser runs do with the database open, where there is one: who looks for a user in
// the wrong place, or presses TAB, makes no database there.
func (f stateFlags) withUser(name string, do func(context.Context, *account.Accounts) error) error {
	conf, err := f.load()
	if err != nil {
		return err
	}
	if !account.Any(conf) {
		return noSuchUser(store.ErrNoUser, name)
	}
	return noSuchUser(withAccounts(conf, do), name)
}

// withAccounts runs do with the database of conf open, made if it is missing.
func withAccounts(conf *config.Config, do func(context.Context, *account.Accounts) error) error {
	ctx := context.Background()
	accounts, err := account.Open(ctx, conf)
	if err != nil {
		return err
	}
	return errors.Join(do(ctx, accounts), accounts.Close())
}

// accountFlags are what `user add` and `user set` have in common. nil: not
// given, and left as it is.
type accountFlags struct {
	Home          *string        `placeholder:"DIR" help:"Host directory that is the root of the user's tree, made if it is missing and the one above it is there. Default: users.home of the configuration, else the served directory."`
	Rights        *string        `xor:"rights" placeholder:"RIGHTS" words:"all,read-only,none" help:"What the user may do: all, read-only, none, or a list of list, read, create, overwrite, append, delete, rename, mkdir, rmdir, chmod, times, symlink, and chown, which all does not grant (default: all)."`
	ReadOnly      bool           `xor:"rights" help:"The same as --rights read-only."`
	Rule          []string       `sep:"none" placeholder:"PREFIX=RIGHTS" help:"Other rights at and below PREFIX, such as /in=create,list. The longest prefix decides. PREFIX=- takes a rule away. May be repeated."`
	Login         *string        `placeholder:"HOW" words:"any,key,password,key+password" help:"What the user must show at a login: any (a key or the password), key, password, or key+password. A key is a public key, or a certificate, of SSH or TLS (default: any)."`
	Principals    *string        `placeholder:"NAME,..." help:"Principals of SSH certificates (sftp.user_ca) that stand for the user, in the place of the name; \"\": the name again."`
	Shared        *bool          `negatable:"" help:"Several people use this account: nothing is kept to be resumed."`
	DirectUploads *bool          `negatable:"" help:"Uploads are seen under their final name from the first byte."`
	Charset       *string        `placeholder:"NAME" help:"Encoding of file names on this user's FTP connections, such as gbk, shift_jis, windows-1251 (default: utf-8)."`
	MaxSessions   *int           `placeholder:"N" help:"Sessions at once; 0: no limit."`
	UploadRate    *bytesize.Size `placeholder:"RATE" help:"Bytes a second, such as 10MiB; 0: no limit."`
	DownloadRate  *bytesize.Size `placeholder:"RATE" help:"Bytes a second, such as 10MiB; 0: no limit."`
	Quota         *bytesize.Size `placeholder:"SIZE" help:"Bytes that the home may hold, whoever put them there, such as 10GiB; 0: no limit."`
	QuotaFiles    *int64         `placeholder:"N" help:"Files, links and directories that the home may hold; 0: no limit."`
	Expires       *string        `placeholder:"DATE" words:"never" help:"Last day (2026-12-31, in UTC) on which the user may log in, or a moment (RFC 3339), or never."`
	Disabled      *bool          `negatable:"" help:"The user may not log in; running sessions end."`
}

// changes are what the flags say.
func (f *accountFlags) changes() *account.Changes {
	return &account.Changes{
		Home: f.Home, Rights: f.Rights, ReadOnly: f.ReadOnly, Rules: f.Rule, Login: f.Login, Principals: f.Principals,
		Shared: f.Shared, DirectUploads: f.DirectUploads, Charset: f.Charset, MaxSessions: f.MaxSessions,
		UploadRate: (*int64)(f.UploadRate), DownloadRate: (*int64)(f.DownloadRate),
		QuotaBytes: (*int64)(f.Quota), QuotaFiles: f.QuotaFiles, Expires: f.Expires, Disabled: f.Disabled,
	}
}

// misused is err, where it is about what the person has written, as that.
func misused(err error) error {
	if wrong := (*account.Invalid)(nil); errors.As(err, &wrong) {
		return config.Usagef("--%w", wrong)
	}
	return err
}

// noSuchUser turns the store's answer about a missing account into a sentence.
func noSuchUser(err error, name string) error {
	if errors.Is(err, store.ErrNoUser) {
		return fmt.Errorf("there is no user %q in the database: ferry user list shows who is", name)
	}
	return err
}

// makeHome makes the home of an account where it is missing, and tells of one that
// cannot be made: logins would fail on it.
func (c console) makeHome(accounts *account.Accounts, at string) {
	if at == "" {
		return
	}
	made, err := accounts.MakeHome(at)
	if made {
		c.note("made the directory %s", at)
	}
	switch {
	case err != nil:
		c.note("ferry: warning: %v; logins fail until it is there, and the server's", err)
	case !home.Exists(at):
		c.note("ferry: warning: %s is not a directory: logins fail until it is one", at)
	}
}

// warnLogin tells of what the user must show at a login and does not have.
func (c console) warnLogin(a store.Account) {
	wants := func(factors ...ferry.Login) bool { return slices.Contains(factors, a.Login) }
	if wants(ferry.LoginKey, ferry.LoginKeyAndPassword) && len(a.Keys) == 0 {
		c.note("ferry: %s has no public key yet, and gets in by a certificate only: ferry user key add %s FILE", a.Name, a.Name)
	}
	if wants(ferry.LoginPassword, ferry.LoginKeyAndPassword) && a.Hash == "" {
		c.note("ferry: %s has no password yet, and cannot log in: ferry user passwd %s", a.Name, a.Name)
	}
}
