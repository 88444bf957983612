package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"

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
		if err := giveState(conf.Server.State, as); err != nil {
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
	name := conf.Server.User
	if name == "" {
		return nil, nil
	}
	account, err := user.Lookup(name)
	if err != nil {
		return nil, fmt.Errorf("there is no user %q on this machine: make one (useradd --system %s), or name another", name, name)
	}
	groups, err := account.GroupIds()
	if err != nil {
		return nil, fmt.Errorf("cannot find the groups of user %q: %w", name, err)
	}
	u := &privilege.User{Name: name}
	if u.UID, err = strconv.Atoi(account.Uid); err != nil {
		return nil, err
	}
	if u.GID, err = strconv.Atoi(account.Gid); err != nil {
		return nil, err
	}
	for _, g := range groups {
		id, err := strconv.Atoi(g)
		if err != nil {
			return nil, err
		}
		u.Groups = append(u.Groups, id)
	}
	if u.UID == 0 {
		return nil, fmt.Errorf("%q is root: name an ordinary user", name)
	}
	return u, nil
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

// giveState makes the state directory u's, where it is missing or root's: with all that
// is in it, which then nobody but root has put there. One that has been given before is
// left alone, for whoever it belongs to could have put anything in the way.
func giveState(path string, u *privilege.User) error {
	if os.Geteuid() != 0 {
		return nil
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	if st.Uid != 0 || st.Mode&0o022 != 0 {
		return nil
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return err
	}
	defer root.Close()
	var names []string
	walk := fs.WalkDir(root.FS(), ".", func(name string, _ fs.DirEntry, err error) error {
		names = append(names, name)
		return err
	})
	// The directory itself is the last: what was begun and not ended is begun again.
	for i := len(names) - 1; i >= 0; i-- {
		walk = errors.Join(walk, root.Lchown(filepath.FromSlash(names[i]), u.UID, u.GID))
	}
	if walk != nil {
		return fmt.Errorf("cannot give the state directory %s to user %q: %w", path, u.Name, walk)
	}
	return nil
}
