package importer

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"ferry"
	"ferry/internal/store"
)

// pureFields are the fields of pureftpd.passwd behind the home, in their order.
func pureFields() []string {
	return []string{"upload bandwidth", "download bandwidth", "upload ratio", "download ratio", "max connections", "files quota",
		"size quota", "allowed local IPs", "denied local IPs", "allowed client IPs", "denied client IPs", "time restrictions"}
}

// readPureFTPd reads what pure-pw writes: a line of 6 fields as in passwd, and up to 12
// more, with a ":" behind the last. Any of these may be missing.
func readPureFTPd(files []File) *Accounts {
	all := &Accounts{}
	for _, f := range files {
		if strings.HasPrefix(string(f.Data), "PDB2") {
			all.refuse(Place{f.Name, 1}, "this is PureDB's index: give the list that it was made of, pureftpd.passwd")
			continue
		}
		for _, l := range f.lines() {
			fields := strings.Split(strings.TrimSuffix(l.text, ":"), ":")
			switch {
			case !readable(l.text):
				all.refuse(l.Place, "this is no line of text")
			case len(fields) < 6 && strings.Count(l.text, ":") < 6:
				all.refuse(l.Place, "it has %d fields: pureftpd.passwd has at least 6", len(fields))
			case len(fields) > 6+len(pureFields()):
				all.refuse(l.Place, "it has %d fields: pureftpd.passwd has at most %d", len(fields), 6+len(pureFields()))
			default:
				all.take(l.Place, fields[0], func(e *Entry) error { return all.pure(e, fields) })
			}
		}
	}
	return all
}

func (a *Accounts) pure(e *Entry, fields []string) error {
	for len(fields) < 6+len(pureFields()) {
		fields = append(fields, "")
	}
	if err := numbers(fields[2], fields[3]); err != nil {
		return err
	}
	if err := a.hash(e, fields[1]); err != nil {
		return err
	}
	if err := a.pureHome(e, fields[5]); err != nil {
		return err
	}
	a.system(e, fields[2], fields[3], nil)
	return a.pureLimits(e, fields[6:])
}

// pureHome reads a home: what stands before "/./" is the root of the user's tree, what
// stands behind it where a session begins. Without it a session begins there, and the
// tree is the whole host.
func (a *Accounts) pureHome(e *Entry, dir string) error {
	root, start, confined := strings.Cut(dir, "/./")
	if !confined {
		a.note(e, "home", "the user could leave %s for the whole host; it is the root of the tree now", dir)
	}
	if start = strings.Trim(start, "/"); start != "" {
		a.note(e, "home", "sessions began in %s; they begin at the root of the tree now", start)
	}
	if root == "" && confined {
		root = "/"
	}
	return e.home(root)
}

func (a *Accounts) pureLimits(e *Entry, values []string) error {
	var numbers [12]int64
	for _, i := range pureNumbers() {
		n, err := pureNumber(values[i])
		if err != nil {
			return fmt.Errorf("the %s %.20q is no number", pureFields()[i], values[i])
		}
		numbers[i] = n
	}
	e.set(func(account *store.Account) {
		account.Limits = ferry.Limits{Upload: numbers[0], Download: numbers[1], Sessions: int(min(numbers[4], math.MaxInt32)), QuotaFiles: numbers[5], QuotaBytes: numbers[6]}
	})
	for i, field := range pureFields() {
		if !slices.Contains(pureNumbers(), i) && values[i] != "" && values[i] != "0" {
			a.note(e, field, "%s", values[i])
		}
		if (i == 5 || i == 6) && values[i] == "0" {
			a.note(e, field, "0 let nothing be kept; here it is no limit")
		}
	}
	return nil
}

// pureNumbers are those of pureFields that are kept.
func pureNumbers() []int { return []int{0, 1, 4, 5, 6} }

// pureNumber reads a number; there may be none, which is no limit, as is 0.
func pureNumber(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	return parseNumber(s)
}
