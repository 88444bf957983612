package ftpdata

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"

	"ferry/internal/ftptls"
	"ferry/internal/listen"
)

const (
	// restTime is how long a port is not offered again to a client that never
	// came to it: a late connection must not meet another session.
	restTime = time.Minute
	// shortestRest is the same where the client's address has no other port left.
	shortestRest = 5 * time.Second
	// staleAfter is after what time a port that no transfer waits at may be given
	// to another session of the address, where there is no other.
	staleAfter = 10 * time.Second
	// listenerIdle is how long a listener stays open that nobody waits at.
	listenerIdle = time.Minute
	// maxRecent bounds how many ports a client is not given again at once.
	maxRecent = 64
	// maxPeers bounds what is remembered of clients that wait for nothing.
	maxPeers = 4096
	// maxTries bounds how many ports that other programs hold are passed over
	// for one connection.
	maxTries = 1000
)

// ErrNoPort: every passive port is taken by this very client.
var ErrNoPort = errors.New("no passive port left for this address")

// Network is where data connections come from: TCP, or pipes in scripts.
type Network interface {
	Listen(local netip.AddrPort) (net.Listener, error)
	// Dial connects from local, whose port may be 0 for any. Others may have the
	// same local port.
	Dial(ctx context.Context, local, to netip.AddrPort) (net.Conn, error)
}

// TCPNetwork is the real one. Keep-alives are off: data connections have
// deadlines, and each would cost four system calls. Multipath TCP, which Go
// would listen with, is off: TCP_CORK, TCP_INFO and splice are TCP's.
type TCPNetwork struct {
	// Proxies are the load balancers whose connections begin with a PROXY header, as
	// their control connections do.
	Proxies []netip.Prefix
}

func (n TCPNetwork) Listen(local netip.AddrPort) (net.Listener, error) {
	lc := net.ListenConfig{KeepAlive: -1}
	lc.SetMultipathTCP(false)
	l, err := lc.Listen(context.Background(), "tcp", local.String())
	if err != nil {
		return nil, err
	}
	return listen.Proxy(l, n.Proxies), nil
}

func (TCPNetwork) Dial(ctx context.Context, local, to netip.AddrPort) (net.Conn, error) {
	d := net.Dialer{KeepAlive: -1, LocalAddr: net.TCPAddrFromAddrPort(local)}
	if local.Port() != 0 {
		d.Control = shareLocalPort
	}
	return d.DialContext(ctx, "tcp", to.String())
}

// ports is the shared range of passive ports. One listener waits for several
// clients at once: what arrives is told apart by local address, port and
// peer, so the range runs dry only when a single address wants more ports at
// once than there are. Safe for concurrent use.
type ports struct {
	net         Network
	first, last uint16

	mu        sync.Mutex
	closed    bool
	listeners map[netip.AddrPort]*listener
	peers     map[netip.Addr]*peerPorts
}

// listener is one open passive port at one local address.
type listener struct {
	net.Listener
	awaited map[netip.Addr]*expectation // by peer; the zero address is anybody
	idle    *time.Timer                 // closes it; stopped while somebody waits
}

// peerPorts is what one client's address has in use and used last.
type peerPorts struct {
	busy    map[uint16]*expectation // awaited
	recent  []uint16                // the ports it had last, oldest first; at most half the range and maxRecent
	resting []restingPort           // nobody came to them; in the order in which their rest ends
}

// restingPort is a port that nobody came to. A session has one: the next one gives
// the earlier one back, so that one client takes no ports from others at its address.
type restingPort struct {
	port    uint16
	session string
	until   time.Time
}

// expectation is one data connection that a client was told to make.
type expectation struct {
	ports   *ports
	at      netip.AddrPort // where it is awaited
	peer    netip.Addr
	session string
	since   time.Time
	conn    chan net.Conn // buffered; gets the connection, once
	used    bool          // guarded by ports.mu
	wanted  bool          // a transfer waits for it; guarded by ports.mu
}

func newPorts(n Network, first, last uint16) *ports {
	return &ports{net: n, first: first, last: last,
		listeners: map[netip.AddrPort]*listener{}, peers: map[netip.Addr]*peerPorts{}}
}

