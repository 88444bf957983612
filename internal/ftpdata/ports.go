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

// errNoPort: every passive port is taken by this very client.
var ErrNoPort = errors.New("no passive port left for this address")

// Network is where data connections come from: TCP, or pipes in scripts.
type Network interface {
	Listen(local netip.AddrPort) (net.Listener, error)
	Dial(ctx context.Context, local netip.Addr, to netip.AddrPort) (net.Conn, error)
}

// TcpNetwork is the real one. Keep-alives are off: data connections have
// deadlines, and each would cost four system calls. Multipath TCP, which Go
// would listen with, is off: TCP_CORK, TCP_INFO and splice are TCP's.
type TcpNetwork struct{}

func (TcpNetwork) Listen(local netip.AddrPort) (net.Listener, error) {
	lc := net.ListenConfig{KeepAlive: -1}
	lc.SetMultipathTCP(false)
	return lc.Listen(context.Background(), "tcp", local.String())
}

func (TcpNetwork) Dial(ctx context.Context, local netip.Addr, to netip.AddrPort) (net.Conn, error) {
	d := net.Dialer{KeepAlive: -1, LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(local, 0))}
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
	resting   []restingPort // in the order in which they end
}

// listener is one open passive port at one local address.
type listener struct {
	net.Listener
	awaited map[netip.Addr]*expectation // by peer; the zero address is anybody
	idle    *time.Timer                 // closes it; stopped while somebody waits
}

// peerPorts is what one client's address has in use and used last.
type peerPorts struct {
	busy   map[uint16]bool // awaited, or resting after nobody came
	recent []uint16        // the ports it had last, oldest first; at most half the range and maxRecent
}

type restingPort struct {
	peer  netip.Addr
	port  uint16
	until time.Time
}

// expectation is one data connection that a client was told to make.
type expectation struct {
	ports *ports
	at    netip.AddrPort // where it is awaited
	peer  netip.Addr
	conn  chan net.Conn // buffered; gets the connection, once
	used  bool          // guarded by ports.mu
}

func newPorts(n Network, first, last uint16) *ports {
	return &ports{net: n, first: first, last: last,
		listeners: map[netip.AddrPort]*listener{}, peers: map[netip.Addr]*peerPorts{}}
}

// Expect opens a port at local for one connection from peer; the zero address
// means from anybody that is not awaited there by name. The choice is random
// among the ports that the peer has not used lately, so that nobody can guess
// where the next connection is awaited (RFC 2577 §8).
func (p *ports) Expect(local, peer netip.Addr) (*expectation, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrNoPort
	}
	p.wakeRested(time.Now())
	known := p.peer(peer)
	var failed error
	tries := 0
	for port := range p.candidates(known) {
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
		e := &expectation{ports: p, at: at, peer: peer, conn: make(chan net.Conn, 1)}
		known.busy[port] = true
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
func (p *ports) peer(addr netip.Addr) *peerPorts {
	if known := p.peers[addr]; known != nil {
		return known
	}
	if len(p.peers) >= maxPeers {
		for other, known := range p.peers {
			if len(known.busy) == 0 {
				delete(p.peers, other)
				break
			}
		}
	}
	known := &peerPorts{busy: map[uint16]bool{}}
	p.peers[addr] = known
	return known
}

// candidates are the ports that a client has not in use, the best first:
// from a random one on those that it has not had lately, then the others in
// the order in which it had them.
func (p *ports) candidates(known *peerPorts) iter.Seq[uint16] {
	return func(yield func(uint16) bool) {
		n := int(p.last-p.first) + 1
		start := rand.IntN(n)
		for i := range n {
			port := p.first + uint16((start+i)%n)
			if !known.busy[port] && !slices.Contains(known.recent, port) && !yield(port) {
				return
			}
		}
		for _, port := range slices.Clone(known.recent) {
			if !known.busy[port] && !yield(port) {
				return
			}
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

// wakeRested gives back the ports whose rest is over.
func (p *ports) wakeRested(now time.Time) {
	i := 0
	for ; i < len(p.resting) && !now.Before(p.resting[i].until); i++ {
		p.free(p.resting[i].peer, p.resting[i].port)
	}
	p.resting = p.resting[i:]
	if len(p.resting) == 0 {
		p.resting = nil
	}
}

func (p *ports) free(peer netip.Addr, port uint16) {
	if known := p.peers[peer]; known != nil {
		delete(known.busy, port)
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
	go p.accept(at, l)
	return l, nil
}

// accept hands what arrives at l to those who wait for it, and closes what
// nobody waits for.
func (p *ports) accept(at netip.AddrPort, l *listener) {
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
		if !p.deliver(at, l, nc) {
			ftptls.Reset(nc) // another server that was sent here must not take it for an empty file
			_ = nc.Close()
		}
	}
}

// deliver gives nc to the session that waits for it, if there is one.
func (p *ports) deliver(at netip.AddrPort, l *listener, nc net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := l.awaited[listen.AddrPort(nc.RemoteAddr()).Addr()]
	if e == nil {
		e = l.awaited[netip.Addr{}]
	}
	if e == nil {
		return false
	}
	e.used = true
	p.settle(l, e)
	p.free(e.peer, at.Port())
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
		e.used = true
		if l := p.listeners[e.at]; l != nil && l.awaited[e.peer] == e {
			p.settle(l, e)
		}
		p.resting = append(p.resting, restingPort{e.peer, e.at.Port(), time.Now().Add(restTime)})
	}
	p.mu.Unlock()
	select {
	case nc := <-e.conn:
		_ = nc.Close()
	default:
	}
}
