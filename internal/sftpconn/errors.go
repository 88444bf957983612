package sftpconn

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"unicode"
	"unicode/utf8"

	"ferry"
	"ferry/internal/sftpwire"
)

// Why a session is over. Every method answers so from then on; what was on the
// way may or may not have been done.
var (
	// ErrLost: the stream ended or broke.
	ErrLost = errors.New("the connection to the SFTP server is lost")
	// ErrProtocol: the server sent what the protocol does not allow.
	ErrProtocol = errors.New("the server does not keep to the SFTP protocol")
)

// StatusError is a request that the server refused (draft-02 §7).
type StatusError struct {
	Code sftpwire.Code
	// Text is what the server said, printable and cut off where it is long.
	Text string
	// reason is what it means in the words of ferry and io/fs; nil: that cannot
	// be told.
	reason error
}

// Error says what it means, and what the server said.
func (e *StatusError) Error() string {
	text := e.Text
	if text == "" {
		text = e.Code.String()
	}
	if e.reason == nil {
		return fmt.Sprintf("the server refused it, saying %q", text)
	}
	return fmt.Sprintf("%v (the server says %q)", e.reason, text)
}

// Unwrap is what the refusal means.
func (e *StatusError) Unwrap() error { return e.reason }

// statusError is what a status means at first sight.
func statusError(s *sftpwire.Status) error {
	e := &StatusError{Code: s.Code, Text: Printable(s.Text)}
	switch s.Code {
	case sftpwire.EOF:
		e.reason = io.EOF
	case sftpwire.NoSuchFile:
		e.reason = fs.ErrNotExist
	case sftpwire.PermissionDenied:
		e.reason = fs.ErrPermission
	case sftpwire.BadMessage:
		e.reason = fs.ErrInvalid
	case sftpwire.OpUnsupported:
		e.reason = errors.ErrUnsupported
	case sftpwire.Failure:
		e.reason = spelledOut(s.Text)
	}
	return e
}

// spelledOut is the reason that the text of a failure names, as Ferry's server
// has it; nil: it names none.
func spelledOut(text string) error {
	for _, known := range []error{ferry.ErrNoSpace, ferry.ErrQuota, ferry.ErrTooLarge, ferry.ErrBusy, ferry.ErrTakenOver, ferry.ErrRemoved} {
		if text == sftpwire.Failure.String()+": "+known.Error() {
			return known
		}
	}
	return nil
}

// Meaning makes reason what a refusal means; an err that is none stays.
func Meaning(err, reason error) error {
	var refused *StatusError
	if !errors.As(err, &refused) {
		return err
	}
	exact := *refused
	exact.reason = reason
	return &exact
}

// Unclear tells whether err is a refusal that could mean anything.
func Unclear(err error) bool {
	var refused *StatusError
	return errors.As(err, &refused) && refused.reason == nil
}

// shown is how much of a server's text is kept, in bytes.
const shown = 200

// Printable is a server's text without what could play tricks on a terminal or
// a log.
func Printable(text string) string {
	if len(text) > shown {
		text = text[:shown] + "..."
	}
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}
