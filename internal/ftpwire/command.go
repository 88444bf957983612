package ftpwire

import (
	"errors"
	"strings"
)

// maxVerb is longer than any verb in use (XSHA512 has 7 letters).
const maxVerb = 8

// errNoVerb is a line that does not begin with a verb.
var errNoVerb = errors.New("no command: a line begins with a verb of 1 to 8 letters and digits, then one space, then the argument")

// Command is one command line.
type Command struct {
	Verb   string // upper-case ASCII
	Arg    string // after the one space that follows the verb, else untouched
	HasArg bool   // there was a space: "PASS " has an argument, an empty one
}

// ParseCommand takes a line, without its end, apart. Exactly one space belongs
// to the verb, more belong to the argument (RFC 2640 §3.1). Bytes of 0x80 and
// above before the verb are dropped: rests of Telnet sequences that lost a byte.
//
// A verb has 1 to 8 ASCII letters and digits and begins with a letter;
// everything else is an error (RFC 959 §5.4: 500).
func ParseCommand(line []byte) (Command, error) {
	for len(line) > 0 && line[0] >= 0x80 {
		line = line[1:]
	}
	// One allocation holds verb and argument.
	verb, arg, hasArg := strings.Cut(string(line), " ")
	if !isVerb(verb) {
		return Command{}, errNoVerb
	}
	return Command{Verb: strings.ToUpper(verb), Arg: arg, HasArg: hasArg}, nil
}

func isVerb(s string) bool {
	if s == "" || len(s) > maxVerb || !isLetter(s[0]) {
		return false
	}
	for _, c := range []byte(s) {
		if !isLetter(c) && !isDigit(c) {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// AllDigits tells whether an argument is a number: digits, and at least one.
func AllDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
