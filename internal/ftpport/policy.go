package ftpport

import (
	"fmt"
	"net/netip"

	"ferry/internal/ftpdata"
)

// Policy says where data connections may come about.
type Policy struct {
	// First and Last are the passive ports; 0, 0: 50000 to 50999.
	First, Last uint16
	// Addresses are told to clients by PASV; the first whose Network holds the
	// client decides.
	Addresses []ftpdata.PassiveAddress
	// NoEPSV are the clients that are told 502 to EPSV: devices that ask for
	// it and then cannot use it.
	NoEPSV []netip.Prefix
	// ActivePort is where active data connections come from; 0: the port below
	// that of the control connection, where it can be had; or ftpdata.AnyPort.
	ActivePort int
	// NoActive refuses PORT, EPRT and LPRT.
	NoActive bool
	// Foreign allows data connections with an address that is not the
	// control connection's (FXP, proxies of a load balancer).
	Foreign bool
}

// Checked is p with its defaults, or why it cannot be.
func (p Policy) Checked() (Policy, error) {
	if p.First == 0 && p.Last == 0 {
		p.First, p.Last = 50000, 50999
	}
	if p.First == 0 || p.Last < p.First {
		return p, fmt.Errorf("ftp: passive ports %d-%d: want a range FIRST-LAST of ports from 1 to 65535", p.First, p.Last)
	}
	return p, nil
}

// refusesEPSV tells whether a client is one of NoEPSV.
func (p Policy) refusesEPSV(client netip.Addr) bool {
	for _, n := range p.NoEPSV {
		if n.Contains(client.WithZone("")) { // a prefix never holds an address with one
			return true
		}
	}
	return false
}