// Expect opens a port at local for one connection from peer; the zero address
// means from anybody that is not awaited there by name. The choice is random
// among the ports that the peer has not used lately, so that nobody can guess
// where the next connection is awaited (RFC 2577 §8).
//
// Where the peer has every port, what is the least use gives way: a port at rest,
// then one that a session has asked for long ago and not used.
func (p *ports) Expect(local, peer netip.Addr, session string) (*expectation, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrNoPort
	}
	now := time.Now()
	known := p.peer(peer, now)
	known.wake(now)
	var failed error
	tries := 0
	for port := range p.candidates(known, session, now) {
		at := netip.AddrPortFrom(local, port)
		l, err := p.listenAt(at)
		if errors.Is(err, syscall.EADDRINUSE) && tries < maxTries {
			failed, tries = err, tries+1
			continue
		}
		if err != nil {
			return nil, err
		}
		known.use(port, int(p.last-p.first)+1)
		known.resting = slices.DeleteFunc(known.resting, func(r restingPort) bool { return r.port == port })
		p.revoke(known.busy[port])
		e := &expectation{ports: p, at: at, peer: peer, session: session, since: now, conn: make(chan net.Conn, 1)}
		known.busy[port] = e
		l.awaited[peer] = e
		l.idle.Stop()
		return e, nil
	}
	if failed != nil {
		return nil, failed
	}
	return nil, ErrNoPort
}

// peer is what is known of a client, which p.mu guards.
func (p *ports) peer(addr netip.Addr, now time.Time) *peerPorts {
	if known := p.peers[addr]; known != nil {
		return known
	}
	if len(p.peers) >= maxPeers {
		for other, known := range p.peers {
			if known.wake(now); len(known.busy) == 0 && len(known.resting) == 0 {
				delete(p.peers, other)
				break
			}
		}
	}
	known := &peerPorts{busy: map[uint16]*expectation{}}
	p.peers[addr] = known
	return known
}

// candidates are the ports for a client, the best first: from a random one on those
// that it has not had lately, then the others in the order in which it had them,
// then those that give way.
func (p *ports) candidates(known *peerPorts, session string, now time.Time) iter.Seq[uint16] {
	return func(yield func(uint16) bool) {
		n := int(p.last-p.first) + 1
		start := rand.IntN(n)
		for i := range n {
			port := p.first + uint16((start+i)%n)
			if known.free(port) && !slices.Contains(known.recent, port) && !yield(port) {
				return
			}
		}
		for _, port := range slices.Clone(known.recent) {
			if known.free(port) && !yield(port) {
				return
			}
		}
		for _, r := range slices.Clone(known.resting) {
			mayYield := r.session == session || !now.Before(r.until.Add(shortestRest-restTime))
			if mayYield && !yield(r.port) {
				return
			}
		}
		if port, ok := known.stale(now); ok {
			yield(port)
		}
	}
}

// use notes port as the one used last, of a range of n.
func (k *peerPorts) use(port uint16, n int) {
	k.recent = slices.DeleteFunc(k.recent, func(old uint16) bool { return old == port })
	if limit := min(n/2, maxRecent); limit > 0 {
		k.recent = append(k.recent[max(0, len(k.recent)+1-limit):], port)
	}
}

// free tells whether a port is neither awaited nor at rest.
func (k *peerPorts) free(port uint16) bool {
	return k.busy[port] == nil && !slices.ContainsFunc(k.resting, func(r restingPort) bool { return r.port == port })
}

// wake gives back the ports whose rest is over.
func (k *peerPorts) wake(now time.Time) {
	k.resting = slices.DeleteFunc(k.resting, func(r restingPort) bool { return !now.Before(r.until) })
}

// rest lays a port to rest that nobody came to, and gives back what the session had
// at rest before.
func (k *peerPorts) rest(port uint16, session string, until time.Time) {
	k.resting = slices.DeleteFunc(k.resting, func(r restingPort) bool { return r.session == session })
	k.resting = append(k.resting, restingPort{port, session, until})
}

