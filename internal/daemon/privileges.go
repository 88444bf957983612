package daemon

import (
	"fmt"
	"log/slog"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"ferry/internal/config"
	"ferry/internal/privilege"
)

// confine leaves the process what the server needs beyond its listeners, and nothing
// more. From then on it is the user of server.user, where there is one.
func confine(conf *config.Config, listeners Listeners, log *slog.Logger) error {
	as, err := serverUser(conf)
	if err != nil {
		return err
	}
	if as != nil {
		if err := privilege.GiveDirectory(conf.Server.State, as); err != nil {
			return err
		}
	}
	if err := privilege.Drop(privilege.Keep{User: as, Capabilities: needed(conf, listeners)}); err != nil {
		return err
	}
	have, err := privilege.Permitted()
	if err != nil {
		return err
	}
	log.Info("privileges", "uid", os.Geteuid(), "gid", os.Getegid(), "capabilities", have.String())
	return nil
}

// needed are the capabilities that the server uses after it listens.
func needed(conf *config.Config, listeners Listeners) privilege.Set {
	var s privilege.Set
	if conf.Server.User == "" {
		// As root it serves whatever is in a home, and gives what replaces a file to the
		// owner of that.
		s |= privilege.Of(unix.CAP_CHOWN, unix.CAP_DAC_OVERRIDE, unix.CAP_FOWNER, unix.CAP_FSETID)
	}
	if conf.System.Enabled {
		s |= privilege.Of(unix.CAP_SETUID, unix.CAP_SETGID)
	}
	if bindsLow(conf, listeners) {
		s |= privilege.Of(unix.CAP_NET_BIND_SERVICE)
	}
	return s
}

// lowPorts are those that take CAP_NET_BIND_SERVICE.
const lowPorts = 1024

// bindsLow tells whether ports below 1024 are bound as sessions go: those of active and
// passive data connections, and those by which an ACME server looks at the host.
func bindsLow(conf *config.Config, listeners Listeners) bool {
	if len(conf.TLS.ACMENames) > 0 || conf.FTP.PassivePorts.First < lowPorts {
		return true
	}
	if port := activePort(conf.FTP.ActivePort); port != 0 {
		return port > 0 && port < lowPorts
	}
	for _, l := range listeners {
		if at, ok := l.Listener.Addr().(*net.TCPAddr); ok && l.Name != "sftp" && at.Port <= lowPorts {
			return true
		}
	}
	return false
}

// serverUser is the user of server.user; nil: the process stays who it is.
func serverUser(conf *config.Config) (*privilege.User, error) {
	if conf.Server.User == "" {
		return nil, nil
	}
	return privilege.Lookup(conf.Server.User)
}

// checkServerUser tells what keeps the server from becoming that user.
func checkServerUser(c *config.Config) error {
	if c.Server.User == "" {
		return nil
	}
	u, err := serverUser(c)
	if err != nil {
		return c.Unusable("server.user", err)
	}
	if euid := os.Geteuid(); euid != 0 && euid != u.UID {
		return c.Unusable("server.user", fmt.Errorf("only root can become user %q: start the server as root or as that user", c.Server.User))
	}
	return nil
}
