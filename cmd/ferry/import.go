package main

import (
	"cmp"
	"context"
	"os"

	"ferry/internal/account"
	"ferry/internal/config"
	"ferry/internal/importer"
)

// importCmd is `ferry import FORMAT FILE...`.
type importCmd struct {
	stateFlags
	DryRun      bool     `help:"Say what would be imported, and what could not be, and change nothing."`
	Update      bool     `xor:"existing" help:"Users that are there already get what the file says of them, and keep the rest."`
	Skip        bool     `xor:"existing" help:"Users that are there already stay as they are."`
	SkipRefused bool     `help:"Import the others where a line of the file is refused."`
	JSON        bool     `help:"Print the report as JSON."`
	Format      string   `arg:"" enum:"passwd,pureftpd,proftpd,vsftpd,sftpgo" words:"passwd,pureftpd,proftpd,vsftpd,sftpgo" help:"What the files are: passwd (with shadow and group lists), pureftpd (pureftpd.passwd), proftpd (AuthUserFile), vsftpd (the list of its virtual users), sftpgo (what dumpdata writes)."`
	Files       []string `arg:"" name:"file" type:"existingfile" help:"Files to read."`
}

func (cmd *importCmd) Run(c console) error {
	read, err := cmd.read()
	if err != nil {
		return err
	}
	conf, err := cmd.load()
	if err != nil {
		return err
	}
	if cmd.DryRun && !account.Any(conf) {
		scratch, err := os.MkdirTemp("", "ferry-import-") // a look makes no database
		if err != nil {
			return err
		}
		defer os.RemoveAll(scratch)
		if conf, err = config.Load(cmd.Config, map[string]any{"--state": scratch}); err != nil {
			return err
		}
	}
	return withAccounts(conf, func(ctx context.Context, accounts *account.Accounts) error {
		options := importer.Options{SkipRefused: cmd.SkipRefused, DryRun: cmd.DryRun, Hash: accounts.Hash}
		switch {
		case cmd.Update:
			options.Existing = importer.Update
		case cmd.Skip:
			options.Existing = importer.Skip
		}
		report, err := read.Write(ctx, accounts.Store, options)
		if cmd.JSON {
			return cmp.Or(err, printJSON(c, report))
		}
		return cmp.Or(err, printReport(c, report))
	})
}

func (cmd *importCmd) read() (*importer.Accounts, error) {
	var files []importer.File
	for _, name := range cmd.Files {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		files = append(files, importer.File{Name: name, Data: data})
	}
	return importer.Read(cmd.Format, files)
}

// printReport tells of what became of each user on standard output, and of what was
// lost on the way on standard error.
func printReport(c console, r importer.Report) error {
	for _, refused := range r.Refused {
		c.note("refused   %s: %s%s", refused.Place, userColon(refused.User), refused.Reason)
	}
	for _, left := range r.LeftOut {
		c.note("left out  %s: %s%s", left.Place, userColon(left.User), left.Reason)
	}
	for _, lost := range r.Unmapped {
		c.note("not kept  %s%s: %s", userColon(lost.User), lost.Field, printable(lost.Reason))
	}
	would := ""
	if !r.Written {
		would = "would be "
	}
	for _, done := range []struct {
		what  string
		names []string
	}{{"added", r.Added}, {"updated", r.Updated}, {"skipped", r.Skipped}} {
		for _, name := range done.names {
			if err := c.print("%s%s %s", would, done.what, name); err != nil {
				return err
			}
		}
	}
	return c.print("%d %sadded, %d updated, %d skipped, %d left out, %d refused, %d fields not kept",
		len(r.Added), would, len(r.Updated), len(r.Skipped), len(r.LeftOut), len(r.Refused), len(r.Unmapped))
}

func userColon(name string) string {
	if name == "" {
		return ""
	}
	return printable(name) + ": "
}
