package daemon

import (
	"golang.org/x/sys/unix"

	"ferry/internal/config"
	"ferry/internal/gate"
)

const (
	// ownDescriptors are for listeners, logs and the database.
	ownDescriptors = 64
	// fewestOpenFiles are what clients may have open however few descriptors there are.
	fewestOpenFiles = 32
)

// openFiles is how many files clients may have open.
func openFiles(conf *config.Config) gate.OpenFiles {
	l := conf.Limits
	o := gate.OpenFiles{Total: l.OpenFiles, PerConnection: l.OpenFilesPer.Connection, PerUser: l.OpenFilesPer.User, PerAddress: l.OpenFilesPer.Address}
	if most := openFilesWithin(descriptors(), l.Sessions); o.Total == 0 || o.Total > most {
		o.Total = most
	}
	return o
}

// descriptors is how many the process may have.
func descriptors() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 1024 // what every system gives
	}
	return int(min(limit.Cur, 1<<30))
}

// openFilesWithin is how many files may be open of so many descriptors, where so many
// sessions are let in (0: any number). A session has two, its connection and a data
// connection, but more than five eighths are not set aside for that; an upload has two as
// well, of its part and of the directory.
func openFilesWithin(descriptors, sessions int) int {
	aside := descriptors * 5 / 8
	if sessions > 0 {
		aside = min(aside, ownDescriptors+2*sessions)
	}
	return max((descriptors-aside)/2, fewestOpenFiles)
}
