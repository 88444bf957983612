package ftpwire

import "strings"

// Printer prints replies.
type Printer struct {
	// Telnet doubles the byte 0xFF, which is IAC to the receiver. It goes with
	// Reader.SetTelnet: off for sessions in an 8-bit charset.
	Telnet bool
}

// AppendReply prints a reply as a session in Telnet mode sends it: see
// Printer.AppendReply.
func AppendReply(dst []byte, code int, lines ...string) []byte {
	return Printer{Telnet: true}.AppendReply(dst, code, lines...)
}

// AppendReply prints a whole reply with a code of three digits: one line
// "NNN text", or with several lines "NNN-first", the inner ones, "NNN last"
// (RFC 959 §4.2). An inner line gets one space before it, unless it has one, so
// that none can pass for the last (RFC 2389 §3.2 wants the same for FEAT).
//
// Control characters, CR and LF among them, become '?': no file name can put a
// reply of its own into the conversation (threat 21).
func (p Printer) AppendReply(dst []byte, code int, lines ...string) []byte {
	if len(lines) == 0 {
		return p.appendLine(dst, code, ' ', "")
	}
	last := len(lines) - 1
	for i, line := range lines[:last] {
		if i == 0 {
			dst = p.AppendFirst(dst, code, line)
		} else {
			dst = p.AppendInner(dst, line)
		}
	}
	return p.appendLine(dst, code, ' ', lines[last])
}

// AppendFirst prints "NNN-text": it opens a reply that is sent in pieces, and
// keeps a waiting client patient in one. AppendReply with one line ends it.
func (p Printer) AppendFirst(dst []byte, code int, text string) []byte {
	return p.appendLine(dst, code, '-', text)
}

// AppendInner prints a line between the first and the last.
func (p Printer) AppendInner(dst []byte, text string) []byte {
	if !strings.HasPrefix(text, " ") {
		dst = append(dst, ' ')
	}
	return append(p.appendText(dst, text), "\r\n"...)
}

func (p Printer) appendLine(dst []byte, code int, mark byte, text string) []byte {
	dst = appendPadded(dst, code, 3)
	dst = append(dst, mark)
	return append(p.appendText(dst, text), "\r\n"...)
}

func (p Printer) appendText(dst []byte, text string) []byte {
	for _, c := range []byte(text) {
		switch {
		case isControl(c):
			dst = append(dst, '?')
		case c == telnetIAC && p.Telnet:
			dst = append(dst, telnetIAC, telnetIAC)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// isControl tells the ASCII control characters. Those of Latin-1 are not among
// them: their bytes are parts of UTF-8 letters.
func isControl(c byte) bool { return c < ' ' || c == 0x7f }

// Quote puts a name between double quotes, doubling those within, as 257 wants
// it (RFC 959 Appendix II).
func Quote(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}
