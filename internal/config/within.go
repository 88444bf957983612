package config

import (
	"net/netip"
	"slices"
)

func Within(networks []netip.Prefix, peer netip.Addr) bool {
	return slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Contains(peer.WithZone("")) })
}
