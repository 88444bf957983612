package sysuser

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// none is a field of shadow(5) that is empty.
const none = -1

// secret is a line of shadow(5). Days count from 1970-01-01, in UTC.
type secret struct {
	hash     string
	changed  int64 // day of the last change of the password; 0: it must be changed
	longest  int64 // days that a password lasts
	inactive int64 // days after that in which it may still be changed
	expires  int64 // day from which on there is no login
}

// parseShadow reads a line; the error never quotes it.
func parseShadow(line string) (s secret, err error) {
	f := strings.Split(line, ":")
	if len(f) != 9 {
		return secret{}, fmt.Errorf("has %d fields, not 9", len(f))
	}
	s.hash = f[1]
	for _, number := range []struct {
		field int
		to    *int64
		what  string
	}{
		{2, &s.changed, "day of the last change"},
		{4, &s.longest, "longest age of a password"},
		{6, &s.inactive, "time of inactivity"},
		{7, &s.expires, "day on which the account expires"},
	} {
		if *number.to, err = parseDays(f[number.field]); err != nil {
			return secret{}, fmt.Errorf("the %s is not a number", number.what)
		}
	}
	return s, nil
}

// parseDays reads a number of days; an empty field, and a negative one as some tools
// write it, are none.
func parseDays(s string) (int64, error) {
	if s == "" {
		return none, nil
	}
	n, err := strconv.ParseInt(s, 10, 32)
	return max(n, none), err
}

// unusable is why nobody may log in with the account at now, as pam_unix decides;
// "": somebody may.
func (s secret) unusable(now time.Time) string {
	switch today := today(now); {
	case strings.HasPrefix(s.hash, "!"):
		return "the account is locked"
	case s.expires != none && today >= s.expires:
		return "the account has expired on " + date(s.expires)
	case s.changed == 0:
		return "the password must be changed first (passwd)"
	case s.changed != none && s.longest != none && today-s.changed > s.longest:
		return "the password has expired on " + date(s.changed+s.longest) + " and must be changed first (passwd)"
	}
	return ""
}

// today is the day of now, counted from 1970-01-01 in UTC.
func today(now time.Time) int64 { return now.Unix() / (24 * 60 * 60) }

func date(day int64) string {
	return time.Unix(day*24*60*60, 0).UTC().Format(time.DateOnly)
}

// password is the hash that a password is compared with; "": none opens the account.
// What is no hash, as "*", opens nothing.
func (s secret) password() string {
	if !strings.HasPrefix(s.hash, "$") {
		return ""
	}
	return s.hash
}
