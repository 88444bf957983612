package ftpwire

import "strings"

// ListOptions are the options of ls that clients put before the path of LIST and
// NLST. No RFC has them; too many clients send them.
type ListOptions struct {
	All        bool // -a, -A: names that begin with a dot as well
	Long       bool // -l
	Recursive  bool // -R
	ByTime     bool // -t
	Classify   bool // -F
	OnePerLine bool // -1
	Reverse    bool // -r
	DirSelf    bool // -d
}

// ParseListArg takes the options from the beginning of arg, and returns them and
// the path after them. Options are a "-" and letters or digits, as often as they
// come, one space between them; unknown letters are passed over. "--" ends them.
// The first word that looks otherwise begins the path.
//
// A file may well be named "-a": whoever knows the files asks for one named like
// the whole argument first.
func ParseListArg(arg string) (ListOptions, string) {
	var o ListOptions
	for {
		word, rest, _ := strings.Cut(arg, " ")
		if word == "--" {
			return o, rest
		}
		if !isOption(word) {
			return o, arg
		}
		for _, letter := range []byte(word[1:]) {
			o.set(letter)
		}
		arg = rest
	}
}

func isOption(word string) bool {
	if len(word) < 2 || word[0] != '-' {
		return false
	}
	for _, c := range []byte(word[1:]) {
		if !isLetter(c) && !isDigit(c) {
			return false
		}
	}
	return true
}

func (o *ListOptions) set(letter byte) {
	switch letter {
	case 'a', 'A':
		o.All = true
	case 'l':
		o.Long = true
	case 'R':
		o.Recursive = true
	case 't':
		o.ByTime = true
	case 'F':
		o.Classify = true
	case '1':
		o.OnePerLine = true
	case 'r':
		o.Reverse = true
	case 'd':
		o.DirSelf = true
	}
}
