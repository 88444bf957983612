package daemon

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ferry/internal/certs"
	"ferry/internal/config"
	"ferry/internal/ftpserver"
	"ferry/internal/ftptls"
)

// What is said of a listener goes before what is said of all, and behind what
// is said of users and networks.
func TestPolicyOfListeners(t *testing.T) {
	c := written(t, `[ftp]
require = "off"
[ftps]
address = ":990"
require = "data"
legacy = true
[tls]
require = "all"
require_networks = ["10.0.0.0/8=login"]
require_users = ["bank=all"]`, nil)
	far, near := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("10.0.0.1")
	for _, test := range []struct {
		name string
		who  ftpserver.Client
		want ftpserver.Require
	}{
		{"FTP", ftpserver.Client{Peer: far, User: "a"}, ftpserver.RequireOff},
		{"FTPS", ftpserver.Client{Peer: far, User: "a", Implicit: true}, ftpserver.RequireData},
		{"a network", ftpserver.Client{Peer: near, User: "a"}, ftpserver.RequireLogin},
		{"a network, FTPS", ftpserver.Client{Peer: near, User: "a", Implicit: true}, ftpserver.RequireLogin},
		{"a user", ftpserver.Client{Peer: near, User: "bank"}, ftpserver.RequireAll},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPolicies(c).of(test.who)
			if p.Require != test.want || (p.Legacy != nil) != test.who.Implicit {
				t.Errorf("got %+v, want %v", p, test.want)
			}
		})
	}
	c = written(t, "[ftp]\nlegacy = true\n[tls]\nrequire = \"data\"\nlegacy_dos_list = true", nil)
	if p := newPolicies(c).of(ftpserver.Client{Peer: far}); p.Require != ftpserver.RequireData || p.Legacy == nil || !p.Legacy.DOSList {
		t.Errorf("got %+v, %+v", p, p.Legacy)
	}
}

func TestPolicyForDevices(t *testing.T) {
	c := written(t, `[tls]
binding = "enforce"
ccc = true
unclean_close_networks = ["10.0.0.0/8"]
unclean_close_users = ["printer"]
legacy_networks = ["10.9.0.0/16"]
legacy_charset = "GBK"
legacy_dos_list = true`, nil)
	policies := newPolicies(c)
	for _, test := range []struct {
		peer, user      string
		unclean, legacy bool
	}{
		{"192.0.2.1", "a", false, false},
		{"192.0.2.1", "printer", true, false},
		{"10.1.0.1", "a", true, false},
		{"10.9.0.1", "a", true, true},
	} {
		p := policies.of(ftpserver.Client{Peer: netip.MustParseAddr(test.peer), User: test.user})
		if p.Binding != ftptls.BindEnforce || !p.CCC || p.UncleanClose != test.unclean || (p.Legacy != nil) != test.legacy {
			t.Errorf("%s from %s: %+v", test.user, test.peer, p)
		}
		if p.Legacy != nil && *p.Legacy != (ftpserver.Legacy{Charset: "gbk", DOSList: true, LooseTypes: true}) {
			t.Errorf("legacy is %+v", *p.Legacy)
		}
	}
}

func TestWhomACertificateStandsFor(t *testing.T) {
	sum := strings.Repeat("ab", 32)
	id := certs.Identity{Fingerprint: sum, CommonName: "alice", DNSNames: []string{"scanner"}, Emails: []string{"al@example.com"}}
	nameless := certs.Identity{Fingerprint: strings.Repeat("cd", 32)}
	const ask = "[tls]\nclient_certs = \"ask\"\nclient_ca = \"/ca\"\nclient_match = "
	printed := "SHA256:" + strings.TrimSuffix(strings.Repeat("AB:", 32), ":")
	for _, test := range []struct {
		match string
		id    certs.Identity
		user  string
		want  bool
	}{
		{`"cn"`, id, "alice", true},
		{`"cn"`, id, "Alice", false},
		{`"cn"`, id, "scanner", false},
		{`"cn"`, nameless, "", false},
		{`"san"`, id, "scanner", true},
		{`"san"`, id, "al@example.com", true},
		{`"san"`, id, "alice", false},
		{`"san"`, nameless, "", false},
		{"\"fingerprint\"\nclient_fingerprints = [\"" + printed + "=bob\"]", id, "bob", true},
		{"\"fingerprint\"\nclient_fingerprints = [\"" + printed + "=bob\"]", id, "alice", false},
		{"\"fingerprint\"\nclient_fingerprints = [\"" + printed + "=bob\"]", nameless, "bob", false},
		{"\"fingerprint\"\nclient_fingerprints = [\"" + printed + "=bob\"]", nameless, "", false},
	} {
		c := written(t, ask+test.match, nil)
		if got := standsFor(c, test.id, test.user); got != test.want {
			t.Errorf("%s, user %q: %v", test.match, test.user, got)
		}
	}
}

func TestWhatTLSIsRequired(t *testing.T) {
	with := func(file string) *config.Config {
		c := written(t, "[users]\nanonymous = true\n"+file, nil)
		return c
	}
	bare, err := config.Load("", map[string]any{"--state": "/s"})
	if err != nil {
		t.Fatal(err)
	}
	exceptions := with(`[tls]
require = "data"
require_networks = ["10.0.0.0/8=off", "10.1.0.0/16=all", "10.1.2.3=login", "2001:db8::/32=off"]
require_users = ["camera=off", "bank=all"]`)
	for _, test := range []struct {
		name string
		conf *config.Config
		peer string
		user string
		want ftpserver.Require
	}{
		{"no file", bare, "192.0.2.1", "a", ftpserver.RequireOff},
		{"a file", with(""), "192.0.2.1", "a", ftpserver.RequireLogin},
		{"a file that says off", with("[tls]\nrequire = \"off\""), "192.0.2.1", "a", ftpserver.RequireOff},
		{"no TLS", with("[tls]\nenabled = false"), "192.0.2.1", "a", ftpserver.RequireOff},
		{"everybody else", exceptions, "192.0.2.1", "a", ftpserver.RequireData},
		{"before USER", exceptions, "192.0.2.1", "", ftpserver.RequireData},
		{"a network", exceptions, "10.2.0.1", "a", ftpserver.RequireOff},
		{"a narrower one", exceptions, "10.1.0.1", "a", ftpserver.RequireAll},
		{"a single address", exceptions, "10.1.2.3", "a", ftpserver.RequireLogin},
		{"IPv6, with a zone", exceptions, "2001:db8::1%eth0", "a", ftpserver.RequireOff},
		{"a user", exceptions, "192.0.2.1", "camera", ftpserver.RequireOff},
		{"a user before a network", exceptions, "10.1.2.3", "bank", ftpserver.RequireAll},
		{"another spelling", exceptions, "192.0.2.1", "Camera", ftpserver.RequireData},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := newPolicies(test.conf).of(ftpserver.Client{Peer: netip.MustParseAddr(test.peer), User: test.user}).Require; got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// written is the configuration that text says.
func written(t *testing.T, text string, flags map[string]any) *config.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ferry.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file, flags)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
