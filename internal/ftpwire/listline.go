package ftpwire

import (
	"io/fs"
	"strconv"
	"time"
)

// months are the month names of LIST, three letters each; no locale changes them.
const months = "JanFebMarAprMayJunJulAugSepOctNovDec"

const (
	// recent is how old a file may be to be shown with its time of day.
	recent = 182 * 24 * time.Hour
	// clockSlack is how far in the future it may be: a file that is written
	// while the listing runs is newer than the listing's now.
	clockSlack = time.Minute
)

// AppendListLine prints the line of LIST for e, without a line end, in the form of
// `ls -l` that clients have learned to read:
//
//	-rw-r--r--   1 owner    group        1234 Jan 02 15:04 name
//
// A file older than about half a year, or from the future, has its year in the
// place of its time of day; now decides. Times are in zone, nil meaning UTC. A
// link's name is followed by " -> " and its target.
func AppendListLine(dst []byte, e *Entry, now time.Time, zone *time.Location) []byte {
	dst = appendMode(dst, e)
	dst = append(dst, ' ')
	dst = appendRight(dst, max(e.Links, 1), 3)
	dst = append(dst, ' ')
	dst = appendWho(dst, e.Owner, e.UID)
	dst = append(dst, ' ')
	dst = appendWho(dst, e.Group, e.GID)
	dst = append(dst, ' ')
	dst = appendRight(dst, uint64(max(e.Size, 0)), 8)
	dst = append(dst, ' ')
	dst = appendListTime(dst, e.Modify, now, zone)
	dst = appendName(append(dst, ' '), e.Name)
	if e.Kind == KindLink && e.Target != "" {
		dst = appendName(append(dst, " -> "...), e.Target)
	}
	return dst
}

// AppendClass prints what `ls -F` puts after the name of e: "/" for a directory,
// "*" for a program, "@" for a link, "|" for a FIFO, "=" for a socket, or nothing.
// In the long form a link's target is there already, and "@" must not be.
func AppendClass(dst []byte, e *Entry) []byte {
	switch typeLetter(e) {
	case 'd':
		return append(dst, '/')
	case 'l':
		return append(dst, '@')
	case 'p':
		return append(dst, '|')
	case 's':
		return append(dst, '=')
	case '-':
		if e.Mode&0o111 != 0 {
			return append(dst, '*')
		}
	}
	return dst
}

func typeLetter(e *Entry) byte {
	switch {
	case e.Kind == KindFile:
		return '-'
	case e.Kind == KindLink:
		return 'l'
	case e.Kind != KindOther:
		return 'd'
	case e.Mode&fs.ModeNamedPipe != 0:
		return 'p'
	case e.Mode&fs.ModeSocket != 0:
		return 's'
	case e.Mode&fs.ModeCharDevice != 0:
		return 'c'
	case e.Mode&fs.ModeDevice != 0:
		return 'b'
	}
	return '?'
}

func appendMode(dst []byte, e *Entry) []byte {
	dst = append(dst, typeLetter(e))
	start := len(dst)
	for i, letter := range []byte("rwxrwxrwx") {
		if e.Mode&(0o400>>i) == 0 {
			letter = '-'
		}
		dst = append(dst, letter)
	}
	perms := dst[start:]
	markExec(&perms[2], e.Mode&fs.ModeSetuid != 0, 's')
	markExec(&perms[5], e.Mode&fs.ModeSetgid != 0, 's')
	markExec(&perms[8], e.Mode&fs.ModeSticky != 0, 't')
	return dst
}

// markExec shows a special bit in the place of an x, in upper case where there was
// none.
func markExec(place *byte, set bool, letter byte) {
	switch {
	case !set:
	case *place == 'x':
		*place = letter
	default:
		*place = letter - 'a' + 'A'
	}
}

// appendWho prints an owner, or the number where there is no name, 8 wide.
func appendWho(dst []byte, name string, id uint32) []byte {
	start := len(dst)
	if name == "" {
		dst = strconv.AppendUint(dst, uint64(id), 10)
	} else {
		dst = appendWord(dst, name)
	}
	for len(dst) < start+8 {
		dst = append(dst, ' ')
	}
	return dst
}

// appendRight prints n with spaces before it, at least width wide.
func appendRight(dst []byte, n uint64, width int) []byte {
	var digits [20]byte
	text := strconv.AppendUint(digits[:0], n, 10)
	for range width - len(text) {
		dst = append(dst, ' ')
	}
	return append(dst, text...)
}

func appendListTime(dst []byte, t, now time.Time, zone *time.Location) []byte {
	if zone == nil {
		zone = time.UTC
	}
	withYear := t.Before(now.Add(-recent)) || t.After(now.Add(clockSlack))
	t = t.In(zone)
	year, month, day := t.Date()
	dst = append(dst, months[3*(month-1):3*month]...)
	dst = appendPadded(append(dst, ' '), day, 2)
	if withYear {
		return appendPadded(append(dst, "  "...), min(max(year, 0), 9999), 4)
	}
	hour, minute, _ := t.Clock()
	dst = appendPadded(append(dst, ' '), hour, 2)
	return appendPadded(append(dst, ':'), minute, 2)
}
