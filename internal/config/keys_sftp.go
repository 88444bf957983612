package config

import (
	"fmt"
	"path/filepath"
	"time"

	"ferry/internal/setting"
)

// sftpConfig is [sftp].
type sftpConfig struct {
	Address        string
	Banner         string
	HostKeys       []string
	HostCerts      []string
	Passwords      bool
	UserCA         []string
	RevokedKeys    string
	ChaCha20       bool
	LegacyNetworks setting.Networks
	ProxyFrom      setting.Networks
	LoginTimeout   time.Duration
	IdleTimeout    time.Duration
	KeepAlive      time.Duration
}

// sftpKeys are the rows of [sftp].
func sftpKeys() []Key {
	return []Key{
		{"sftp.address", "--sftp", restart, ":2222",
			"Where SFTP and SCP listen: as ftp.address; the custom is port 22, where most machines have a server for logins.",
			func(c *Config) setting.Value { return setting.Endpoint(&c.SFTP.Address) }},
		{"sftp.host_keys", "", live, []string{},
			"Files of private keys that the server shows itself by, as ssh-keygen makes them, without a passphrase; one of\neach type. Empty: an Ed25519, an ECDSA and an RSA key are made once, in the state directory, and kept.",
			func(c *Config) setting.Value { return setting.List(&c.SFTP.HostKeys, checkAbsolute) }},
		{"sftp.host_certificates", "", live, []string{},
			"Files of certificates of the host keys (ssh-keygen -s CA -h), for clients that know the authority and no key.\nThe keys that the server makes are in the directory ssh of the state directory.",
			func(c *Config) setting.Value { return setting.List(&c.SFTP.HostCerts, checkAbsolute) }},
		{"sftp.banner", "", live, "",
			"A line that clients show before the login.",
			func(c *Config) setting.Value { return setting.Line(&c.SFTP.Banner) }},
		{"sftp.passwords", "", live, true,
			"Let clients in by password. false: by public key only (ferry user key); a user who needs both is asked for the\npassword after it.",
			func(c *Config) setting.Value { return setting.Boolean(&c.SFTP.Passwords) }},
		{"sftp.user_ca", "", live, []string{},
			"Files of public keys, one a line, of authorities whose certificates (ssh-keygen -s CA -n NAME) let in the users\nthat they name as principals, or who have such a principal (ferry user set --principals). Read again when they change.",
			func(c *Config) setting.Value { return setting.List(&c.SFTP.UserCA, checkAbsolute) }},
		{"sftp.revoked_keys", "", live, "",
			"File of keys and certificates that are let in no more: as ssh-keygen -k makes it (KRL), or public keys, one a\nline, which may be those of authorities. Read again when it changes: put the new one beside it and rename it.",
			func(c *Config) setting.Value { return setting.Text(&c.SFTP.RevokedKeys) }},
		{"sftp.chacha20", "", live, false,
			"Offer ChaCha20-Poly1305 where the processor has AES, too. OpenSSH's client would choose it, and it is several\ntimes slower than AES-GCM here.",
			func(c *Config) setting.Value { return setting.Boolean(&c.SFTP.ChaCha20) }},
		{"sftp.legacy_networks", "", live, []string{},
			"Networks of devices that know nothing better than SHA-1, CBC or short Diffie-Hellman groups. They may use them,\nand each connection that does is in the log.",
			func(c *Config) setting.Value { return &c.SFTP.LegacyNetworks }},
		{"sftp.proxy_from", "", restart, []string{},
			"Networks of load balancers that begin each connection with a PROXY protocol header.",
			func(c *Config) setting.Value { return &c.SFTP.ProxyFrom }},
		{"sftp.login_timeout", "", live, "1m",
			"How long a connection may stay without a login.",
			func(c *Config) setting.Value { return setting.Duration(&c.SFTP.LoginTimeout) }},
		{"sftp.idle_timeout", "", live, "1h",
			"How long a connection may be idle; \"0s\" for as long as it likes. Mounts (sshfs) are idle for long.",
			func(c *Config) setting.Value { return setting.Delay(&c.SFTP.IdleTimeout) }},
		{"sftp.keep_alive", "", live, "1m",
			"After what silence a client is asked whether it is there. One that does not answer for as long is gone:\nits unfinished uploads become parts that it can go on with.",
			func(c *Config) setting.Value { return setting.Duration(&c.SFTP.KeepAlive) }},
	}
}

func checkAbsolute(file string) error {
	if !filepath.IsAbs(file) {
		return fmt.Errorf("must be an absolute path, not %q", file)
	}
	return nil
}
