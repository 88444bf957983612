package main

import (
	"context"
	"net/netip"
	"testing"

	"ferry"
)

// asked is an authenticator that notes what it is asked.
type asked struct{ claim *ferry.Claim }

func (a asked) Authenticate(_ context.Context, c ferry.Claim) (ferry.User, error) {
	*a.claim = c
	return ferry.User{Name: c.Name}, nil
}

// TestOwnUsersOfAHost: what was found out about one account lends
// nothing to another that has the same short name.
func TestOwnUsersOfAHost(t *testing.T) {
	const hosts = "[hosts]\nnames = [\"a.example\", \"b.example\"]\nown_users = [\"a.example\"]\n"
	const lenient = hosts + "[tls]\nrequire_users = [\"camera=off\"]\n"
	const both = hosts + "[tls]\nclient_certs = \"ask\"\nclient_ca = \"/ca\"\nclient_factor = \"both\"\n"
	for _, test := range []struct {
		name, config      string
		claim             ferry.Claim
		account           string
		certified, denied bool
	}{
		{"no host", hosts, ferry.Claim{Name: "alice"}, "alice", false, false},
		{"a host with the server's users", hosts, ferry.Claim{Name: "alice", Host: "b.example"}, "alice", false, false},
		{"its own", hosts, ferry.Claim{Name: "alice", Host: "a.example", Protocol: "ftps"}, "alice@a.example", false, false},
		{"the whole name", hosts, ferry.Claim{Name: "alice@a.example", Host: "a.example", Protocol: "ftps"}, "alice@a.example", false, false},
		{"the whole name elsewhere", hosts, ferry.Claim{Name: "alice@a.example"}, "alice@a.example", false, false},
		{"another host's account", hosts, ferry.Claim{Name: "alice@b.example", Host: "a.example", Protocol: "ftps"}, "alice@b.example@a.example", false, false},
		{"certificate of the other alice", hosts, ferry.Claim{Name: "alice", Host: "a.example", Protocol: "ftps", Certified: true}, "alice@a.example", false, true},
		{"certificate for the whole name", hosts, ferry.Claim{Name: "alice@a.example", Host: "a.example", Protocol: "ftps", Certified: true}, "alice@a.example", true, false},
		{"second factor of the other alice", both, ferry.Claim{Name: "alice", Host: "a.example", Protocol: "ftps"}, "alice@a.example", false, true},
		{"exception of the other camera", lenient, ferry.Claim{Name: "camera", Host: "a.example", Protocol: "ftp"}, "camera@a.example", false, true},
		{"exception, but under TLS", lenient, ferry.Claim{Name: "camera", Host: "a.example", Protocol: "ftps"}, "camera@a.example", false, false},
		{"already denied", hosts, ferry.Claim{Name: "alice", Host: "a.example", Protocol: "ftps", Denied: true}, "alice@a.example", false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := loadText(t, test.config, nil)
			if err != nil {
				t.Fatal(err)
			}
			var got ferry.Claim
			test.claim.Peer = netip.MustParseAddrPort("192.0.2.1:1")
			_, _ = ownUsers{c.Hosts.OwnUsers, newPolicies(c), asked{&got}}.Authenticate(t.Context(), test.claim)
			if got.Name != test.account || got.Certified != test.certified || got.Denied != test.denied {
				t.Errorf("asked for %q, certified %v, denied %v", got.Name, got.Certified, got.Denied)
			}
		})
	}
}

func TestAnonymousRootOfAHost(t *testing.T) {
	c, err := loadText(t, "[storage]\nroot = \"/srv\"\n[users]\nanonymous = true\n[hosts]\nnames = [\"A.example\", \"b.example\"]\nanonymous_roots = [\"a.Example=/srv/a\"]\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]string{"": "/srv", "a.example": "/srv/a", "b.example": "/srv"} {
		u, err := authenticator(c, nil, nil).Authenticate(t.Context(), ferry.Claim{Name: "ftp", Host: host})
		if err != nil || u.Home != want || !u.Anonymous {
			t.Errorf("on %q: %+v, %v", host, u, err)
		}
	}
}
