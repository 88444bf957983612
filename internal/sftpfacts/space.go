package sftpfacts

import (
	"ferry"
	"ferry/internal/sftpwire"
	"math"
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

// SpaceOf is what statvfs@openssh.com tells, the other way round.
func SpaceOf(s *sftpwire.StatvfsReply) ferry.Space {
	return ferry.Space{
		Total: product(s.Blocks, s.Frsize), Free: product(s.Bfree, s.Frsize), Available: product(s.Bavail, s.Frsize),
		Files: s.Files, FilesFree: s.Ffree, FilesAvail: s.Favail,
		BlockSize: uint32(min(s.Frsize, math.MaxUint32)), MaxName: uint32(min(s.Namemax, math.MaxUint32)),
		ReadOnly: s.Flag&sftpwire.StatvfsReadOnly != 0,
	}
}

// product is a times b, or the most there is.
func product(a, b uint64) uint64 {
	if b != 0 && a > math.MaxUint64/b {
		return math.MaxUint64
	}
	return a * b
}
