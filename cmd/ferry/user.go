package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/encoding/htmlindex"

	"ferry"
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
	Remove userRemoveCmd `cmd:"" help:"Remove a user. The files stay."`
}

// stateFlags say where the database is.
type stateFlags struct {
	Config string  `placeholder:"FILE" type:"path" help:"Config file that names the state directory."`
	State  *string `placeholder:"DIR" help:"Directory of the database (default: /var/lib/ferry for root, else ~/.local/state/ferry)."`
}

// state is what the commands work on: the open database, and the configuration
// that new passwords are hashed by.
type state struct {
	*store.Store
	conf *config
}

func (s state) hash(ctx context.Context, password string) (string, error) {
	h, err := s.conf.hasher(1)
	if err != nil {
		return "", err
	}
	return h.Hash(ctx, password)
}

// withStore runs do with the database open.
func (f stateFlags) withStore(do func(context.Context, state) error) error {
	flags := map[string]any{}
	if f.State != nil {
		flags["--state"] = *f.State
	}
	conf, err := loadConfig(f.Config, flags)
	if err != nil {
		return err
	}
	ctx := context.Background()
	s, err := store.Open(ctx, filepath.Join(conf.Server.State, databaseFile))
	if err != nil {
		return err
	}
	return errors.Join(do(ctx, state{s, conf}), s.Close())
}

// databaseFile is the database's name in the state directory.
const databaseFile = "ferry.db"

// accountFlags are what `user add` and `user set` have in common. nil: not
// given, and left as it is.
type accountFlags struct {
	Home          *string  `placeholder:"DIR" help:"Host directory that is the root of the user's tree. Default: users.home of the configuration, else the served directory."`
	Rights        *string  `xor:"rights" placeholder:"RIGHTS" help:"What the user may do: all, read-only, none, or a list of list, read, create, overwrite, append, delete, rename, mkdir, rmdir, chmod, times, symlink, and chown, which all does not grant (default: all)."`
	ReadOnly      bool     `xor:"rights" help:"The same as --rights read-only."`
	Rule          []string `sep:"none" placeholder:"PREFIX=RIGHTS" help:"Other rights at and below PREFIX, such as /in=create,list. The longest prefix decides. PREFIX=- takes a rule away. May be repeated."`
	Login         *string  `placeholder:"HOW" help:"What the user must show at a login: any (a key or the password), key, password, or key+password. A key is a public key, or a certificate, of SSH or TLS (default: any)."`
	Principals    *string  `placeholder:"NAME,..." help:"Principals of SSH certificates (sftp.user_ca) that stand for the user, in the place of the name; \"\": the name again."`
	Shared        *bool    `negatable:"" help:"Several people use this account: nothing is kept to be resumed."`
	DirectUploads *bool    `negatable:"" help:"Uploads are seen under their final name from the first byte."`
	Charset       *string  `placeholder:"NAME" help:"Encoding of file names on this user's FTP connections, such as gbk, shift_jis, windows-1251 (default: utf-8)."`
	MaxSessions   *int     `placeholder:"N" help:"Sessions at once; 0: no limit."`
	UploadRate    *size    `placeholder:"RATE" help:"Bytes a second, such as 10MiB; 0: no limit."`
	DownloadRate  *size    `placeholder:"RATE" help:"Bytes a second, such as 10MiB; 0: no limit."`
	Expires       *string  `placeholder:"DATE" help:"Last day (2026-12-31, in UTC) on which the user may log in, or a moment (RFC 3339), or never."`
	Disabled      *bool    `negatable:"" help:"The user may not log in; running sessions end."`
}

// apply changes u as the flags say.
func (f *accountFlags) apply(u *ferry.User) error {
	for _, step := range []func(*ferry.User) error{f.applyHome, f.applyLogin, f.applyRules, f.applyCharset, f.applyLimits, f.applyExpires} {
		if err := step(u); err != nil {
			return usageError{err}
		}
	}
	u.Principals = f.principals(u.Principals)
	u.Shared = given(f.Shared, u.Shared)
	u.Disabled = given(f.Disabled, u.Disabled)
	u.DirectUploads = given(f.DirectUploads, u.DirectUploads)
	return nil
}

// given is what a flag says, or old where it was not given.
func given[T any](flag *T, old T) T {
	if flag == nil {
		return old
	}
	return *flag
}

func (f *accountFlags) applyHome(u *ferry.User) (err error) {
	if f.Home == nil || *f.Home == "" {
		u.Home = given(f.Home, u.Home)
		return nil
	}
	u.Home, err = filepath.Abs(*f.Home)
	return err
}

