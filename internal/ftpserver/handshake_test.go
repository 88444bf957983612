package ftpserver

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
)

// speaks are the protocols that a server knows by ALPN.
func speaks(protocols ...string) func(*tls.Config) {
	return func(cfg *tls.Config) { cfg.NextProtos = protocols }
}

// A client that is refused hears why, in TLS's own words, and the operator
// reads what it offered.
func TestFailedHandshakeSaysWhy(t *testing.T) {
	for name, c := range map[string]struct {
		change func(cfg *tls.Config)
		heard  string // by the client
		offer  string // in the log
	}{
		"version": {func(cfg *tls.Config) { cfg.MinVersion, cfg.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 },
			"protocol version not supported", "versions TLS 1.1,TLS 1.0; suites TLS_"},
		"suite": {func(cfg *tls.Config) {
			cfg.MinVersion, cfg.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
			cfg.CipherSuites = []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}
		}, "handshake failure", "versions TLS 1.2; suites TLS_RSA_WITH_AES_128_CBC_SHA"},
		"protocol": {func(cfg *tls.Config) { cfg.NextProtos = []string{"h2"} },
			"no application protocol", "; name ftp.example; protocols h2"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serveTLS(t, false, nil, speaks("ftp"))
			bad := clientTLS(tls.VersionTLS13)
			c.change(bad)
			k := s.dial(bad)
			k.want("220")
			k.do("AUTH TLS", "234")
			wantAlert(t, "control", tls.Client(k.raw, bad).Handshake(), c.heard)
			_, _ = io.Copy(io.Discard, k.raw) // to the end of the session
			if !s.log.has(c.offer) {
				t.Errorf("the log does not say %q", c.offer)
			}

			// On a data connection the reply comes, too, and the session goes on.
			k = s.login(clientTLS(tls.VersionTLS13), "alice")
			for _, command := range []string{"STOR f", "NLST"} {
				nc := k.passive()
				k.do(command, "150")
				wantAlert(t, command, tls.Client(nc, bad).Handshake(), c.heard)
				k.want("522")
			}
			k.put("f", "x", "226")
		})
	}
}

// wantAlert wants the handshake to have failed by an alert of the server.
func wantAlert(t *testing.T, where string, err error, heard string) {
	t.Helper()
	var alert *net.OpError
	if !errors.As(err, &alert) || alert.Op != "remote error" || !strings.Contains(alert.Error(), heard) {
		t.Errorf("%s: the client heard %v, want an alert: %s", where, err, heard)
	}
}

// What is no TLS in the middle of an upload is the client's mistake, or
// somebody's on the way: the transfer broke, and what came before it is kept.
func TestRubbishBehindTheHandshake(t *testing.T) {
	for name, version := range versions() {
		t.Run(name, func(t *testing.T) {
			s := serveTLS(t, false, nil)
			c := s.login(clientTLS(version), "alice")
			for what, rubbish := range map[string]string{
				"text":          "and here somebody speaks in clear, which is not a record",
				"a record":      "\x17\x03\x03\x00\x20" + strings.Repeat("x", 32),
				"a new hello":   "\x16\x03\x03\x00\x04\x01\x00\x00\x00",
				"a long record": "\x17\x03\x03\xff\xff",
			} {
				nc := c.passive()
				c.do("STOR f", "150")
				tc := tls.Client(nc, c.tls)
				if _, err := io.WriteString(tc, "this much is whole"); err != nil {
					t.Fatal(err)
				}
				if _, err := io.WriteString(nc, rubbish); err != nil {
					t.Fatal(err)
				}
				c.want("426")
				if _, there := s.content("/f"); there {
					t.Errorf("%s: half a file was published", what)
				}
				c.do("SIZE f", "213 18")
			}
			c.put("f", "x", "226")
		})
	}
}

