package importer

import (
	"math"
	"strings"
	"time"

	"ferry/internal/store"
)

// readPasswd reads lists in the form of passwd(5), and with them lists of shadow(5),
// which have 9 fields, and of group(5), which have 4.
func readPasswd(files []File) *Accounts {
	all := &Accounts{}
	var people [][]string
	var places []Place
	shadow, groups := map[string][]string{}, map[string][]string{}
	for _, f := range files {
		for _, l := range f.lines() {
			fields := strings.Split(l.text, ":")
			switch {
			case !readable(l.text):
				all.refuse(l.Place, "this is no line of text")
			case strings.ContainsAny(l.text[:1], "+-"):
				all.refuse(l.Place, "it refers to a directory service (NIS), which is not asked")
			case len(fields) == 7:
				people, places = append(people, fields), append(places, l.Place)
			case len(fields) == 9:
				shadow[fields[0]] = fields
			case len(fields) == 4:
				for member := range strings.SplitSeq(fields[3], ",") {
					groups[member] = append(groups[member], fields[0])
				}
			default:
				all.refuse(l.Place, "it has %d fields: passwd has 7, shadow 9, group 4", len(fields))
			}
		}
	}
	for i, fields := range people {
		all.take(places[i], fields[0], func(e *Entry) error { return all.passwd(e, fields, shadow[fields[0]], groups[fields[0]]) })
	}
	return all
}

// passwd reads name:hash:uid:gid:gecos:home:shell.
func (a *Accounts) passwd(e *Entry, fields, shadow, groups []string) error {
	if err := numbers(fields[2], fields[3]); err != nil {
		return err
	}
	hash := fields[1]
	if hash == "x" && shadow != nil {
		hash = shadow[1]
	}
	if hash == "x" {
		return errLeftOut("its password is in a list of shadow(5): name that file, too")
	}
	if err := a.hash(e, hash); err != nil {
		return err
	}
	if err := e.home(fields[5]); err != nil {
		return err
	}
	a.system(e, fields[2], fields[3], groups)
	if shell := fields[6]; strings.HasSuffix(shell, "/nologin") || strings.HasSuffix(shell, "/false") {
		a.note(e, "shell", "%s kept it from logging in at servers that ask for a shell of /etc/shells", shell)
	}
	if shadow != nil {
		return a.aging(e, shadow)
	}
	return nil
}

// system reports whom the files of an account belonged to.
func (a *Accounts) system(e *Entry, uid, gid string, groups []string) {
	a.note(e, "uid", "%s:%s owned its files; they are used as the server now", uid, gid)
	if len(groups) > 0 {
		a.note(e, "groups", "%s", strings.Join(groups, ", "))
	}
}

// aging reads name:hash:changed:min:max:warn:inactive:expires:, in days since 1970.
func (a *Accounts) aging(e *Entry, shadow []string) error {
	if shadow[2] == "0" {
		a.note(e, "shadow lastchg", "it had to change its password at the next login")
	}
	if days, err := parseNumber(shadow[4]); err == nil && days < 99999 {
		a.note(e, "shadow max", "its password had to be changed every %d days", days)
	}
	if shadow[7] == "" {
		e.expires(time.Time{})
		return nil
	}
	days, err := parseNumber(shadow[7])
	if err != nil || days > math.MaxInt32 {
		// Whatever it was to mean, the account ended some day.
		a.note(e, "shadow expire", "%.20q is no day; the account is disabled", shadow[7])
		e.set(func(account *store.Account) { account.Disabled = true })
		return nil
	}
	e.expires(time.Unix(days*24*60*60, 0).UTC())
	return nil
}