func (f *accountFlags) applyLogin(u *ferry.User) (err error) {
	if f.Login == nil {
		return nil
	}
	if u.Login, err = ferry.ParseLogin(*f.Login); err != nil {
		return fmt.Errorf("--login: %w", err)
	}
	return nil
}

func (f *accountFlags) principals(old []string) []string {
	switch {
	case f.Principals == nil:
		return old
	case *f.Principals == "":
		return nil
	}
	return strings.Split(*f.Principals, ",")
}

func (f *accountFlags) applyRules(u *ferry.User) error {
	if f.ReadOnly {
		readOnly := ferry.RightsRead.String()
		f.Rights = &readOnly
	}
	if f.Rights != nil {
		rights, err := ferry.ParseRights(*f.Rights)
		if err != nil {
			return fmt.Errorf("--rights: %w", err)
		}
		setRule(u, ferry.Rule{Prefix: "/", Rights: rights})
	}
	for _, s := range f.Rule {
		if err := applyRule(u, s); err != nil {
			return fmt.Errorf("--rule: %w", err)
		}
	}
	return nil
}

func applyRule(u *ferry.User, s string) error {
	at := strings.LastIndexByte(s, '=')
	if at <= 0 || s[0] != '/' {
		return fmt.Errorf("%q must be PREFIX=RIGHTS, such as /in=create,list", s)
	}
	prefix, err := ferry.Clean("/", s[:at])
	if err != nil {
		return fmt.Errorf("%q: %w", s, err)
	}
	if s[at+1:] == "-" {
		u.Rules = slices.DeleteFunc(u.Rules, func(r ferry.Rule) bool { return r.Prefix == prefix })
		return nil
	}
	rights, err := ferry.ParseRights(s[at+1:])
	if err != nil {
		return fmt.Errorf("%q: %w", s, err)
	}
	setRule(u, ferry.Rule{Prefix: prefix, Rights: rights})
	return nil
}

// setRule puts r in the place of the rule with its prefix, or adds it.
func setRule(u *ferry.User, r ferry.Rule) {
	u.Rules = slices.DeleteFunc(slices.Clone(u.Rules), func(old ferry.Rule) bool { return old.Prefix == r.Prefix })
	u.Rules = append(u.Rules, r)
	slices.SortFunc(u.Rules, func(a, b ferry.Rule) int { return cmp.Compare(a.Prefix, b.Prefix) })
}

func (f *accountFlags) applyCharset(u *ferry.User) error {
	if f.Charset == nil {
		return nil
	}
	encoding, err := htmlindex.Get(given(f.Charset, ""))
	if err != nil {
		return fmt.Errorf("--charset: unknown encoding %q: use a name of the WHATWG list, such as utf-8, gbk, shift_jis, windows-1251, iso-8859-1", *f.Charset)
	}
	name, err := htmlindex.Name(encoding)
	if err != nil {
		return fmt.Errorf("--charset: %q: %w", *f.Charset, err)
	}
	if name == "utf-8" {
		name = "" // how ferry.User says it
	}
	u.Charset = name
	return nil
}

func (f *accountFlags) applyLimits(u *ferry.User) error {
	u.Limits.Sessions = given(f.MaxSessions, u.Limits.Sessions)
	if u.Limits.Sessions < 0 {
		return fmt.Errorf("--max-sessions must be 0 or more, not %d", u.Limits.Sessions)
	}
	u.Limits.Upload = int64(given(f.UploadRate, size(u.Limits.Upload)))
	u.Limits.Download = int64(given(f.DownloadRate, size(u.Limits.Download)))
	return nil
}

func (f *accountFlags) applyExpires(u *ferry.User) error {
	if f.Expires == nil {
		return nil
	}
	if *f.Expires == "never" {
		u.Expires = time.Time{}
		return nil
	}
	if day, err := time.Parse(time.DateOnly, *f.Expires); err == nil {
		u.Expires = day.AddDate(0, 0, 1) // the end of that day
		return nil
	}
	moment, err := time.Parse(time.RFC3339, *f.Expires)
	if err != nil {
		return fmt.Errorf("--expires must be a day such as 2026-12-31, a moment such as 2026-12-31T18:00:00Z, or never, not %q", *f.Expires)
	}
	u.Expires = moment.UTC()
	return nil
}

// noSuchUser turns the store's answer about a missing account into a sentence.
func noSuchUser(err error, name string) error {
	if errors.Is(err, store.ErrNoUser) {
		return fmt.Errorf("there is no user %q in the database: ferry user list shows who is", name)
	}
	return err
}

// warnHome tells of a home that is not there: logins would fail on it.
func (c console) warnHome(home string) {
	if home == "" {
		return
	}
	if info, err := os.Stat(home); errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		c.note("ferry: warning: %s is not a directory: logins fail until it is one", home)
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
