package ftpcontrol

import (
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
)

// UseCharset sets the encoding of names and replies; "" is UTF-8, or whatever bytes
// they are, and so is a name that is not known, with an error. In an 8-bit charset the
// byte 255 is a letter and no Telnet command.
func (c *Conn) UseCharset(name string) (err error) {
	c.charset = nil
	if name != "" && !strings.EqualFold(name, "utf-8") {
		c.charset, err = htmlindex.Get(name)
	}
	c.in.SetTelnet(c.charset == nil)
	return err
}

// Encoder makes names what the client reads; nil: they are that already. Letters that
// the charset has not become byte 26.
func (c *Conn) Encoder() *encoding.Encoder {
	if c.charset == nil {
		return nil
	}
	return encoding.ReplaceUnsupported(c.charset.NewEncoder())
}

// Decode makes what the client sent UTF-8.
func (c *Conn) Decode(s string) string {
	if c.charset == nil || s == "" {
		return s
	}
	out, err := c.charset.NewDecoder().String(s)
	if err != nil {
		return s
	}
	return out
}

// encode is the other way round. Letters that the charset has not become a question
// mark.
func (c *Conn) encode(s string) string {
	if c.charset == nil {
		return s
	}
	out, err := c.Encoder().String(s)
	if err != nil {
		return s
	}
	return strings.ReplaceAll(out, "\x1a", "?") // what x/text writes for them
}
