package interop

import (
	"crypto/tls"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestClientCertificates: curl with a certificate and without, the right one,
// somebody else's, a stranger's, and one that was revoked.
func TestClientCertificates(t *testing.T) {
	t.Parallel()
	const right, wrong = password, "wrong-" + user
	for _, c := range []struct {
		name                string
		certs, factor       string
		own, ownWrong       bool // alice's, with her password and without
		none, noneWrong     bool // none
		others, othersWrong bool // bob's
	}{
		{"asked, for nothing", "ask", "password", true, false, true, false, true, false},
		{"asked, and enough", "ask", "certificate", true, true, true, false, true, false},
		{"asked, and both", "ask", "both", true, false, false, false, false, false},
		{"required", "require", "password", true, false, false, false, true, false},
		{"required, and enough", "require", "certificate", true, true, false, false, true, false},
		{"required, and both", "require", "both", true, false, false, false, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := &secureServer{ca: newAuthority(t)}
			v.pair = v.ca.issue("localhost", "127.0.0.1")
			crl := filepath.Join(v.ca.dir, "crl.pem")
			alice, bob, revoked := v.ca.issue(user), v.ca.issue("bob"), v.ca.issue(user)
			stranger := newAuthority(t).issue(user)
			v.ca.revoke(crl, revoked)
			v.launch(t, setup{config: noWaiting},
				fmt.Sprintf("client_certs = %q\nclient_factor = %q\nclient_ca = %q\nclient_crl = %q", c.certs, c.factor, v.ca.file, crl), binding("enforce"))
			writeFile(t, v.path("f"), []byte("content"))
			for _, try := range []struct {
				who    string
				pair   pair
				secret string
				well   bool
			}{
				{"alice", alice, right, c.own}, {"alice", alice, wrong, c.ownWrong},
				{"nobody", pair{}, right, c.none}, {"nobody", pair{}, wrong, c.noneWrong},
				{"bob", bob, right, c.others}, {"bob", bob, wrong, c.othersWrong},
				{"a stranger", stranger, right, false},
				{"alice, revoked", revoked, right, false},
			} {
				args := secureArgs(v, "-q", "-sSv", "-u", user+":"+try.secret, v.url("f"))
				if try.pair.cert != "" {
					args = append(args, "--cert", try.pair.cert, "--key", try.pair.key)
				}
				o := program{}.run(t, "curl", args...)
				if well := o.code == 0 && o.out == "content"; well != try.well {
					t.Errorf("with the certificate of %s and the password %s: exit status %d, %q; want it to go well: %v\n%s",
						try.who, try.secret, o.code, o.out, try.well, o.err)
				}
				if without := strings.Contains(o.err, "< 232 "); without != (c.factor == "certificate" && try.who == "alice") {
					t.Errorf("with the certificate of %s, 232 was said: %v", try.who, without)
				}
			}

			// A list that revokes more counts from the next handshake on.
			v.ca.revoke(crl, revoked, alice)
			v.signal(syscall.SIGHUP)
			eventually(t, "alice's certificate is refused", func() bool {
				cfg := v.ca.client()
				cfg.ClientSessionCache = nil
				cfg.Certificates = []tls.Certificate{alice.tls}
				state, err := loggedIn(v, cfg)
				return err != nil || len(state.PeerCertificates) == 0
			})
		})
	}
}

// loggedIn is a login as alice; in TLS 1.3 a client learns that its
// certificate was refused when it reads.
func loggedIn(v *secureServer, cfg *tls.Config) (tls.ConnectionState, error) {
	conn, err := dialFrom("", v.implicit)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	k := &talker{conn: conn}
	defer k.hangUp()
	if err := k.protect(cfg); err != nil {
		return tls.ConnectionState{}, err
	}
	if _, err := k.hear(); err != nil {
		return tls.ConnectionState{}, err
	}
	return k.state(), nil
}
