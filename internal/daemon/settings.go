package daemon

import (
	"context"
	"errors"
	"net"
	"runtime"
	"sync"

	"ferry"
	"ferry/internal/auth"
	"ferry/internal/config"
	"ferry/internal/ftpserver"
)

// settings is what a configuration makes of a server: how connections that begin are
// served, and who the users are. It is not changed, but replaced.
type settings struct {
	conf   *config.Config
	static []StaticUser
	users  auth.Users // static ones before those of the database, and those before the machine's
	auth   ferry.Authenticator
	ftp    *ftpserver.Server
	ssh    SSH
}

// prepare makes settings of conf, which go before those that are in effect; nil: there
// are none yet. Nothing is changed by it.
func (s *Server) prepare(ctx context.Context, conf *config.Config, static []StaticUser, before *settings) (*settings, error) {
	hasher, err := conf.Hasher(min(runtime.GOMAXPROCS(0), mostHashes))
	if err != nil {
		return nil, err
	}
	entries, err := entries(ctx, conf, static, hasher)
	if err != nil {
		return nil, err
	}
	n := &settings{conf: conf, static: static, users: auth.Join(auth.Static(entries...), accountsIn{s.db, conf})}
	if conf.System.Enabled {
		n.users = auth.Join(n.users, systemUsers{conf.SystemAccounts(), conf})
	}
	n.auth = authenticator(conf, n.users, hasher, renewal(conf, s.db, s.log.Logger))
	ftp := ftpConfig(conf, s.gate, s.secure.security(conf), s.hashes, s.log.Logger)
	if before == nil {
		n.ftp, err = ftpserver.New(ftp)
	} else {
		n.ftp, err = before.ftp.Reconfigured(ftp)
	}
	if err != nil {
		return nil, err
	}
	n.ssh, err = s.prepareSSH(conf, before)
	return n, err
}

// handleSSH serves an SSH connection.
func (n *settings) handleSSH(nc net.Conn) { n.ssh.server.Handle(nc) }

// shutdown ends the sessions of all protocols. The error is that some had to be stopped.
func (n *settings) shutdown(ctx context.Context) error {
	var both sync.WaitGroup
	var ftp, sftp error
	both.Go(func() { ftp = n.ftp.Shutdown(ctx) })
	if n.ssh.server != nil {
		both.Go(func() { sftp = n.ssh.server.Shutdown(ctx) })
	}
	both.Wait()
	return errors.Join(ftp, sftp)
}

// currentUsers are those of a server's settings, as they are now.
type currentUsers struct{ *Server }

func (u currentUsers) Authenticate(ctx context.Context, c ferry.Claim) (ferry.User, error) {
	return u.now.Load().auth.Authenticate(ctx, c)
}

// account is what sessions are held against that run.
func (u currentUsers) account(ctx context.Context, name string) (ferry.User, error) {
	account, _, err := u.now.Load().users.Lookup(ctx, name)
	return account, err
}
