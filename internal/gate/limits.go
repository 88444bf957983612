package gate

import (
	"net/netip"
	"time"
)

// Limits are those of everybody together and of one address; a user's own are
// in ferry.User. Of the counts and rates, 0 means no limit. Of a time, 0 means
// the default, and less than 0 none at all.
type Limits struct {
	Sessions   int // connections in all
	PerAddress int // connections from one address; of IPv6, from one /64

	BeforeLogin BeforeLogin // of those, the ones that nobody has logged in on

	OpenFiles OpenFiles // at once

	Upload   int64 // bytes a second, everybody together
	Download int64 // bytes a second, everybody together

	MaxFails  int           // failed logins before a connection must close; default 3
	FailDelay time.Duration // before a failed login is answered; default 5 s

	// BanAfter failures (logins and offences) from one address within
	// BanWindow (default 10 min) shut it out for BanFor (default 10 min);
	// 0: never. Networks in NeverBan are spared.
	BanAfter  int
	BanWindow time.Duration
	BanFor    time.Duration
	NeverBan  []netip.Prefix

	// Stall is how long a transfer may move no byte before it ends with
	// ferry.ErrStalled; default 5 min.
	Stall time.Duration
}

// WithDefaults is l with the defaults where l says nothing.
func (l Limits) WithDefaults() Limits {
	if l.MaxFails <= 0 {
		l.MaxFails = 3
	}
	l.FailDelay = orDefault(l.FailDelay, 5*time.Second)
	l.BanWindow = orDefault(l.BanWindow, 10*time.Minute)
	l.BanFor = orDefault(l.BanFor, 10*time.Minute)
	l.Stall = orDefault(l.Stall, 5*time.Minute)
	return l
}

func orDefault(d, def time.Duration) time.Duration {
	switch {
	case d == 0:
		return def
	case d < 0:
		return 0
	}
	return d
}
