package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"ferry/internal/account"
)

// userListCmd is `ferry user list`.
type userListCmd struct {
	stateFlags
	JSON  bool `xor:"form" help:"Print JSON."`
	Names bool `xor:"form" help:"Print the names only, one a line."`
}

func (cmd *userListCmd) Run(c console) error {
	conf, err := cmd.load()
	if err != nil {
		return err
	}
	if !account.Any(conf) {
		return cmd.show(c, []account.Record{})
	}
	return withAccounts(conf, func(ctx context.Context, accounts *account.Accounts) error {
		users, err := accounts.Records(ctx)
		if err != nil {
			return err
		}
		return cmd.show(c, users)
	})
}

func (cmd *userListCmd) show(c console, users []account.Record) error {
	switch {
	case cmd.JSON:
		return printJSON(c, users)
	case cmd.Names:
		return printNames(c, users)
	case len(users) == 0:
		c.note("There are no users yet: ferry user add NAME makes one.")
		return nil
	}
	return printUsers(c, users)
}

func printNames(c console, users []account.Record) error {
	for _, u := range users {
		if err := c.print("%s", u.Name); err != nil {
			return err
		}
	}
	return nil
}

func printUsers(c console, users []account.Record) error {
	w := tabwriter.NewWriter(c.out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tRIGHTS\tHOME\tSTATE")
	for _, u := range users {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", u.Name, rightsAtRoot(u), homeText(u), u.State(time.Now()))
	}
	return w.Flush()
}
