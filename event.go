package ferry

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"time"
)

// Event is one thing that happened to a session, for logs, transfer logs and
// audits. It never holds a secret. Names come from clients: a sink escapes
// them as its format asks.
type Event struct {
	Time     time.Time
	Kind     EventKind
	Session  string // the id that all events of one connection share
	Protocol string // "ftp", "ftps", "sftp"
	Peer     netip.AddrPort
	User     string // as the client called itself, cut to 128 bytes; verified from EventLogin on
	Anon     bool   // the user is an anonymous one
	By       string // of a login, tried or done: what was shown for it, as Claim.By says it

	Name     Name          // the file, or of a rename the old name
	To       string        // the new name of a rename; the target of a symbolic link; of a hard link the name there was
	Bytes    int64         // moved by a transfer; of a disconnect, by all
	Duration time.Duration // of a transfer; of a disconnect, of the connection
	Op       string        // of EventDenied: what was asked for, as Denial says
	ASCII    bool          // the transfer translated line ends (TYPE A)
	Of       EventKind     // of EventMore: which kind
	More     int           // of EventMore: how many
	Err      error         // why it failed or ended; nil: it went well
}

// Denial is the event that op was refused at name because of err: "open", "read",
// "write", or the name of FS's method in lower case. false: err is no refusal, or none
// to be told.
func Denial(op string, name Name, err error) (Event, bool) {
	if full := new(TooManyOpen); !errors.Is(err, fs.ErrPermission) && !errors.As(err, &full) || errors.Is(err, ErrHidden) {
		return Event{}, false
	}
	return Event{Kind: EventDenied, Op: op, Name: name, Err: WithoutPath(err)}, true
}

// EventKind is what happened.
type EventKind uint8

const (
	EventConnect      EventKind = iota // a client was admitted
	EventRefused                       // a client was turned away, or a handshake of its has failed; Err says why
	EventLogin                         // a login succeeded
	EventLoginFailed                   // a login failed; Err says why, as ErrLogin and the reason where it counts towards a ban
	EventLoginRefused                  // a way to log in was not open to a client that did not get in by another one; Err says why
	EventBan                           // an address was shut out; Duration says for how long
	EventDisconnect                    // the connection ended; Err says why when not by the client's QUIT
	EventUpload                        // new content was published, or (Err) was not
	EventDownload                      // a file was read to the end asked for, or (Err) was not
	EventDenied                        // a right, a permission or a place was missing for Op; Err says which
	EventRemove
	EventRename
	EventMkdir
	EventRmdir
	EventSetAttr
	EventSymlink
	EventLink
	EventMore  // refusals of one client that were so many that they are counted and not told one by one
	EventPanic // code that served a session panicked, and the session was ended; Err is a *PanicError
)

// String is the word that logs use.
func (k EventKind) String() string {
	words := [...]string{"connect", "refused", "login", "login-failed", "login-refused", "ban", "disconnect", "upload", "download", "denied",
		"remove", "rename", "mkdir", "rmdir", "setattr", "symlink", "link", "more-like-this", "panic"}
	if int(k) < len(words) {
		return words[k]
	}
	return "unknown"
}

// PanicError is that code panicked: the Err of EventPanic, and what a session that ran it
// ends with.
type PanicError struct {
	Value any    // what panic was called with
	Stack []byte // of the goroutine, as runtime/debug has it
}

func (p *PanicError) Error() string { return fmt.Sprintf("internal error: panic: %v", p.Value) }

// Sink takes events. It must not block: one that can be slow owns a queue, and
// says what it drops. It is called from many goroutines at once.
type Sink func(Event)
