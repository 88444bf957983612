package beneath

import (
	"encoding/binary"
	"io/fs"

	"golang.org/x/sys/unix"
)

// NewMode is the mode of a file or directory that is made in dir with perm: as
// for open(2), a default ACL of the directory decides, and the umask elsewhere.
func (r *Root) NewMode(dir int, perm fs.FileMode, umask uint32) uint32 {
	mode := KernelMode(perm)
	acl := make([]byte, 1024)
	n := -1
	if r.proc {
		_ = r.call(func() (err error) { // or the umask decides
			n, err = unix.Getxattr(ProcPath(dir), "system.posix_acl_default", acl)
			return err
		})
	}
	if n < 0 {
		return mode &^ umask
	}
	return mode & (^uint32(0o777) | allowed(acl[:n]))
}

// The layout of an ACL as an extended attribute: a version in 4 bytes, then
// entries of a tag (2 bytes), a permission (2) and an id (4), little-endian.
const (
	aclHeader = 4
	aclEntry  = 8
	aclUser   = 0x01 // the owner
	aclGroup  = 0x04 // the owning group
	aclMask   = 0x10
	aclOther  = 0x20
)

// allowed gives the permission bits that an ACL leaves.
func allowed(acl []byte) uint32 {
	var user, group, other, mask uint32
	masked := false
	for at := aclHeader; at+aclEntry <= len(acl); at += aclEntry {
		perm := uint32(binary.LittleEndian.Uint16(acl[at+2:])) & 7
		switch binary.LittleEndian.Uint16(acl[at:]) {
		case aclUser:
			user = perm
		case aclGroup:
			group = perm
		case aclOther:
			other = perm
		case aclMask:
			mask, masked = perm, true
		}
	}
	if masked {
		group = mask
	}
	return user<<6 | group<<3 | other
}
