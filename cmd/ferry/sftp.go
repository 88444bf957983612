package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"

	"ferry/internal/auth"
	"ferry/internal/ftpserver"
	"ferry/internal/gate"
	"ferry/internal/sftpserver"
	"ferry/internal/sshserver"
)

// hostKeyDir is where, in the state directory, the host keys are that the
// server makes.
const hostKeyDir = "ssh"

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
	LegacyNetworks networks
	ProxyFrom      networks
	LoginTimeout   time.Duration
	IdleTimeout    time.Duration
	KeepAlive      time.Duration
}

// sftpKeys are the rows of [sftp].
func sftpKeys() []key {
	return []key{
		{"sftp.address", "--sftp", ":2222",
			"Where SFTP and SCP listen: as ftp.address; the custom is port 22, where most machines have a server for logins.",
			func(c *config) value { return (*endpoint)(&c.SFTP.Address) }},
		{"sftp.host_keys", "", []string{},
			"Files of private keys that the server shows itself by, as ssh-keygen makes them, without a passphrase; one of\neach type. Empty: an Ed25519, an ECDSA and an RSA key are made once, in the state directory, and kept.",
			func(c *config) value { return list{at: &c.SFTP.HostKeys, check: checkAbsolute} }},
		{"sftp.host_certificates", "", []string{},
			"Files of certificates of the host keys (ssh-keygen -s CA -h), for clients that know the authority and no key.\nThe keys that the server makes are in the directory ssh of the state directory. Read at start.",
			func(c *config) value { return list{at: &c.SFTP.HostCerts, check: checkAbsolute} }},
		{"sftp.banner", "", "",
			"A line that clients show before the login.",
			func(c *config) value { return line{&c.SFTP.Banner} }},
		{"sftp.passwords", "", true,
			"Let clients in by password. false: by public key only (ferry user key); a user who needs both is asked for the\npassword after it.",
			func(c *config) value { return (*boolean)(&c.SFTP.Passwords) }},
		{"sftp.user_ca", "", []string{},
			"Files of public keys, one a line, of authorities whose certificates (ssh-keygen -s CA -n NAME) let in the users\nthat they name as principals, or who have such a principal (ferry user set --principals). Read again when they change.",
			func(c *config) value { return list{at: &c.SFTP.UserCA, check: checkAbsolute} }},
		{"sftp.revoked_keys", "", "",
			"File of keys and certificates that are let in no more: as ssh-keygen -k makes it (KRL), or public keys, one a\nline, which may be those of authorities. Read again when it changes: put the new one beside it and rename it.",
			func(c *config) value { return (*text)(&c.SFTP.RevokedKeys) }},
		{"sftp.chacha20", "", false,
			"Offer ChaCha20-Poly1305 where the processor has AES, too. OpenSSH's client would choose it, and it is several\ntimes slower than AES-GCM here.",
			func(c *config) value { return (*boolean)(&c.SFTP.ChaCha20) }},
		{"sftp.legacy_networks", "", []string{},
			"Networks of devices that know nothing better than SHA-1, CBC or short Diffie-Hellman groups. They may use them,\nand each connection that does is in the log.",
			func(c *config) value { return (*networks)(&c.SFTP.LegacyNetworks) }},
		{"sftp.proxy_from", "", []string{},
			"Networks of load balancers that begin each connection with a PROXY protocol header.",
			func(c *config) value { return (*networks)(&c.SFTP.ProxyFrom) }},
		{"sftp.login_timeout", "", "1m",
			"How long a connection may stay without a login.",
			func(c *config) value { return (*duration)(&c.SFTP.LoginTimeout) }},
		{"sftp.idle_timeout", "", "1h",
			"How long a connection may be idle; \"0s\" for as long as it likes. Mounts (sshfs) are idle for long.",
			func(c *config) value { return (*delay)(&c.SFTP.IdleTimeout) }},
		{"sftp.keep_alive", "", "1m",
			"After what silence a client is asked whether it is there. One that does not answer for as long is gone:\nits unfinished uploads become parts that it can go on with.",
			func(c *config) value { return (*duration)(&c.SFTP.KeepAlive) }},
	}
}

