package ftpwire

import (
	"errors"
	"io"
)

// ErrLineTooLong is a command line longer than the Reader allows. All of it was
// skipped; the connection can go on (RFC 959 §5.4: 500).
var ErrLineTooLong = errors.New("command line too long")

// ErrNoLineEnd is a line that goes on far beyond what is allowed, from a peer
// that burns its own and our time: hang up.
var ErrNoLineEnd = errors.New("a command line has no end")

const (
	// maxSkip is how much of a line that is too long is skipped in the hope of
	// its end.
	maxSkip = 1 << 20
	// readSize is what one idle session pays for its read buffer.
	readSize = 512
	// keepLine is the largest line buffer kept from one line to the next.
	keepLine = 512
	// maxReplies bounds the Telnet refusals that wait to be sent, in bytes. A
	// client that asks for more without reading gets no answer to the rest.
	maxReplies = 48
	// maxEmptyReads is how often a source may return neither bytes nor error.
	maxEmptyReads = 100
)

// Reader takes command lines off a control connection and Telnet commands out
// of them (RFC 959 §2.3, RFC 1123 §4.1.2.12).
//
// A line ends at LF; one CR before it does not belong to it, CR NUL means CR,
// any other CR is a letter. IAC IAC is the byte 0xFF, other Telnet commands are
// taken out wherever they stand. Not for use by several goroutines at once.
type Reader struct {
	src     io.Reader
	maxLine int
	letters bool // 0xFF is a letter: SetTelnet(false)

	buf      [readSize]byte
	from, to int   // buf[from:to] is read and not yet decoded
	err      error // came with the bytes in buf, due after them

	line    []byte
	whole   bool // line was handed out; the next byte begins another
	cr      bool // the last letter was a CR: the next decides what it means
	tooLong bool // the rest of the line is being skipped
	used    int  // bytes of the source that went into the line so far

	telnet  telnet
	refuse  func() // see OnRefusal
	replies []byte
}

// NewReader reads lines of at most maxLine decoded bytes, the line end not
// counted, from r.
func NewReader(r io.Reader, maxLine int) *Reader {
	return &Reader{src: r, maxLine: maxLine}
}

// SetTelnet turns decoding of Telnet within a line on (as it is at first) or
// off: in an 8-bit charset 0xFF is a letter, 'я' in Windows-1251. At the
// beginning of a line, where no command can have that letter, Telnet commands
// are taken out either way, so that an abort is understood.
func (r *Reader) SetTelnet(on bool) { r.letters = !on }

// OnRefusal sets what ReadLine calls when it is about to read from the source
// while something waits in TakeTelnetReply, for it to be sent.
func (r *Reader) OnRefusal(send func()) { r.refuse = send }

// ReadLine returns the next line without its end. It is valid until the next
// call.
//
// ErrLineTooLong means that an overlong line was skipped to its end; the next
// call reads the line after it. ErrNoLineEnd means that there is no such end. Any other error is the source's own. What was
// read of a half line before it is kept, so after a timeout the next call goes
// on where this one stopped. A half line before io.EOF is never returned: a
// command that was cut off must not be run.
func (r *Reader) ReadLine() ([]byte, error) {
	if r.whole {
		r.startLine()
	}
	for {
		for r.from < r.to {
			b := r.buf[r.from]
			r.from++
			r.used++
			if r.decode(b) && r.add(b) {
				return r.endLine()
			}
		}
		if r.used > r.maxLine+maxSkip {
			return nil, ErrNoLineEnd
		}
		if len(r.replies) > 0 && r.refuse != nil {
			r.refuse()
		}
		if err := r.fill(); err != nil {
			return nil, err
		}
	}
}

// startLine makes room for a line. A buffer that one long line made large is
// given back.
func (r *Reader) startLine() {
	r.whole, r.tooLong, r.cr, r.used = false, false, false, 0
	r.line = r.line[:0]
	if cap(r.line) > keepLine {
		r.line = nil
	}
}

func (r *Reader) endLine() ([]byte, error) {
	r.whole, r.used = true, 0
	if r.tooLong {
		return nil, ErrLineTooLong
	}
	return r.line, nil
}

// decode tells whether b is a byte of the line.
func (r *Reader) decode(b byte) bool {
	e := r.telnet.next(b, r.letters && !r.atStart())
	if e == refusable && len(r.replies) < maxReplies {
		refusal := byte(telnetDONT)
		if r.telnet.verb == telnetDO {
			refusal = telnetWONT
		}
		r.replies = append(r.replies, telnetIAC, refusal, b)
	}
	return e == text
}

// atStart tells whether nothing of a line was decoded yet.
func (r *Reader) atStart() bool {
	return r.whole || len(r.line) == 0 && !r.cr && !r.tooLong
}

// add takes a decoded byte and tells whether it ended the line.
func (r *Reader) add(c byte) bool {
	if r.cr {
		r.cr = false
		if c == '\n' {
			return true
		}
		r.put('\r')
		if c == 0 {
			return false
		}
	}
	switch c {
	case '\n':
		return true
	case '\r':
		r.cr = true
	default:
		r.put(c)
	}
	return false
}

func (r *Reader) put(c byte) {
	if r.tooLong {
		return
	}
	if len(r.line) >= r.maxLine {
		r.tooLong, r.line = true, nil
		return
	}
	r.line = append(r.line, c)
}

func (r *Reader) fill() error {
	if err := r.err; err != nil {
		r.err = nil
		return err
	}
	for range maxEmptyReads {
		n, err := r.src.Read(r.buf[:])
		r.from, r.to = 0, n
		if n > 0 {
			r.err = err
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// HasLine tells whether the next ReadLine returns a line, or ErrLineTooLong, without
// reading from the source: replies to pipelined commands may be gathered as long as
// it is true. It is never true for a line that is not whole, since a server that
// then waited with its replies would wait for ever.
func (r *Reader) HasLine() bool {
	ahead, start := r.telnet, r.atStart()
	for _, b := range r.buf[r.from:r.to] {
		if ahead.next(b, r.letters && !start) != text {
			continue
		}
		if b == '\n' {
			return true
		}
		start = false
	}
	return false
}

// TakeTelnetReply returns what must be sent back for the Telnet options asked
// for so far, and forgets it: DONT for each WILL, WONT for each DO (RFC 1123
// §4.1.2.12). Mostly nil. It goes out as it is, before the next reply. A peer
// that waits for it sends no line before: see OnRefusal.
func (r *Reader) TakeTelnetReply() []byte {
	replies := r.replies
	r.replies = nil
	return replies
}

// Buffered returns how many bytes were read from the source and not handed out
// as lines, a half line included.
func (r *Reader) Buffered() int { return r.to - r.from + r.used }

// Discard drops those bytes and returns how many there were. After AUTH TLS it
// keeps commands that somebody put before the handshake from being run inside
// it (CVE-2011-0411, threat 10).
func (r *Reader) Discard() int {
	n := r.Buffered()
	r.from, r.to = 0, 0
	r.telnet = telnet{}
	r.whole, r.used = true, 0
	return n
}

// Reset goes on with another source, as after a TLS handshake. Nothing of the
// old one is kept, Telnet refusals included; SetTelnet's choice stays.
func (r *Reader) Reset(src io.Reader) {
	r.Discard()
	r.src, r.err, r.replies = src, nil, nil
}
