package event

import (
	"fmt"
	"io"
	"unicode"
	"unicode/utf8"
)

// Printable gives a writer that passes JSON on to w, with the characters
// beyond ASCII that steer a terminal or an editor written as \u escapes:
// controls from U+007F on (U+009B begins an escape sequence), and what turns
// the direction of a text round. JSON lets them stand as they are, and a log is
// read by people. Each Write has to be whole lines, as slog's and ours are.
func Printable(w io.Writer) io.Writer { return printable{w} }

type printable struct{ w io.Writer }

func (p printable) Write(line []byte) (int, error) {
	if _, err := p.w.Write(escapeUnprintable(line)); err != nil {
		return 0, err
	}
	return len(line), nil
}

// escapeUnprintable is line itself where there is nothing to escape. Outside
// of its strings JSON has no such characters, so what it means stays the same.
func escapeUnprintable(line []byte) []byte {
	for at := 0; at < len(line); {
		r, size := utf8.DecodeRune(line[at:])
		if steers(r) {
			return appendEscaped(append([]byte(nil), line[:at]...), line[at:])
		}
		at += size
	}
	return line
}

func appendEscaped(dst, line []byte) []byte {
	for len(line) > 0 {
		r, size := utf8.DecodeRune(line)
		if steers(r) {
			dst = fmt.Appendf(dst, `\u%04x`, r) // none of them is beyond U+FFFF
		} else {
			dst = append(dst, line[:size]...)
		}
		line = line[size:]
	}
	return dst
}

// steers tells whether r is one of those characters.
func steers(r rune) bool {
	return r >= 0x7f && r <= 0xffff && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r))
}
