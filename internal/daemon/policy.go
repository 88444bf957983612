package daemon

import (
	"cmp"
	"net/netip"
	"slices"

	"ferry/internal/config"
	"ferry/internal/ftpserver"
	"ferry/internal/ftptls"
	"ferry/internal/setting"
)

// policies say how TLS is used with a client.
type policies struct {
	conf     *config.Config
	networks []networkLevel // the narrowest first
	users    map[string]ftpserver.Require
	listener map[bool]ftpserver.Require // by Client.Implicit
	usual    ftpserver.Policy
	legacy   *ftpserver.Legacy // of the devices in tls.legacy_networks
}

type networkLevel struct {
	network netip.Prefix
	require ftpserver.Require
}

func newPolicies(conf *config.Config) *policies {
	p := &policies{conf: conf, users: map[string]ftpserver.Require{}, usual: ftpserver.Policy{
		Binding:    bindingOf(conf.TLS.Binding),
		CCC:        conf.TLS.CCC,
		CertFactor: factorOf(conf.TLS.ClientFactor),
	}}
	p.listener = map[bool]ftpserver.Require{false: requireOf(conf.RequireAt(false)), true: requireOf(conf.RequireAt(true))}
	p.legacy = &ftpserver.Legacy{Charset: conf.TLS.LegacyCharset, DOSList: conf.TLS.LegacyDOSList, LooseTypes: true}
	for _, a := range conf.TLS.RequireUsers {
		p.users[a.Left] = requireOf(a.Right)
	}
	for _, a := range conf.TLS.RequireNetworks {
		p.networks = append(p.networks, networkLevel{netip.MustParsePrefix(a.Left), requireOf(a.Right)})
	}
	slices.SortFunc(p.networks, func(a, b networkLevel) int { return cmp.Compare(b.network.Bits(), a.network.Bits()) })
	return p
}

// of is ftpserver's Security.Policy.
func (p *policies) of(who ftpserver.Client) ftpserver.Policy {
	policy := p.usual
	policy.Require = p.require(who)
	policy.UncleanClose = setting.Within(p.conf.TLS.UncleanNetworks, who.Peer) || slices.Contains(p.conf.TLS.UncleanUsers, who.User)
	if legacyFor(p.conf, who) {
		policy.Legacy = p.legacy
	}
	return policy
}

// require is the most particular of the levels for a client: the user's, that
// of the narrowest network, the listener's.
func (p *policies) require(who ftpserver.Client) ftpserver.Require {
	if level, ok := p.users[who.User]; ok {
		return level
	}
	for _, n := range p.networks {
		if n.network.Contains(who.Peer.WithZone("")) {
			return n.require
		}
	}
	return p.listener[who.Implicit]
}

// requireOf is the level of a word of requireWords.
func requireOf(word string) ftpserver.Require {
	return map[string]ftpserver.Require{"off": ftpserver.RequireOff, "login": ftpserver.RequireLogin,
		"data": ftpserver.RequireData, "all": ftpserver.RequireAll}[word]
}

func bindingOf(word string) ftptls.Binding {
	return map[string]ftptls.Binding{"auto": ftptls.BindAuto, "off": ftptls.BindOff,
		"observe": ftptls.BindObserve, "enforce": ftptls.BindEnforce}[word]
}

func factorOf(word string) ftpserver.CertFactor {
	return map[string]ftpserver.CertFactor{"password": ftpserver.CertNothing, "certificate": ftpserver.CertEnough,
		"both": ftpserver.CertToo}[word]
}
