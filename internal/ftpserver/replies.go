package ftpserver

import (
	"errors"
	"net"
	"strings"
	"time"

	"golang.org/x/text/encoding"

	"ferry/internal/ftpreply"
	"ferry/internal/ftpwire"
)

// Why a session ended that did not end by QUIT; the client has been told.
var (
	errLoginTimeout = errors.New("no login in time")
	errIdle         = errors.New("idle for too long")
	errFlood        = errors.New("too many commands at once")
	errNotFTP       = errors.New("another protocol than FTP was spoken")
	errPanic        = errors.New("internal error")
)

// appendReply prints r in the session's charset.
func (c *conn) appendReply(dst []byte, r ftpreply.Reply) []byte {
	lines := append([]string{r.Text}, r.More...)
	if c.charset != nil {
		for i := range lines {
			lines[i] = c.encode(lines[i])
		}
	}
	return ftpwire.Printer{Telnet: c.charset == nil}.AppendReply(dst, r.Code, lines...)
}

// internalError is what a client is told whose session ends by a panic.
func internalError() ftpreply.Reply {
	return ftpreply.Say(421, "Internal error; closing the connection.")
}

// sayAndClose answers a connection that gets no session.
func sayAndClose(nc net.Conn, code int, text string) {
	_ = nc.SetWriteDeadline(time.Now().Add(writeTimeout))
	_, _ = nc.Write(ftpwire.AppendReply(nil, code, text))
	_ = nc.Close()
}

// decode makes what the client sent UTF-8, encode the other way round.
// Letters that the charset has not become a question mark.
func (c *conn) decode(s string) string {
	if c.charset == nil || s == "" {
		return s
	}
	out, err := c.charset.NewDecoder().String(s)
	if err != nil {
		return s
	}
	return out
}

func (c *conn) encode(s string) string {
	if c.charset == nil {
		return s
	}
	out, err := encoding.ReplaceUnsupported(c.charset.NewEncoder()).String(s)
	if err != nil {
		return s
	}
	return strings.ReplaceAll(out, "\x1a", "?") // what x/text writes for them
}
