package certs_test

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"net/url"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/internal/certs"
)

// club is a server that knows an authority of clients.
type club struct {
	ca      *authority // of the clients
	server  *authority
	cfg     certs.Config
	log     *lines
	members map[string]leaf
}

// newClub issues the certificates that the tests show: of a member, and of
// some who are none.
func newClub(t *testing.T) *club {
	t.Helper()
	dir := t.TempDir()
	c := &club{ca: newAuthority(t, "Clients"), server: newAuthority(t, "Servers"), members: map[string]leaf{}}
	past := func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }
	serverOnly := func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }
	c.members["member"] = c.ca.issue(t, ecKey(t), nil, "alice")
	c.members["revoked"] = c.ca.issue(t, ecKey(t), nil, "mallory")
	c.members["expired"] = c.ca.issue(t, ecKey(t), past, "old")
	c.members["server's"] = c.ca.issue(t, ecKey(t), serverOnly, "www")
	c.members["stranger"] = newAuthority(t, "Clients").issue(t, ecKey(t), nil, "alice")
	c.cfg = certs.Config{
		Pairs:     []certs.Pair{c.server.issue(t, ecKey(t), nil, "ftp.example.com").save(t, dir, "server")},
		ClientCA:  filepath.Join(dir, "clients.pem"),
		ClientCRL: filepath.Join(dir, "clients.crl"),
	}
	replace(t, c.cfg.ClientCA, c.ca.pem())
	c.revoke(t, time.Hour, "revoked")
	c.log, c.cfg.Log = newLog()
	return c
}

// revoke writes a list that is current for so long.
func (c *club) revoke(t *testing.T, current time.Duration, names ...string) {
	t.Helper()
	var revoked []leaf
	for _, name := range names {
		revoked = append(revoked, c.members[name])
	}
	replace(t, c.cfg.ClientCRL, c.ca.revoke(t, time.Now().Add(current), nil, revoked...))
}

// as is the client with one of the certificates; "": with none.
func (c *club) as(name string, version uint16) *tls.Config {
	client := caller(c.server, version)
	if name != "" {
		// By callback, a client shows it whatever authorities the server names.
		cert := c.members[name].tls()
		client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }
	}
	return client
}

func TestClientCertificates(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		c := newClub(t)
		source := open(t, c.cfg)
		for _, test := range []struct {
			name              string
			off, ask, require bool // shake hands
			known             bool
		}{
			{"", true, true, false, false},
			{"member", true, true, true, true},
			{"revoked", true, false, false, false},
			{"expired", true, false, false, false},
			{"server's", true, false, false, false},
			{"stranger", true, false, false, false},
		} {
			for mode, want := range map[certs.ClientCerts]bool{
				certs.ClientCertsOff: test.off, certs.ClientCertsAsk: test.ask, certs.ClientCertsRequire: test.require,
			} {
				m := meet(source.Server(certs.Options{ClientCerts: mode}), c.as(test.name, version))
				if m.ok() != want {
					t.Errorf("%q, mode %d: client says %v, server says %v", test.name, mode, m.clientErr, m.serverErr)
				}
				_, known := source.Identity(m.server)
				if known != (test.known && mode != certs.ClientCertsOff) {
					t.Errorf("%q, mode %d: known: %v", test.name, mode, known)
				}
			}
		}
	})
}

func TestNoAuthorityNoClient(t *testing.T) {
	c := newClub(t)
	c.cfg.ClientCA, c.cfg.ClientCRL = "", ""
	source := open(t, c.cfg)
	for mode, want := range map[certs.ClientCerts]bool{certs.ClientCertsOff: true, certs.ClientCertsAsk: false, certs.ClientCertsRequire: false} {
		m := meet(source.Server(certs.Options{ClientCerts: mode}), c.as("member", tls.VersionTLS13))
		if _, known := source.Identity(m.server); m.ok() != want || known {
			t.Errorf("mode %d: server says %v, known: %v", mode, m.serverErr, known)
		}
	}
}

func TestIdentitySaysWhoItIs(t *testing.T) {
	c := newClub(t)
	id, err := url.Parse("spiffe://example.com/alice")
	if err != nil {
		t.Fatal(err)
	}
	l := c.ca.issue(t, ecKey(t), func(cert *x509.Certificate) {
		cert.EmailAddresses, cert.URIs = []string{"alice@example.com"}, []*url.URL{id}
	}, "alice", "alice.example.com")
	c.members["alice"] = l
	source := open(t, c.cfg)
	sum := sha256.Sum256(l.cert.Raw)
	want := certs.Identity{
		Fingerprint: hex.EncodeToString(sum[:]),
		CommonName:  "alice",
		DNSNames:    []string{"alice", "alice.example.com"},
		Emails:      []string{"alice@example.com"},
		URIs:        []string{"spiffe://example.com/alice"},
	}
	m := meet(source.Server(certs.Options{ClientCerts: certs.ClientCertsAsk}), c.as("alice", tls.VersionTLS13))
	if got, ok := source.Identity(m.server); !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("identity is %+v, want %+v", got, want)
	}
}

