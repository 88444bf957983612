package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"ferry"
	"ferry/internal/auth"
	"ferry/internal/certs"
	"ferry/internal/config"
	"ferry/internal/event"
	"ferry/internal/home"
	"ferry/internal/listen"
	"ferry/internal/sshserver"
	"ferry/internal/store"
)

// Load reads the configuration and holds it against the one table of checks: what
// contradicts itself, and everything that a server would refuse to begin with. It makes
// nothing. ferry serve and ferry config check begin with it.
//
// password is that of static users without one; "": there is none.
func Load(file string, flags map[string]any, password string) (*config.Config, error) {
	return config.Load(file, flags, slices.Concat(config.Serving(), checks(password))...)
}

// checks are the rows that look at the machine: files, directories, addresses.
func checks(password string) []config.Check {
	return []config.Check{
		{Keys: []string{"users.static"}, Find: func(c *config.Config) error { _, err := staticUsers(c, password); return err }},
		{Keys: []string{"users.static"}, Find: func(c *config.Config) error { return checkShortPasswords(c, password) }},
		{Keys: []string{"users.static"}, Find: checkConfigMode},
		{Keys: []string{"server.user"}, Find: checkServerUser},
		{Keys: []string{"server.state"}, Find: checkState},
		{Keys: []string{"server.state", "storage.root", "users.home"}, Find: checkAccounts},
		{Keys: []string{"server.state", "storage.root", "storage.read_only", "users.home"}, Find: checkAccountHomes},
		{Keys: []string{"storage.root", "storage.resolver", "storage.read_only", "server.state"}, Find: checkRoot},
		{Keys: []string{"users.anonymous_root", "hosts.anonymous_roots", "users.drop", "storage.resolver", "server.state"}, Find: checkAnonymousRoots},
		{Keys: []string{"users.home"}, Find: checkHomes},
		{Keys: []string{"system.enabled", "system.min_uid", "system.denied"}, Find: checkSystem},
		{Keys: []string{"ftp.address"}, Find: func(c *config.Config) error { return checkAddress(c, "ftp.address", c.FTP.Address) }},
		{Keys: []string{"ftps.address"}, Find: func(c *config.Config) error { return checkAddress(c, "ftps.address", c.FTPS.Address) }},
		{Keys: []string{"sftp.address"}, Find: func(c *config.Config) error { return checkAddress(c, "sftp.address", c.SFTP.Address) }},
		{Keys: []string{"log.transfer_log"}, Find: checkTransferLog},
		{Keys: []string{"tls.enabled", "tls.cert", "tls.key"}, Find: checkCertificate},
		{Keys: []string{"tls.enabled", "tls.more"}, Find: checkMoreCertificates},
		{Keys: []string{"tls.enabled", "tls.client_ca", "tls.client_crl"}, Find: checkClientTrust},
		{Keys: []string{"tls.enabled", "tls.acme_names", "tls.acme_root_ca"}, Find: checkACMERoots},
		{Keys: []string{"server.state", "tls.enabled", "tls.cert", "tls.more", "tls.hosts"}, Find: checkOwnTLS},
		{Keys: []string{"sftp.address", "sftp.host_keys", "server.state"}, Find: checkHostKeys},
		{Keys: []string{"sftp.host_certificates"}, Find: checkHostCertificates},
		{Keys: []string{"sftp.user_ca"}, Find: checkUserCA},
		{Keys: []string{"sftp.revoked_keys"}, Find: checkRevokedKeys},
	}
}

// readableByAll tells whether everybody on the machine can read file.
func readableByAll(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o004 != 0
}

// checkShortPasswords: they are taken, and told of.
func checkShortPasswords(c *config.Config, password string) error {
	static, err := staticUsers(c, password)
	if err != nil {
		return nil // told of
	}
	var found []error
	for _, p := range static {
		if p.FromEnv && auth.Short(p.Secret) {
			return c.Warn(config.PasswordVariable, "is short, and soon guessed: take 8 characters or more")
		}
		if !p.Hashed() && auth.Short(p.Secret) {
			found = append(found, c.Warn("users.static", "has a short password for user %q, which is soon guessed: take 8 characters or more", p.Name))
		}
	}
	return errors.Join(found...)
}

// checkConfigMode: whoever can read a password can log in with it, and a hash can be
// guessed at.
func checkConfigMode(c *config.Config) error {
	if c.File == "" || !readableByAll(c.File) || !c.SecretsInFile() {
		return nil
	}
	return c.Warn("users.static", "has passwords or hashes, and everybody on this machine can read them: chmod o-r %s", c.File)
}

