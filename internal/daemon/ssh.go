package daemon

import (
	"log/slog"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"

	"ferry/internal/config"
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

func (s *Server) prepareSSH(conf *config.Config, before *settings) (SSH, error) {
	if conf.SFTP.Address == "off" {
		return SSH{}, nil
	}
	log := s.log.Logger
	trust, err := openTrust(conf, log)
	if err != nil {
		return SSH{}, err
	}
	keys, err := hostKeys(conf)
	if err != nil {
		return SSH{}, err
	}
	certs, err := hostCertificates(conf, log)
	if err != nil {
		return SSH{}, err
	}
	c := conf.SFTP
	ssh := sshserver.Config{
		HostCerts:    certs,
		Gate:         s.gate,
		Hashes:       s.hashes,
		Log:          log,
		HostKeys:     keys,
		Banner:       c.Banner,
		NoPasswords:  !c.Passwords,
		Authority:    trust.Trusts,
		Revoked:      trust.Revoked,
		ChaCha20:     c.ChaCha20,
		Legacy:       c.LegacyNetworks,
		LoginTimeout: c.LoginTimeout,
		IdleTimeout:  c.IdleTimeout,
		KeepAlive:    c.KeepAlive,
		Zone:         conf.FTP.Zone,
		Version:      s.o.Version,
		Handles:      openFiles(conf).OfOne(),
	}
	if before == nil {
		server, err := sshserver.New(ssh)
		return SSH{server, keys}, err
	}
	server, err := before.ssh.server.Reconfigured(ssh)
	return SSH{server, keys}, err
}

// tell logs what clients will see.
func (s SSH) tell(log *slog.Logger) {
	for _, key := range s.keys {
		log.Info("host key", "type", key.PublicKey().Type(), "fingerprint", ssh.FingerprintSHA256(key.PublicKey()))
	}
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
