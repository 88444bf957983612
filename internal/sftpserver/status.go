package sftpserver

import (
	"ferry/internal/sftpfacts"
	"ferry/internal/sftpio"
	"ferry/internal/sftpwire"
)

// answer is what a request is answered with: a reply, or a packet that is
// ready to be sent.
type answer struct {
	reply  sftpwire.Reply
	packet *sftpio.Buffer
}

func say(code sftpwire.Code) answer {
	return answer{reply: &sftpwire.Status{Code: code, Text: code.String()}}
}

// StatusText is what a STATUS says of err.
func StatusText(err error) string { return sftpfacts.Status(err).Text }
