package config

import (
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// listener is an address that the server listens at, and the key that says so.
type listener struct {
	key, host string
	port      int
}

// listeners are those that are on, with a port that is known before: 0 takes a free one.
// One whose address is wrong hides no clash of the others.
func (c *Config) listeners() (all []listener) {
	addresses := []struct{ key, address string }{
		{"ftp.address", c.FTP.Address}, {"ftps.address", c.FTPS.Address}, {"sftp.address", c.SFTP.Address},
	}
	if len(c.TLS.ACMENames) > 0 && !c.unread["tls.acme_names"] {
		addresses = append(addresses, []struct{ key, address string }{{"tls.acme_http", c.TLS.ACMEHTTP}, {"tls.acme_tls", c.TLS.ACMETLS}}...)
	}
	for _, a := range addresses {
		host, service, err := net.SplitHostPort(a.address)
		if err != nil || c.unread[a.key] { // "off", or nobody knows what was meant
			continue
		}
		if port, err := net.LookupPort("tcp", service); err == nil && port > 0 {
			all = append(all, listener{a.key, host, port})
		}
	}
	return all
}

// overlaps tells whether two hosts have an address in common, as far as that is to be
// seen: an empty one, or an unspecified address, is every one.
func overlaps(a, b string) bool {
	every := func(host string) bool {
		ip, err := netip.ParseAddr(host)
		return host == "" || err == nil && ip.IsUnspecified()
	}
	return every(a) || every(b) || strings.EqualFold(a, b)
}

// checkPorts finds listeners that are in each other's way. One of FTPS may answer the
// challenges of ACME at its own port, so of those two nothing is said.
func (c *Config) checkPorts() error {
	var found []error
	all := c.listeners()
	for i, a := range all {
		for _, b := range all[:i] {
			if a.port != b.port || !overlaps(a.host, b.host) || a.key == "tls.acme_tls" && b.key == "ftps.address" {
				continue
			}
			last, other := a.key, b.key
			if c.setLast(a.key, b.key) == b.key {
				last, other = b.key, a.key
			}
			found = append(found, c.Wrong(last, "has port %d, and so has %s (%s): give one of them another", a.port, other, c.Source(other)))
		}
	}
	return errors.Join(found...)
}

// checkPassivePorts finds listeners at a port that passive data connections would use.
func (c *Config) checkPassivePorts() error {
	if c.FTP.Address == "off" && c.FTPS.Address == "off" {
		return nil
	}
	var found []error
	p := c.FTP.PassivePorts
	for _, l := range c.listeners() {
		if l.port < int(p.First) || l.port > int(p.Last) {
			continue
		}
		said := "ftp.passive_ports " + strconv.Itoa(int(p.First)) + "-" + strconv.Itoa(int(p.Last))
		if key := c.setLast("ftp.passive_ports", l.key); key == l.key {
			found = append(found, c.Wrong(key, "has port %d, which is one of %s (%s): take one that is not", l.port, said, c.Source("ftp.passive_ports")))
		} else {
			found = append(found, c.Wrong(key, "hold port %d, where %s (%s) listens: take a range without it", l.port, l.key, c.Source(l.key)))
		}
	}
	return errors.Join(found...)
}
