package sysuser

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// entry is a line of passwd(5).
type entry struct {
	name, password string
	uid, gid       uint32
	home, shell    string
}

// parsePasswd reads a line; the error says what is wrong without quoting it, for there
// may be a password in it.
func parsePasswd(line string) (entry, error) {
	f := strings.Split(line, ":")
	if len(f) != 7 {
		return entry{}, fmt.Errorf("has %d fields, not 7", len(f))
	}
	uid, err := parseID(f[2])
	if err != nil {
		return entry{}, fmt.Errorf("user ID %w", err)
	}
	gid, err := parseID(f[3])
	if err != nil {
		return entry{}, fmt.Errorf("group ID %w", err)
	}
	return entry{f[0], f[1], uid, gid, f[5], f[6]}, nil
}

// parseID reads a user or group ID. The highest number means "leave it" to the system
// calls that set one, so nobody may have it.
func parseID(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n == math.MaxUint32 || s != strconv.FormatUint(n, 10) {
		return 0, fmt.Errorf("%.20q is none", s)
	}
	return uint32(n), nil
}

// group is a line of group(5).
type group struct {
	name    string
	gid     uint32
	members []string
}

func parseGroup(line string) (group, error) {
	f := strings.Split(line, ":")
	if len(f) != 4 {
		return group{}, fmt.Errorf("has %d fields, not 4", len(f))
	}
	gid, err := parseID(f[2])
	if err != nil {
		return group{}, fmt.Errorf("group ID %w", err)
	}
	g := group{name: f[0], gid: gid}
	if f[3] != "" {
		g.members = strings.Split(f[3], ",")
	}
	return g, nil
}
