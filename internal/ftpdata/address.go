package ftpdata

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// PassiveAddress is the address that clients of a network are told to connect
// to, where it is not the one they reached us at (NAT, containers).
type PassiveAddress struct {
	Network netip.Prefix
	Host    string // an IPv4 address, or a name that is looked up when it is needed
}

// advertiser knows what address PASV tells each client.
type advertiser struct {
	addresses []PassiveAddress
	mu        sync.Mutex
	found     map[string]foundHost
}

type foundHost struct {
	addr  netip.Addr
	until time.Time
}

func newAdvertiser(addresses []PassiveAddress) *advertiser {
	return &advertiser{addresses: addresses, found: map[string]foundHost{}}
}

// addressFor is the configured address of the peer's network, else the one
// that the client reached us at.
func (a *advertiser) addressFor(ctx context.Context, peer, local netip.Addr) (netip.Addr, error) {
	for _, p := range a.addresses {
		if p.Network.Contains(peer) {
			return a.lookUp(ctx, p.Host)
		}
	}
	return local, nil
}

// lookUp makes an IPv4 address of host. Names are looked up again after a
// minute, for hosts whose address changes.
func (a *advertiser) lookUp(ctx context.Context, host string) (netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		if !addr.Unmap().Is4() {
			return netip.Addr{}, fmt.Errorf("passive address %s: PASV needs an IPv4 address", host)
		}
		return addr.Unmap(), nil
	}
	a.mu.Lock()
	hit := a.found[host]
	a.mu.Unlock()
	if time.Now().Before(hit.until) {
		return hit.addr, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", host)
	if err != nil || len(addrs) == 0 {
		if hit.addr.IsValid() {
			return hit.addr, nil // an old answer is better than none
		}
		return netip.Addr{}, fmt.Errorf("passive address %s: %w", host, err)
	}
	a.mu.Lock()
	a.found[host] = foundHost{addrs[0].Unmap(), time.Now().Add(time.Minute)}
	a.mu.Unlock()
	return addrs[0].Unmap(), nil
}
