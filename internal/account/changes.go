package account

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/encoding/htmlindex"

	"ferry"
	"ferry/internal/home"
)

// Changes are what is to be changed of an account; nil: left as it is. The names in
// an Invalid are those of the flags of ferry user set.
type Changes struct {
	// Home is a host path, or a URL (package home); "": as the configuration says.
	Home *string
	// Rights are those at the root, as ferry.ParseRights reads them. ReadOnly means
	// "read-only".
	Rights   *string
	ReadOnly bool
	// Rules are PREFIX=RIGHTS; PREFIX=- takes the rule of that prefix away.
	Rules []string
	// Login is as ferry.ParseLogin reads it.
	Login *string
	// Principals are separated by commas; "": the name again.
	Principals            *string
	Shared, DirectUploads *bool
	// Charset is a name of the WHATWG list of encodings.
	Charset                  *string
	MaxSessions              *int
	UploadRate, DownloadRate *int64 // bytes a second; 0: no limit
	QuotaBytes, QuotaFiles   *int64 // that the home may hold; 0: no limit
	// Expires is a day, a moment (RFC 3339), or "never".
	Expires  *string
	Disabled *bool
}

// Invalid is a value that cannot be taken.
type Invalid struct {
	Field string // of the account: "rights", "expires"
	text  error  // begins with the space or the colon that stands behind the field
}

func invalid(field, format string, args ...any) error {
	return &Invalid{field, fmt.Errorf(format, args...)}
}

func (e *Invalid) Error() string { return e.Field + e.text.Error() }
func (e *Invalid) Unwrap() error { return e.text }

// Apply makes of u what the changes say. An error is an *Invalid, and u is then
// half changed.
func (c *Changes) Apply(u *ferry.User) error {
	for _, step := range []func(*ferry.User) error{c.applyHome, c.applyLogin, c.applyRules, c.applyCharset, c.applyLimits, c.applyExpires} {
		if err := step(u); err != nil {
			return err
		}
	}
	u.Principals = c.principals(u.Principals)
	u.Shared = given(c.Shared, u.Shared)
	u.Disabled = given(c.Disabled, u.Disabled)
	u.DirectUploads = given(c.DirectUploads, u.DirectUploads)
	return nil
}

// given is what is said, or old where nothing is.
func given[T any](said *T, old T) T {
	if said == nil {
		return old
	}
	return *said
}

func (c *Changes) applyHome(u *ferry.User) (err error) {
	if c.Home == nil || *c.Home == "" {
		u.Home = given(c.Home, u.Home)
		return nil
	}
	if strings.Contains(*c.Home, "://") {
		u.Home = *c.Home
		_, err = home.Path(u.Home)
		return err
	}
	u.Home, err = filepath.Abs(*c.Home)
	return err
}

func (c *Changes) applyLogin(u *ferry.User) (err error) {
	if c.Login == nil {
		return nil
	}
	if u.Login, err = ferry.ParseLogin(*c.Login); err != nil {
		return invalid("login", ": %w", err)
	}
	return nil
}

func (c *Changes) principals(old []string) []string {
	switch {
	case c.Principals == nil:
		return old
	case *c.Principals == "":
		return nil
	}
	return strings.Split(*c.Principals, ",")
}

func (c *Changes) applyRules(u *ferry.User) error {
	if c.ReadOnly {
		readOnly := ferry.RightsRead.String()
		c.Rights = &readOnly
	}
	if c.Rights != nil {
		rights, err := ferry.ParseRights(*c.Rights)
		if err != nil {
			return invalid("rights", ": %w", err)
		}
		setRule(u, ferry.Rule{Prefix: "/", Rights: rights})
	}
	for _, s := range c.Rules {
		if err := applyRule(u, s); err != nil {
			return invalid("rule", ": %w", err)
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

func (c *Changes) applyCharset(u *ferry.User) error {
	if c.Charset == nil {
		return nil
	}
	encoding, err := htmlindex.Get(given(c.Charset, ""))
	if err != nil {
		return invalid("charset", ": unknown encoding %q: use a name of the WHATWG list, such as utf-8, gbk, shift_jis, windows-1251, iso-8859-1", *c.Charset)
	}
	name, err := htmlindex.Name(encoding)
	if err != nil {
		return invalid("charset", ": %q: %w", *c.Charset, err)
	}
	if name == "utf-8" {
		name = "" // how ferry.User says it
	}
	u.Charset = name
	return nil
}

func (c *Changes) applyLimits(u *ferry.User) error {
	u.Limits.Sessions = given(c.MaxSessions, u.Limits.Sessions)
	if u.Limits.Sessions < 0 {
		return invalid("max-sessions", " must be 0 or more, not %d", u.Limits.Sessions)
	}
	u.Limits.Upload = given(c.UploadRate, u.Limits.Upload)
	u.Limits.Download = given(c.DownloadRate, u.Limits.Download)
	u.Limits.QuotaBytes = given(c.QuotaBytes, u.Limits.QuotaBytes)
	u.Limits.QuotaFiles = given(c.QuotaFiles, u.Limits.QuotaFiles)
	if u.Limits.QuotaFiles < 0 {
		return invalid("quota-files", " must be 0 or more, not %d", u.Limits.QuotaFiles)
	}
	return nil
}

func (c *Changes) applyExpires(u *ferry.User) error {
	if c.Expires == nil {
		return nil
	}
	if *c.Expires == "never" {
		u.Expires = time.Time{}
		return nil
	}
	if day, err := time.Parse(time.DateOnly, *c.Expires); err == nil {
		u.Expires = day.AddDate(0, 0, 1) // the end of that day
		return nil
	}
	moment, err := time.Parse(time.RFC3339, *c.Expires)
	if err != nil {
		return invalid("expires", " must be a day such as 2026-12-31, a moment such as 2026-12-31T18:00:00Z, or never, not %q", *c.Expires)
	}
	u.Expires = moment.UTC()
	return nil
}
