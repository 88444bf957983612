package daemon

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"

	"ferry/internal/auth"
	"ferry/internal/config"
	"ferry/internal/digest"
	"ferry/internal/ftpserver"
	"ferry/internal/gate"
	"ferry/internal/sshserver"
)

// hostKeyDir is where, in the state directory, the host keys are that the
// server makes.
const hostKeyDir = "ssh"

// SSH is the SSH service, and the keys that it shows itself by. Where
// it is off, all of it is nil.
type SSH struct {
	server *sshserver.Server
	keys   []ssh.Signer
}

func openSSH(conf *config.Config, g *gate.Gate, trust *auth.Authorities, hashes *digest.Queue, version string, log *slog.Logger) (SSH, error) {
	if conf.SFTP.Address == "off" {
		return SSH{}, nil
	}
	keys, err := hostKeys(conf)
	if err != nil {
		return SSH{}, err
	}
	for _, key := range keys {
		log.Info("host key", "type", key.PublicKey().Type(), "fingerprint", ssh.FingerprintSHA256(key.PublicKey()))
	}
	s := conf.SFTP
	certs, err := hostCertificates(conf, log)
	if err != nil {
		return SSH{}, err
	}
	server, err := sshserver.New(sshserver.Config{
		HostCerts:    certs,
		Gate:         g,
		Hashes:       hashes,
		Log:          log,
		HostKeys:     keys,
		Banner:       s.Banner,
		NoPasswords:  !s.Passwords,
		Authority:    trust.Trusts,
		Revoked:      trust.Revoked,
		ChaCha20:     s.ChaCha20,
		Legacy:       s.LegacyNetworks,
		LoginTimeout: s.LoginTimeout,
		IdleTimeout:  s.IdleTimeout,
		KeepAlive:    s.KeepAlive,
		Zone:         conf.FTP.Zone,
		Version:      version,
		Handles:      openFiles(conf).OfOne(),
	})
	return SSH{server, keys}, err
}

func hostKeys(conf *config.Config) ([]ssh.Signer, error) {
	if len(conf.SFTP.HostKeys) == 0 {
		return sshserver.HostKeys(filepath.Join(conf.Server.State, hostKeyDir))
	}
	var keys []ssh.Signer
	for _, file := range conf.SFTP.HostKeys {
		key, err := sshserver.ReadHostKey(file)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// Fingerprints are those of the host keys, in the words in which ssh asks
// whether they are right.
func (s SSH) Fingerprints() []string {
	var all []string
	for _, key := range s.keys {
		kind, _, _ := strings.Cut(strings.TrimPrefix(key.PublicKey().Type(), "ssh-"), "-") // of ecdsa-sha2-nistp256 the first
		all = append(all, ssh.FingerprintSHA256(key.PublicKey())+" ("+strings.ToUpper(kind)+")")
	}
	return all
}

// protocols are the services behind the doors.
type protocols struct {
	ftp  *ftpserver.Server
	sftp *sshserver.Server // nil: it is off, and no door leads there
}

func (p protocols) handleSSH(nc net.Conn) { p.sftp.Handle(nc) }

// shutdown ends all of them. The error is that some had to be stopped.
func (p protocols) shutdown(ctx context.Context) error {
	var both sync.WaitGroup
	var ftp, sftp error
	both.Go(func() { ftp = p.ftp.Shutdown(ctx) })
	if p.sftp != nil {
		both.Go(func() { sftp = p.sftp.Shutdown(ctx) })
	}
	both.Wait()
	return errors.Join(ftp, sftp)
}
