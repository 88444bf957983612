package setting

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// Address is what PASV tells clients of network to connect to.
type Address struct {
	Network netip.Prefix
	Host    string
}

// addresses is several of them: "HOST" for everybody, "NETWORK=HOST".
type addresses []Address

// Addresses is a setting of what PASV tells to whom: "HOST" for everybody, "NETWORK=HOST".
func Addresses(at *[]Address) Value { return (*addresses)(at) }

func (a *addresses) Set(v any) error { return Fill((*[]Address)(a), v, parseAddress) }

func parseAddress(s string) (Address, error) {
	network, host, ok := strings.Cut(s, "=")
	if !ok {
		network, host = "0.0.0.0/0", s // PASV speaks IPv4 only; EPSV names no address
	}
	prefix, err := ParseNetwork(network)
	if err != nil {
		return Address{}, err
	}
	if ip, err := netip.ParseAddr(host); err == nil && !ip.Unmap().Is4() {
		return Address{}, fmt.Errorf("must name an IPv4 address or a host name, not %q: PASV cannot carry IPv6 (EPSV needs no address)", host)
	}
	if host == "" || strings.ContainsAny(host, " /:,=") {
		return Address{}, fmt.Errorf("must name hosts such as \"203.0.113.7\" or \"10.0.0.0/8=10.0.0.7\", not %q", s)
	}
	return Address{prefix, host}, nil
}

func (a *addresses) Toml() string {
	var items []string
	for _, one := range *a {
		if one.Network.Bits() == 0 {
			items = append(items, one.Host)
		} else {
			items = append(items, one.Network.String()+"="+one.Host)
		}
	}
	return QuoteList(items)
}

func (a *addresses) Kind() string { return "list of hosts" }

// endpoint is where a listener listens: "HOST:PORT", ":PORT", or "off".
type endpoint string

// Endpoint is a setting of where a listener listens.
func Endpoint(at *string) Value { return (*endpoint)(at) }

func (e *endpoint) Set(v any) error {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("must be \"HOST:PORT\", \":PORT\" or \"off\", not %v", Printed(v))
	}
	if s != "off" {
		_, port, err := net.SplitHostPort(s)
		if err != nil {
			return fmt.Errorf("must be \"HOST:PORT\", \":PORT\" or \"off\", not %q", s)
		}
		if _, err := net.LookupPort("tcp", port); err != nil {
			return fmt.Errorf("must have a port from 0 to 65535, not %q", s)
		}
	}
	*e = endpoint(s)
	return nil
}

func (e *endpoint) Toml() string { return Quote(string(*e)) }
func (e *endpoint) Kind() string { return "address" }

// Within tells whether peer is in one of networks.
func Within(networks []netip.Prefix, peer netip.Addr) bool {
	return slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Contains(peer.WithZone("")) })
}
