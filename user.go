package ferry

import (
	"fmt"
	"io/fs"
	"strings"
	"time"
	"unicode"
)

// User is who a session belongs to once it has logged in, with everything the
// gate and the protocols need to know about the account. It holds no secret.
type User struct {
	Name      string
	Anonymous bool
	// Shared: several people log in under this name, so nothing is kept for a
	// later Resume. Anonymous users are always shared.
	Shared   bool
	Disabled bool
	// Barred is why the account is not usable whatever else is said of it, for the
	// log; "": nothing bars it.
	Barred  string
	Expires time.Time // zero: never
	// Login is what a client must show to log in as this user.
	Login Login
	// Principals are those of SSH certificates that stand for the user; none:
	// the name alone does.
	Principals []string
	// Identity is whom the user's files are used as on their host; zero: the server.
	Identity Identity
	// Home is the root of the user's tree: a directory of the host, or a URL.
	Home string
	// Rules say what the user may do below which name. The longest Prefix that
	// holds a name decides alone; a name below none of them may not be touched.
	Rules  []Rule
	Limits Limits
	// Charset is the encoding of names on the user's FTP connections, as
	// golang.org/x/text/encoding/htmlindex knows it; "" means UTF-8.
	Charset string
	// DirectUploads writes uploads under their final name from the first byte.
	DirectUploads bool
	// Version changes with every change of the account: what was remembered
	// under an older version (a verified password) no longer holds.
	Version int64
}

// MayLogin is the one predicate that says whether an account is usable at now.
func (u User) MayLogin(now time.Time) bool { return u.unusable(now) == "" }

// unusable is why the account is not usable at now; "": it is.
func (u User) unusable(now time.Time) string {
	switch {
	case u.Disabled:
		return "the account is disabled"
	case u.Barred != "":
		return u.Barred
	case !u.Expires.IsZero() && !now.Before(u.Expires):
		return "the account has expired on " + u.Expires.UTC().Format(time.RFC3339)
	}
	return ""
}

// Limits of one user; 0 means no limit (of its own).
type Limits struct {
	Sessions int   // at once
	Upload   int64 // bytes a second, all sessions of the user together
	Download int64 // bytes a second, all sessions of the user together
	// QuotaBytes and QuotaFiles are what the user's home may hold, whoever put it
	// there. Everything that has a name counts as a file: files, links, directories,
	// and what is kept of broken uploads. Bytes are those that files are long.
	QuotaBytes, QuotaFiles int64
}

// Right is a set of things a user may do.
type Right uint16

const (
	RightList      Right = 1 << iota // see names and attributes
	RightRead                        // RETR, HASH
	RightCreate                      // upload under a new name
	RightOverwrite                   // replace, truncate or change an existing file's content
	RightAppend                      // APPE to an existing file
	RightDelete                      // DELE
	RightRename                      // needed at both names
	RightMkdir
	RightRmdir
	RightChmod // the permission bits
	RightTimes
	RightSymlink

	// RightsAll is what "all" means, RightsRead what a read-only user has.
	RightsAll  Right = 1<<iota - 1
	RightsRead       = RightList | RightRead

	// RightChown is not in RightsAll: a server that runs as root could give any
	// file to anybody. It is granted by its name, or not at all.
	RightChown Right = RightsAll + 1

	// RightsKnown is every right there is.
	RightsKnown = RightsAll | RightChown
)

// rightNames, in the order of the bits.
func rightNames() [13]string {
	return [13]string{"list", "read", "create", "overwrite", "append", "delete", "rename",
		"mkdir", "rmdir", "chmod", "times", "symlink", "chown"}
}

// ParseRights reads a comma-separated list of rights, with the words "all" (every
// right but chown), "read-only" (list,read) and "none".
func ParseRights(s string) (Right, error) {
	var set Right
	for word := range strings.SplitSeq(s, ",") {
		r, err := parseRight(strings.TrimSpace(word))
		if err != nil {
			return 0, err
		}
		set |= r
	}
	return set, nil
}

func parseRight(word string) (Right, error) {
	switch word {
	case "all":
		return RightsAll, nil
	case "read-only":
		return RightsRead, nil
	case "none":
		return 0, nil
	}
	for bit, name := range rightNames() {
		if word == name {
			return 1 << bit, nil
		}
	}
	names := rightNames()
	return 0, fmt.Errorf("unknown right %q: use all, read-only, none, or a list of %s", word, strings.Join(names[:], ", "))
}

// String is what ParseRights reads.
func (r Right) String() string {
	switch r {
	case RightsAll:
		return "all"
	case RightsKnown:
		return "all,chown"
	case RightsRead:
		return "read-only"
	case 0:
		return "none"
	}
	var words []string
	for bit, name := range rightNames() {
		if r&(1<<bit) != 0 {
			words = append(words, name)
		}
	}
	return strings.Join(words, ",")
}

// Has tells whether r holds every right of want.
func (r Right) Has(want Right) bool { return r&want == want }

// Rule grants Rights to everything at and below Prefix, a clean name.
type Rule struct {
	Prefix Name
	Rights Right
}

// RightsAt says what rules grant at name: those of the longest prefix that
// holds it, and nothing where none does.
func RightsAt(rules []Rule, name Name) Right {
	rule, _ := ruleFor(rules, name)
	return rule.Rights
}

// ruleFor is the rule that decides about name; false: there is none.
func ruleFor(rules []Rule, name Name) (rule Rule, found bool) {
	for _, r := range rules {
		if name.Within(r.Prefix) && (!found || len(r.Prefix) > len(rule.Prefix)) {
			rule, found = r, true
		}
	}
	return rule, found
}

// LacksRight is the fs.ErrPermission of a user whose rules do not grant want at name.
// Its text, for the log, says which rule that is.
func LacksRight(rules []Rule, name Name, want Right) error { return lacking{rules, name, want} }

type lacking struct {
	rules []Rule
	name  Name
	want  Right
}

func (l lacking) Unwrap() error { return fs.ErrPermission }

func (l lacking) Error() string {
	rule, found := ruleFor(l.rules, l.name)
	switch {
	case !found:
		return "no rule grants anything there"
	case rule.Rights == 0:
		return fmt.Sprintf("the rule %s=none grants nothing", rule.Prefix)
	}
	missing := l.want &^ rule.Rights
	if missing == 0 {
		missing = l.want
	}
	return fmt.Sprintf("the rule %s=%s does not grant %s", rule.Prefix, rule.Rights, missing)
}

// CheckUserName tells what is wrong with a name for an account. A good one is
// 1 to 128 bytes of UTF-8 letters, digits and "._-+@$", is not "." or "..",
// and does not begin with "-": it can stand in a path, a log line and a
// command line without being taken for something else.
func CheckUserName(name string) error {
	if name == "" || len(name) > 128 {
		return fmt.Errorf("user name %.40q: must have 1 to 128 bytes", name)
	}
	if name == "." || name == ".." || name[0] == '-' {
		return fmt.Errorf("user name %q: must not be \".\" or \"..\" or begin with \"-\"", name)
	}
	for _, r := range name {
		if r == unicode.ReplacementChar || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("._-+@$", r) {
			return fmt.Errorf("user name %.140q: only letters, digits and ._-+@$ are allowed", name)
		}
	}
	return nil
}
