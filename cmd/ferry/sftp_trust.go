package main

import (
	"fmt"
	"log/slog"

	"ferry/internal/auth"
)

// checkTrust reads the files of sftp.user_ca and sftp.revoked_keys, so that a
// bad one is known before the server is started with it.
func (c *config) checkTrust() error {
	if _, err := auth.OpenAuthorities(c.SFTP.UserCA, "", nil); err != nil {
		return c.wrong("sftp.user_ca", "cannot be used: %w", err)
	}
	if _, err := auth.OpenAuthorities(nil, c.SFTP.RevokedKeys, nil); err != nil {
		return c.wrong("sftp.revoked_keys", "cannot be used: %w", err)
	}
	return nil
}

// openTrust gives whose certificates let users in over SSH, and what is
// revoked, as the files say it from now on.
func openTrust(conf *config, log *slog.Logger) (*auth.Authorities, error) {
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
