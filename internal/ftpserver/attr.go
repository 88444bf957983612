package ftpserver

import (
	"io/fs"
	"strconv"
	"strings"

	"ferry"
	"ferry/internal/ftpwire"
)

// cutWord splits s at its first space.
func cutWord(s string) (word, rest string, found bool) { return strings.Cut(s, " ") }

// parseMFF reads "Modify=20260102030405;UNIX.mode=0644;". Where that is wrong, it
// says why, and the code to answer with.
func parseMFF(list string) (a ferry.Attr, code int, wrong string) {
	for fact := range strings.SplitSeq(strings.TrimSuffix(list, ";"), ";") {
		key, value, ok := strings.Cut(fact, "=")
		if !ok {
			return a, 501, "MFF takes fact=value; and a name."
		}
		switch strings.ToLower(key) {
		case "modify":
			t, err := ftpwire.ParseTime(value)
			if err != nil {
				return a, 501, "Modify takes YYYYMMDDhhmmss."
			}
			a.ModTime = &t
		case "unix.mode":
			mode, ok := parseMode(value)
			if !ok {
				return a, 501, "UNIX.mode takes an octal number."
			}
			a.Mode = &mode
		default:
			return a, 504, "The fact " + key + " cannot be changed."
		}
	}
	return a, 0, ""
}

// parseMode reads an octal mode of up to four digits, as chmod takes it.
func parseMode(s string) (fs.FileMode, bool) {
	n, err := strconv.ParseUint(s, 8, 16)
	if err != nil || n > 0o7777 || !ftpwire.AllDigits(s) {
		return 0, false
	}
	mode := fs.FileMode(n & 0o777)
	for bit, flag := range map[uint64]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if n&bit != 0 {
			mode |= flag
		}
	}
	return mode, true
}
