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
	JSON bool `help:"Print JSON."`
}

func (cmd *userListCmd) Run(c console) error {
	return cmd.withAccounts(func(ctx context.Context, accounts *account.Accounts) error {
		users, err := accounts.Records(ctx)
		if err != nil {
			return err
		}
		if cmd.JSON {
			return printJSON(c, users)
		}
		if len(users) == 0 {
			c.note("There are no users yet: ferry user add NAME makes one.")
			return nil
		}
		return printUsers(c, users)
	})
}

func printUsers(c console, users []account.Record) error {
	w := tabwriter.NewWriter(c.out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tRIGHTS\tHOME\tSTATE")
	for _, u := range users {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", u.Name, rightsAtRoot(u), homeText(u), u.State(time.Now()))
	}
	return w.Flush()
}