func checkAbsolute(file string) error {
	if !filepath.IsAbs(file) {
		return fmt.Errorf("must be an absolute path, not %q", file)
	}
	return nil
}

// checkHostKeys reads the keys that are named, or were made, so that a bad one
// is known before the server is started with it.
func (c *config) checkHostKeys() error {
	if c.SFTP.Address == "off" {
		return nil
	}
	if len(c.SFTP.HostKeys) == 0 {
		err := sshserver.CheckHostKeys(filepath.Join(c.Server.State, hostKeyDir))
		if errors.Is(err, fs.ErrPermission) {
			return nil // they are the server's, and who checks need not be it
		}
		return err
	}
	types := map[string]string{}
	for _, file := range c.SFTP.HostKeys {
		signer, err := sshserver.ReadHostKey(file)
		if err != nil {
			return c.wrong("sftp.host_keys", "cannot be used: %w", err)
		}
		kind := signer.PublicKey().Type()
		if other := types[kind]; other != "" {
			return c.wrong("sftp.host_keys", "has two keys of the type %s, %s and %s: keep one of them", kind, other, file)
		}
		types[kind] = file
	}
	return nil
}

// sshService is the SSH service, and the keys that it shows itself by. Where
// it is off, all of it is nil.
type sshService struct {
	server *sshserver.Server
	keys   []ssh.Signer
}

func openSFTP(conf *config, g *gate.Gate, trust *auth.Authorities, log *slog.Logger) (sshService, error) {
	if conf.SFTP.Address == "off" {
		return sshService{}, nil
	}
	keys, err := hostKeys(conf)
	if err != nil {
		return sshService{}, err
	}
	for _, key := range keys {
		log.Info("host key", "type", key.PublicKey().Type(), "fingerprint", ssh.FingerprintSHA256(key.PublicKey()))
	}
	s := conf.SFTP
	certs, err := hostCertificates(conf, log)
	if err != nil {
		return sshService{}, err
	}
	server, err := sshserver.New(sshserver.Config{
		HostCerts:    certs,
		Gate:         g,
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
		Version:      buildOf().Version,
		Handles:      sftpserver.NewHandles(handles()),
	})
	return sshService{server, keys}, err
}

// handles is how many files clients may have open by SFTP, all together. An
// upload takes two of the system's descriptors, and a quarter of those that the
// process may have are for the rest: connections, FTP, the database.
func handles() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || limit.Cur > 1<<30 {
		return 1 << 28
	}
	return max(int(limit.Cur*3/8), 16)
}

func hostKeys(conf *config) ([]ssh.Signer, error) {
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

// fingerprints are those of the host keys, in the words in which ssh asks
// whether they are right.
func (s sshService) fingerprints() []string {
	var all []string
	for _, key := range s.keys {
		kind, _, _ := strings.Cut(strings.TrimPrefix(key.PublicKey().Type(), "ssh-"), "-") // of ecdsa-sha2-nistp256 the first
		all = append(all, ssh.FingerprintSHA256(key.PublicKey())+" ("+strings.ToUpper(kind)+")")
	}
	return all
}

// sftpLines are lines to copy for SFTP, with the first user.
func sftpLines(d doors, people []person) []string {
	at := d.find("sftp")
	if at == nil || len(people) == 0 {
		return nil
	}
	host, port := greetingHost(at)
	user := people[0].name
	return []string{
		fmt.Sprintf("sftp -P %s %s@%s", port, user, bracketed(host)),
		fmt.Sprintf("scp -P %s FILE %s@%s:", port, user, bracketed(host)),
	}
}

// bracketed is host as sftp and scp want it, which take what is behind the
// first colon for a name.
func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
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
