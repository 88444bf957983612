package sftpserver

import (
	"ferry"
	"ferry/internal/sftpfacts"
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
	return answer{reply: sftpfacts.Statvfs(s)}
}

// spaceAvailable is space-available (draft-ietf-secsh-filexfer-extensions-00 §4).
func (c *session) spaceAvailable(name ferry.Name) answer {
	s, err := c.cfg.FS.Space(c.ctx, name)
	if err != nil {
		return c.failed("space-available", name, err)
	}
	return answer{reply: sftpfacts.Space(s)}
}

// limits is limits@openssh.com.
func (c *session) limits() answer {
	return answer{reply: &sftpwire.LimitsReply{
		Packet: sftpwire.MaxPacket, Read: sftpwire.MaxData, Write: sftpwire.MaxData, Handles: uint64(c.cfg.Handles),
	}}
}

// usersGroups is users-groups-by-id@openssh.com.
func (c *session) usersGroups(r *sftpwire.UsersGroups) answer {
	return answer{reply: c.people().UsersGroups(r)}
}

// people are the names of those whom files belong to.
func (c *session) people() sftpfacts.People {
	return sftpfacts.People{Owner: c.cfg.Owner, Group: c.cfg.Group}
}