// An ACME server asks by a handshake, which is the answer: the connection ends
// with it, without a word of FTP (RFC 8737 §3).
func TestACMEChallengeEndsWithTheHandshake(t *testing.T) {
	for name, version := range versions() {
		t.Run(name, func(t *testing.T) {
			s := serveTLS(t, true, nil, speaks("ftp", acmeChallenge))
			asking := clientTLS(version)
			asking.NextProtos = []string{acmeChallenge}
			c := s.dial(asking)
			tc := tls.Client(c.raw, asking)
			if err := tc.Handshake(); err != nil || tc.ConnectionState().NegotiatedProtocol != acmeChallenge {
				t.Fatalf("the challenge was not answered: %v, %q", err, tc.ConnectionState().NegotiatedProtocol)
			}
			if said, err := io.ReadAll(tc); err != nil || len(said) > 0 {
				t.Errorf("behind the handshake came %q, %v; want a clean end of TLS", said, err)
			}
			both := clientTLS(version)
			both.NextProtos = []string{acmeChallenge, "ftp"}
			c = s.dial(both)
			c.startTLS()
			c.want("220")
		})
	}
}

// What only a legacy profile allows is noted, whatever the version of TLS.
func TestOldSuitesAreNoted(t *testing.T) {
	for name, c := range map[string]struct {
		version uint16
		suite   uint16
		noted   string // "": nothing
	}{
		"TLS 1.0":         {tls.VersionTLS10, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, "TLS 1.0 with TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"},
		"TLS 1.2, CBC":    {tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, "TLS 1.2 with TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"},
		"TLS 1.2, AEAD":   {tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, ""},
		"TLS 1.2, ChaCha": {tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, ""},
		"TLS 1.3":         {tls.VersionTLS13, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := serveTLS(t, false, everybody(Policy{Legacy: &Legacy{}}), func(cfg *tls.Config) {
				cfg.MinVersion = tls.VersionTLS10
				cfg.CipherSuites = []uint16{
					tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
					tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
				}
			})
			cfg := clientTLS(c.version)
			cfg.CipherSuites = []uint16{c.suite}
			s.login(cfg, "alice").put("f", "x", "226")
			if c.noted != "" && !s.log.has(c.noted) {
				t.Errorf("the log does not say %q", c.noted)
			}
			if noted := s.log.has("legacy profile in use"); noted != (c.noted != "") {
				t.Errorf("the log notes a use of the legacy profile: %v", noted)
			}
		})
	}
}

// clearAlert is a connection of a client that refuses the certificate by an
// alert in clear, as OpenSSL's do in TLS 1.3.
type clearAlert struct{ net.Conn }

func (c clearAlert) Write(p []byte) (int, error) {
	if len(p) > 0 && p[0] == 22 { // the hello
		return c.Conn.Write(p)
	}
	_, err := c.Conn.Write([]byte{21, 3, 3, 0, 2, 2, 48})
	return len(p), err
}

// A client that does not trust the certificate says so, and so does the log.
func TestRefusedCertificateIsTold(t *testing.T) {
	for name, open := range map[string]func(net.Conn) net.Conn{
		"in clear":  func(nc net.Conn) net.Conn { return clearAlert{nc} },
		"encrypted": func(nc net.Conn) net.Conn { return nc },
	} {
		t.Run(name, func(t *testing.T) {
			s := serveTLS(t, false, nil)
			strict := &tls.Config{ServerName: "ftp.example"}
			c := s.dial(strict)
			c.want("220")
			c.do("AUTH TLS", "234")
			if tls.Client(open(c.raw), strict).Handshake() == nil {
				t.Fatal("the handshake went well")
			}
			_, _ = io.Copy(io.Discard, c.raw)
			if !s.log.has("unknown certificate authority") && !s.log.has("bad certificate") {
				t.Error("the log does not say that the client refused the certificate")
			}

			c = s.login(clientTLS(tls.VersionTLS13), "alice")
			nc := c.passive()
			c.do("NLST", "150")
			_ = tls.Client(open(nc), strict).Handshake()
			c.want("522")
			if !s.log.has("TLS handshake on a data connection failed") {
				t.Error("the log does not say what became of the listing")
			}
		})
	}
}

