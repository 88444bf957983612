package store

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/encoding/htmlindex"

	"ferry"
)

// prepare holds an account that somebody wants to keep against what an account
// can be, and brings it into the one form in which it is kept. What does not
// fit is an error, never mended: it decides who may do what.
func prepare(a *Account, now time.Time) error {
	a.Changed = now
	slices.SortFunc(a.Rules, func(x, y ferry.Rule) int { return cmp.Compare(x.Prefix, y.Prefix) })
	for i := range a.Keys {
		key, err := ParseKey(a.Keys[i].Line)
		if err != nil {
			return err
		}
		key.Added = a.Keys[i].Added
		if key.Added.IsZero() {
			key.Added = now
		}
		a.Keys[i] = key
	}
	slices.SortFunc(a.Keys, func(x, y Key) int { return cmp.Compare(x.Fingerprint, y.Fingerprint) })
	if len(slices.CompactFunc(slices.Clone(a.Keys), Key.same)) < len(a.Keys) {
		return ErrKeyExists
	}
	return check(*a)
}

// check tells what is wrong with an account, whether it is to be written or
// was read.
func check(a Account) error {
	if err := ferry.CheckUserName(a.Name); err != nil {
		return err
	}
	switch {
	case a.Anonymous:
		return errors.New("an account in the database cannot be anonymous")
	case strings.ContainsAny(a.Hash, "\r\n\x00"):
		return errors.New("the password hash has more than one line")
	case a.Login > ferry.LoginKeyAndPassword:
		return errors.New("what the account wants to be shown at a login is not known")
	case a.Home != "" && !filepath.IsAbs(a.Home) && !strings.Contains(a.Home, "://") || strings.Contains(a.Home, "\x00"):
		return fmt.Errorf("home directory %q: must be an absolute path, or a URL", a.Home)
	case a.Limits.Sessions < 0 || a.Limits.Upload < 0 || a.Limits.Download < 0 || a.Limits.QuotaBytes < 0 || a.Limits.QuotaFiles < 0:
		return errors.New("a limit is below 0; 0 means none")
	}
	if a.Charset != "" {
		if _, err := htmlindex.Get(a.Charset); err != nil {
			return fmt.Errorf("charset %.40q is not known; use a name such as utf-8, gbk, shift_jis or windows-1251", a.Charset)
		}
	}
	if err := checkPrincipals(a.Principals); err != nil {
		return err
	}
	return checkRules(a.Rules)
}

// checkPrincipals refuses what ssh-keygen -n cannot write, and what is likely
// to be a slip.
func checkPrincipals(principals []string) error {
	for _, p := range principals {
		if p == "" || len(p) > 256 || strings.ContainsFunc(p, func(r rune) bool { return r == ',' || !unicode.IsGraphic(r) || unicode.IsSpace(r) }) {
			return fmt.Errorf("principal %.60q: must be a word of 1 to 256 bytes without spaces and commas", p)
		}
	}
	return nil
}

func checkRules(rules []ferry.Rule) error {
	seen := make(map[ferry.Name]bool, len(rules))
	for _, r := range rules {
		if clean, err := ferry.Clean(ferry.Root, string(r.Prefix)); err != nil || clean != r.Prefix {
			return fmt.Errorf("rule for %q: write an absolute name without dots as elements, like /in or /in/new", r.Prefix)
		}
		if !ferry.RightsKnown.Has(r.Rights) {
			return fmt.Errorf("rule for %q: rights %#x are not known", r.Prefix, uint16(r.Rights))
		}
		if seen[r.Prefix] {
			return fmt.Errorf("there are two rules for %q; join them", r.Prefix)
		}
		seen[r.Prefix] = true
	}
	return nil
}
