package sftpwire

import (
	"io/fs"
	"strconv"
	"time"
)

// Long is what the line of `ls -l` for a file is made of.
type Long struct {
	Name         string
	Mode         fs.FileMode
	Links        uint64
	Owner, Group string // a name, or a number
	Size         int64  // bytes
	Modified     time.Time
}

// recent is how old a file may be to be shown with its time of day.
const recent = 182 * 24 * time.Hour

// AppendLong prints l as `ls -l` does, with the columns of OpenSSH's server,
// which clients take apart:
//
//	-rw-r--r--    1 alice    users        1234 Jan  2 15:04 name
//
// What is older than half a year, or of the future, has its year in the place
// of the time of day. Now and the zone of now decide.
func AppendLong(dst []byte, l Long, now time.Time) []byte {
	dst = appendMode(dst, l.Mode)
	dst = appendNumber(append(dst, ' '), max(l.Links, 1), 4)
	dst = appendWord(append(dst, ' '), l.Owner)
	dst = appendWord(append(dst, ' '), l.Group)
	dst = appendNumber(append(dst, ' '), uint64(max(l.Size, 0)), 8)
	t, layout := l.Modified.In(now.Location()), " Jan _2 15:04 "
	if t.Before(now.Add(-recent)) || t.After(now.Add(time.Minute)) {
		layout = " Jan _2  2006 "
	}
	dst = t.AppendFormat(dst, layout)
	return append(dst, l.Name...)
}

func appendMode(dst []byte, m fs.FileMode) []byte {
	dst = append(dst, typeLetter(m))
	start := len(dst)
	for i, letter := range []byte("rwxrwxrwx") {
		if m&(0o400>>i) == 0 {
			letter = '-'
		}
		dst = append(dst, letter)
	}
	mark(&dst[start+2], m&fs.ModeSetuid != 0, 's')
	mark(&dst[start+5], m&fs.ModeSetgid != 0, 's')
	mark(&dst[start+8], m&fs.ModeSticky != 0, 't')
	return dst
}

func typeLetter(m fs.FileMode) byte {
	switch posixType(m) {
	case modeRegular:
		return '-'
	case modeDir:
		return 'd'
	case modeLink:
		return 'l'
	case modePipe:
		return 'p'
	case modeSocket:
		return 's'
	case modeChar:
		return 'c'
	case modeBlock:
		return 'b'
	}
	return '?'
}

// mark shows a special bit in the place of an x, in upper case where there was
// none.
func mark(place *byte, set bool, letter byte) {
	switch {
	case !set:
	case *place == 'x':
		*place = letter
	default:
		*place = letter - 'a' + 'A'
	}
}

func appendNumber(dst []byte, n uint64, width int) []byte {
	var digits [20]byte
	text := strconv.AppendUint(digits[:0], n, 10)
	for range width - len(text) {
		dst = append(dst, ' ')
	}
	return append(dst, text...)
}

func appendWord(dst []byte, word string) []byte {
	dst = append(dst, word...)
	for range 8 - len(word) {
		dst = append(dst, ' ')
	}
	return dst
}
