// Package sftpfacts says what ferry knows of files and storages in the words of SFTP, and
// the other way round: attributes (draft-ietf-secsh-filexfer-02 §5), and how much room
// there is, for statvfs@openssh.com (OpenSSH's PROTOCOL §4.4) and for space-available
// (draft-ietf-secsh-filexfer-extensions-00 §4); and by what names the people go whom
// files belong to; and errors (draft-02 §7).
package sftpfacts

import (
	"io/fs"
	"math"

	"ferry"
	"ferry/internal/sftpwire"
)

// Attrs is i as ATTRS (draft-02 §5). Where the storage knows no time of access, it is
// that of the last change.
func Attrs(i ferry.Info) sftpwire.Attrs {
	access := i.Access
	if access.IsZero() {
		access = i.ModTime
	}
	return sftpwire.Attrs{
		Flags:    sftpwire.AttrSize | sftpwire.AttrOwner | sftpwire.AttrMode | sftpwire.AttrTimes,
		Size:     uint64(max(i.Size, 0)),
		UID:      i.UID,
		GID:      i.GID,
		Mode:     sftpwire.PosixMode(i.Mode),
		Access:   sftpwire.Seconds(access),
		Modified: sftpwire.Seconds(i.ModTime),
	}
}

// Changes is what a client wants to be changed. Extended attributes are
// ignored, as the draft has it (§5). fs.ErrInvalid: no file has such a size.
func Changes(a sftpwire.Attrs) (ferry.Attr, error) {
	var changes ferry.Attr
	if a.Flags&sftpwire.AttrSize != 0 {
		if a.Size > math.MaxInt64 {
			return changes, fs.ErrInvalid
		}
		size := int64(a.Size)
		changes.Size = &size
	}
	if a.Flags&sftpwire.AttrOwner != 0 {
		changes.UID, changes.GID = &a.UID, &a.GID
	}
	if a.Flags&sftpwire.AttrMode != 0 {
		mode := sftpwire.FileMode(a.Mode) &^ fs.ModeType
		changes.Mode = &mode
	}
	if a.Flags&sftpwire.AttrTimes != 0 {
		access, modified := sftpwire.Time(a.Access), sftpwire.Time(a.Modified)
		changes.Access, changes.ModTime = &access, &modified
	}
	return changes, nil
}

// Perm is the permission that a client wants a new file to have; nil: it did
// not say.
func Perm(a sftpwire.Attrs) *fs.FileMode {
	if a.Flags&sftpwire.AttrMode == 0 {
		return nil
	}
	return new(sftpwire.FileMode(a.Mode) &^ fs.ModeType)
}
