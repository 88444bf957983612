package importer

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"ferry"
	"ferry/internal/auth"
	"ferry/internal/store"
)

// Place is where an account stands: a file, and a line of it.
type Place struct {
	File string `json:"file"`
	Line int    `json:"line"`
}

func (p Place) String() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

// Refusal is an account that is not taken, and why.
type Refusal struct {
	Place
	User   string `json:"user"` // "": it could not be read
	Reason string `json:"reason"`
}

// Unmapped is something that a file says of an account and Ferry cannot keep.
type Unmapped struct {
	User   string `json:"user"`
	Field  string `json:"field"` // as the other server names it
	Reason string `json:"reason"`
}

// Accounts are what was read.
type Accounts struct {
	Entries  []*Entry
	Refused  []Refusal // cannot be accounts
	LeftOut  []Refusal // nobody logs in with them
	Unmapped []Unmapped
}

// Entry is one account that can be taken.
type Entry struct {
	Place
	Name string
	// password is still to be hashed; "": there is a hash, or none.
	password string
	steps    []func(*store.Account)
}

// set adds a step.
func (e *Entry) set(step func(*store.Account)) { e.steps = append(e.steps, step) }

// apply makes of a what the file says of it.
func (e *Entry) apply(a *store.Account) {
	for _, step := range e.steps {
		step(a)
	}
}

// errLeftOut is the reason of an entry that nobody can log in with.
type errLeftOut string

func (e errLeftOut) Error() string { return string(e) }

// take adds the entry that read fills in, or the reason why it is none.
func (a *Accounts) take(at Place, name string, read func(*Entry) error) {
	e := &Entry{Place: at, Name: name}
	notes := len(a.Unmapped)
	err := checkName(name)
	if err == nil {
		err = read(e)
	}
	if err == nil {
		a.Entries = append(a.Entries, e)
		return
	}
	a.Unmapped = a.Unmapped[:notes]
	refusal := Refusal{at, name, err.Error()}
	if errors.As(err, new(errLeftOut)) {
		a.LeftOut = append(a.LeftOut, refusal)
		return
	}
	a.Refused = append(a.Refused, refusal)
}

// refuse notes a line that says no name, or no account.
func (a *Accounts) refuse(at Place, format string, args ...any) {
	a.Refused = append(a.Refused, Refusal{Place: at, Reason: fmt.Sprintf(format, args...)})
}

// note reports what cannot be kept.
func (a *Accounts) note(e *Entry, field, format string, args ...any) {
	a.Unmapped = append(a.Unmapped, Unmapped{e.Name, field, fmt.Sprintf(format, args...)})
}

// refuseTwins refuses each account whose name came before: which of the two holds is
// decided otherwise by every server.
func (a *Accounts) refuseTwins() {
	first := map[string]Place{}
	kept := a.Entries[:0]
	for _, e := range a.Entries {
		if at, twice := first[e.Name]; twice {
			a.Refused = append(a.Refused, Refusal{e.Place, e.Name, "the name stands at " + at.String() + " already"})
			continue
		}
		first[e.Name] = e.Place
		kept = append(kept, e)
	}
	a.Entries = kept
}

func checkName(name string) error {
	if err := ferry.CheckUserName(name); err != nil {
		return err
	}
	if auth.IsAnonymous(name) {
		return fmt.Errorf("the name %q stands for anonymous users", name)
	}
	return nil
}

// home lets the account live at dir.
func (e *Entry) home(dir string) error {
	if !strings.HasPrefix(dir, "/") {
		return fmt.Errorf("the home %q is no absolute path", dir)
	}
	if strings.Contains(dir, "\x00") {
		return errors.New("the home holds a NUL")
	}
	clean := path.Clean(dir)
	e.set(func(a *store.Account) { a.Home = clean })
	return nil
}

// numbers refuses user and group IDs that are none, or those of root: whose account it
// was could do everything.
func numbers(uid, gid string) error {
	n, err := parseNumber(uid)
	if err != nil {
		return fmt.Errorf("the user ID %.20q is no number", uid)
	}
	if n == 0 {
		return errors.New("the user ID is 0: that is root's")
	}
	if _, err := parseNumber(gid); err != nil {
		return fmt.Errorf("the group ID %.20q is no number", gid)
	}
	return nil
}

// expires lets the account end at t; zero: never.
func (e *Entry) expires(t time.Time) {
	e.set(func(a *store.Account) { a.Expires = t })
}