// stale is the port that was asked for longest ago, and long ago, and that no
// transfer waits at.
func (k *peerPorts) stale(now time.Time) (port uint16, ok bool) {
	oldest := now.Add(-staleAfter)
	for p, e := range k.busy {
		if !e.wanted && !e.since.After(oldest) {
			port, oldest, ok = p, e.since, true
		}
	}
	return port, ok
}

// revoke ends the wait of e, if there is one, for another session: its own finds
// that nobody has come.
func (p *ports) revoke(e *expectation) {
	if e == nil || e.used {
		return
	}
	p.end(e)
	close(e.conn)
}

// end takes e out of what is awaited.
func (p *ports) end(e *expectation) {
	e.used = true
	if known := p.peers[e.peer]; known != nil && known.busy[e.at.Port()] == e {
		delete(known.busy, e.at.Port())
	}
	if l := p.listeners[e.at]; l != nil && l.awaited[e.peer] == e {
		p.settle(l, e)
	}
}

// listenAt is the listener at an address and port, opened if need be.
func (p *ports) listenAt(at netip.AddrPort) (*listener, error) {
	if l := p.listeners[at]; l != nil {
		return l, nil
	}
	inner, err := p.net.Listen(at)
	if err != nil {
		return nil, err
	}
	l := &listener{Listener: inner, awaited: map[netip.Addr]*expectation{}}
	l.idle = time.AfterFunc(listenerIdle, func() { p.closeIdle(at, l) })
	p.listeners[at] = l
	go p.accept(l)
	return l, nil
}

// accept hands what arrives at l to those who wait for it, and closes what
// nobody waits for.
func (p *ports) accept(l *listener) {
	for {
		nc, err := l.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			// Out of descriptors, or a connection that broke at once: the one
			// that waits runs into its own deadline. Not spinning is what counts.
			time.Sleep(10 * time.Millisecond)
			continue
		}
		if listen.IsProxied(nc) {
			go p.take(l, nc) // who it is from, its header has still to say
			continue
		}
		p.take(l, nc)
	}
}

// take hands nc over, or closes it.
func (p *ports) take(l *listener, nc net.Conn) {
	if !p.deliver(l, nc) {
		ftptls.Reset(nc) // another server that was sent here must not take it for an empty file
		_ = nc.Close()
	}
}

// deliver gives nc to the session that waits for it, if there is one.
func (p *ports) deliver(l *listener, nc net.Conn) bool {
	from := listen.AddrPort(nc.RemoteAddr()).Addr()
	p.mu.Lock()
	defer p.mu.Unlock()
	e := l.awaited[from]
	if e == nil {
		e = l.awaited[netip.Addr{}]
	}
	if e == nil {
		return false
	}
	p.end(e)
	e.conn <- nc // has room: an expectation is delivered to once
	return true
}

// settle ends the wait of e at l.
func (p *ports) settle(l *listener, e *expectation) {
	delete(l.awaited, e.peer)
	if len(l.awaited) == 0 {
		l.idle.Reset(listenerIdle)
	}
}

func (p *ports) closeIdle(at netip.AddrPort, l *listener) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(l.awaited) == 0 && p.listeners[at] == l {
		delete(p.listeners, at)
		_ = l.Close()
	}
}

// Close ends all listeners.
func (p *ports) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for at, l := range p.listeners {
		l.idle.Stop()
		_ = l.Close()
		delete(p.listeners, at)
	}
}

// Close ends the expectation. If nobody came, the port rests for that client.
func (e *expectation) Close() {
	p := e.ports
	p.mu.Lock()
	if !e.used {
		p.end(e)
		if known := p.peers[e.peer]; known != nil {
			known.rest(e.at.Port(), e.session, time.Now().Add(restTime))
		}
	}
	p.mu.Unlock()
	select {
	case nc, ok := <-e.conn:
		if ok {
			_ = nc.Close()
		}
	default:
	}
}

// want notes that a transfer waits for the connection now.
func (e *expectation) want() {
	e.ports.mu.Lock()
	defer e.ports.mu.Unlock()
	e.wanted = true
}
