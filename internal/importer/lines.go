package importer

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"
)

// File is a file to read accounts from.
type File struct {
	Name string
	Data []byte
}

// line is one line of a file, without its end.
type line struct {
	Place
	text string
}

// lines are those of f that say something; "#" begins a comment.
func (f File) lines() []line {
	var all []line
	n := 0
	for text := range bytes.Lines(f.Data) {
		n++
		s := strings.TrimRight(string(text), "\r\n")
		if s != "" && s[0] != '#' {
			all = append(all, line{Place{f.Name, n}, s})
		}
	}
	return all
}

// readable tells what keeps text from being a line of accounts.
func readable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsRune(text, 0)
}

// parseNumber reads an unsigned number; nothing stands before it and nothing behind.
func parseNumber(s string) (int64, error) {
	n, err := strconv.ParseUint(s, 10, 63)
	return int64(n), err
}
