package sftpwire

import (
	"encoding/binary"
	"errors"
)

// Sizes in bytes, as OpenSSH has them: a client that asks for no limits
// (limits@openssh.com) may count on what OpenSSH takes.
const (
	// MaxPacket is the longest packet that is announced, its length apart.
	MaxPacket = 256 << 10
	// MaxData is the most that one READ gives and one WRITE should bring.
	MaxData = MaxPacket - 1024
	// Slack is by how much a packet may be longer than MaxPacket: some
	// clients put 256 KiB of data into a WRITE.
	Slack = 1024
	// HeaderSize is what comes before the data in a DATA packet.
	HeaderSize = 4 + 1 + 4 + 4
)

// What is wrong with a packet. StatusOf has the code to answer.
var (
	ErrLength  = errors.New("packet length out of bounds")
	ErrShort   = errors.New("packet is shorter than what it should hold")
	ErrLong    = errors.New("packet is longer than what it should hold")
	ErrUnknown = errors.New("packet of an unknown type")
	// ErrNoID: there is not even a request number, so there is no answer.
	ErrNoID = errors.New("packet without a request number")
)

// StatusOf is the code that answers a request which could not be read.
func StatusOf(err error) Code {
	if errors.Is(err, ErrUnknown) {
		return OpUnsupported
	}
	return BadMessage
}

// Type is the first byte of a packet (draft-02 §3).
type Type byte

// The types of version 3.
const (
	TypeInit          Type = 1
	TypeVersion       Type = 2
	TypeOpen          Type = 3
	TypeClose         Type = 4
	TypeRead          Type = 5
	TypeWrite         Type = 6
	TypeLstat         Type = 7
	TypeFstat         Type = 8
	TypeSetstat       Type = 9
	TypeFsetstat      Type = 10
	TypeOpendir       Type = 11
	TypeReaddir       Type = 12
	TypeRemove        Type = 13
	TypeMkdir         Type = 14
	TypeRmdir         Type = 15
	TypeRealpath      Type = 16
	TypeStat          Type = 17
	TypeRename        Type = 18
	TypeReadlink      Type = 19
	TypeSymlink       Type = 20
	TypeStatus        Type = 101
	TypeHandle        Type = 102
	TypeData          Type = 103
	TypeName          Type = 104
	TypeAttrs         Type = 105
	TypeExtended      Type = 200
	TypeExtendedReply Type = 201
)

// Length reads the length that begins a packet: of all that follows it. Zero,
// and more than MaxPacket and Slack, is ErrLength.
func Length(header [4]byte) (int, error) {
	n := binary.BigEndian.Uint32(header[:])
	if n == 0 || n > MaxPacket+Slack {
		return 0, ErrLength
	}
	return int(n), nil
}

// Request is a packet of a client's, INIT apart. The types in this package are
// all there are.
type Request interface {
	Type() Type
	fields(c *codec)
}

// Reply is a packet of a server's, VERSION apart.
type Reply interface {
	Type() Type
	fields(c *codec)
}

// AppendRequest appends the whole packet of r.
func AppendRequest(dst []byte, id uint32, r Request) []byte {
	return appendPacket(dst, r.Type(), id, func(c *codec) {
		if e, ok := r.(extended); ok {
			name := e.extension()
			c.str(&name)
		}
		r.fields(c)
	})
}

// AppendReply appends the whole packet of r.
func AppendReply(dst []byte, id uint32, r Reply) []byte {
	return appendPacket(dst, r.Type(), id, r.fields)
}

func appendPacket(dst []byte, t Type, id uint32, fields func(*codec)) []byte {
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0, byte(t))
	c := codec{buf: binary.BigEndian.AppendUint32(dst, id)}
	fields(&c)
	return seal(c.buf, start)
}

// seal writes the length of the packet that begins at start and ends with dst.
func seal(dst []byte, start int) []byte {
	binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start-4))
	return dst
}

// ParseRequest reads a packet, without its length. The id is good also where
// err is not nil, but for ErrNoID. What Write brings lies in the packet, all
// else is copied.
//
// Bytes behind the last field are ignored, as OpenSSH's server does: clients
// built on pkg/sftp before 1.13.6 (rclone 1.60 in Debian 12 is one) send their
// whole buffer in a WRITE whose data say that they are shorter.
func ParseRequest(packet []byte) (id uint32, r Request, err error) {
	if len(packet) < 5 {
		return 0, nil, ErrNoID
	}
	t := Type(packet[0])
	c := codec{reading: true, buf: packet[1:]}
	c.u32(&id)
	if t == TypeExtended {
		var name string
		if c.str(&name); c.err != nil {
			return id, nil, c.err
		}
		r = newExtended(name)
	} else {
		r = newRequest(t)
	}
	if r == nil {
		return id, nil, ErrUnknown
	}
	r.fields(&c)
	return id, r, c.err
}

// ParseReply reads a packet, without its length. What an extension answers is
// read in a second step, by Parse of ExtendedReply.
func ParseReply(packet []byte) (id uint32, r Reply, err error) {
	if len(packet) < 5 {
		return 0, nil, ErrNoID
	}
	c := codec{reading: true, buf: packet[1:]}
	c.u32(&id)
	if r = newReply(Type(packet[0])); r == nil {
		return id, nil, ErrUnknown
	}
	r.fields(&c)
	return id, r, c.end()
}

func newRequest(t Type) Request {
	switch t {
	case TypeOpen:
		return new(Open)
	case TypeClose:
		return new(Close)
	case TypeRead:
		return new(Read)
	case TypeWrite:
		return new(Write)
	case TypeLstat:
		return new(Lstat)
	case TypeFstat:
		return new(Fstat)
	case TypeSetstat:
		return new(Setstat)
	case TypeFsetstat:
		return new(Fsetstat)
	case TypeOpendir:
		return new(Opendir)
	case TypeReaddir:
		return new(Readdir)
	case TypeRemove:
		return new(Remove)
	case TypeMkdir:
		return new(Mkdir)
	case TypeRmdir:
		return new(Rmdir)
	case TypeRealpath:
		return new(Realpath)
	case TypeStat:
		return new(Stat)
	case TypeRename:
		return new(Rename)
	case TypeReadlink:
		return new(Readlink)
	case TypeSymlink:
		return new(Symlink)
	}
	return nil
}

func newReply(t Type) Reply {
	switch t {
	case TypeStatus:
		return new(Status)
	case TypeHandle:
		return new(Handle)
	case TypeData:
		return new(Data)
	case TypeName:
		return new(Names)
	case TypeAttrs:
		return new(AttrsReply)
	case TypeExtendedReply:
		return new(ExtendedReply)
	}
	return nil
}
