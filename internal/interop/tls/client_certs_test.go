package tls

import (
	"crypto/tls"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ferry/internal/interop/harness"
)

// TestClientCertificates: curl with a certificate and without, the right one,
// somebody else's, a stranger's, and one that was revoked.
func TestClientCertificates(t *testing.T) {
	t.Parallel()
	const right, wrong = harness.Password, "wrong-" + harness.User
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
			v := &harness.SecureServer{Ca: harness.NewAuthority(t)}
			v.Pair = v.Ca.Issue("localhost", "127.0.0.1")
			crl := filepath.Join(v.Ca.Dir, "crl.pem")
			alice, bob, revoked := v.Ca.Issue(harness.User), v.Ca.Issue("bob"), v.Ca.Issue(harness.User)
			stranger := harness.NewAuthority(t).Issue(harness.User)
			v.Ca.Revoke(crl, revoked)
			v.Launch(t, harness.Setup{Config: harness.NoWaiting},
				fmt.Sprintf("client_certs = %q\nclient_factor = %q\nclient_ca = %q\nclient_crl = %q", c.certs, c.factor, v.Ca.File, crl), harness.Binding("enforce"))
			harness.WriteFile(t, v.Path("f"), []byte("content"))
			for _, try := range []struct {
				who    string
				pair   harness.Pair
				secret string
				well   bool
			}{
				{"alice", alice, right, c.own}, {"alice", alice, wrong, c.ownWrong},
				{"nobody", harness.Pair{}, right, c.none}, {"nobody", harness.Pair{}, wrong, c.noneWrong},
				{"bob", bob, right, c.others}, {"bob", bob, wrong, c.othersWrong},
				{"a stranger", stranger, right, false},
				{"alice, revoked", revoked, right, false},
			} {
				args := secureArgs(v, "-q", "-sSv", "-u", harness.User+":"+try.secret, v.Url("f"))
				if try.pair.Cert != "" {
					args = append(args, "--cert", try.pair.Cert, "--key", try.pair.Key)
				}
				o := harness.Program{}.Run(t, "curl", args...)
				if well := o.Code == 0 && o.Out == "content"; well != try.well {
					t.Errorf("with the certificate of %s and the password %s: exit status %d, %q; want it to go well: %v\n%s",
						try.who, try.secret, o.Code, o.Out, try.well, o.Err)
				}
				if without := strings.Contains(o.Err, "< 232 "); without != (c.factor == "certificate" && try.who == "alice") {
					t.Errorf("with the certificate of %s, 232 was said: %v", try.who, without)
				}
			}

			// A list that revokes more counts from the next handshake on.
			v.Ca.Revoke(crl, revoked, alice)
			v.Signal(syscall.SIGHUP)
			harness.Eventually(t, "alice's certificate is refused", func() bool {
				cfg := v.Ca.Client()
				cfg.ClientSessionCache = nil
				cfg.Certificates = []tls.Certificate{alice.Tls}
				state, err := loggedIn(v, cfg)
				return err != nil || len(state.PeerCertificates) == 0
			})
		})
	}
}

// loggedIn is a login as alice; in TLS 1.3 a client learns that its
// certificate was refused when it reads.
func loggedIn(v *harness.SecureServer, cfg *tls.Config) (tls.ConnectionState, error) {
	conn, err := harness.DialFrom("", v.Implicit)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	k := &harness.RawClient{Conn: conn}
	defer k.HangUp()
	if err := k.Protect(cfg); err != nil {
		return tls.ConnectionState{}, err
	}
	if _, err := k.Hear(); err != nil {
		return tls.ConnectionState{}, err
	}
	return k.State(), nil
}
