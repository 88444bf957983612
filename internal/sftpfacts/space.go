package sftpfacts

import (
	"ferry"
	"ferry/internal/sftpwire"
)

// Statvfs is s for statvfs@openssh.com: in blocks, with the flags of statvfs(3).
func Statvfs(s ferry.Space) *sftpwire.StatvfsReply {
	unit := blockSize(s)
	r := &sftpwire.StatvfsReply{
		Bsize: unit, Frsize: unit,
		Blocks: s.Total / unit, Bfree: s.Free / unit, Bavail: s.Available / unit,
		Files: s.Files, Ffree: s.FilesFree, Favail: s.FilesAvail,
		Flag: sftpwire.StatvfsNoSetuid, Namemax: uint64(s.MaxName),
	}
	if s.ReadOnly {
		r.Flag |= sftpwire.StatvfsReadOnly
	}
	return r
}

// blockSize is in what sizes are counted; 4 KiB where the storage has none.
func blockSize(s ferry.Space) uint64 {
	if s.BlockSize == 0 {
		return 4096
	}
	return uint64(s.BlockSize)
}

// Space is s for space-available: in bytes, of the whole storage and of what the user
// may have of it.
func Space(s ferry.Space) *sftpwire.SpaceReply {
	return &sftpwire.SpaceReply{
		Total: s.Total, Unused: s.Free,
		UserTotal: s.Total - (s.Free - s.Available), UserUnused: s.Available,
		Unit: uint32(blockSize(s)),
	}
}
