package main

import (
	"context"
	"fmt"
	"strconv"
	"text/tabwriter"

	"ferry/internal/account"
	"ferry/internal/bytesize"
	"ferry/internal/config"
)

const nobodyHasQuota = "Nobody has a quota: ferry user set NAME --quota SIZE gives one."

// quotaCmd is `ferry quota ...`: what the homes of users hold.
type quotaCmd struct {
	Show    quotaShowCmd    `cmd:"" help:"Show what users may keep, and what their homes hold."`
	Recount quotaRecountCmd `cmd:"" help:"Have homes counted anew: after their files were changed without the server."`
}

// withQuotas runs do with the database open, where there is one that could have the user.
func (f stateFlags) withQuotas(name string, do func(context.Context, *account.Accounts) error) error {
	if name != "" {
		return f.withUser(name, do)
	}
	conf, err := f.load()
	if err != nil || !account.Any(conf) {
		return err
	}
	return withAccounts(conf, do)
}

// quotaShowCmd is `ferry quota show [NAME]`.
type quotaShowCmd struct {
	stateFlags
	Name string `arg:"" optional:"" user:"" help:"The user; otherwise all who have a quota."`
	JSON bool   `help:"Print JSON."`
}

func (cmd *quotaShowCmd) Run(c console) error {
	usages := []account.Usage{}
	err := cmd.withQuotas(cmd.Name, func(ctx context.Context, accounts *account.Accounts) (err error) {
		usages, err = accounts.Usages(ctx, cmd.Name)
		return err
	})
	switch {
	case err != nil:
		return err
	case cmd.JSON:
		return printJSON(c, usages)
	case len(usages) == 0:
		c.note(nobodyHasQuota)
		return nil
	}
	return printUsages(c, usages)
}

func printUsages(c console, usages []account.Usage) error {
	w := tabwriter.NewWriter(c.out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tBYTES\tOF\tFILES\tOF\tCOUNTED\tHOME")
	for _, u := range usages {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", u.Name,
			usedText(u, u.Bytes), orNoLimit(u.QuotaBytes > 0, bytesize.Size(u.QuotaBytes).String()),
			usedText(u, u.Files), orNoLimit(u.QuotaFiles > 0, strconv.FormatInt(u.QuotaFiles, 10)),
			u.State, printable(u.Home))
	}
	return w.Flush()
}

func usedText(u account.Usage, n int64) string {
	if u.State == account.UsageUnknown {
		return "?"
	}
	return strconv.FormatInt(n, 10)
}

// quotaRecountCmd is `ferry quota recount NAME|--all`.
type quotaRecountCmd struct {
	stateFlags
	Name string `arg:"" optional:"" user:"" help:"The user whose home is counted."`
	All  bool   `help:"The homes of all who have a quota."`
}

func (cmd *quotaRecountCmd) Run(c console) error {
	if (cmd.Name == "") != cmd.All {
		return config.Usagef("name a user, or say --all")
	}
	return cmd.withQuotas(cmd.Name, func(ctx context.Context, accounts *account.Accounts) error {
		homes, err := accounts.Recount(ctx, cmd.Name)
		if err != nil {
			return err
		}
		if len(homes) == 0 {
			c.note(nobodyHasQuota)
			return nil
		}
		for _, home := range homes {
			if err := c.print("%s: to be counted", printable(home)); err != nil {
				return err
			}
		}
		c.note("A server that runs counts within a second (ferry quota show), another one when it starts.")
		return nil
	})
}
