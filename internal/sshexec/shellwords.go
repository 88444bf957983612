package sshexec

import (
	"errors"
	"strings"
)

// errNotPlain: a command is more than words.
var errNotPlain = errors.New("only a plain command is run here: no pipes, lists, redirections or substitutions")

// word is one word of a command as a shell would see it.
type word struct {
	text string
	// pattern is the word for path.Match; "": nothing in it stands for
	// anything else.
	pattern string
}

// splitWords cuts a command into words as a POSIX shell does (XCU 2.2, 2.6.5).
// There is no shell, so variables are empty, and whatever would need one is
// errNotPlain.
func splitWords(line string) ([]word, error) {
	s := splitter{rest: line}
	for s.rest != "" {
		if err := s.step(); err != nil {
			return nil, err
		}
	}
	s.End()
	return s.words, nil
}

// splitter cuts what is left of a line.
type splitter struct {
	rest  string
	words []word

	open          bool // a word has begun
	text, pattern strings.Builder
	wild          bool // pattern is one
}

func (s *splitter) step() error {
	c := s.rest[0]
	s.rest = s.rest[1:]
	switch c {
	case ' ', '\t':
		s.End()
	case '\'':
		return s.single()
	case '"':
		return s.double()
	case '\\':
		return s.escaped()
	case '$':
		return s.variable()
	case '|', '&', ';', '<', '>', '(', ')', '`', '\n', 0:
		return errNotPlain
	case '*', '?', '[':
		s.open, s.wild = true, true
		s.text.WriteByte(c)
		s.pattern.WriteByte(c)
	default:
		s.literal(c)
	}
	return nil
}

// literal adds a byte that means itself.
func (s *splitter) literal(c byte) {
	s.open = true
	s.text.WriteByte(c)
	if strings.IndexByte(`*?[\`, c) >= 0 {
		s.pattern.WriteByte('\\')
	}
	s.pattern.WriteByte(c)
}

func (s *splitter) End() {
	if !s.open {
		return
	}
	w := word{text: s.text.String()}
	if s.wild {
		w.pattern = s.pattern.String()
	}
	s.words = append(s.words, w)
	s.open, s.wild = false, false
	s.text.Reset()
	s.pattern.Reset()
}

func (s *splitter) single() error {
	text, rest, closed := strings.Cut(s.rest, "'")
	if !closed {
		return errNotPlain
	}
	s.open, s.rest = true, rest
	for i := range len(text) {
		s.literal(text[i])
	}
	return nil
}

func (s *splitter) double() error {
	s.open = true
	for s.rest != "" {
		c := s.rest[0]
		s.rest = s.rest[1:]
		switch {
		case c == '"':
			return nil
		case c == '`':
			return errNotPlain
		case c == '$':
			if err := s.variable(); err != nil {
				return err
			}
		case c == '\\' && s.rest != "" && strings.IndexByte("$`\"\\\n", s.rest[0]) >= 0:
			if err := s.escaped(); err != nil {
				return err
			}
		default:
			s.literal(c)
		}
	}
	return errNotPlain
}

func (s *splitter) escaped() error {
	if s.rest == "" {
		return errNotPlain
	}
	if s.rest[0] != '\n' { // that joins two lines
		s.literal(s.rest[0])
	}
	s.rest = s.rest[1:]
	return nil
}

// variable takes $NAME or ${NAME} away. rclone tells shells apart by what is
// left of "${ShellId}%ComSpec%".
func (s *splitter) variable() error {
	if strings.HasPrefix(s.rest, "(") {
		return errNotPlain
	}
	name, braces := strings.CutPrefix(s.rest, "{")
	n := 0
	for n < len(name) && (name[n] == '_' || name[n]|0x20 >= 'a' && name[n]|0x20 <= 'z' || name[n] >= '0' && name[n] <= '9') {
		n++
	}
	if !braces {
		if n == 0 {
			s.literal('$')
		}
		s.rest = name[n:]
		return nil
	}
	if n == 0 || n == len(name) || name[n] != '}' {
		return errNotPlain
	}
	s.rest = name[n+1:]
	return nil
}
