// Package ftpreply is what commands of FTP answer with: the reply (RFC 959 §4.2),
// the job that may go on behind it, and the one place where an error becomes a reply.
package ftpreply

import (
	"context"
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

	"ferry"
	"ferry/internal/ftpdata"
	"ferry/internal/ftptls"
)

// How a transfer fails that only FTP knows.
var (
	ErrShortOfALLO = errors.New("the upload has fewer bytes than ALLO announced")
	ErrShrunk      = errors.New("the file became shorter while it was sent")
	ErrBeyondRange = errors.New("the client sent more than the range that it gave")
)

// Reply is a command's answer. More, where there is any, makes it a multi-line Reply
// of Text, More..., the last of which ends it.
type Reply struct {
	Code int // of three digits; 0: nothing is said now, see Said and Begin
	Text string
	More []string
	// Then goes on behind this reply, and brings the last one; nil: this is the last.
	Then *Job
}

// Say is a reply of one line.
func Say(code int, text string) Reply { return Reply{Code: code, Text: text} }

// Said is the answer of a command that has written its reply itself.
func Said() Reply { return Reply{} }

// Begin is the answer of a command whose only reply is its job's.
func Begin(j Job) Reply { return Reply{Then: &j} }

// With is r as the first reply of a command whose last one is j's.
func (r Reply) With(j Job) Reply {
	r.Then = &j
	return r
}

// Job is what takes long and goes on beside the loop of its session: a transfer, a
// listing, a hash, a copy. Run touches nothing of the session: what it needs are
// values that were taken before it began.
type Job struct {
	Verb string
	// Progress is the code of the "NNN-" lines that show the client a long job
	// without a data connection is alive; 0: none are wanted.
	Progress int
	// Alone: it has no data connection, so who has left the control connection
	// wants nothing of it.
	Alone bool
	// Run does it, until ctx ends at the latest, and gives the command's last reply.
	Run func(ctx context.Context, control Control) Reply
}

// Control is the session's control connection, as a job may know it.
type Control interface {
	// Holds is asked when the data of an upload has ended and before it is
	// published: nil if the control connection is still there, or ended after a
	// QUIT. It waits for so long to hear of an end that is about to come.
	Holds(ctx context.Context, wait time.Duration) error
}

// StillWorking is one inner line of a multi-line reply that is under way.
func StillWorking(code int) string { return fmt.Sprintf("%d-Still working.\r\n", code) }

// For is the one place where an error becomes a reply. It says nothing
// of the host: no path, no address, no error text of the system.
func For(err error) Reply {
	var full *ferry.TooManyOpen
	switch {
	case errors.Is(err, ferry.ErrAborted):
		return Say(426, "Transfer aborted.")
	case errors.Is(err, ferry.ErrTakenOver):
		return Say(426, "Transfer ended: another session of yours went on with this upload.")
	case errors.Is(err, ferry.ErrRemoved):
		return Say(426, "Transfer ended: another session of yours removed this upload.")
	case errors.Is(err, ferry.ErrStalled):
		return Say(426, "Transfer ended: no data moved for too long.")
	case errors.Is(err, ferry.ErrControlLost):
		return Say(426, "Transfer ended: the control connection closed.")
	case errors.Is(err, ferry.ErrShutdown), errors.Is(err, ferry.ErrKicked):
		return Say(426, "Transfer ended: "+strings.TrimSuffix(Sentence(rootCause(err)), ".")+".")
	case errors.Is(err, ftpdata.ErrDataTimeout):
		return Say(425, "Cannot open the data connection; check the firewall between us, or try PASV instead of PORT.")
	case errors.Is(err, ftpdata.ErrDataTLS):
		return Say(522, "TLS failed on the data connection.")
	case errors.Is(err, ftptls.ErrUnbound):
		return Say(522, "The data connection must resume the TLS session of the control connection.")
	case errors.Is(err, ErrShortOfALLO):
		return Say(426, "Upload ended early: fewer bytes than ALLO announced. It is not published, and can be resumed.")
	case errors.Is(err, ftpdata.ErrBomb):
		return Say(552, "The compressed data expands too much.")
	case errors.Is(err, ErrBeyondRange):
		return Say(551, "There was more data than the range has; what lies beyond was not written.")
	case errors.Is(err, ErrShrunk):
		return Say(451, "The file became shorter while it was sent.")
	case errors.Is(err, fs.ErrNotExist):
		return Say(550, "No such file or directory.")
	case errors.Is(err, ferry.ErrNotEmpty):
		return Say(550, "Directory is not empty.")
	case errors.Is(err, fs.ErrExist):
		return Say(550, "It exists already.")
	case errors.Is(err, fs.ErrPermission):
		return Say(550, "Permission denied.")
	case errors.Is(err, ferry.ErrIsDir):
		return Say(550, "It is a directory.")
	case errors.Is(err, ferry.ErrNotDir):
		return Say(550, "Not a directory.")
	case errors.Is(err, ferry.ErrNotRegular):
		return Say(550, "Not a regular file.")
	case errors.Is(err, ferry.ErrBadName):
		return Say(550, "Name is not allowed.")
	case errors.Is(err, ferry.ErrLoop):
		return Say(550, "Too many symbolic links.")
	case errors.Is(err, ferry.ErrNoSpace):
		return Say(452, "No space left on the server; try again later.")
	case errors.Is(err, ferry.ErrQuota):
		return Say(552, "Quota exceeded; delete something first.")
	case errors.Is(err, ferry.ErrTooLarge):
		return Say(552, "The file is too large for the storage.")
	case errors.Is(err, ferry.ErrBusy):
		return Say(450, "In use by another session; try again later.")
	case errors.As(err, &full):
		return Say(450, fmt.Sprintf("Too many open files: %d of %s; try again later.", full.Open, full.Whose))
	case errors.Is(err, ferry.ErrChanged):
		return Say(450, "It has changed since you asked for its size; ask again.")
	case errors.Is(err, ferry.ErrBeyondEnd):
		return Say(554, "The restart offset is beyond the end of the file.")
	case errors.Is(err, ferry.ErrStalePart):
		return Say(550, "The last upload of this name broke: send it whole.")
	case errors.Is(err, ferry.ErrCrossDevice):
		return Say(550, "Cannot rename from one file system to another; copy it.")
	case errors.Is(err, fs.ErrInvalid):
		return Say(550, "The server cannot do that with this name.")
	case errors.Is(err, errors.ErrUnsupported):
		return Say(550, "The storage cannot do that.")
	case isNetError(err):
		return Say(426, "The data connection broke.")
	}
	return Say(451, "Local error; the server's log has the reason.")
}

// ForStore is For where RFC 959 §5.4 gives a name that cannot be
// written the code 553.
func ForStore(err error) Reply {
	r := For(err)
	if r.Code == 550 && !errors.Is(err, ferry.ErrStalePart) {
		r.Code = 553
	}
	return r
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

// Sentence makes one of the root's error texts, which are fit for clients, a
// sentence. Anything else stays with us.
func Sentence(err error) string {
	for _, known := range []error{ferry.ErrTooManyLogins, ferry.ErrBanned, ferry.ErrServerFull, ferry.ErrAddressFull, ferry.ErrCrowded,
		ferry.ErrUserFull, ferry.ErrNoHome, ferry.ErrKicked, ferry.ErrShutdown} {
		if errors.Is(err, known) {
			first, n := utf8.DecodeRuneInString(known.Error())
			return string(unicode.ToUpper(first)) + known.Error()[n:] + "."
		}
	}
	return "Service not available; try again later."
}
