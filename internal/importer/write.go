package importer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"ferry"
	"ferry/internal/store"
)

// Existing says what is done with an account that is in the database already.
type Existing int

const (
	Refuse Existing = iota // nothing is imported at all
	Update                 // it gets what the file says, and keeps the rest
	Skip                   // it stays as it is
)

// Options say how accounts are written.
type Options struct {
	Existing    Existing
	SkipRefused bool // take the others where a line is refused
	DryRun      bool
	// Hash hashes a password that the file has as it is.
	Hash func(ctx context.Context, password string) (string, error)
}

// Report is what was done, or would be.
type Report struct {
	DryRun   bool       `json:"dry_run"`
	Written  bool       `json:"written"` // whether the database has changed
	Added    []string   `json:"added"`
	Updated  []string   `json:"updated"`
	Skipped  []string   `json:"skipped"` // there already
	Refused  []Refusal  `json:"refused"`
	LeftOut  []Refusal  `json:"left_out"`
	Unmapped []Unmapped `json:"not_mapped"`
}

// errDry ends a transaction that was for the look only.
var errDry = errors.New("nothing is to be written")

// Write puts the accounts into the database, all or none: in one transaction. The
// report is right as far as it got, also with an error.
func (a *Accounts) Write(ctx context.Context, s *store.Store, o Options) (Report, error) {
	report := Report{DryRun: o.DryRun, Added: []string{}, Updated: []string{}, Skipped: []string{},
		Refused: append([]Refusal{}, a.Refused...), LeftOut: append([]Refusal{}, a.LeftOut...), Unmapped: append([]Unmapped{}, a.Unmapped...)}
	var refused error
	if len(a.Refused) > 0 && !o.SkipRefused {
		refused = fmt.Errorf("%d refused: nothing is imported; mend the file, or take the others with --skip-refused", len(a.Refused))
	}
	if !o.DryRun {
		if err := cmp.Or(refused, a.hashPasswords(ctx, o.Hash)); err != nil {
			return report, err
		}
	}
	err := s.Import(ctx, func(put store.Put) error {
		var there []string
		for _, e := range a.Entries {
			found, err := e.write(put, o.Existing, &report)
			if err != nil {
				return fmt.Errorf("%s: %w", e.Place, err)
			}
			if found {
				there = append(there, e.Name)
			}
		}
		switch {
		case len(there) > 0 && o.Existing == Refuse:
			return fmt.Errorf("%s there already: nothing is imported; use --update or --skip", areNames(there))
		case o.DryRun:
			return errDry
		}
		return nil
	})
	if errors.Is(err, errDry) {
		return report, refused
	}
	report.Written = err == nil
	return report, err
}

// hashPasswords makes the hashes of passwords that the file has as they are, before
// the database is held: that takes time on purpose.
func (a *Accounts) hashPasswords(ctx context.Context, hash func(context.Context, string) (string, error)) error {
	for _, e := range a.Entries {
		if e.password == "" {
			continue
		}
		made, err := hash(ctx, e.password)
		if err != nil {
			return fmt.Errorf("%s: cannot hash the password: %w", e.Place, err)
		}
		e.password = ""
		e.set(func(account *store.Account) { account.Hash = made })
	}
	return nil
}

// write puts one account, and tells whether it was there already.
func (e *Entry) write(put store.Put, existing Existing, report *Report) (found bool, err error) {
	list := &report.Added
	err = put(e.Name, func(a *store.Account, exists bool) (write bool) {
		switch found = exists; {
		case !exists:
			a.Rules = []ferry.Rule{{Prefix: ferry.Root, Rights: ferry.RightsAll}}
		case existing == Update:
			list = &report.Updated
		default:
			list = &report.Skipped
			return false
		}
		e.apply(a)
		return true
	})
	if err == nil {
		*list = append(*list, e.Name)
	}
	return found, err
}

// areNames is a list of names with its verb, cut where it is long.
func areNames(names []string) string {
	verb := "are"
	if len(names) == 1 {
		verb = "is"
	}
	const most = 10
	more := ""
	if len(names) > most {
		more = fmt.Sprintf(" and %d more", len(names)-most)
		names = names[:most]
	}
	return strings.Join(names, ", ") + more + " " + verb
}
