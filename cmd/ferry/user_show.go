package main

import (
	"context"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"ferry"
	"ferry/internal/store"
)

// userShowCmd is `ferry user show NAME`.
type userShowCmd struct {
	stateFlags
	Name string `arg:"" help:"The user."`
	JSON bool   `help:"Print JSON."`
}

func (cmd *userShowCmd) Run(c console) error {
	return cmd.withStore(func(ctx context.Context, s state) error {
		a, err := s.Account(ctx, cmd.Name)
		if err != nil {
			return noSuchUser(err, cmd.Name)
		}
		u := recordOf(a)
		if cmd.JSON {
			return printJSON(c, u)
		}
		return u.print(c)
	})
}

// userRecord is an account as scripts read it. It holds no secret.
type userRecord struct {
	Name          string      `json:"name"`
	Home          string      `json:"home"` // "": users.home of the configuration
	Rules         []userRule  `json:"rules"`
	Login         string      `json:"login"`      // any, key, password, key+password
	Principals    []string    `json:"principals"` // none: the name
	Shared        bool        `json:"shared"`
	DirectUploads bool        `json:"direct_uploads"`
	Charset       string      `json:"charset"`
	MaxSessions   int         `json:"max_sessions"`
	UploadRate    int64       `json:"upload_rate"`   // bytes a second; 0: no limit
	DownloadRate  int64       `json:"download_rate"` // bytes a second; 0: no limit
	Expires       *time.Time  `json:"expires"`       // null: never
	Disabled      bool        `json:"disabled"`
	Password      bool        `json:"password"` // whether there is one
	Keys          []keyRecord `json:"keys"`
	Created       time.Time   `json:"created"`
	Changed       time.Time   `json:"changed"`
}

type userRule struct {
	Prefix string `json:"prefix"`
	Rights string `json:"rights"`
}

type keyRecord struct {
	Fingerprint string    `json:"fingerprint"`
	Line        string    `json:"line"`
	Added       time.Time `json:"added"`
}

func recordOf(a store.Account) userRecord {
	u := userRecord{Name: a.Name, Home: a.Home, Rules: []userRule{}, Login: a.Login.String(), Principals: append([]string{}, a.Principals...), Shared: a.Shared, DirectUploads: a.DirectUploads,
		Charset: a.Charset, MaxSessions: a.Limits.Sessions, UploadRate: a.Limits.Upload, DownloadRate: a.Limits.Download,
		Disabled: a.Disabled, Password: a.Hash != "", Keys: []keyRecord{}, Created: a.Created, Changed: a.Changed}
	if u.Charset == "" {
		u.Charset = "utf-8"
	}
	if !a.Expires.IsZero() {
		u.Expires = &a.Expires
	}
	for _, r := range a.Rules {
		u.Rules = append(u.Rules, userRule{string(r.Prefix), r.Rights.String()})
	}
	for _, k := range a.Keys {
		u.Keys = append(u.Keys, keyRecord{k.Fingerprint, k.Line, k.Added})
	}
	return u
}

func (u userRecord) print(c console) error {
	w := tabwriter.NewWriter(c.out, 0, 8, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(w, name+"\t"+format+"\n", args...) }
	row("name", "%s", u.Name)
	row("state", "%s", u.state(time.Now()))
	row("home", "%s", u.homeText())
	for _, r := range u.Rules {
		row("rights", "%s below %s", r.Rights, printable(string(r.Prefix)))
	}
	row("login by", "%s", u.Login)
	for _, p := range u.Principals {
		row("principal", "%s", printable(p))
	}
	row("password", "%s", map[bool]string{true: "set", false: "none"}[u.Password])
	for _, k := range u.Keys {
		row("key", "%s", k.Fingerprint)
	}
	row("charset", "%s", u.Charset)
	row("sessions", "%s", orNoLimit(u.MaxSessions > 0, strconv.Itoa(u.MaxSessions)+" at once"))
	row("upload", "%s", orNoLimit(u.UploadRate > 0, size(u.UploadRate).String()+"/s"))
	row("download", "%s", orNoLimit(u.DownloadRate > 0, size(u.DownloadRate).String()+"/s"))
	row("shared", "%t", u.Shared)
	row("direct uploads", "%t", u.DirectUploads)
	row("created", "%s", u.Created.Format(time.RFC3339))
	row("changed", "%s", u.Changed.Format(time.RFC3339))
	return w.Flush()
}

func orNoLimit(limited bool, limit string) string {
	if limited {
		return limit
	}
	return "no limit"
}

// state is whether the user may log in, by the predicate that logins ask.
func (u userRecord) state(now time.Time) string {
	user := ferry.User{Disabled: u.Disabled}
	if u.Expires != nil {
		user.Expires = *u.Expires
	}
	switch {
	case u.Disabled:
		return "disabled"
	case !user.MayLogin(now):
		return "expired " + u.Expires.Format(time.RFC3339)
	case u.Expires != nil:
		return "active until " + u.Expires.Format(time.RFC3339)
	}
	return "active"
}

func (u userRecord) homeText() string {
	if u.Home == "" {
		return "(as configured)"
	}
	return printable(u.Home)
}

func (u userRecord) rightsAtRoot() string {
	for _, r := range u.Rules {
		if r.Prefix == "/" {
			return r.Rights
		}
	}
	return ferry.Right(0).String()
}

// printable is s, quoted where a terminal would take parts of it for more than
// text.
func printable(s string) string {
	quoted := strconv.QuoteToGraphic(s)
	if quoted == `"`+s+`"` {
		return s
	}
	return quoted
}
