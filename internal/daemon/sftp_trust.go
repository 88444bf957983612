package daemon

import (
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/crypto/ssh"

	"ferry/internal/auth"
	"ferry/internal/config"
	"ferry/internal/sshserver"
)

// openTrust gives whose certificates let users in over SSH, and what is
// revoked, as the files say it from now on.
func openTrust(conf *config.Config, log *slog.Logger) (*auth.Authorities, error) {
	trust, err := auth.OpenAuthorities(conf.SFTP.UserCA, conf.SFTP.RevokedKeys, func(path string, err error) {
		if err != nil {
			log.Error("SSH authorities or revoked keys cannot be read again; what the file said before still holds", "file", path, "error", err)
			return
		}
		log.Info("SSH authorities or revoked keys read again", "file", path)
	})
	if err != nil {
		return nil, fmt.Errorf("SSH authorities or revoked keys: %w", err)
	}
	return trust, nil
}

// hostCertificates reads those of the host keys, and tells the log of one that
// no client will take now.
func hostCertificates(conf *config.Config, log *slog.Logger) ([]*ssh.Certificate, error) {
	var all []*ssh.Certificate
	for _, file := range conf.SFTP.HostCerts {
		cert, err := sshserver.ReadHostCertificate(file)
		if err != nil {
			return nil, err
		}
		now := uint64(time.Now().Unix())
		if now < cert.ValidAfter || now >= cert.ValidBefore {
			log.Warn("the host certificate is not valid now: clients go by the key", "file", file, "id", cert.KeyId)
		}
		all = append(all, cert)
	}
	return all, nil
}
