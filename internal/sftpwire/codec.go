package sftpwire

import "encoding/binary"

// codec goes over the fields of a packet in their order and either reads them
// from the front of buf or appends them to it. The first error stays.
type codec struct {
	reading bool
	buf     []byte
	err     error
}

// take gives the next n bytes that are read.
func (c *codec) take(n int) []byte {
	if c.err != nil {
		return nil
	}
	if n > len(c.buf) {
		c.err = ErrShort
		return nil
	}
	p := c.buf[:n:n]
	c.buf = c.buf[n:]
	return p
}

func (c *codec) bool(v *bool) {
	if !c.reading {
		b := byte(0)
		if *v {
			b = 1
		}
		c.buf = append(c.buf, b)
	} else if p := c.take(1); p != nil {
		*v = p[0] != 0
	}
}

func (c *codec) u32(v *uint32) {
	if !c.reading {
		c.buf = binary.BigEndian.AppendUint32(c.buf, *v)
	} else if p := c.take(4); p != nil {
		*v = binary.BigEndian.Uint32(p)
	}
}

func (c *codec) u64(v *uint64) {
	if !c.reading {
		c.buf = binary.BigEndian.AppendUint64(c.buf, *v)
	} else if p := c.take(8); p != nil {
		*v = binary.BigEndian.Uint64(p)
	}
}

// bytes is a string of the protocol: its length, then that many bytes. What is
// read lies in the packet.
func (c *codec) bytes(v *[]byte) {
	if !c.reading {
		c.buf = binary.BigEndian.AppendUint32(c.buf, uint32(len(*v)))
		c.buf = append(c.buf, *v...)
		return
	}
	var n uint32
	c.u32(&n)
	if c.err == nil && uint64(n) > uint64(len(c.buf)) {
		c.err = ErrShort
	}
	*v = c.take(int(n))
}

// str is bytes with a copy of its own.
func (c *codec) str(v *string) {
	if !c.reading {
		c.buf = appendString(c.buf, *v)
		return
	}
	var p []byte
	c.bytes(&p)
	*v = string(p)
}

// tail is whatever is left of the packet.
func (c *codec) tail(v *[]byte) {
	if !c.reading {
		c.buf = append(c.buf, *v...)
		return
	}
	*v = c.take(len(c.buf))
}

// pairs are extensions, up to the packet's end.
func (c *codec) pairs(v *[]Extension) {
	if !c.reading {
		for i := range *v {
			c.pair(&(*v)[i])
		}
		return
	}
	for c.err == nil && len(c.buf) > 0 {
		var e Extension
		if c.pair(&e); c.err == nil {
			*v = append(*v, e)
		}
	}
}

func (c *codec) pair(e *Extension) {
	c.str(&e.Name)
	c.str(&e.Data)
}

// ids are numbers, in a string of the protocol.
func (c *codec) ids(v *[]uint32) {
	if !c.reading {
		c.buf = binary.BigEndian.AppendUint32(c.buf, uint32(4*len(*v)))
		for _, id := range *v {
			c.buf = binary.BigEndian.AppendUint32(c.buf, id)
		}
		return
	}
	var p []byte
	if c.bytes(&p); c.err == nil && len(p)%4 != 0 {
		c.err = ErrShort
	}
	for ; c.err == nil && len(p) > 0; p = p[4:] {
		*v = append(*v, binary.BigEndian.Uint32(p))
	}
}

// strs are strings, in a string of the protocol.
func (c *codec) strs(v *[]string) {
	inner := codec{reading: c.reading}
	if !c.reading {
		for _, s := range *v {
			inner.str(&s)
		}
		c.bytes(&inner.buf)
		return
	}
	c.bytes(&inner.buf)
	for c.err == nil && len(inner.buf) > 0 {
		var s string
		inner.str(&s)
		*v, c.err = append(*v, s), inner.err
	}
}

// end is where nothing more may follow.
func (c *codec) end() error {
	if c.err == nil && len(c.buf) > 0 {
		c.err = ErrLong
	}
	return c.err
}

func appendString(dst []byte, s string) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(s)))
	return append(dst, s...)
}
