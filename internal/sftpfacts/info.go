package sftpfacts

import (
	"math"
	"time"

	"ferry"
	"ferry/internal/sftpwire"
)

// Info describes what has the attributes a.
func Info(name string, a sftpwire.Attrs) ferry.Info {
	i := ferry.Info{
		Name: name,
		Size: int64(min(a.Size, math.MaxInt64)),
		Mode: sftpwire.FileMode(a.Mode),
		UID:  a.UID,
		GID:  a.GID,
	}
	if a.Flags&sftpwire.AttrTimes != 0 {
		i.ModTime, i.Access = sftpwire.Time(a.Modified), sftpwire.Time(a.Access)
	}
	return i
}

// ToSet are the attributes that changes has; those that version 3 can only
// set together are completed from now.
func ToSet(changes ferry.Attr, now sftpwire.Attrs) sftpwire.Attrs {
	a := sftpwire.Attrs{UID: now.UID, GID: now.GID, Access: now.Access, Modified: now.Modified}
	if changes.Size != nil {
		a.Flags |= sftpwire.AttrSize
		a.Size = uint64(*changes.Size)
	}
	if changes.Mode != nil {
		a.Flags |= sftpwire.AttrMode
		a.Mode = sftpwire.PosixMode(*changes.Mode) & 0o7777
	}
	a.Flags |= set(&a.UID, changes.UID, sftpwire.AttrOwner) | set(&a.GID, changes.GID, sftpwire.AttrOwner)
	a.Flags |= setTime(&a.Access, changes.Access) | setTime(&a.Modified, changes.ModTime)
	return a
}

func set(to, from *uint32, flag sftpwire.AttrFlags) sftpwire.AttrFlags {
	if from == nil {
		return 0
	}
	*to = *from
	return flag
}

func setTime(to *uint32, from *time.Time) sftpwire.AttrFlags {
	if from == nil {
		return 0
	}
	*to = sftpwire.Seconds(*from)
	return sftpwire.AttrTimes
}

// Halves tells whether changes has one of two attributes that version 3 can
// only set together.
func Halves(changes ferry.Attr) bool {
	return (changes.UID == nil) != (changes.GID == nil) || (changes.Access == nil) != (changes.ModTime == nil)
}
