package privilege

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// Set is a set of capabilities, a bit each as in /proc/PID/status.
type Set uint64

// Of is the set of those.
func Of(capabilities ...uint) Set {
	var s Set
	for _, c := range capabilities {
		s |= 1 << c
	}
	return s
}

// Has tells whether the capability c is in the set.
func (s Set) Has(c uint) bool { return s&(1<<c) != 0 }

// String names them, as capabilities(7) does, as far as a server needs them.
func (s Set) String() string {
	names := []struct {
		c    uint
		name string
	}{
		{unix.CAP_CHOWN, "CAP_CHOWN"}, {unix.CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE"}, {unix.CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH"},
		{unix.CAP_FOWNER, "CAP_FOWNER"}, {unix.CAP_FSETID, "CAP_FSETID"}, {unix.CAP_SETGID, "CAP_SETGID"}, {unix.CAP_SETUID, "CAP_SETUID"},
		{unix.CAP_NET_BIND_SERVICE, "CAP_NET_BIND_SERVICE"},
	}
	var said []string
	for _, n := range names {
		if s.Has(n.c) {
			said = append(said, n.name)
			s &^= 1 << n.c
		}
	}
	if s != 0 {
		said = append(said, fmt.Sprintf("%#x", uint64(s)))
	}
	if len(said) == 0 {
		return "none"
	}
	return strings.Join(said, " ")
}

// Permitted are the capabilities that the process has, or can take.
func Permitted() (Set, error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return 0, fmt.Errorf("cannot ask for the capabilities of the process: %w", err)
	}
	return Set(data[0].Permitted) | Set(data[1].Permitted)<<32, nil
}
