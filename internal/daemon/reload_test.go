package daemon

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"ferry/internal/auth"
	"ferry/internal/certs"
	"ferry/internal/config"
	"ferry/internal/sshserver"
)

// set is what a configuration file says: "section.key" to a value in TOML.
type set map[string]string

func (s set) String() string {
	var b strings.Builder
	section := ""
	for _, name := range slices.Sorted(maps.Keys(s)) {
		at, key, _ := strings.Cut(name, ".")
		if at != section {
			section = at
			fmt.Fprintf(&b, "[%s]\n", at)
		}
		fmt.Fprintf(&b, "%s = %s\n", key, s[name])
	}
	return b.String()
}

// running is a server in this process that reads a file of its configuration.
type running struct {
	*testing.T
	*Server
	dir, file string
	base      set
	ftp, sftp net.Addr
	lines     <-chan string // of its log
	signals   chan os.Signal
}

// serving starts one with the user alice, whose password is s3cret.
func serving(t *testing.T) *running {
	t.Helper()
	dir := t.TempDir()
	hasher, err := auth.NewHasher(auth.Cost{Memory: 8 << 10, Passes: 1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := hasher.Hash(t.Context(), "s3cret")
	if err != nil {
		t.Fatal(err)
	}
	r := &running{T: t, dir: dir, file: filepath.Join(dir, "ferry.toml"), signals: make(chan os.Signal, 1), base: set{
		"ftp.address": `"127.0.0.1:0"`, "sftp.address": `"127.0.0.1:0"`, "tls.require": `"off"`,
		"storage.root": quoted(t.TempDir()), "server.state": quoted(filepath.Join(dir, "state")),
		"users.static": fmt.Sprintf("[%q]", "alice:"+hash), "users.hash_memory": `"8MiB"`, "users.hash_passes": "1",
		"limits.fail_delay": `"0s"`,
	}}
	r.write(r.base)
	load := func() (*config.Config, error) { return Load(r.file, nil, "") }
	conf, err := load()
	if err != nil {
		t.Fatal(err)
	}
	out, log, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 10000)
	r.lines = lines
	go func() {
		for in := bufio.NewScanner(out); in.Scan(); {
			lines <- in.Text()
		}
		close(lines)
	}()
	started, ended := make(chan Started, 1), make(chan error, 1)
	go func() {
		ended <- Serve(conf, Options{Log: log, Signals: r.signals, Load: load, Announce: func(s Started) { started <- s }})
		_ = log.Close()
	}()
	select {
	case s := <-started:
		r.Server, r.ftp, r.sftp = s.Server, s.Listeners.Find("ftp"), s.Listeners.Find("sftp")
	case err := <-ended:
		t.Fatalf("the server did not begin: %v", err)
	}
	t.Cleanup(func() {
		r.signals <- syscall.SIGTERM
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return r
}

func quoted(s string) string { return fmt.Sprintf("%q", s) }

func (r *running) write(s set) {
	r.Helper()
	if err := os.WriteFile(r.file, []byte(s.String()), 0o600); err != nil {
		r.Fatal(err)
	}
}

// with is the file with some keys said otherwise.
func (r *running) with(more set) set {
	all := maps.Clone(r.base)
	maps.Copy(all, more)
	return all
}

// change lets the server read the file again, with some keys said otherwise.
func (r *running) change(more set) Reloaded {
	r.Helper()
	r.write(r.with(more))
	return r.Reload(r.Context())
}

// await gives the next line of the log that holds text.
func (r *running) await(text string) string {
	r.Helper()
	for line := range r.lines {
		if strings.Contains(line, text) {
			return line
		}
	}
	r.Fatalf("the log ended without %q", text)
	return ""
}

// say is a dialogue with the FTP server; the result is its last reply.
func (r *running) say(lines ...string) string {
	r.Helper()
	c := r.call()
	defer c.nc.Close()
	reply := c.reply()
	for _, line := range lines {
		reply = c.ask(line)
	}
	return reply
}

type caller struct {
	r  *running
	nc net.Conn
	in *bufio.Reader
}

func (r *running) call() *caller {
	r.Helper()
	nc, err := net.Dial("tcp", r.ftp.String())
	if err != nil {
		r.Fatal(err)
	}
	return &caller{r, nc, bufio.NewReader(nc)}
}

// reply is the next one, whole; "": the connection has ended.
func (c *caller) reply() (all string) {
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return ""
		}
		all += line
		if len(line) > 3 && line[3] == ' ' && line[0] != ' ' {
			return strings.TrimSpace(all)
		}
	}
}

func (c *caller) ask(line string) string {
	_, _ = c.nc.Write([]byte(line + "\r\n"))
	return c.reply()
}

// sshSays is what an SSH client gets to see before the login, and how that ends.
func (r *running) sshSays() (banner string, err error) {
	r.Helper()
	client, err := ssh.Dial("tcp", r.sftp.String(), &ssh.ClientConfig{
		User: "alice", Auth: []ssh.AuthMethod{ssh.Password("s3cret")}, HostKeyCallback: ssh.InsecureIgnoreHostKey(),
		BannerCallback: func(message string) error { banner = message; return nil },
	})
	if err == nil {
		_ = client.Close()
	}
	return banner, err
}

// TestAChangeIsSeen: what a client sees before a change, and after it, in a server that
// was not restarted.
func TestAChangeIsSeen(t *testing.T) {
	r := serving(t)
	login := []string{"USER alice", "PASS s3cret"}
	in := func(lines ...string) []string { return append(slices.Clone(login), lines...) }
	bob := strings.Replace(strings.TrimSuffix(r.base["users.static"], "]"), "alice", "bob", 1)
	for _, test := range []struct {
		change        set
		lines         []string
		before, after string // the beginning of the last reply
	}{
		{set{"ftp.greeting": `"Changed"`}, nil, "220 Ferry ready", "220 Changed"},
		{set{"ftp.mode_z": "true"}, in("MODE Z"), "504", "200"},
		{set{"ftp.active": "false"}, in("PORT 127,0,0,1,200,200"), "200", "5"},
		{set{"ftp.foreign_data": "true"}, in("PORT 127,0,0,2,200,200"), "5", "200"},
		{set{"ftp.epsv_off": `["127.0.0.0/8"]`}, in("EPSV"), "229", "502"},
		{set{"ftp.passive_addresses": `["203.0.113.7"]`}, in("PASV"), "227 Entering Passive Mode (127,0,0,1", "227 Entering Passive Mode (203,0,113,7"},
		{set{"tls.require": `"login"`}, []string{"USER alice"}, "331", "53"},
		{set{"ftp.require": `"login"`}, []string{"USER alice"}, "331", "53"},
		{set{"hosts.names": `["a.example"]`, "hosts.greetings": `["a.example=Other"]`}, []string{"HOST a.example"}, "504", "220 Other"},
		{set{"storage.read_only": "true"}, in("MKD seen"), "257", "550"},
		{set{"users.anonymous": "true"}, []string{"USER ftp", "PASS a@b"}, "530", "230"},
		{set{"users.anonymous": "true", "users.drop": `"/drop"`}, []string{"USER ftp", "PASS a@b", "CWD drop"}, "530", "250"},
		{set{"users.static": bob + "]"}, []string{"USER bob", "PASS s3cret"}, "530", "230"},
		{set{"limits.fails": "1"}, []string{"USER alice", "PASS x"}, "530", "421"},
		{set{"users.static": bob + "]"}, login, "230", "530"},
	} {
		_ = os.Remove(filepath.Join(strings.Trim(r.base["storage.root"], `"`), "seen"))
		if got := r.say(test.lines...); !strings.HasPrefix(got, test.before) {
			t.Errorf("%v: before, %v is answered %q, want %q", test.change, test.lines, got, test.before)
		}
		if got := r.change(test.change); got.Err != nil || len(got.Restart) > 0 {
			t.Errorf("%v: %+v", test.change, got)
		}
		if got := r.say(test.lines...); !strings.HasPrefix(got, test.after) {
			t.Errorf("%v: after it, %v is answered %q, want %q", test.change, test.lines, got, test.after)
		}
		if got := r.change(nil); got.Err != nil {
			t.Error(got.Err)
		}
	}

	if banner, err := r.sshSays(); banner != "" || err != nil {
		t.Errorf("SSH says %q, %v", banner, err)
	}
	r.change(set{"sftp.banner": `"Hello"`})
	if banner, err := r.sshSays(); banner != "Hello\n" && banner != "Hello\r\n" || err != nil {
		t.Errorf("SSH says %q, %v", banner, err)
	}
	r.change(set{"sftp.passwords": "false"})
	if _, err := r.sshSays(); err == nil {
		t.Error("SSH still takes a password")
	}
	r.change(set{"log.level": `"debug"`})
	r.say("NOOP")
	r.await("level=DEBUG msg=command")
}

// TestAChangeReachesTheSessionsThatRun: limits, rights and users are not for later ones only.
func TestAChangeReachesTheSessionsThatRun(t *testing.T) {
	r := serving(t)
	r.change(set{"users.anonymous": "true"})
	alice, guest := r.call(), r.call()
	alice.reply()
	alice.ask("USER alice")
	alice.ask("PASS s3cret")
	guest.reply()
	guest.ask("USER ftp")
	if got := guest.ask("PASS a@b"); !strings.HasPrefix(got, "230") {
		t.Fatal(got)
	}
	if got := alice.ask("MKD one"); !strings.HasPrefix(got, "257") {
		t.Fatal(got)
	}
	if got := r.change(set{"users.anonymous": "true", "storage.read_only": "true"}); got.Err != nil {
		t.Fatal(got.Err)
	}
	if got := alice.ask("MKD two"); !strings.HasPrefix(got, "550") {
		t.Errorf("nobody may change anything now, and MKD is answered %q", got)
	}
	r.change(set{"limits.upload": `"1GiB"`, "limits.download": `"1GiB"`})
	if got := guest.reply(); !strings.HasPrefix(got, "421") {
		t.Errorf("anonymous users are no longer let in, and one that is in hears %q", got)
	}
	r.change(set{"users.static": "[]"})
	if got := alice.reply(); !strings.HasPrefix(got, "421") {
		t.Errorf("alice is no user any more, and hears %q", got)
	}
}

// TestEveryLiveKey: a change of any key that is live is taken, and named; one of any
// other is named, and is not in effect.
func TestEveryLiveKey(t *testing.T) {
	r := serving(t)
	f := newTrustFiles(t)
	on := set{"users.anonymous": "true"}
	host := set{"hosts.names": `["a.example"]`}
	asked := set{"tls.client_certs": `"ask"`, "tls.client_ca": quoted(f.ca)}
	byPrint := merged(asked, set{"tls.client_match": `"fingerprint"`, "tls.client_fingerprints": fmt.Sprintf("[%q]", strings.Repeat("ab", 32)+"=alice")})
	legacy := set{"tls.legacy_networks": `["10.0.0.0/8"]`}
	rows := []struct {
		key, value string
		beside     set
	}{
		{"server.grace", `"31s"`, nil},
		{"ftp.greeting", `"x"`, nil}, {"ftp.passive_addresses", `["192.0.2.7"]`, nil}, {"ftp.active", "false", nil}, {"ftp.active_port", `"any"`, nil},
		{"ftp.foreign_data", "true", nil}, {"ftp.epsv_off", `["10.0.0.0/8"]`, nil}, {"ftp.login_timeout", `"59s"`, nil}, {"ftp.idle_timeout", `"14m"`, nil},
		{"ftp.data_timeout", `"29s"`, nil}, {"ftp.zone", `"Europe/Berlin"`, nil}, {"ftp.mode_z", "true", nil}, {"ftp.recursive_list", "false", nil},
		{"ftp.list_limit", "7", nil}, {"ftp.loose_allo", "true", nil}, {"ftp.require", `"all"`, nil}, {"ftp.legacy", "true", nil},
		{"sftp.host_keys", fmt.Sprintf("[%q]", f.hostKey), nil}, {"sftp.host_certificates", fmt.Sprintf("[%q]", f.hostCert), set{"sftp.host_keys": fmt.Sprintf("[%q]", f.hostKey)}},
		{"sftp.banner", `"x"`, nil}, {"sftp.passwords", "false", nil}, {"sftp.user_ca", fmt.Sprintf("[%q]", f.userCA), nil}, {"sftp.revoked_keys", quoted(f.userCA), nil},
		{"sftp.chacha20", "true", nil}, {"sftp.legacy_networks", `["10.0.0.0/8"]`, nil}, {"sftp.login_timeout", `"59s"`, nil}, {"sftp.idle_timeout", `"2h"`, nil}, {"sftp.keep_alive", `"59s"`, nil},
		{"tls.cert", quoted(f.pair), nil}, {"tls.key", quoted(f.pair), set{"tls.cert": quoted(f.pair)}}, {"tls.more", fmt.Sprintf("[%q]", f.pair+":"+f.pair), nil},
		{"tls.strict_sni", "true", nil}, {"tls.require", `"all"`, nil}, {"tls.require_networks", `["10.0.0.0/8=off"]`, nil}, {"tls.require_users", `["alice=off"]`, nil},
		{"tls.binding", `"enforce"`, nil}, {"tls.ccc", "true", nil}, {"tls.unclean_close_networks", `["10.0.0.0/8"]`, nil}, {"tls.unclean_close_users", `["alice"]`, nil},
		{"tls.legacy_networks", `["10.0.0.0/8"]`, nil}, {"tls.legacy_charset", `"gbk"`, legacy}, {"tls.legacy_dos_list", "true", legacy},
		{"tls.client_certs", `"require"`, asked}, {"tls.client_ca", quoted(f.otherCA), asked}, {"tls.client_crl", quoted(f.crl), asked},
		{"tls.client_factor", `"both"`, asked}, {"tls.client_match", `"san"`, asked}, {"tls.client_fingerprints", fmt.Sprintf("[%q]", strings.Repeat("ab", 32)+"=bob"), byPrint},
		{"hosts.names", `["a.example"]`, nil}, {"hosts.greetings", `["a.example=x"]`, host}, {"hosts.own_users", `["a.example"]`, host},
		{"hosts.anonymous_roots", fmt.Sprintf("[%q]", "a.example="+t.TempDir()), merged(host, on)},
		{"storage.read_only", "true", nil},
		{"users.static", "[]", nil}, {"users.anonymous", "true", nil}, {"users.anonymous_root", quoted(t.TempDir()), on}, {"users.drop", `"/in"`, on},
		{"users.remember", `"7m"`, nil}, {"users.hash_memory", `"9MiB"`, nil}, {"users.hash_passes", "2", nil}, {"users.rehash", "true", nil},
		{"limits.sessions", "1999", nil}, {"limits.per_address", "199", nil}, {"limits.before_login", `"90:30:500"`, nil}, {"limits.open_files", "100", nil}, {"limits.open_files_per_connection", "50", nil}, {"limits.open_files_per_user", "60", nil}, {"limits.open_files_per_address", "70", nil}, {"limits.upload", `"1GiB"`, nil}, {"limits.download", `"1GiB"`, nil},
		{"limits.fails", "4", nil}, {"limits.fail_delay", `"1s"`, nil}, {"limits.ban_after", "9", nil}, {"limits.ban_window", `"9m"`, nil}, {"limits.ban_for", `"9m"`, nil},
		{"limits.never_ban", `["127.0.0.1"]`, nil}, {"limits.stall", `"4m"`, nil},
		{"log.level", `"warn"`, nil}, {"log.transfer_log", quoted(filepath.Join(t.TempDir(), "t")), nil}, {"log.transfer_format", `"json"`, nil},

		{"system.min_uid", "500", nil}, {"system.groups", `["staff"]`, nil}, {"system.denied", quoted(f.pair), nil}, {"system.any_shell", "true", nil},

		{"system.enabled", "true", nil}, {"server.user", `"nobody"`, nil}, {"server.state", quoted(t.TempDir()), nil}, {"ftp.address", `"127.0.0.1:1"`, nil}, {"ftp.passive_ports", `"50001-50002"`, nil}, {"ftp.proxy_from", `["10.0.0.0/8"]`, nil},
		{"sftp.address", `"127.0.0.1:2"`, nil}, {"sftp.proxy_from", `["10.0.0.0/8"]`, nil}, {"ftps.address", `"127.0.0.1:3"`, nil},
		{"tls.hosts", `["x.example"]`, nil}, {"storage.root", quoted(t.TempDir()), nil}, {"storage.keep", `"25h"`, nil}, {"storage.durable", "false", nil},
		{"storage.umask", `"0027"`, nil}, {"storage.resolver", `"os.Root"`, nil}, {"users.home", quoted(t.TempDir() + "/%u"), nil}, {"log.format", `"json"`, nil},
		{"tls.enabled", "false", nil},
	}
	// What cannot be in effect here: they are of FTPS, which this server does not have,
	// or of an ACME server, which it does not ask.
	rest := []string{"ftps.require", "ftps.legacy", "tls.acme_names", "tls.acme_email", "tls.acme_directory", "tls.acme_http", "tls.acme_tls", "tls.acme_root_ca"}
	for _, k := range config.Keys() {
		has := slices.Contains(rest, k.Name)
		for _, row := range rows {
			has = has || row.key == k.Name
		}
		if !has {
			t.Errorf("%s is in no row", k.Name)
		}
	}
	live := map[string]config.Key{}
	for _, k := range config.Keys() {
		live[k.Name] = k
	}
	for _, row := range rows {
		t.Run(row.key, func(t *testing.T) {
			if got := r.change(row.beside); got.Err != nil {
				t.Fatal(got.Err)
			}
			k := live[row.key]
			was := k.At(r.now.Load().conf).Toml()
			got := r.change(merged(row.beside, set{row.key: row.value}))
			want := Reloaded{Changed: []string{row.key}}
			if !k.Live {
				want = Reloaded{Restart: []string{row.key}}
			}
			if got.Err != nil || !slices.Equal(got.Changed, want.Changed) || !slices.Equal(got.Restart, want.Restart) {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if is := k.At(r.now.Load().conf).Toml(); (is != was) != k.Live && row.key != "users.static" {
				t.Errorf("it was %s and is %s; live: %v", was, is, k.Live)
			}
		})
	}
}

func merged(a, b set) set {
	all := maps.Clone(a)
	if all == nil {
		all = set{}
	}
	maps.Copy(all, b)
	return all
}

// TestABrokenFileChangesNothing: not even what is right in it.
func TestABrokenFileChangesNothing(t *testing.T) {
	r := serving(t)
	hup := func(s set) {
		r.write(r.with(s))
		r.signals <- syscall.SIGHUP
	}
	for _, test := range []struct {
		broken set
		told   string
	}{
		{set{"ftp.greeting": `"Changed"`, "limits.sessions": `"many"`}, r.file + `:6: limits.sessions must be a whole number`},
		{set{"ftp.greeting": `"Changed"`, "tls.cert": `"/nowhere/x.pem"`}, "tls.cert: "},
		{set{"ftp.greeting": `"Changed"`, "users.drop": `"/in"`}, "users.drop is for anonymous users"},
		{set{"ftp.greeting": `"Changed"`, "log.transfer_log": `"/nowhere/log"`}, "cannot open the transfer log /nowhere/log"},
		{set{"ftp.greeting": "\"Chan"}, "not TOML"},
	} {
		hup(test.broken)
		line := r.await("level=ERROR")
		if !strings.Contains(line, `msg="the configuration was not read again; nothing has changed"`) || !strings.Contains(line, test.told) || !strings.Contains(line, r.file) {
			t.Errorf("%v: told is %s, want %s", test.broken, line, test.told)
		}
		if got := r.say(); !strings.HasPrefix(got, "220 Ferry ready") {
			t.Errorf("%v: the greeting is %q", test.broken, got)
		}
	}
	// Right by itself, and not together with what is in effect until a restart.
	if got := r.change(set{"ftps.address": `"127.0.0.1:0"`, "ftps.require": `"all"`}); got.Err == nil || !strings.Contains(got.Err.Error(), "takes a restart, for ftps.address") {
		t.Errorf("told is %v", got.Err)
	}
	if got := r.change(set{"limits.sessions": `"many"`, "limits.fails": `"few"`}); len(each(got.Err)) != 2 {
		t.Errorf("of two faults %v are told", got.Err)
	}

	hup(set{"ftp.greeting": `"Changed"`, "limits.sessions": "5", "storage.keep": `"1h"`})
	if line := r.await(`msg="configuration read again"`); !strings.Contains(line, `changed="[ftp.greeting limits.sessions]"`) {
		t.Errorf("told is %s", line)
	}
	if line := r.await("need a restart"); !strings.Contains(line, "keys=[storage.keep]") || !strings.Contains(line, "level=WARN") {
		t.Errorf("told is %s", line)
	}
	if got := r.say(); !strings.HasPrefix(got, "220 Changed") {
		t.Errorf("the greeting is %q", got)
	}
}

// TestAMadeUpPasswordStays: reading again makes up none.
func TestAMadeUpPasswordStays(t *testing.T) {
	before := []StaticUser{{StaticUser: config.StaticUser{Name: "ferry", Secret: "one"}, Made: true}, {StaticUser: config.StaticUser{Name: "a", Secret: "given"}}}
	now := []StaticUser{{StaticUser: config.StaticUser{Name: "ferry", Secret: "two"}, Made: true}, {StaticUser: config.StaticUser{Name: "a", Secret: "new"}}}
	keepMade(now, before)
	if now[0].Secret != "one" || now[1].Secret != "new" {
		t.Errorf("got %+v", now)
	}
}

// trustFiles are files that a configuration may name.
type trustFiles struct{ pair, ca, otherCA, crl, userCA, hostKey, hostCert string }

func newTrustFiles(t *testing.T) (f trustFiles) {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := certs.Open(t.Context(), certs.Config{Dir: filepath.Join(dir, "tls")})
	must(err)
	f.pair = filepath.Join(dir, "tls", "self-signed.pem")

	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, SubjectKeyId: []byte{1}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(err)
	ca, err := x509.ParseCertificate(der)
	must(err)
	f.ca = write("ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	f.otherCA = write("other.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	list, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now, NextUpdate: now.Add(time.Hour)}, ca, key)
	must(err)
	f.crl = write("crl.pem", pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: list}))

	keys, err := sshserver.HostKeys(filepath.Join(dir, "ssh"))
	must(err)
	host := keys[slices.IndexFunc(keys, func(k ssh.Signer) bool { return k.PublicKey().Type() == ssh.KeyAlgoED25519 })]
	f.hostKey = filepath.Join(dir, "ssh", "host_ed25519")
	f.userCA = write("ca.pub", ssh.MarshalAuthorizedKey(host.PublicKey()))
	cert := &ssh.Certificate{Key: host.PublicKey(), CertType: ssh.HostCert, ValidPrincipals: []string{"h"}, ValidBefore: ssh.CertTimeInfinity}
	must(errors.Join(cert.SignCert(rand.Reader, host)))
	f.hostCert = write("host-cert.pub", ssh.MarshalAuthorizedKey(cert))
	return f
}
