package ftpserver

import (
	"crypto/tls"
	"testing"

	"ferry/internal/ftptls"
)

// A second connection that a client begins, and that is turned away or ends
// before it has moved anything, leaves the ticket of its handshake in the cache
// that both share. The first goes on with it.
func TestTicketOfAConnectionThatCameToNothing(t *testing.T) {
	ends := map[string]func(second *secureClient){
		"turned away": func(second *secureClient) {
			second.do("USER single", "331")
			second.do("PASS secret", "421")
		},
		"without a login": func(second *secureClient) { second.do("QUIT", "221") },
		"idle": func(second *secureClient) {
			second.do("USER single", "331")
		},
	}
	for _, binding := range []ftptls.Binding{ftptls.BindAuto, ftptls.BindEnforce} {
		for end, finish := range ends {
			for name, version := range versions() {
				t.Run(binding.String()+"/"+end+"/"+name, func(t *testing.T) {
					s := serveTLS(t, false, everybody(Policy{Binding: binding}))
					c := s.login(clientTLS(version), "single")
					c.put("f", "x", "226")
					second := s.dial(c.tls)
					second.want("220")
					second.auth()
					second.do("NOOP", "200") // and has read its ticket
					finish(second)
					c.put("f", "x", "226")
					c.put("f", "x", "226")
				})
			}
		}
	}
}

// A client may be one user after another, and keep its cache. What counts is
// whose a session is, not whose ticket it came with.
func TestTicketsOfAClientWithSeveralAccounts(t *testing.T) {
	for _, binding := range []ftptls.Binding{ftptls.BindAuto, ftptls.BindEnforce} {
		for name, version := range versions() {
			t.Run(binding.String()+"/"+name, func(t *testing.T) {
				s := serveTLS(t, false, everybody(Policy{Binding: binding}))
				cfg := clientTLS(version)
				alice := s.login(cfg, "alice")
				alice.put("f", "x", "226")
				bob := s.login(cfg, "bob")
				bob.do("NOOP", "200")
				second := s.login(cfg, "bob")
				second.do("NOOP", "200")
				bob.put("b", "x", "226") // with the ticket of second's handshake, which came with one of alice's
				other := s.login(clientTLS(version), "alice")
				other.putWith(cfg, "f", "x", "522")
			})
		}
	}
}

// A client that uses each ticket once has none after a data connection that
// broke before it read anything: binding auto must not refuse it then.
func TestAutoAsksForNoTicketThatWasLost(t *testing.T) {
	for _, command := range []string{"RETR big", "STOR part"} {
		t.Run(command, func(t *testing.T) {
			cfg := clientTLS(tls.VersionTLS13)
			cfg.ClientSessionCache = new(once)
			s := serveTLS(t, false, nil)
			c := s.login(cfg, "alice")
			c.put("big", string(make([]byte, 8<<20)), "226")
			c.get("big")
			c.putWith(clientTLS(tls.VersionTLS13), "f", "x", "522") // it has one, and a stranger has none
			nc := c.passive()
			c.do(command, "150")
			if err := tls.Client(nc, cfg).Handshake(); err != nil {
				t.Fatal(err)
			}
			nc.Close()
			c.want("426")
			c.put("f", "x", "226")
			c.put("f", "x", "226")
		})
	}
}