// checkState: what the server remembers must have a place.
func checkState(c *config.Config) error {
	why := writableDirectory(c.Server.State)
	if why == nil {
		return nil
	}
	return c.Unusable("server.state", fmt.Errorf("cannot keep the server's state in %s: %w; name another directory with --state (server.state), or run as the user who owns it", c.Server.State, why))
}

// writableDirectory tells why files cannot be made in the directory path; one that is
// missing counts as the first above it that is there, where it would be made.
func writableDirectory(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && path != filepath.Dir(path):
		return writableDirectory(filepath.Dir(path))
	case err != nil:
		return ferry.WithoutPath(err)
	case !info.IsDir():
		return fmt.Errorf("%s is not a directory", path)
	}
	if err := unix.Access(path, unix.W_OK|unix.X_OK); err != nil {
		return fmt.Errorf("%s cannot be written: %w", path, err)
	}
	return nil
}

// checkAccounts looks at the database, where there is one, and whether anybody has
// files to see.
func checkAccounts(c *config.Config) error {
	if checkState(c) != nil {
		return nil // told of the state directory itself
	}
	accounts, err := store.Look(context.Background(), c.Database())
	switch {
	case errors.Is(err, store.ErrOlder):
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return c.Unusable("server.state", err)
	}
	withHome := slices.ContainsFunc(accounts, func(a store.Account) bool { return a.Home != "" })
	if c.Storage.Root != "" || c.Users.Home != "" || c.Users.Anonymous || c.System.Enabled || withHome {
		return nil
	}
	return c.Note("storage.root", "and users.home are not set, and no account has a home of its own: nobody can log in yet (ferry user add NAME --home DIR)")
}

func checkRoot(c *config.Config) error {
	if c.Storage.Root == "" {
		return nil
	}
	return checkServed(c, "storage.root", c.Storage.Root, !c.Storage.ReadOnly)
}

// checkServed opens a directory as the server would; written: users will put files into it.
func checkServed(c *config.Config, key, root string, written bool) error {
	if err := home.Check(c, root); err != nil {
		return c.Unusable(key, err)
	}
	path, err := home.Path(root)
	if err != nil {
		return c.Unusable(key, err)
	}
	if err := unix.Access(path, unix.W_OK|unix.X_OK); written && err != nil {
		return c.Warn(key, "is %s, which the user of this server (uid %d) may not write (%w): uploads will fail; change its owner or its permissions, or set storage.read_only", path, os.Geteuid(), err)
	}
	return nil
}

// checkAnonymousRoots: what anonymous users see, and where they may put files.
func checkAnonymousRoots(c *config.Config) error {
	if !c.Users.Anonymous {
		return nil
	}
	var found []error
	if c.Users.AnonymousRoot != "" {
		found = append(found, checkServed(c, "users.anonymous_root", c.Users.AnonymousRoot, false))
	}
	for _, a := range c.Hosts.AnonymousRoots {
		found = append(found, checkServed(c, "hosts.anonymous_roots", a.Right, false))
	}
	for _, root := range c.AnonymousRoots() {
		if err := home.CheckDrop(c, root); err != nil {
			found = append(found, c.Unusable("users.drop", err))
		} else if err := checkDropWritable(c, root); err != nil {
			found = append(found, err)
		}
	}
	return errors.Join(found...)
}

// checkHomes: homes are made at the first login, and where they are made must be there.
func checkHomes(c *config.Config) error {
	if c.Users.Home == "" {
		return nil
	}
	base, _, err := config.ExpandHome(c.Users.Home, "name")
	if err != nil {
		return nil // what is wrong with the pattern is told elsewhere
	}
	if info, err := os.Stat(base); err != nil {
		return c.Unusable("users.home", fmt.Errorf("cannot use %s, where the homes are: %w; create it or name another", base, ferry.WithoutPath(err)))
	} else if !info.IsDir() {
		return c.Unusable("users.home", fmt.Errorf("cannot use %s, where the homes are: it is not a directory", base))
	}
	if err := unix.Access(base, unix.W_OK|unix.X_OK); err != nil {
		return c.Warn("users.home", "is beneath %s, which this server may not write (%w): homes that are missing cannot be made", base, err)
	}
	return nil
}

// checkAddress listens for a moment. A port that is in use is nothing to say: it may be
// this server's own, and to begin with it says so.
func checkAddress(c *config.Config, key, address string) error {
	if address == "off" {
		return nil
	}
	l, err := listen.Listen(context.Background(), "tcp", address)
	if err != nil && !errors.Is(err, syscall.EADDRINUSE) {
		return c.Unusable(key, err)
	}
	if err == nil {
		_ = l.Close()
	}
	return nil
}

func checkTransferLog(c *config.Config) error {
	if c.Log.TransferLog == "" {
		return nil
	}
	if err := event.CheckTransferLog(c.Log.TransferLog); err != nil {
		return c.Unusable("log.transfer_log", err)
	}
	return nil
}

