package sftpfacts

import (
	"errors"
	"io"
	"io/fs"

	"ferry"
	"ferry/internal/sftpwire"
)

// ErrTooManyDirs: a connection has as many directories open as it may.
var ErrTooManyDirs = errors.New("too many open directories: 64 of this connection")

// Status is the one place where an error becomes a status: by the table that
// OpenSSH's server has for the errno of each. Its text is OpenSSH's too; where
// that would only be "Failure" it says what is the matter.
func Status(err error) *sftpwire.Status {
	code := codeFor(err)
	text := code.String()
	if code == sftpwire.Failure {
		for _, known := range []error{ferry.ErrNoSpace, ferry.ErrQuota, ferry.ErrTooLarge, ferry.ErrBusy, ferry.ErrStalePart, ferry.ErrTakenOver, ferry.ErrRemoved, ferry.ErrChanged, ErrTooManyDirs} {
			if errors.Is(err, known) {
				text = "Failure: " + known.Error()
			}
		}
		if full := new(ferry.TooManyOpen); errors.As(err, &full) {
			text = "Failure: " + full.Error()
		}
	}
	return &sftpwire.Status{Code: code, Text: text}
}

func codeFor(err error) sftpwire.Code {
	is := func(targets ...error) bool {
		for _, t := range targets {
			if errors.Is(err, t) {
				return true
			}
		}
		return false
	}
	switch {
	case err == nil:
		return sftpwire.OK
	case is(io.EOF):
		return sftpwire.EOF
	case is(fs.ErrNotExist, ferry.ErrNotDir, ferry.ErrLoop):
		return sftpwire.NoSuchFile
	case is(fs.ErrPermission):
		return sftpwire.PermissionDenied
	case is(ferry.ErrBadName, fs.ErrInvalid):
		return sftpwire.BadMessage
	case is(errors.ErrUnsupported):
		return sftpwire.OpUnsupported
	}
	return sftpwire.Failure
}
