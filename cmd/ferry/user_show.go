package main

import (
	"context"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"ferry"
	"ferry/internal/account"
	"ferry/internal/bytesize"
)

// userShowCmd is `ferry user show NAME`.
type userShowCmd struct {
	stateFlags
	Name string `arg:"" user:"" help:"The user."`
	JSON bool   `help:"Print JSON."`
}

func (cmd *userShowCmd) Run(c console) error {
	return cmd.withUser(cmd.Name, func(ctx context.Context, accounts *account.Accounts) error {
		u, err := accounts.Record(ctx, cmd.Name)
		if err != nil {
			return err
		}
		if cmd.JSON {
			return printJSON(c, u)
		}
		return printUser(c, u)
	})
}

func printUser(c console, u account.Record) error {
	w := tabwriter.NewWriter(c.out, 0, 8, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(w, name+"\t"+format+"\n", args...) }
	row("name", "%s", u.Name)
	row("state", "%s", u.State(time.Now()))
	row("home", "%s", homeText(u))
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
	row("upload", "%s", orNoLimit(u.UploadRate > 0, bytesize.Size(u.UploadRate).String()+"/s"))
	row("download", "%s", orNoLimit(u.DownloadRate > 0, bytesize.Size(u.DownloadRate).String()+"/s"))
	row("quota", "%s", orNoLimit(u.QuotaBytes > 0, bytesize.Size(u.QuotaBytes).String()))
	row("quota files", "%s", orNoLimit(u.QuotaFiles > 0, strconv.FormatInt(u.QuotaFiles, 10)))
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

func homeText(u account.Record) string {
	if u.Home == "" {
		return "(as configured)"
	}
	return printable(u.Home)
}

func rightsAtRoot(u account.Record) string {
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
