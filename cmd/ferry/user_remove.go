package main

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"golang.org/x/term"

	"ferry/internal/account"
	"ferry/internal/config"
)

// userRemoveCmd is `ferry user remove NAME`.
type userRemoveCmd struct {
	stateFlags
	Name string `arg:"" user:"" help:"The user."`
	Yes  bool   `short:"y" help:"Do not ask."`
}

func (cmd *userRemoveCmd) Run(c console) error {
	return cmd.withUser(cmd.Name, func(ctx context.Context, accounts *account.Accounts) error {
		if _, err := accounts.Account(ctx, cmd.Name); err != nil {
			return err
		}
		if err := cmd.confirm(c); err != nil {
			return err
		}
		if err := accounts.Remove(ctx, cmd.Name); err != nil {
			return err
		}
		return c.print("removed user %s", cmd.Name)
	})
}

func (cmd *userRemoveCmd) confirm(c console) error {
	if cmd.Yes {
		return nil
	}
	if !term.IsTerminal(int(c.in.Fd())) {
		return config.Usagef("there is no terminal to ask at whether to remove user %q: use --yes", cmd.Name)
	}
	fmt.Fprintf(c.err, "Remove user %s? The files stay. [y/N] ", cmd.Name)
	answer, err := bufio.NewReader(c.in).ReadString('\n')
	if err != nil {
		return fmt.Errorf("cannot read the answer: %w", err)
	}
	if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
		return fmt.Errorf("user %q was not removed", cmd.Name)
	}
	return nil
}
