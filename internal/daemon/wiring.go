package daemon

import (
	"log/slog"
	"math"
	"strconv"

	"ferry/internal/config"
	"ferry/internal/digest"
	"ferry/internal/ftpdata"
	"ferry/internal/ftpport"
	"ferry/internal/ftpserver"
	"ferry/internal/gate"
)

// What follows says the configuration in the words of each room.

func gateLimits(conf *config.Config) gate.Limits {
	l := conf.Limits
	return gate.Limits{
		Sessions:    l.Sessions,
		PerAddress:  l.PerAddress,
		BeforeLogin: gate.BeforeLogin(l.BeforeLogin),
		OpenFiles:   openFiles(conf),
		Upload:      l.Upload,
		Download:    l.Download,
		MaxFails:    orElse(l.Fails, math.MaxInt),
		FailDelay:   orElse(l.FailDelay, -1),
		BanAfter:    l.BanAfter,
		BanWindow:   l.BanWindow,
		BanFor:      l.BanFor,
		NeverBan:    l.NeverBan,
		Stall:       l.Stall,
	}
}

// orElse is v, or other where v is zero: the gate takes zero for its own
// default, and the configuration for none at all.
func orElse[T comparable](v, other T) T {
	var zero T
	if v == zero {
		return other
	}
	return v
}

func ftpConfig(conf *config.Config, g *gate.Gate, security ftpserver.Security, hashes *digest.Queue, log *slog.Logger) ftpserver.Config {
	f := conf.FTP
	ports := ftpport.Policy{
		First: f.PassivePorts.First, Last: f.PassivePorts.Last, NoEPSV: f.EPSVOff,
		NoActive: !f.Active, ActivePort: activePort(f.ActivePort), Foreign: f.ForeignData,
	}
	for _, a := range f.PassiveAddresses {
		ports.Addresses = append(ports.Addresses, ftpdata.PassiveAddress{Network: a.Network, Host: a.Host})
	}
	return ftpserver.Config{
		Gate:         g,
		Log:          log,
		Greeting:     f.Greeting,
		Hosts:        virtualHosts(conf),
		Account:      accountOn(conf),
		Security:     security,
		Ports:        ports,
		Network:      ftpdata.TCPNetwork{Proxies: conf.FTP.ProxyFrom},
		LoginTimeout: f.LoginTimeout,
		IdleTimeout:  f.IdleTimeout,
		DataTimeout:  f.DataTimeout,
		StallTimeout: conf.Limits.Stall,
		Zone:         f.Zone,
		ModeZ:        f.ModeZ,
		Recursive:    f.RecursiveList,
		ListLimit:    f.ListLimit,
		Hashes:       hashes,
		LooseALLO:    f.LooseALLO,
	}
}

// activePort is the port that ftp.active_port names.
func activePort(word string) int {
	switch word {
	case "auto":
		return 0
	case "any":
		return ftpdata.AnyPort
	}
	port, _ := strconv.Atoi(word) // was looked at when the configuration was read
	return port
}
