package sftpserver

import (
	"ferry"
	"ferry/internal/sftpwire"
)

// fstatvfs is fstatvfs@openssh.com. A file that is not published yet has no
// name, but its directory has.
func (c *session) fstatvfs(f *file) answer { return c.statvfs(c.files.nameOf(f).Dir()) }

// statvfs is statvfs@openssh.com.
func (c *session) statvfs(name ferry.Name) answer {
	s, err := c.cfg.FS.Space(c.ctx, name)
	if err != nil {
		return c.failed("statvfs", name, err)
	}
	return answer{reply: statvfsOf(s)}
}

func statvfsOf(s ferry.Space) *sftpwire.StatvfsReply {
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

// spaceAvailable is space-available (draft-ietf-secsh-filexfer-extensions-00 §4).
func (c *session) spaceAvailable(name ferry.Name) answer {
	s, err := c.cfg.FS.Space(c.ctx, name)
	if err != nil {
		return c.failed("space-available", name, err)
	}
	return answer{reply: &sftpwire.SpaceReply{
		Total: s.Total, Unused: s.Free,
		UserTotal: s.Total - (s.Free - s.Available), UserUnused: s.Available,
		Unit: uint32(blockSize(s)),
	}}
}

// limits is limits@openssh.com.
func (c *session) limits() answer {
	return answer{reply: &sftpwire.LimitsReply{
		Packet: sftpwire.MaxPacket, Read: sftpwire.MaxData, Write: sftpwire.MaxData, Handles: uint64(c.cfg.Handles),
	}}
}

// usersGroups is users-groups-by-id@openssh.com.
func (c *session) usersGroups(r *sftpwire.UsersGroups) answer {
	return answer{reply: &sftpwire.UsersGroupsReply{Users: namesOf(c.cfg.Owner, r.UIDs), Groups: namesOf(c.cfg.Group, r.GIDs)}}
}

func namesOf(names func(uint32) string, ids []uint32) []string {
	all := make([]string, len(ids))
	for i, id := range ids {
		if names != nil {
			all[i] = names(id)
		}
	}
	return all
}
