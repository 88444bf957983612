package gate

import (
	"math"
	"net/netip"
	"sync"

	"ferry"
)

// OpenFiles bound how many files and directories clients have open at once, whatever
// the protocol: all together, and one connection, user and address (of IPv6, one /64)
// of them. 0: no bound of its own.
//
// Nobody takes the rest of what others want, whatever the numbers are: an address, or
// a user, has at most as many as it leaves free to others, a user at an address as many
// as that leaves free to others there, and a connection as many as it leaves free to the
// other ones of its user. So who comes last finds some, and one client by itself can have
// an eighth of all at least. Anonymous users are told apart by their addresses.
type OpenFiles struct{ Total, PerConnection, PerUser, PerAddress int }

// openFiles counts what is open.
type openFiles struct {
	mu          sync.Mutex
	limits      OpenFiles
	taken       int
	addresses   map[netip.Prefix]int
	users       map[string]int // not anonymous ones
	local       map[localUser]int
	connections map[*Conn]int
}

// localUser is a user at one address.
type localUser struct {
	address netip.Prefix
	user    string
}

func newOpenFiles(l OpenFiles) *openFiles {
	return &openFiles{limits: l, addresses: map[netip.Prefix]int{}, users: map[string]int{}, local: map[localUser]int{}, connections: map[*Conn]int{}}
}

func (o *openFiles) setLimits(l OpenFiles) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.limits = l
}

// take counts one more of s, or says with *ferry.TooManyOpen whose share is used up.
// give takes it back.
func (o *openFiles) take(s *Session) (give func(), err error) {
	where, user := localUser{origin(s.conn.peer.Addr()), s.account.name}, s.account.name
	named := !s.User().Anonymous
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.fits(s.conn, where, named); err != nil {
		return nil, err
	}
	add := func(n int) {
		o.taken += n
		count(o.addresses, where.address, n)
		count(o.local, where, n)
		count(o.connections, s.conn, n)
		if named {
			count(o.users, user, n)
		}
	}
	add(1)
	return sync.OnceFunc(func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		add(-1)
	}), nil
}

func (o *openFiles) fits(c *Conn, where localUser, named bool) error {
	free := math.MaxInt / 4
	if o.limits.Total > 0 {
		free = o.limits.Total - o.taken
	}
	if free <= 0 {
		return &ferry.TooManyOpen{Open: o.taken, Whose: "the server"}
	}
	atAddress := shareOf(o.limits.PerAddress, o.addresses[where.address], free)
	if atAddress <= 0 {
		return &ferry.TooManyOpen{Open: o.addresses[where.address], Whose: "this address"}
	}
	ofUser := shareOf(0, o.local[where], atAddress)
	if named {
		ofUser = min(ofUser, shareOf(o.limits.PerUser, o.users[where.user], free))
	}
	if ofUser <= 0 {
		return &ferry.TooManyOpen{Open: max(o.users[where.user], o.local[where]), Whose: "this user"}
	}
	if shareOf(o.limits.PerConnection, o.connections[c], ofUser) <= 0 {
		return &ferry.TooManyOpen{Open: o.connections[c], Whose: "this connection"}
	}
	return nil
}

// shareOf is how many more somebody may have who has so many, where that many are free
// to all: until no more are free than it has, and within a limit (0: none).
func shareOf(limit, has, free int) int {
	more := (free - has + 1) / 2
	if limit > 0 {
		more = min(more, limit-has)
	}
	return more
}

// count adds n at key, of which nothing is left where that makes 0.
func count[K comparable](in map[K]int, key K, n int) {
	if in[key] += n; in[key] == 0 {
		delete(in, key)
	}
}

// OfOne is how many one connection can have where there is no other; 0: no bound.
func (l OpenFiles) OfOne() int {
	switch all := (l.Total + 7) / 8; {
	case all == 0:
		return l.PerConnection
	case l.PerConnection == 0:
		return all
	default:
		return min(all, l.PerConnection)
	}
}
