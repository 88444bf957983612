package ftptree

import (
	"errors"
	"strings"
)

var errQuotes = errors.New("quotes do not match")

// splitNames splits an argument with several names at spaces; a name with
// spaces stands in double quotes, where a doubled quote means one.
func splitNames(arg string) ([]string, error) {
	var names []string
	for arg = strings.TrimLeft(arg, " "); arg != ""; arg = strings.TrimLeft(arg, " ") {
		if arg[0] != '"' {
			word, rest, _ := strings.Cut(arg, " ")
			names, arg = append(names, word), rest
			continue
		}
		var b strings.Builder
		for arg = arg[1:]; ; {
			text, rest, ok := strings.Cut(arg, `"`)
			if !ok {
				return nil, errQuotes
			}
			b.WriteString(text)
			if !strings.HasPrefix(rest, `"`) {
				names, arg = append(names, b.String()), rest
				break
			}
			b.WriteByte('"')
			arg = rest[1:]
		}
	}
	return names, nil
}
