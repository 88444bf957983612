package sftpwire

import "encoding/binary"

// OpenFlags say what a file is opened for (draft-02 §6.3).
type OpenFlags uint32

// The flags of version 3.
const (
	OpenRead OpenFlags = 1 << iota
	OpenWrite
	OpenAppend // writes go to the end, wherever they say
	OpenCreate
	OpenTruncate
	OpenExclusive // with OpenCreate: fail where the name exists
)

// Open asks for a handle of a file (§6.3). Attrs are those of a new one.
type Open struct {
	Name  string
	Flags OpenFlags
	Attrs Attrs
}

// Type is TypeOpen.
func (*Open) Type() Type { return TypeOpen }

func (r *Open) fields(c *codec) {
	c.str(&r.Name)
	c.u32((*uint32)(&r.Flags))
	c.attrs(&r.Attrs)
}

// Close gives a handle back (§6.3).
type Close struct{ Handle string }

// Type is TypeClose.
func (*Close) Type() Type { return TypeClose }

func (r *Close) fields(c *codec) { c.str(&r.Handle) }

// Read asks for up to Length bytes from Offset on (§6.4).
type Read struct {
	Handle string
	Offset uint64
	Length uint32
}

// Type is TypeRead.
func (*Read) Type() Type { return TypeRead }

func (r *Read) fields(c *codec) {
	c.str(&r.Handle)
	c.u64(&r.Offset)
	c.u32(&r.Length)
}

// Write brings bytes for Offset on (§6.4).
type Write struct {
	Handle string
	Offset uint64
	Data   []byte
}

// Type is TypeWrite.
func (*Write) Type() Type { return TypeWrite }

func (r *Write) fields(c *codec) {
	c.str(&r.Handle)
	c.u64(&r.Offset)
	c.bytes(&r.Data)
}

// Fstat asks for the attributes of an open file (§6.8).
type Fstat struct{ Handle string }

// Type is TypeFstat.
func (*Fstat) Type() Type { return TypeFstat }

func (r *Fstat) fields(c *codec) { c.str(&r.Handle) }

// Fsetstat changes the attributes of an open file (§6.9).
type Fsetstat struct {
	Handle string
	Attrs  Attrs
}

// Type is TypeFsetstat.
func (*Fsetstat) Type() Type { return TypeFsetstat }

func (r *Fsetstat) fields(c *codec) {
	c.str(&r.Handle)
	c.attrs(&r.Attrs)
}

// Handle answers Open and Opendir: what the client calls the file from now on.
type Handle struct{ Handle string }

// Type is TypeHandle.
func (*Handle) Type() Type { return TypeHandle }

func (r *Handle) fields(c *codec) { c.str(&r.Handle) }

// Data answers Read. What is parsed lies in the packet.
type Data struct{ Data []byte }

// Type is TypeData.
func (*Data) Type() Type { return TypeData }

func (r *Data) fields(c *codec) { c.bytes(&r.Data) }

// PutDataHeader makes packet, of which all behind HeaderSize has been filled
// with what was read, a DATA packet: so that a file is read where it is sent.
func PutDataHeader(packet []byte, id uint32) {
	binary.BigEndian.PutUint32(packet, uint32(len(packet)-4))
	packet[4] = byte(TypeData)
	binary.BigEndian.PutUint32(packet[5:], id)
	binary.BigEndian.PutUint32(packet[9:], uint32(len(packet)-HeaderSize))
}
