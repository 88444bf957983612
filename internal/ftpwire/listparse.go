package ftpwire

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"
)

// ParseListLine reads a line of LIST in the form of `ls -l`, without its end, as
// servers of many makes print it: a group may be missing, a device's numbers may
// stand for the size. Times are in zone, nil meaning UTC; one without a year is the
// latest that is not more than a day after now. "total 12" and empty lines are
// errors, as is every other line that is no entry.
//
// The name is what the server sent: see ParseEntry.
func ParseListLine(line string, now time.Time, zone *time.Location) (Entry, error) {
	var e Entry
	rest, ok := e.setMode(line)
	if ok {
		ok = e.setColumns(rest, now, zone)
	}
	if !ok {
		return Entry{}, fmt.Errorf("line of a listing %.80q: not in the form of ls -l", line)
	}
	if name, target, found := strings.Cut(e.Name, " -> "); e.Kind == KindLink && found && name != "" {
		e.Name, e.Target = name, target
	}
	return e, nil
}

// setMode takes "-rw-r--r--" from the beginning of line, and the mark behind it
// that stands for an ACL or the like.
func (e *Entry) setMode(line string) (rest string, ok bool) {
	if len(line) < 11 {
		return "", false
	}
	switch line[0] {
	case '-':
	case 'd':
		e.Kind, e.Mode = KindDir, fs.ModeDir
	case 'l':
		e.Kind, e.Mode = KindLink, fs.ModeSymlink
	case 'p':
		e.Kind, e.Mode = KindOther, fs.ModeNamedPipe
	case 's':
		e.Kind, e.Mode = KindOther, fs.ModeSocket
	case 'c':
		e.Kind, e.Mode = KindOther, fs.ModeDevice|fs.ModeCharDevice
	case 'b':
		e.Kind, e.Mode = KindOther, fs.ModeDevice
	case '?':
		e.Kind = KindOther
	default:
		return "", false
	}
	special := [3]fs.FileMode{fs.ModeSetuid, fs.ModeSetgid, fs.ModeSticky}
	for i, c := range []byte(line[1:10]) {
		bit := fs.FileMode(0o400 >> i)
		switch {
		case c == '-':
		case c == "rwx"[i%3]:
			e.Mode |= bit
		case i%3 == 2 && c == "sst"[i/3]:
			e.Mode |= bit | special[i/3]
		case i%3 == 2 && c == "SST"[i/3]:
			e.Mode |= special[i/3]
		default:
			return "", false
		}
	}
	return strings.TrimLeft(line[10:], "+.@"), true
}

// setColumns takes everything after the mode. The month is what shows where the
// columns before it end: it stands after a size and before a day.
func (e *Entry) setColumns(rest string, now time.Time, zone *time.Location) bool {
	if rest == "" || rest[0] != ' ' {
		return false
	}
	var before []string
	for {
		word, after := cutWord(rest)
		if word == "" {
			return false
		}
		if len(before) >= 3 && isNumber(before[len(before)-1]) {
			if t, name, ok := cutListTime(word, after, now, zone); ok {
				e.Modify, e.Name = t, name
				return e.setOwners(before)
			}
		}
		if len(before) == 8 {
			return false
		}
		before, rest = append(before, word), after
	}
}

// setOwners takes the words between mode and month: links, owner, perhaps a group,
// and the size, or major and minor number of a device.
func (e *Entry) setOwners(words []string) bool {
	links, err := strconv.ParseUint(words[0], 10, 64)
	if err != nil {
		return false
	}
	e.Links = links
	last := len(words) - 1
	if major := words[last-1]; strings.HasSuffix(major, ",") && isNumber(major[:len(major)-1]) {
		last--
	} else if e.Size, err = ParseOffset(words[last]); err != nil {
		return false
	}
	who := words[1:last]
	if len(who) > 0 {
		e.Owner, e.UID = nameOrID(who[0])
	}
	if len(who) > 1 {
		e.Group, e.GID = nameOrID(who[1])
	}
	return true
}

// nameOrID tells a number from a name. A number too large for one is a name.
func nameOrID(s string) (name string, id uint32) {
	if isNumber(s) {
		if id, err := parseID(s); err == nil {
			return "", id
		}
	}
	return s, 0
}

// cutListTime reads "Jan 02 15:04 name" or "Jan 02  2006 name", its first word
// already cut off. The name begins after one space; more belong to it.
func cutListTime(month, rest string, now time.Time, zone *time.Location) (t time.Time, name string, ok bool) {
	at := monthNumber(month)
	day, rest := cutWord(rest)
	clock, rest := cutWord(rest)
	if at == 0 || !isNumber(day) || len(day) > 2 || len(rest) < 2 || rest[0] != ' ' {
		return time.Time{}, "", false
	}
	if zone == nil {
		zone = time.UTC
	}
	if hour, minute, found := strings.Cut(clock, ":"); found {
		t, ok = recentTime(at, digits(day), hour, minute, now.In(zone))
	} else {
		t, ok = yearTime(at, digits(day), clock, zone)
	}
	return t, rest[1:], ok
}

func yearTime(month, day int, year string, zone *time.Location) (time.Time, bool) {
	if len(year) != 4 || !isNumber(year) || day < 1 || day > daysIn(digits(year), month) {
		return time.Time{}, false
	}
	return time.Date(digits(year), time.Month(month), day, 0, 0, 0, 0, zone), true
}

// recentTime finds the year that a line does not tell. Eight years back there is a
// 29 February for certain.
func recentTime(month, day int, hour, minute string, now time.Time) (time.Time, bool) {
	if !isNumber(hour) || len(hour) > 2 || digits(hour) > 23 || len(minute) != 2 || !isNumber(minute) || digits(minute) > 59 {
		return time.Time{}, false
	}
	latest := now.AddDate(0, 0, 1)
	for year := latest.Year(); year >= latest.Year()-8; year-- {
		if day < 1 || day > daysIn(year, month) {
			continue
		}
		t := time.Date(year, time.Month(month), day, digits(hour), digits(minute), 0, 0, now.Location())
		if !t.After(latest) {
			return t, true
		}
	}
	return time.Time{}, false
}

// monthNumber is 1 for "Jan", 0 for what is no month.
func monthNumber(s string) int {
	if len(s) != 3 {
		return 0
	}
	for i := 0; i < len(months); i += 3 {
		if strings.EqualFold(s, months[i:i+3]) {
			return i/3 + 1
		}
	}
	return 0
}

// cutWord takes the spaces and the word after them from the beginning of s.
func cutWord(s string) (word, rest string) {
	s = strings.TrimLeft(s, " ")
	if end := strings.IndexByte(s, ' '); end >= 0 {
		return s[:end], s[end:]
	}
	return s, ""
}
