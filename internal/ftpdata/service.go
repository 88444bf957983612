package ftpdata

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"ferry/internal/ftptls"
)

// ErrDataTimeout: nobody connected, or nobody answered, within DataTimeout.
var ErrDataTimeout = errors.New("the data connection did not come about in time")

// Config says where data connections are awaited, and how long they may take.
type Config struct {
	First, Last  uint16           // the passive ports
	Addresses    []PassiveAddress // the first whose Network holds the client decides
	ActivePort   int              // where active connections come from; 0: the port below the control port; or AnyPort
	DataTimeout  time.Duration    // for a connection to come about
	StallTimeout time.Duration    // for the last bytes of one that ends
}

// Service makes the data connections of one server. It is safe for concurrent use.
type Service struct {
	cfg      Config
	ports    *ports
	hosts    *advertiser
	wires    *ftptls.Pools
	sessions *ftptls.Sessions
	// unbound counts the data connections that BindObserve let pass.
	unbound atomic.Int64
	// fellBack: an active connection could not come from the port it should.
	fellBack atomic.Bool
}

// New makes data connections over n, with the TLS sessions and the buffers
// that control connections use as well.
func New(cfg Config, n Network, sessions *ftptls.Sessions, wires *ftptls.Pools) *Service {
	return &Service{
		cfg: cfg, ports: newPorts(n, cfg.First, cfg.Last), hosts: newAdvertiser(cfg.Addresses),
		wires: wires, sessions: sessions,
	}
}

// Reconfigured is s by another Config, but for its ports: both give out the same.
func (s *Service) Reconfigured(cfg Config) *Service {
	return &Service{cfg: cfg, ports: s.ports, hosts: newAdvertiser(cfg.Addresses), wires: s.wires, sessions: s.sessions}
}

// Close ends the waiting for passive connections.
func (s *Service) Close() { s.ports.Close() }

// Advertised is the IPv4 address that PASV tells a client at peer of the session who.
func (s *Service) Advertised(ctx context.Context, peer netip.Addr, who Session) (netip.Addr, error) {
	return s.hosts.addressFor(ctx, peer, who.Reached.Addr())
}

// Session is what a data connection has to know of its session. It is a value that
// nobody changes, so a transfer may go on beside the session.
type Session struct {
	ID string // no two sessions have the same
	// Local is this machine's end of the control connection, Reached the address and
	// port that the client reached: behind a proxy they differ.
	Local, Reached netip.AddrPort
	Log            func() *slog.Logger
	// Refused hears why a data connection was not taken.
	Refused func(reason error)
}

// Endpoint is how the next data connection comes about. The zero value: the client
// has not said.
type Endpoint struct {
	passive *expectation
	active  netip.AddrPort
}

// Expect prepares a passive connection of who's, from the address from, or from
// anywhere where that is the zero address. ErrNoPort: the client has all ports.
func (s *Service) Expect(who Session, from netip.Addr) (Endpoint, error) {
	e, err := s.ports.Expect(who.Local.Addr(), from, who.ID)
	return Endpoint{passive: e}, err
}

// ConnectTo is an active connection, to be made to an address of the client's.
func ConnectTo(to netip.AddrPort) Endpoint { return Endpoint{active: to} }

// Prepared tells whether the client has said how.
func (e Endpoint) Prepared() bool { return e.passive != nil || e.active.IsValid() }

// Port is where a passive connection is awaited; 0: the endpoint is not passive.
func (e Endpoint) Port() uint16 {
	if e.passive == nil {
		return 0
	}
	return e.passive.at.Port()
}

// To is where an active connection goes.
func (e Endpoint) To() netip.AddrPort { return e.active }

// Close ends the waiting for a passive connection.
func (e Endpoint) Close() {
	if e.passive != nil {
		e.passive.Close()
	}
}

// Open brings the connection of e.
func (s *Service) Open(ctx context.Context, who Session, e Endpoint) (net.Conn, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.cfg.DataTimeout, ErrDataTimeout)
	defer cancel()
	if e.passive == nil {
		nc, err := s.dial(ctx, who, e.active)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDataTimeout, errors.Join(context.Cause(ctx), err))
		}
		return nc, nil
	}
	defer e.passive.Close()
	e.passive.want()
	select {
	case nc, ok := <-e.passive.conn:
		return came(nc, ok)
	default:
	}
	select {
	case nc, ok := <-e.passive.conn:
		return came(nc, ok)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// came is a passive connection, or that its port was given to another session.
func came(nc net.Conn, ok bool) (net.Conn, error) {
	if !ok {
		return nil, ErrDataTimeout
	}
	return nc, nil
}
