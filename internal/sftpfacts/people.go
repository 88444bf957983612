package sftpfacts

import (
	"strconv"

	"ferry"
	"ferry/internal/sftpwire"
)

// People gives the names of those whom files belong to. Each function gives the name
// for a number, "" where there is none; nil: there are no names.
type People struct {
	Owner, Group func(id uint32) string
}

// Long is i for a line as of ls -l; who has no name is shown by number.
func (p People) Long(i ferry.Info) sftpwire.Long {
	return sftpwire.Long{
		Name: i.Name, Mode: i.Mode, Links: i.Links, Size: i.Size, Modified: i.ModTime,
		Owner: nameOrNumber(p.Owner, i.UID), Group: nameOrNumber(p.Group, i.GID),
	}
}

func nameOrNumber(names func(uint32) string, id uint32) string {
	if names != nil {
		if name := names(id); name != "" {
			return name
		}
	}
	return strconv.FormatUint(uint64(id), 10)
}

// UsersGroups answers users-groups-by-id@openssh.com (OpenSSH's PROTOCOL §4.12), with an
// empty name for each that has none.
func (p People) UsersGroups(r *sftpwire.UsersGroups) *sftpwire.UsersGroupsReply {
	return &sftpwire.UsersGroupsReply{Users: namesOf(p.Owner, r.UIDs), Groups: namesOf(p.Group, r.GIDs)}
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
