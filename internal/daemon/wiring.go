package daemon

import (
	"log/slog"
	"math"
	"strconv"

	"ferry"
	"ferry/internal/config"
	"ferry/internal/digest"
	"ferry/internal/event"
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

// transferLog is the transfer log where there is one, and nothing where none
// was asked for.
type transferLog struct {
	file *event.TransferLog
	log  *slog.Logger
}

func openTransferLog(conf *config.Config, log *slog.Logger) (transferLog, error) {
	if conf.Log.TransferLog == "" {
		return transferLog{}, nil
	}
	format, err := event.ParseFormat(conf.Log.TransferFormat)
	if err != nil {
		return transferLog{}, err
	}
	file, err := event.OpenTransferLog(conf.Log.TransferLog, format, log)
	return transferLog{file, log}, err
}

func (t transferLog) sink() ferry.Sink {
	if t.file == nil {
		return event.Fan()
	}
	return t.file.Sink()
}

// reopen is for SIGHUP: logrotate has moved the file away. It waits for what is being
// written.
func (t transferLog) reopen() {
	if t.file == nil {
		return
	}
	if err := t.file.Reopen(); err != nil {
		t.log.Error("the transfer log could not be opened again; the old file stays in use", "error", err)
		return
	}
	t.log.Info("transfer log opened again")
}

func (t transferLog) Close() {
	if t.file == nil {
		return
	}
	if err := t.file.Close(); err != nil {
		t.log.Error("closing the transfer log failed", "error", err)
	}
}
