package sftpwire

import "slices"

// Version is the only one that is spoken here.
const Version = 3

// Extension is a pair of strings: in INIT and VERSION an extension that one
// side has and what it says of it, among attributes one that somebody added.
type Extension struct{ Name, Data string }

// Hello is INIT, with which the client begins, and VERSION, which answers it
// (draft-02 §4): the version spoken, and what goes beyond it. It carries no
// request number.
type Hello struct {
	Version    uint32
	Extensions []Extension
}

// Has tells whether the side that said h has the extension that r asks for.
func (h Hello) Has(r Request) bool {
	e, ok := r.(extended)
	return ok && slices.ContainsFunc(h.Extensions, func(x Extension) bool { return x.Name == e.extension() })
}

func (h *Hello) fields(c *codec) {
	c.u32(&h.Version)
	c.pairs(&h.Extensions)
}

// AppendInit appends the packet with which a client begins.
func AppendInit(dst []byte, h Hello) []byte { return appendHello(dst, TypeInit, h) }

// AppendVersion appends the packet that answers INIT.
func AppendVersion(dst []byte, h Hello) []byte { return appendHello(dst, TypeVersion, h) }

func appendHello(dst []byte, t Type, h Hello) []byte {
	start := len(dst)
	c := codec{buf: append(dst, 0, 0, 0, 0, byte(t))}
	h.fields(&c)
	return seal(c.buf, start)
}

// ParseInit reads INIT, without its length; another type is ErrUnknown.
func ParseInit(packet []byte) (Hello, error) { return parseHello(packet, TypeInit) }

// ParseVersion reads VERSION, without its length; another type is ErrUnknown.
func ParseVersion(packet []byte) (Hello, error) { return parseHello(packet, TypeVersion) }

func parseHello(packet []byte, t Type) (h Hello, err error) {
	if len(packet) == 0 || Type(packet[0]) != t {
		return h, ErrUnknown
	}
	c := codec{reading: true, buf: packet[1:]}
	h.fields(&c)
	return h, c.end()
}
