package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"
)

// userListCmd is `ferry user list`.
type userListCmd struct {
	stateFlags
	JSON bool `help:"Print JSON."`
}

func (cmd *userListCmd) Run(c console) error {
	return cmd.withStore(func(ctx context.Context, s state) error {
		users := []userRecord{}
		for a, err := range s.Accounts(ctx) {
			if err != nil {
				return err
			}
			users = append(users, recordOf(a))
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

func printUsers(c console, users []userRecord) error {
	w := tabwriter.NewWriter(c.out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tRIGHTS\tHOME\tSTATE")
	for _, u := range users {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", u.Name, u.rightsAtRoot(), u.homeText(), u.state(time.Now()))
	}
	return w.Flush()
}
