package sysuser

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ferry"
)

// Config says whose accounts are for a login.
type Config struct {
	// Dir holds passwd, shadow, group and shells; "" means /etc.
	Dir string
	// Denied is a file with the names of who may not log in, one a line, such as
	// /etc/ftpusers; "": none. It need not be there.
	Denied string
	// MinUID is the lowest user ID that may log in; 0 means 1000. User ID 0 never may.
	MinUID uint32
	// Groups are those of which a user must be in one; none: anybody may log in.
	Groups []string
	// AnyShell lets those in, too, whose shell is not in shells(5).
	AnyShell bool
}

// Accounts are those of the operating system. It may be used by several goroutines at
// once.
type Accounts struct {
	cfg    Config
	passwd *file[map[string]parsed[entry]]
	shadow *file[map[string]parsed[secret]]
	groups *file[[]group]
	shells *file[map[string]bool]
	denied *file[map[string]bool]
}

// parsed is a line, or what is wrong with it.
type parsed[T any] struct {
	line T
	err  error
}

// New makes Accounts; nothing is read before it is asked for.
func New(cfg Config) *Accounts {
	if cfg.Dir == "" {
		cfg.Dir = "/etc"
	}
	if cfg.MinUID == 0 {
		cfg.MinUID = 1000
	}
	in := func(name string) string { return filepath.Join(cfg.Dir, name) }
	return &Accounts{
		cfg:    cfg,
		passwd: &file[map[string]parsed[entry]]{path: in("passwd"), parse: byName(parsePasswd)},
		shadow: &file[map[string]parsed[secret]]{path: in("shadow"), parse: byName(parseShadow)},
		groups: &file[[]group]{path: in("group"), parse: parseGroups},
		shells: &file[map[string]bool]{path: in("shells"), parse: words},
		denied: &file[map[string]bool]{path: cfg.Denied, parse: words},
	}
}

// byName makes what parses a file into its lines by name; the first of a name counts,
// as for the C library.
func byName[T any](parse func(line string) (T, error)) func(lines []string) map[string]parsed[T] {
	return func(lines []string) map[string]parsed[T] {
		all := make(map[string]parsed[T], len(lines))
		for _, l := range lines {
			name, _, _ := strings.Cut(l, ":")
			if _, there := all[name]; !there {
				line, err := parse(l)
				all[name] = parsed[T]{line, err}
			}
		}
		return all
	}
}

// parseGroups reads the lines of group(5). One that is wrong is no group.
func parseGroups(lines []string) []group {
	var all []group
	for _, line := range lines {
		if g, err := parseGroup(line); err == nil {
			all = append(all, g)
		}
	}
	return all
}

// Account is one of the operating system.
type Account struct {
	Name string
	// UID, GID and Groups are who the kernel takes the user for: Groups are all that
	// name the user, the one of GID among them.
	UID, GID uint32
	Groups   []uint32
	Home     string // an absolute path
	// Hash is the crypt(5) hash of the password; "": none opens the account.
	Hash string
	// Barred is why nobody may log in; "": one may.
	Barred string
}

// Account gives the account of that name, as it is at now. The error matches
// fs.ErrNotExist where there is none; any other one means that it could not be found out.
func (a *Accounts) Account(name string, now time.Time) (Account, error) {
	if ferry.CheckUserName(name) != nil || strings.ContainsAny(name[:1], "+-") { // of NIS
		return Account{}, fs.ErrNotExist
	}
	all, err := a.passwd.get()
	if err != nil {
		return Account{}, unreadable(err)
	}
	e, found := all[name]
	if !found {
		return Account{}, fs.ErrNotExist
	}
	if e.err != nil {
		return Account{Name: name, Barred: "its line in passwd is wrong: " + e.err.Error()}, nil
	}
	s, err := a.secretOf(e.line)
	if err != nil {
		return Account{}, err
	}
	groups, err := a.groups.get()
	if err != nil {
		return Account{}, unreadable(err)
	}
	account := Account{Name: name, UID: e.line.uid, GID: e.line.gid, Home: e.line.home, Hash: s.line.password()}
	account.Groups = groupsOf(e.line, groups)
	account.Barred, err = a.barred(e.line, s, groups, now)
	return account, err
}

// secretOf is the line of shadow(5) that belongs to e. An account whose password stands
// in passwd(5) needs none.
func (a *Accounts) secretOf(e entry) (parsed[secret], error) {
	if e.password != "x" {
		return parsed[secret]{line: secret{hash: e.password, changed: none, longest: none, inactive: none, expires: none}}, nil
	}
	all, err := a.shadow.get()
	if err != nil {
		return parsed[secret]{}, unreadable(err)
	}
	s, found := all[e.name]
	if !found {
		s.err = errors.New("there is none")
	}
	return s, nil
}

// unreadable is an error of a file that must be there: not fs.ErrNotExist, which would
// mean that there is no such account.
func unreadable(err error) error {
	return fmt.Errorf("cannot read the system's accounts: %w", errors.New(err.Error()))
}

// groupsOf are the IDs of the groups that e is in.
func groupsOf(e entry, all []group) []uint32 {
	in := []uint32{e.gid}
	for _, g := range all {
		if slices.Contains(g.members, e.name) {
			in = append(in, g.gid)
		}
	}
	slices.Sort(in)
	return slices.Compact(in)
}

// barred is why nobody may log in as e; "": one may.
func (a *Accounts) barred(e entry, s parsed[secret], groups []group, now time.Time) (string, error) {
	denied, shells := map[string]bool{}, map[string]bool{}
	var errD, errS error
	if a.cfg.Denied != "" {
		denied, errD = orNothing(a.denied.get())
	}
	if !a.cfg.AnyShell {
		shells, errS = orNothing(a.shells.get())
	}
	if err := errors.Join(errD, errS); err != nil {
		return "", unreadable(err)
	}
	if len(shells) == 0 { // as getusershell(3) has it
		shells = map[string]bool{"/bin/sh": true, "/bin/csh": true}
	}
	switch {
	case s.err != nil:
		return "its line in shadow is wrong: " + s.err.Error(), nil
	case e.uid == 0:
		return "user ID 0 may not log in", nil
	case e.uid < a.cfg.MinUID:
		return fmt.Sprintf("its user ID %d is below %d (system.min_uid)", e.uid, a.cfg.MinUID), nil
	case denied[e.name]:
		return a.cfg.Denied + " names it", nil
	case !a.cfg.AnyShell && !shells[shellOf(e.shell)]:
		return "its shell " + e.shell + " is not in " + a.shells.path, nil
	case len(a.cfg.Groups) > 0 && !inOneOf(e, groups, a.cfg.Groups):
		return "it is in none of the groups of system.groups", nil
	case !filepath.IsAbs(e.home):
		return "its home is not an absolute path", nil
	}
	return s.line.unusable(now), nil
}

// shellOf is the shell of an account that names none.
func shellOf(shell string) string {
	if shell == "" {
		return "/bin/sh"
	}
	return shell
}

func inOneOf(e entry, all []group, names []string) bool {
	return slices.ContainsFunc(all, func(g group) bool {
		return slices.Contains(names, g.name) && (g.gid == e.gid || slices.Contains(g.members, e.name))
	})
}

// Check tells what keeps the accounts from being read, nil if nothing does.
func (a *Accounts) Check() error {
	_, errP := a.passwd.get()
	_, errS := a.shadow.get()
	_, errG := a.groups.get()
	return errors.Join(errP, errS, errG)
}
