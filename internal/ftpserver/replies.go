package ftpserver

import (
	"errors"

	"ferry/internal/ftpreply"
)

// Why a session ended that did not end by QUIT; the client has been told.
var (
	errLoginTimeout = errors.New("no login in time")
	errIdle         = errors.New("idle for too long")
	errFlood        = errors.New("too many commands at once")
	errNotFTP       = errors.New("another protocol than FTP was spoken")
)

// internalError is what a client is told whose session ends by a panic.
func internalError() ftpreply.Reply {
	return ftpreply.Say(421, "Internal error; closing the connection.")
}