func checkCertificate(c *config.Config) error {
	if !c.TLS.Enabled || c.TLS.Cert == "" {
		return nil
	}
	return checkPair(c, "tls.cert", certs.Pair{Cert: c.TLS.Cert, Key: c.TLS.Key})
}

func checkMoreCertificates(c *config.Config) error {
	if !c.TLS.Enabled {
		return nil
	}
	var found []error
	for _, pair := range c.TLS.More {
		found = append(found, checkPair(c, "tls.more", pair))
	}
	return errors.Join(found...)
}

func checkPair(c *config.Config, key string, pair certs.Pair) error {
	file, keyOfKey := pair.Cert, key
	if pair.Key != "" {
		file = pair.Key
	}
	if key == "tls.cert" && pair.Key != "" {
		keyOfKey = "tls.key"
	}
	if err := certs.Check(certs.Config{Pairs: []certs.Pair{pair}}); err != nil {
		if _, unreadable := os.ReadFile(file); unreadable != nil {
			key = keyOfKey
		}
		return c.Unusable(key, err)
	}
	if !readableByAll(file) {
		return nil
	}
	return c.Warn(keyOfKey, "is a private key in %s, and everybody on this machine can read it: chmod o-r %[1]s", file)
}

func checkClientTrust(c *config.Config) error {
	if !c.TLS.Enabled || c.TLS.ClientCA == "" {
		return nil
	}
	if err := certs.CheckClients(c.TLS.ClientCA, ""); err != nil {
		return c.Unusable("tls.client_ca", err)
	}
	if err := certs.CheckClients(c.TLS.ClientCA, c.TLS.ClientCRL); err != nil {
		return c.Unusable("tls.client_crl", err)
	}
	return nil
}

func checkACMERoots(c *config.Config) error {
	acme := c.Certificates(nil).ACME
	if !c.TLS.Enabled || acme == nil || acme.RootCA == "" {
		return nil
	}
	if err := certs.Check(certs.Config{ACME: acme}); err != nil {
		return c.Unusable("tls.acme_root_ca", err)
	}
	return nil
}

// checkOwnTLS looks at what the server itself has made: the self-signed certificate.
func checkOwnTLS(c *config.Config) error {
	own := c.Certificates(nil)
	if !c.TLS.Enabled || len(own.Pairs) > 0 || own.ACME != nil || checkState(c) != nil {
		return nil
	}
	if err := certs.Check(certs.Config{Dir: own.Dir, Hosts: own.Hosts}); err != nil && !errors.Is(err, fs.ErrPermission) {
		return c.Unusable("server.state", err)
	}
	return nil
}

// checkHostKeys reads the keys that are named, or were made.
func checkHostKeys(c *config.Config) error {
	if c.SFTP.Address == "off" {
		return nil
	}
	if len(c.SFTP.HostKeys) == 0 {
		err := sshserver.CheckHostKeys(filepath.Join(c.Server.State, hostKeyDir))
		if err != nil && !errors.Is(err, fs.ErrPermission) && checkState(c) == nil { // they are the server's, and who checks need not be it
			return c.Unusable("server.state", err)
		}
		return nil
	}
	var found []error
	types := map[string]string{}
	for _, file := range c.SFTP.HostKeys {
		signer, err := sshserver.ReadHostKey(file)
		if err != nil {
			found = append(found, c.Wrong("sftp.host_keys", "cannot be used: %w", err))
			continue
		}
		kind := signer.PublicKey().Type()
		if other := types[kind]; other != "" {
			found = append(found, c.Wrong("sftp.host_keys", "has two keys of the type %s, %s and %s: keep one of them", kind, other, file))
		}
		types[kind] = file
	}
	return errors.Join(found...)
}

func checkHostCertificates(c *config.Config) error {
	var found []error
	for _, file := range c.SFTP.HostCerts {
		if _, err := sshserver.ReadHostCertificate(file); err != nil {
			found = append(found, c.Wrong("sftp.host_certificates", "cannot be used: %w", err))
		}
	}
	return errors.Join(found...)
}

func checkUserCA(c *config.Config) error {
	var found []error
	for _, file := range c.SFTP.UserCA {
		if _, err := auth.OpenAuthorities([]string{file}, "", nil); err != nil {
			found = append(found, c.Wrong("sftp.user_ca", "cannot be used: %w", err))
		}
	}
	return errors.Join(found...)
}

func checkRevokedKeys(c *config.Config) error {
	if _, err := auth.OpenAuthorities(nil, c.SFTP.RevokedKeys, nil); err != nil {
		return c.Wrong("sftp.revoked_keys", "cannot be used: %w", err)
	}
	return nil
}
