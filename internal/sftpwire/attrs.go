package sftpwire

import (
	"io/fs"
	"math"
	"time"
)

// AttrFlags say which attributes are there (draft-02 §5).
type AttrFlags uint32

// The flags of version 3.
const (
	AttrSize     AttrFlags = 1 << 0
	AttrOwner    AttrFlags = 1 << 1 // UID and GID
	AttrMode     AttrFlags = 1 << 2
	AttrTimes    AttrFlags = 1 << 3 // Access and Modified
	AttrExtended AttrFlags = 1 << 31
)

// Attrs are the attributes of a file; what Flags does not name is not there.
// Flags that version 3 does not know are ignored, as OpenSSH does.
type Attrs struct {
	Flags    AttrFlags
	Size     uint64 // bytes
	UID, GID uint32
	Mode     uint32 // as st_mode of POSIX: type and permission bits
	Access   uint32 // seconds since 1970
	Modified uint32 // seconds since 1970
	Extended []Extension
}

func (c *codec) attrs(a *Attrs) {
	c.u32((*uint32)(&a.Flags))
	if a.Flags&AttrSize != 0 {
		c.u64(&a.Size)
	}
	if a.Flags&AttrOwner != 0 {
		c.u32(&a.UID)
		c.u32(&a.GID)
	}
	if a.Flags&AttrMode != 0 {
		c.u32(&a.Mode)
	}
	if a.Flags&AttrTimes != 0 {
		c.u32(&a.Access)
		c.u32(&a.Modified)
	}
	if a.Flags&AttrExtended != 0 {
		c.counted(&a.Extended)
	}
}

// counted are extensions after their number.
func (c *codec) counted(v *[]Extension) {
	n := uint32(len(*v))
	c.u32(&n)
	if !c.reading {
		c.pairs(v)
		return
	}
	for ; n > 0 && c.err == nil; n-- {
		var e Extension
		if c.pair(&e); c.err == nil {
			*v = append(*v, e)
		}
	}
}

// Seconds is t as attributes have it; what they cannot say is the nearest they
// can.
func Seconds(t time.Time) uint32 {
	return uint32(min(max(t.Unix(), 0), math.MaxUint32))
}

// Time is the way back.
func Time(seconds uint32) time.Time { return time.Unix(int64(seconds), 0) }

// Type bits of a POSIX mode.
const (
	modeType    = 0o170000
	modeSocket  = 0o140000
	modeLink    = 0o120000
	modeRegular = 0o100000
	modeBlock   = 0o060000
	modeDir     = 0o040000
	modeChar    = 0o020000
	modePipe    = 0o010000

	modeSetuid = 0o4000
	modeSetgid = 0o2000
	modeSticky = 0o1000
)

// PosixMode makes a mode of the protocol's.
func PosixMode(m fs.FileMode) uint32 {
	mode := uint32(m.Perm()) | posixType(m)
	if m&fs.ModeSetuid != 0 {
		mode |= modeSetuid
	}
	if m&fs.ModeSetgid != 0 {
		mode |= modeSetgid
	}
	if m&fs.ModeSticky != 0 {
		mode |= modeSticky
	}
	return mode
}

func posixType(m fs.FileMode) uint32 {
	switch {
	case m.IsRegular():
		return modeRegular
	case m.IsDir():
		return modeDir
	case m&fs.ModeSymlink != 0:
		return modeLink
	case m&fs.ModeNamedPipe != 0:
		return modePipe
	case m&fs.ModeSocket != 0:
		return modeSocket
	case m&fs.ModeCharDevice != 0:
		return modeChar
	case m&fs.ModeDevice != 0:
		return modeBlock
	}
	return 0
}

// FileMode is the way back. Without type bits it is a regular file's.
func FileMode(mode uint32) fs.FileMode {
	m := fs.FileMode(mode & 0o777)
	if mode&modeSetuid != 0 {
		m |= fs.ModeSetuid
	}
	if mode&modeSetgid != 0 {
		m |= fs.ModeSetgid
	}
	if mode&modeSticky != 0 {
		m |= fs.ModeSticky
	}
	switch mode & modeType {
	case 0, modeRegular:
		return m
	case modeDir:
		return m | fs.ModeDir
	case modeLink:
		return m | fs.ModeSymlink
	case modePipe:
		return m | fs.ModeNamedPipe
	case modeSocket:
		return m | fs.ModeSocket
	case modeChar:
		return m | fs.ModeDevice | fs.ModeCharDevice
	case modeBlock:
		return m | fs.ModeDevice
	}
	return m | fs.ModeIrregular
}
