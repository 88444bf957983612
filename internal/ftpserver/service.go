package ftpserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// errDataTimeout: nobody connected, or nobody answered, within DataTimeout.
var errDataTimeout = errors.New("the data connection did not come about in time")

// serviceConfig says where data connections are awaited, and how long they may take.
type serviceConfig struct {
	First, Last  uint16           // the passive ports
	Addresses    []PassiveAddress // the first whose Network holds the client decides
	DataTimeout  time.Duration    // for a connection to come about
	StallTimeout time.Duration    // for the last bytes of one that ends
}

// service makes the data connections of one server. It is safe for concurrent use.
type service struct {
	cfg         serviceConfig
	ports       *ports
	hosts       *advertiser
	wires       *wirePools
	tlsSessions *tlsSessions
	// unbound counts the data connections that BindObserve let pass.
	unbound atomic.Int64
}

// newService makes data connections over n, with the TLS sessions and the buffers
// that control connections use as well.
func newService(cfg serviceConfig, n network, sessions *tlsSessions, wires *wirePools) *service {
	return &service{
		cfg: cfg, ports: newPorts(n, cfg.First, cfg.Last), hosts: newAdvertiser(cfg.Addresses),
		wires: wires, tlsSessions: sessions,
	}
}

// close ends the waiting for passive connections.
func (s *service) close() { s.ports.close() }

// advertised is the IPv4 address that PASV tells a client at peer who reached us at
// local.
func (s *service) advertised(ctx context.Context, peer, local netip.Addr) (netip.Addr, error) {
	return s.hosts.addressFor(ctx, peer, local)
}

// party is what a data connection has to know of its session. It is a value that
// nobody changes, so a transfer may go on beside the session.
type party struct {
	local netip.Addr // of the control connection
	log   func() *slog.Logger
}

// endpoint is how the next data connection comes about. The zero value: the client
// has not said.
type endpoint struct {
	passive *expectation
	active  netip.AddrPort
}

// expect prepares a passive connection at local, from the address from, or from
// anywhere where that is the zero address. errNoPort: the client has all ports.
func (s *service) expect(local, from netip.Addr) (endpoint, error) {
	e, err := s.ports.expect(local, from)
	return endpoint{passive: e}, err
}

// connectTo is an active connection, to be made to an address of the client's.
func connectTo(to netip.AddrPort) endpoint { return endpoint{active: to} }

// prepared tells whether the client has said how.
func (e endpoint) prepared() bool { return e.passive != nil || e.active.IsValid() }

// port is where a passive connection is awaited; 0: the endpoint is not passive.
func (e endpoint) port() uint16 {
	if e.passive == nil {
		return 0
	}
	return e.passive.at.Port()
}

// to is where an active connection goes.
func (e endpoint) to() netip.AddrPort { return e.active }

// close ends the waiting for a passive connection.
func (e endpoint) close() {
	if e.passive != nil {
		e.passive.close()
	}
}

// open brings the connection of e.
func (s *service) open(ctx context.Context, who party, e endpoint) (net.Conn, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.cfg.DataTimeout, errDataTimeout)
	defer cancel()
	if e.passive == nil {
		nc, err := s.ports.net.dial(ctx, who.local, e.active)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errDataTimeout, errors.Join(context.Cause(ctx), err))
		}
		return nc, nil
	}
	defer e.passive.close()
	select {
	case nc := <-e.passive.conn:
		return nc, nil
	default:
	}
	select {
	case nc := <-e.passive.conn:
		return nc, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
