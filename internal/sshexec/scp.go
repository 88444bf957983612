package sshexec

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"ferry"
)

// scp is the far side of the program scp before it took to SFTP, as OpenSSH
// has it behind -O: a protocol without a document, of records (scpwire.go) in
// one direction and of one byte each, or a line with an error, in the other.
// scp_sink.go takes files, scp_source.go gives them.
type scp struct {
	commands *Commands
	ctx      context.Context // as long as there is something to be done
	fs       ferry.FS
	stdio    Stdio
	in       *bufio.Reader
	out      io.Writer

	recursive bool  // -r
	times     bool  // -p: times and modes
	toDir     bool  // -d: the target must be a directory
	failed    bool  // something was not done: the exit status is 1
	noFile    error // why the target cannot be a file; nil: it can
}

// Why a dialogue is over.
var errPeerGaveUp = errors.New("the client gave up")

// scp is the program behind a command "scp -t ..." or "scp -f ...", which only
// another scp says; nil: it is something else.
func (k *Commands) scp(words []word) Program {
	var s scp
	sink, source := false, false
	for len(words) > 0 && len(words[0].text) > 1 && words[0].text[0] == '-' {
		option := words[0].text
		words = words[1:]
		if option == "--" {
			break
		}
		for _, letter := range option[1:] {
			switch letter {
			case 't':
				sink = true
			case 'f':
				source = true
			case 'r':
				s.recursive = true
			case 'p':
				s.times = true
			case 'd':
				s.toDir = true
			case 'v', 'q':
			default:
				return nil
			}
		}
	}
	if sink == source || len(words) == 0 || sink && len(words) > 1 {
		return nil
	}
	return func(call Call) uint32 {
		s := s
		s.commands, s.ctx, s.fs, s.stdio = k, call.Ctx, call.Files, call.Stdio
		if source {
			s.ctx = call.Here
		}
		s.in, s.out = bufio.NewReader(call.Stdio), call.Stdio
		var err error
		if sink {
			err = s.sink(words[0].text)
		} else {
			err = s.source(words)
		}
		if err != nil {
			call.Log.Debug("scp ended early", "error", err)
		}
		if err != nil || s.failed {
			return 1
		}
		return 0
	}
}

// ok says that what came was taken.
func (s *scp) ok() error {
	_, err := s.out.Write([]byte{0})
	return err
}

// warn says that something could not be done; the dialogue goes on.
func (s *scp) warn(name string, err error) error {
	s.failed = true
	return s.say(1, name, err)
}

// fatal says why the dialogue is over.
func (s *scp) fatal(name string, err error) error {
	return errors.Join(err, s.say(2, name, err))
}

func (s *scp) say(kind byte, name string, err error) error {
	text := strerror(err)
	if errors.Is(err, errRecord) || errors.Is(err, errLoop) || errors.Is(err, errNoRecursion) || errors.Is(err, errManyMatches) {
		text = err.Error()
	}
	// A line end within would begin a record of its own.
	line := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, fmt.Sprintf("scp: %s: %s", name, text))
	_, err = s.out.Write([]byte(string(rune(kind)) + line + "\n"))
	return err
}

// answer waits for the client's word on what was sent: nil, errSkipped when it
// does not want it, or another error, which is the end.
func (s *scp) answer() error {
	kind, err := s.in.ReadByte()
	if err != nil {
		return err
	}
	if kind == 0 {
		return nil
	}
	s.failed = true
	if _, err := readLine(s.in); err != nil {
		return err
	}
	if kind == 1 {
		return errSkipped
	}
	return errPeerGaveUp
}

// errSkipped: the client wants nothing more of this file.
var errSkipped = errors.New("the client refused the file")

// expand gives the names that a word means, in the order of the directory where
// it is a pattern. Only its last element may be one.
func (s *scp) expand(w word) ([]string, error) {
	names, err := s.matches(w)
	if err == nil && len(names) == 0 {
		names = []string{w.text} // as a shell leaves it
	}
	return names, err
}

// mostMatches bounds what one pattern may stand for, as a command line does.
const mostMatches = 10_000

var errManyMatches = errors.New("argument list too long")

func (s *scp) matches(w word) ([]string, error) {
	dir, pattern := path.Split(w.pattern)
	if pattern == "" || strings.ContainsAny(dir, `*?[\`) {
		return nil, nil
	}
	in, err := at(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for i, err := range s.fs.List(s.ctx, in, ferry.Names) {
		if err != nil {
			return nil, err
		}
		hidden := i.Name[0] == '.' && pattern[0] != '.'
		if ok, err := path.Match(pattern, i.Name); !ok || err != nil || hidden {
			continue
		}
		if len(names) == mostMatches {
			return nil, errManyMatches
		}
		names = append(names, path.Join(string(in), i.Name))
	}
	return names, nil
}