// TestRevokedWhileItRuns: who is revoked gets in no more, not by a ticket
// either, and is nobody at once.
func TestRevokedWhileItRuns(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		c := newClub(t)
		source := open(t, c.cfg)
		server := source.Server(certs.Options{ClientCerts: certs.ClientCertsRequire})
		openTickets(t, "").Apply(server)
		client := c.as("member", version)
		resumes(t, server, client)
		if !resumes(t, server, client) {
			t.Fatal("a session with a client certificate does not resume")
		}
		m := meet(server, client)
		if _, known := source.Identity(m.server); !known {
			t.Error("a resumed session has lost who the client is")
		}

		c.revoke(t, time.Hour, "revoked", "member")
		if err := source.Reload(); err != nil {
			t.Fatal(err)
		}
		if _, known := source.Identity(m.server); known {
			t.Error("who is revoked is still known")
		}
		for range 2 {
			if m := meet(server, client); m.ok() || !strings.Contains(m.serverErr.Error(), "revoked") {
				t.Errorf("who is revoked: client says %v, server says %v", m.clientErr, m.serverErr)
			}
		}
	})
}

// TestTicketsDoNotCarryClientsAcross: a listener that requires a certificate
// does not take a session from one that asked for none.
func TestTicketsDoNotCarryClientsAcross(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		c := newClub(t)
		source, tickets := open(t, c.cfg), openTickets(t, "")
		open, strict := source.Server(certs.Options{}), source.Server(certs.Options{ClientCerts: certs.ClientCertsRequire})
		tickets.Apply(open)
		tickets.Apply(strict)
		client := c.as("", version)
		resumes(t, open, client)
		if m := meet(strict, client); m.ok() {
			t.Error("a client without a certificate got in by a ticket")
		}
	})
}

// TestListsEndWhileItRuns: a revocation list that nobody renews is warned of,
// and what it revokes stays revoked.
func TestListsEndWhileItRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClub(t)
		source := open(t, c.cfg)
		go source.Watch(t.Context())
		c.revoke(t, -time.Hour, "revoked", "member")
		rest()
		const warning = "may still be accepted"
		if c.log.count(warning) != 1 || !strings.Contains(c.log.String(), c.cfg.ClientCRL) {
			t.Errorf("the log says:\n%s", c.log)
		}
		server := source.Server(certs.Options{ClientCerts: certs.ClientCertsRequire})
		if m := meet(server, c.as("member", tls.VersionTLS13)); m.ok() {
			t.Error("the list that had expired revokes nothing")
		}
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if c.log.count(warning) != 2 {
			t.Errorf("after a day the log says:\n%s", c.log)
		}
	})
}

// TestAuthoritiesReload: each half of what is reloaded stands for itself.
func TestAuthoritiesReload(t *testing.T) {
	c := newClub(t)
	source := open(t, c.cfg)
	server := source.Server(certs.Options{ClientCerts: certs.ClientCertsRequire})
	next := newAuthority(t, "Next")
	c.members["next"] = next.issue(t, ecKey(t), nil, "bob")

	replace(t, c.cfg.ClientCA, []byte("rubbish"))
	renewed := c.server.issue(t, ecKey(t), nil, "ftp.example.com")
	renewed.save(t, filepath.Dir(c.cfg.ClientCA), "server")
	if err := source.Reload(); err == nil || !strings.Contains(err.Error(), c.cfg.ClientCA) {
		t.Errorf("rubbish: %v", err)
	}
	if m := meet(server, c.as("member", tls.VersionTLS13)); !m.ok() || !m.client.PeerCertificates[0].Equal(renewed.cert) {
		t.Errorf("the old authority or the new certificate is not in use: %v, %v", m.clientErr, m.serverErr)
	}

	replace(t, c.cfg.ClientCA, slices.Concat(c.ca.pem(), next.pem()))
	if err := source.Reload(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"member", "next"} {
		if m := meet(server, c.as(name, tls.VersionTLS13)); !m.ok() {
			t.Errorf("%s: client says %v, server says %v", name, m.clientErr, m.serverErr)
		}
	}
}

// TestRevokedIntermediate: a list of the root takes a whole branch away.
func TestRevokedIntermediate(t *testing.T) {
	c := newClub(t)
	key := ecKey(t)
	branch := c.ca.issue(t, key, func(cert *x509.Certificate) {
		cert.Subject.CommonName, cert.IsCA, cert.BasicConstraintsValid = "Branch", true, true
		cert.KeyUsage = x509.KeyUsageCertSign
	})
	l := (&authority{branch.cert, key}).issue(t, ecKey(t), nil, "carol")
	pair := l.tls()
	pair.Certificate = append(pair.Certificate, branch.cert.Raw)
	client := c.as("", tls.VersionTLS13)
	client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	source := open(t, c.cfg)
	server := source.Server(certs.Options{ClientCerts: certs.ClientCertsRequire})
	if m := meet(server, client); !m.ok() {
		t.Fatalf("client says %v, server says %v", m.clientErr, m.serverErr)
	}
	c.members["branch"] = branch
	c.revoke(t, time.Hour, "branch")
	if err := source.Reload(); err != nil {
		t.Fatal(err)
	}
	if m := meet(server, client); m.ok() {
		t.Error("the branch is revoked, and its client got in")
	}
}
