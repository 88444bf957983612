package ftpwire

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// maxStars is how many stars one element of a pattern may have.
const maxStars = 3

var (
	errManyStars = errors.New("pattern has more than three stars between two slashes: use fewer")
	errOpenClass = errors.New(`pattern has a "[" without its "]": close it, or write "\[" for the letter`)
	errBackwards = errors.New("pattern has a range that ends before it begins: turn it around")
	errBackslash = errors.New(`pattern ends in a "\": write "\\" for the letter`)
)

// Glob is a compiled pattern of file names.
type Glob struct{ tokens []token }

type tokenKind uint8

const (
	literal tokenKind = iota // one byte
	anyRune                  // ?
	anyText                  // *
	class                    // [a-z]
)

type token struct {
	kind   tokenKind
	byte   byte // of a literal
	not    bool // of a class
	ranges []runeRange
}

type runeRange struct{ low, high rune }

// HasMeta tells whether p has a letter that makes it a pattern: "*", "?" or "[". A
// backslash alone does not: it is a letter in many a name.
func HasMeta(p string) bool { return strings.ContainsAny(p, "*?[") }

// CompileGlob makes a pattern ready: "*" is any text, "?" any letter, "[a-z]" one
// of these, "[!x]" or "[^x]" any other, "\x" the letter x. None of them matches
// "/". A letter is a rune of UTF-8, or one byte that belongs to none. A leading dot
// is a letter like any other: leaving out hidden files is the caller's business.
//
// More than three stars in an element, an open "[", a range backwards and a "\" at
// the end are errors, with a sentence for people.
func CompileGlob(p string) (*Glob, error) {
	g := &Glob{}
	stars := 0
	for p != "" {
		t, rest, err := cutToken(p)
		if err != nil {
			return nil, err
		}
		switch {
		case t.kind == anyText:
			stars++
		case t.kind == literal && t.byte == '/':
			stars = 0
		}
		if stars > maxStars {
			return nil, errManyStars
		}
		g.tokens, p = append(g.tokens, t), rest
	}
	return g, nil
}

func cutToken(p string) (t token, rest string, err error) {
	switch c := p[0]; c {
	case '*':
		return token{kind: anyText}, p[1:], nil
	case '?':
		return token{kind: anyRune}, p[1:], nil
	case '[':
		return cutClass(p[1:])
	case '\\':
		if len(p) == 1 {
			return token{}, "", errBackslash
		}
		return token{byte: p[1]}, p[2:], nil
	default:
		return token{byte: c}, p[1:], nil
	}
}

// cutClass reads what follows a "[". A "]" at once, and a "-" at either end, stand
// for themselves.
func cutClass(p string) (t token, rest string, err error) {
	t.kind = class
	if p != "" && (p[0] == '!' || p[0] == '^') {
		t.not, p = true, p[1:]
	}
	for first := true; ; first = false {
		if p != "" && p[0] == ']' && !first {
			return t, p[1:], nil
		}
		var r runeRange
		if r.low, p, err = cutLetter(p); err != nil {
			return token{}, "", err
		}
		r.high = r.low
		if len(p) > 1 && p[0] == '-' && p[1] != ']' {
			if r.high, p, err = cutLetter(p[1:]); err != nil {
				return token{}, "", err
			}
		}
		if r.high < r.low {
			return token{}, "", errBackwards
		}
		t.ranges = append(t.ranges, r)
	}
}

func cutLetter(p string) (letter rune, rest string, err error) {
	if p != "" && p[0] == '\\' {
		p = p[1:]
	}
	if p == "" {
		return 0, "", errOpenClass
	}
	letter, size := decodeRune(p)
	return letter, p[size:], nil
}

// decodeRune is utf8's, with a rune of its own for each byte that belongs to none.
func decodeRune(s string) (r rune, size int) {
	r, size = utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && size == 1 {
		r = utf8.MaxRune + 1 + rune(s[0])
	}
	return r, size
}

// Match tells whether all of name fits the pattern. It allocates nothing, and each
// token of the pattern is tried at most once at each letter of name, whatever the
// number of stars: only the last star is ever given more, since what the earlier
// ones took can stay as short as it was (threat 19).
func (g *Glob) Match(name string) bool {
	at := 0                  // in tokens
	star, starText := -1, "" // the last star, and what follows its text so far
	for name != "" || at < len(g.tokens) {
		if at < len(g.tokens) && g.tokens[at].kind == anyText {
			star, starText = at, name
			at++
			continue
		}
		if at < len(g.tokens) {
			if size := g.tokens[at].match(name); size > 0 {
				at++
				name = name[size:]
				continue
			}
		}
		if star < 0 || starText == "" || starText[0] == '/' {
			return false
		}
		_, size := utf8.DecodeRuneInString(starText)
		starText = starText[size:]
		at, name = star+1, starText
	}
	return true
}

// match tells how many bytes at the beginning of name fit t, 0 for none.
func (t *token) match(name string) int {
	if name == "" || t.kind != literal && name[0] == '/' {
		return 0
	}
	switch t.kind {
	case literal:
		if name[0] == t.byte {
			return 1
		}
		return 0
	case anyRune:
		_, size := utf8.DecodeRuneInString(name)
		return size
	}
	r, size := decodeRune(name)
	for _, in := range t.ranges {
		if in.low <= r && r <= in.high {
			if t.not {
				return 0
			}
			return size
		}
	}
	if t.not {
		return size
	}
	return 0
}
