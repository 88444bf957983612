package ftpserver

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"

	"ferry"
	"ferry/internal/ftpdata"
	"ferry/internal/ftptls"
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

// reply is one answer. more, where there is any, makes it a multi-line reply
// of text, more..., the last of which ends it. code 0: nothing to say.
type reply struct {
	code int
	text string
	more []string
}

func say(code int, text string) reply { return reply{code: code, text: text} }

// appendReply prints r in the session's charset.
func (c *conn) appendReply(dst []byte, r reply) []byte {
	lines := append([]string{r.text}, r.more...)
	if c.charset != nil {
		for i := range lines {
			lines[i] = c.encode(lines[i])
		}
	}
	return ftpwire.Printer{Telnet: c.charset == nil}.AppendReply(dst, r.code, lines...)
}

// statusLine is one inner line of a multi-line reply that is under way.
func statusLine(code int) string { return fmt.Sprintf("%d-Still working.\r\n", code) }

// replyFor is the one place where an error becomes a reply. It says nothing
// of the host: no path, no address, no error text of the system.
func replyFor(err error) reply {
	switch {
	case errors.Is(err, ferry.ErrAborted):
		return say(426, "Transfer aborted.")
	case errors.Is(err, ferry.ErrTakenOver):
		return say(426, "Transfer ended: another session of yours went on with this upload.")
	case errors.Is(err, ferry.ErrStalled):
		return say(426, "Transfer ended: no data moved for too long.")
	case errors.Is(err, ferry.ErrControlLost):
		return say(426, "Transfer ended: the control connection closed.")
	case errors.Is(err, ferry.ErrShutdown), errors.Is(err, ferry.ErrKicked):
		return say(426, "Transfer ended: "+strings.TrimSuffix(sentence(rootCause(err)), ".")+".")
	case errors.Is(err, ftpdata.ErrDataTimeout):
		return say(425, "Cannot open the data connection; check the firewall between us, or try PASV instead of PORT.")
	case errors.Is(err, ftpdata.ErrDataTLS):
		return say(522, "TLS failed on the data connection.")
	case errors.Is(err, ftptls.ErrUnbound):
		return say(522, "The data connection must resume the TLS session of the control connection.")
	case errors.Is(err, errShortOfALLO):
		return say(426, "Upload ended early: fewer bytes than ALLO announced. It is not published, and can be resumed.")
	case errors.Is(err, ftpdata.ErrBomb):
		return say(552, "The compressed data expands too much.")
	case errors.Is(err, errBeyondRange):
		return say(551, "There was more data than the range has; what lies beyond was not written.")
	case errors.Is(err, errShrunk):
		return say(451, "The file became shorter while it was sent.")
	case errors.Is(err, fs.ErrNotExist):
		return say(550, "No such file or directory.")
	case errors.Is(err, ferry.ErrNotEmpty):
		return say(550, "Directory is not empty.")
	case errors.Is(err, fs.ErrExist):
		return say(550, "It exists already.")
	case errors.Is(err, fs.ErrPermission):
		return say(550, "Permission denied.")
	case errors.Is(err, ferry.ErrIsDir):
		return say(550, "It is a directory.")
	case errors.Is(err, ferry.ErrNotDir):
		return say(550, "Not a directory.")
	case errors.Is(err, ferry.ErrNotRegular):
		return say(550, "Not a regular file.")
	case errors.Is(err, ferry.ErrBadName):
		return say(550, "Name is not allowed.")
	case errors.Is(err, ferry.ErrLoop):
		return say(550, "Too many symbolic links.")
	case errors.Is(err, ferry.ErrNoSpace):
		return say(452, "No space left on the server; try again later.")
	case errors.Is(err, ferry.ErrQuota):
		return say(552, "Quota exceeded; delete something first.")
	case errors.Is(err, ferry.ErrTooLarge):
		return say(552, "The file is too large for the storage.")
	case errors.Is(err, ferry.ErrBusy):
		return say(450, "In use by another session; try again later.")
	case errors.Is(err, ferry.ErrBeyondEnd):
		return say(554, "The restart offset is beyond the end of the file.")
	case errors.Is(err, ferry.ErrStalePart):
		return say(550, "The last upload of this name broke: send it whole.")
	case errors.Is(err, ferry.ErrCrossDevice):
		return say(550, "Cannot rename from one file system to another; copy it.")
	case errors.Is(err, fs.ErrInvalid):
		return say(550, "The server cannot do that with this name.")
	case errors.Is(err, errors.ErrUnsupported):
		return say(550, "The storage cannot do that.")
	case isNetError(err):
		return say(426, "The data connection broke.")
	}
	return say(451, "Local error; the server's log has the reason.")
}

// storeReplyFor is replyFor where RFC 959 §5.4 gives a name that cannot be
// written the code 553.
func storeReplyFor(err error) reply {
	r := replyFor(err)
	if r.code == 550 && !errors.Is(err, ferry.ErrStalePart) {
		r.code = 553
	}
	return r
}

// failed is replyFor with a line in the log.
func (c *conn) failed(verb string, name ferry.Name, err error) reply {
	r := replyFor(err)
	c.logFailure(verb, name, r, err)
	return r
}

// storeFailed is storeReplyFor with a line in the log.
func (c *conn) storeFailed(verb string, name ferry.Name, err error) reply {
	r := storeReplyFor(err)
	c.logFailure(verb, name, r, err)
	return r
}

// logFailure keeps the cause, which the client is not told.
func (c *conn) logFailure(verb string, name ferry.Name, r reply, err error) {
	l := c.log()
	if r.code == 451 || r.code == 452 {
		l.Error("command failed", "verb", verb, "name", name, "code", r.code, "err", err)
		return
	}
	l.Debug("command failed", "verb", verb, "name", name, "code", r.code, "err", err)
}

// isNetError tells whether err came from a data connection.
func isNetError(err error) bool {
	var op *net.OpError
	for _, broken := range []error{syscall.ECONNRESET, syscall.EPIPE, syscall.ENOTCONN, syscall.ETIMEDOUT, io.ErrUnexpectedEOF, io.ErrClosedPipe} {
		if errors.Is(err, broken) {
			return true
		}
	}
	return errors.As(err, &op) || errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded) ||
		strings.HasPrefix(err.Error(), "tls: ") || strings.HasPrefix(err.Error(), "zlib: ") || strings.HasPrefix(err.Error(), "flate: ")
}

// rootCause is the one of the gate's causes that err is about.
func rootCause(err error) error {
	if errors.Is(err, ferry.ErrShutdown) {
		return ferry.ErrShutdown
	}
	return ferry.ErrKicked
}

// sentence makes one of the root's error texts, which are fit for clients, a
// sentence. Anything else stays with us.
func sentence(err error) string {
	for _, known := range []error{ferry.ErrTooManyLogins, ferry.ErrBanned, ferry.ErrServerFull, ferry.ErrAddressFull,
		ferry.ErrUserFull, ferry.ErrNoHome, ferry.ErrKicked, ferry.ErrShutdown} {
		if errors.Is(err, known) {
			first, n := utf8.DecodeRuneInString(known.Error())
			return string(unicode.ToUpper(first)) + known.Error()[n:] + "."
		}
	}
	return "Service not available; try again later."
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
