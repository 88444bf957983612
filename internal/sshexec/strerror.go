package sshexec

import (
	"errors"
	"io/fs"

	"ferry"
	"ferry/internal/sftpserver"
)

// strerror is err as a line for people has it, from scp and the small commands:
// in the words of strerror, which they know from there.
func strerror(err error) string {
	for _, known := range []struct {
		err  error
		text string
	}{
		{fs.ErrNotExist, "No such file or directory"},
		{ferry.ErrNotDir, "Not a directory"},
		{ferry.ErrIsDir, "Is a directory"},
		{fs.ErrExist, "File exists"},
		{ferry.ErrLoop, "Too many levels of symbolic links"},
		{ferry.ErrNotRegular, "Not a regular file"},
		{ferry.ErrBadName, "Invalid argument"},
	} {
		if errors.Is(err, known.err) {
			return known.text
		}
	}
	return sftpserver.StatusText(err)
}
