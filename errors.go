package ferry

import (
	"errors"
	"fmt"
	"io/fs"
)

// What can go wrong with a file, in words that each protocol has an answer
// for. Backends return them inside an *fs.PathError whose Path is the client's
// name, never a host path. The four of io/fs (ErrNotExist, ErrExist,
// ErrPermission, ErrInvalid) and errors.ErrUnsupported belong to the same list. What
// matches fs.ErrPermission says in its text why, for the log: no client is shown it.
var (
	// ErrIsDir: the operation wants a file and the name is a directory.
	ErrIsDir = errors.New("is a directory")
	// ErrNotDir: a directory was wanted, or a component on the way is none.
	ErrNotDir = errors.New("not a directory")
	// ErrNotEmpty: the directory still holds something.
	ErrNotEmpty = errors.New("directory not empty")
	// ErrNotRegular: a FIFO, device, socket, or a file of procfs or sysfs.
	ErrNotRegular = errors.New("not a regular file")
	// ErrBadName: NUL, the pattern of a part, or longer than the storage takes.
	ErrBadName = errors.New("name not allowed")
	// ErrLoop: too many symbolic links.
	ErrLoop = errors.New("too many symbolic links")
	// ErrCrossDevice: a rename that would have to copy.
	ErrCrossDevice = errors.New("source and target are on different file systems")
	// ErrNoSpace: the storage is full; later may work.
	ErrNoSpace = errors.New("no space left")
	// ErrQuota: the user's share of the storage is used up.
	ErrQuota = errors.New("quota exceeded")
	// ErrTooLarge: larger than the storage or a limit allows for one file.
	ErrTooLarge = errors.New("file too large")
	// ErrBusy: another session holds it right now; later may work.
	ErrBusy = errors.New("in use by another session")
	// ErrChanged: what stands under the name is not what the caller has seen there.
	ErrChanged = errors.New("the file has changed meanwhile")
	// ErrBeyondEnd: a restart offset past the end of the file (RFC 3659 §5.3).
	ErrBeyondEnd = errors.New("offset is beyond the end of the file")
	// ErrStalePart: a client would go on at the end of a file that it takes for
	// its broken upload, which the storage still keeps.
	ErrStalePart = errors.New("the last upload of this name broke: send it whole")
	// ErrClosed: the handle was committed or aborted before.
	ErrClosed = errors.New("file already closed")
)

// ErrHidden is fs.ErrPermission for a look at what the user may make and not see, as in
// a drop directory. That is how it is meant, and no news for a log.
var ErrHidden = fmt.Errorf("what is there is not to be seen: %w", fs.ErrPermission)

// Why a transfer ended early: the cause that a Handle's Abort is given and
// that events carry.
var (
	// ErrTakenOver: the same user came back and took over the unfinished file.
	ErrTakenOver = errors.New("taken over by a newer session of the same user")
	// ErrRemoved: the unfinished file, or what it was in, was removed or replaced.
	ErrRemoved = errors.New("the upload was removed by another session of the same user")
	// ErrStalled: no byte moved for as long as the stall deadline allows.
	ErrStalled = errors.New("no data moved for too long")
	// ErrAborted: the client asked for it (ABOR).
	ErrAborted = errors.New("aborted by the client")
	// ErrControlLost: the control connection closed before the data's end
	// (RFC 959 §2.3: the server takes the effective action of ABOR and QUIT).
	ErrControlLost = errors.New("the control connection closed before the data ended")
	// ErrKicked: an administrator, a change of the user, or a ban ended it.
	ErrKicked = errors.New("session ended by the administrator")
	// ErrShutdown: the server is stopping.
	ErrShutdown = errors.New("the server is shutting down")
)

// Why a client was not let in: what Admit and Authenticate answer. The texts
// are fit for a client: they say what to do and tell nothing about accounts.
var (
	// ErrLogin: wrong name, wrong password, no such user: one answer for all.
	ErrLogin = errors.New("login incorrect")
	// ErrPartial: what was shown is right, and the password is wanted, too.
	ErrPartial = errors.New("a password is needed, too")
	// ErrNoHome: what was shown is right, and the files of the account cannot be had.
	ErrNoHome = errors.New("the login is right, but your files cannot be reached; tell the operator of the server")
	// ErrTooManyLogins: this connection has failed too often and must close.
	ErrTooManyLogins = errors.New("too many failed logins")
	// ErrBanned: the address is shut out for a while.
	ErrBanned = errors.New("too many failed logins from this address; try again later")
	// ErrServerFull: the seats of the whole server are taken.
	ErrServerFull = errors.New("too many connections; try again later")
	// ErrAddressFull: this address holds as many connections as it may.
	ErrAddressFull = errors.New("too many connections from this address; close one or try again later")
	// ErrCrowded: there are too many connections that nobody has logged in on.
	ErrCrowded = errors.New("too many connections without a login; try again later")
	// ErrUserFull: this user holds as many sessions as it may.
	ErrUserFull = errors.New("too many sessions for this user; close one or try again later")
)

// TooManyOpen: a file or directory cannot be opened, since as many are open as may be.
// A client can close some, or come back later.
type TooManyOpen struct {
	Open  int    // how many are
	Whose string // of whom: "this connection", "this user", "this address", "the server"
}

func (e *TooManyOpen) Error() string {
	return fmt.Sprintf("too many open files: %d of %s", e.Open, e.Whose)
}

// WithoutPath is err without the path that stands in the sentence around it, or that
// nobody is to see.
func WithoutPath(err error) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return p.Err
	}
	return err
}

// Discard makes of err a cause for Handle.Abort that keeps nothing for a later
// Resume: for content that no client sent, such as a copy that failed. Its text
// is err's, and it matches what err matches.
func Discard(err error) error { return discarded{err} }

type discarded struct{ error }

func (d discarded) Unwrap() error { return d.error }

// Discarded tells whether cause was made by Discard.
func Discarded(cause error) bool {
	var d discarded
	return errors.As(cause, &d)
}