// A client for which data connections are private without a word, and which
// asks for clear ones and may not, is told at the next transfer. One that has
// said PROT P stays with it.
func TestRefusedPROTC(t *testing.T) {
	for _, implicit := range []bool{false, true} {
		s := serveTLS(t, implicit, everybody(Policy{Require: RequireData}))
		c := s.dial(clientTLS(tls.VersionTLS13))
		if implicit {
			c.startTLS()
			c.want("220")
		} else {
			c.want("220")
			c.do("AUTH SSL", "234")
			c.startTLS()
		}
		for _, step := range [][2]string{
			{"USER alice", "331"}, {"PASS secret", "230"}, {"PBSZ 0", "200"}, {"PROT C", "534"}, {"NLST", "521"},
			{"PROT P", "200"}, {"PROT C", "534"},
		} {
			c.do(step[0], step[1])
		}
		c.put("f", "x", "226")
	}
}

// What a client offers is in the log where its handshake fails, in one line of a few
// hundred bytes: it may not fill the log by that.
func TestOfferInTheLogIsBounded(t *testing.T) {
	for name, offer := range map[string]func(cfg *tls.Config){
		"long protocols": func(cfg *tls.Config) {
			for i := range 200 {
				cfg.NextProtos = append(cfg.NextProtos, strings.Repeat("x", 250)+strconv.Itoa(i))
			}
		},
		"every suite": func(cfg *tls.Config) {
			cfg.MinVersion, cfg.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
			for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
				cfg.CipherSuites = append(cfg.CipherSuites, s.ID)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := serveTLS(t, false, nil, speaks("ftp"))
			c := s.dial(nil)
			c.want("220")
			c.do("AUTH TLS", "234")
			cfg := clientTLS(tls.VersionTLS13)
			offer(cfg)
			if err := tls.Client(c.under, cfg).Handshake(); err == nil {
				t.Fatal("the handshake did not fail")
			}
			_, _ = io.Copy(io.Discard, c.raw)
			s.log.mu.Lock()
			defer s.log.mu.Unlock()
			text := s.log.text.String()
			if len(text) > 800 || strings.Count(text, "\n") != 1 || !strings.Contains(text, "the client offers versions TLS ") {
				t.Errorf("the log has %d bytes: %s", len(text), text)
			}
		})
	}
}

// What a handshake that fails counts as: what is no TLS counts towards the ban, and what
// honest clients do only where it comes in masses; who leaves before it has said anything
// is no matter at all.
func TestFailedHandshakesCount(t *testing.T) {
	const banAfter, free = 3, 20
	distrust := func(nc net.Conn) { _ = tls.Client(nc, &tls.Config{ServerName: "ftp.example"}).Handshake() }
	for name, c := range map[string]struct {
		fail  func(nc net.Conn)
		times int // after which the address is banned
	}{
		"no TLS": {func(nc net.Conn) { _, _ = io.WriteString(nc, "GET / HTTP/1.1\r\n\r\n") }, banAfter},
		"nothing in common": {func(nc net.Conn) {
			_ = tls.Client(nc, &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11, InsecureSkipVerify: true}).Handshake()
		}, free + banAfter},
		"certificate that is not trusted": {distrust, free + banAfter},
		"gone at once":                    {func(net.Conn) {}, 0},
	} {
		for _, implicit := range []bool{false, true} {
			t.Run(name+map[bool]string{false: ", explicit", true: ", implicit"}[implicit], func(t *testing.T) {
				s := serveTLS(t, implicit, nil)
				for n := 1; n <= free+2*banAfter; n++ {
					k := s.dial(nil)
					if !implicit {
						k.want("220")
						k.do("AUTH TLS", "234")
					}
					c.fail(k.raw)
					_ = k.raw.(*net.TCPConn).CloseWrite()
					_, _ = io.Copy(io.Discard, k.raw)
					_ = k.raw.Close()
					banned := s.log.has("msg=ban ")
					if banned != (c.times > 0 && n >= c.times) {
						t.Fatalf("banned after %d failures: %v", n, banned)
					}
					if banned {
						return
					}
				}
			})
		}
	}
}
