package sftpwire

import "fmt"

// Code is the result of a request (draft-02 §7). Version 3 knows no others.
type Code uint32

// The codes of version 3.
const (
	OK Code = iota
	EOF
	NoSuchFile
	PermissionDenied
	Failure
	BadMessage
	NoConnection
	ConnectionLost
	OpUnsupported
)

// String is the text that OpenSSH sends with the code: clients show it, and
// some compare it.
func (c Code) String() string {
	words := [...]string{"Success", "End of file", "No such file", "Permission denied", "Failure", "Bad message",
		"No connection", "Connection lost", "Operation unsupported"}
	if int64(c) < int64(len(words)) {
		return words[c]
	}
	return fmt.Sprintf("Unknown error %d", uint32(c))
}

// Status answers a request that has no other answer, or failed.
type Status struct {
	Code     Code
	Text     string // for people
	Language string // of Text (RFC 1766)
}

// Type is TypeStatus.
func (*Status) Type() Type { return TypeStatus }

func (s *Status) fields(c *codec) {
	c.u32((*uint32)(&s.Code))
	if c.reading && len(c.buf) == 0 {
		return // servers older than version 3 send nothing else
	}
	c.str(&s.Text)
	c.str(&s.Language)
}
