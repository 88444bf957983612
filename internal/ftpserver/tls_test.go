package ftpserver

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"ferry"
	"ferry/internal/ftptls"
	"ferry/internal/nettest"
)

func versions() map[string]uint16 {
	return map[string]uint16{"TLS 1.2": tls.VersionTLS12, "TLS 1.3": tls.VersionTLS13}
}

// everybody is the policy p for everybody.
func everybody(p Policy) func(Client) Policy {
	return func(Client) Policy { return p }
}

func TestTLSMovesFilesBothWays(t *testing.T) {
	large := strings.Repeat("0123456789abcdef", 200_000)
	for name, version := range versions() {
		for _, implicit := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/implicit %t", name, implicit), func(t *testing.T) {
				s := serveTLS(t, implicit, nil)
				var c *secureClient
				if implicit {
					c = s.dial(clientTLS(version))
					c.startTLS()
					for _, step := range [][2]string{{"", "220"}, {"USER alice", "331"}, {"PASS secret", "230"}, {"TYPE I", "200"}} {
						if step[0] != "" {
							c.Send(step[0])
						}
						c.want(step[1])
					}
				} else {
					c = s.login(clientTLS(version), "alice")
				}
				for file, content := range map[string]string{"small": "x", "empty": "", "large": large} {
					c.put(file, content, "226")
					if got, _ := s.content(ferry.Name("/" + file)); got != content {
						t.Errorf("%s holds %d bytes, sent %d", file, len(got), len(content))
					}
					if got := c.get(file); got != content {
						t.Errorf("%s came back with %d bytes of %d", file, len(got), len(content))
					}
				}
				c.do("QUIT", "221")
				if _, err := c.r.ReadByte(); err != io.EOF {
					t.Errorf("after QUIT: %v, want a clean end of TLS", err)
				}
			})
		}
	}
}

// More data connections than any client's tickets last, in the strictest mode.
func TestTLSBindingHoldsOverManyTransfers(t *testing.T) {
	for name, version := range versions() {
		t.Run(name, func(t *testing.T) {
			s := serveTLS(t, false, everybody(Policy{Binding: ftptls.BindEnforce}))
			c := s.login(clientTLS(version), "alice")
			for i := range 120 {
				c.put("f", fmt.Sprint(i), "226")
			}
		})
	}
}

func TestThreat9BindingOfDataConnections(t *testing.T) {
	tests := []struct {
		binding     ftptls.Binding
		fresh       string // a data connection that resumes nothing, first in its session
		freshAfter  string // and after one that resumed
		inCrowd     string // and while the user has another session
		otherUser   string // one that resumes the session of another user
		sharedCache string // one that resumes another connection of the same user
	}{
		{ftptls.BindOff, "226", "226", "226", "226", "226"},
		{ftptls.BindObserve, "226", "226", "226", "226", "226"},
		{ftptls.BindAuto, "226", "522", "226", "522", "226"},
		{ftptls.BindEnforce, "522", "522", "522", "522", "226"},
	}
	for _, tt := range tests {
		for name, version := range versions() {
			t.Run(tt.binding.String()+"/"+name, func(t *testing.T) {
				s := serveTLS(t, false, everybody(Policy{Binding: tt.binding}))
				c := s.login(clientTLS(version), "alice")
				c.putWith(clientTLS(version), "f", "x", tt.fresh)
				if tt.binding == ftptls.BindObserve && !s.log.has("would be refused") {
					t.Error("the log does not name the client that would be refused")
				}
				bob := s.login(clientTLS(version), "bob")
				bob.put("b", "x", "226")
				c.putWith(bob.tls, "f", "x", tt.otherUser)
				c.put("f", "x", "226")
				c.put("f", "x", "226") // with the ticket of the other: it reads them all
				c.putWith(clientTLS(version), "f", "x", tt.freshAfter)
				second := s.login(clientTLS(version), "alice")
				c.putWith(second.tls, "f", "x", tt.sharedCache)
				c.putWith(clientTLS(version), "f", "x", tt.inCrowd)
				c.putWith(bob.tls, "f", "x", tt.otherUser)
				second.do("QUIT", "221")
				c.putWith(clientTLS(version), "f", "x", tt.inCrowd) // its cache may be empty now
			})
		}
	}
}

// A data connection that was refused has seen a whole handshake, tickets and
// all. They are good for nothing.
func TestThreat9TicketsOfRefusedConnections(t *testing.T) {
	for _, binding := range []ftptls.Binding{ftptls.BindAuto, ftptls.BindEnforce} {
		for name, version := range versions() {
			t.Run(binding.String()+"/"+name, func(t *testing.T) {
				s := serveTLS(t, false, everybody(Policy{Binding: binding}))
				bob := s.login(clientTLS(version), "bob")
				bob.put("b", "x", "226")
				c := s.login(clientTLS(version), "alice")
				c.put("f", "x", "226")
				c.put("f", "x", "226")
				for _, thief := range []*tls.Config{clientTLS(version), bob.tls} {
					for range 3 {
						c.putWith(thief, "g", "x", "522")
					}
				}
				c.put("f", "x", "226")
			})
		}
	}
}

// A client with one cache for several connections may show the ticket of one
// that has not logged in yet, where that one came with a ticket of hers.
func TestTicketOfAConnectionThatLogsIn(t *testing.T) {
	for name, version := range versions() {
		t.Run(name, func(t *testing.T) {
			s := serveTLS(t, false, everybody(Policy{Binding: ftptls.BindEnforce}))
			c := s.login(clientTLS(version), "alice")
			c.put("f", "x", "226")
			for range 2 { // the second comes with a ticket of the first
				second := s.dial(c.tls)
				second.want("220")
				second.auth()
				second.do("NOOP", "200") // and has read its own
				c.put("f", "x", "226")
			}
			// Who shows no ticket at first is nobody until the login.
			stranger := s.dial(clientTLS(version))
			stranger.want("220")
			stranger.auth()
			stranger.do("NOOP", "200")
			c.awaited(stranger.tls, func() { stranger.do("QUIT", "221") }, "522")
			// One that logs in meanwhile is awaited.
			late := s.dial(clientTLS(version))
			late.want("220")
			late.auth()
			late.do("NOOP", "200")
			c.awaited(late.tls, func() {
				late.do("USER alice", "331")
				late.do("PASS secret", "230")
			}, "226")
		})
	}
}

// One connection of several that share a cache may end before the others.
func TestTicketOfAConnectionThatEnded(t *testing.T) {
	for name, version := range versions() {
		t.Run(name, func(t *testing.T) {
			s := serveTLS(t, false, everybody(Policy{Binding: ftptls.BindEnforce}))
			cfg := clientTLS(version)
			c, other := s.login(cfg, "alice"), s.login(cfg, "alice")
			other.put("g", "x", "226")
			other.do("QUIT", "221")
			c.put("f", "x", "226")
			bobs := clientTLS(version)
			bob := s.login(bobs, "bob")
			bob.put("b", "x", "226")
			bob.do("QUIT", "221")
			c.putWith(bobs, "f", "x", "522")
			old := clientTLS(version)
			before := s.login(old, "alice")
			before.put("f", "x", "226")
			before.do("QUIT", "221")
			after := s.loginBy(clientTLS(version), "alice", "changed")
			after.putWith(old, "f", "x", "522")
			after.put("f", "x", "226")
		})
	}
}

// awaited uploads with the ticket of a session that nobody has logged in to;
// something becomes of that then.
func (c *secureClient) awaited(ticket *tls.Config, then func(), code string) {
	c.t.Helper()
	nc := c.passive()
	c.do("STOR awaited", "150")
	tc := tls.Client(nc, ticket)
	if _, err := io.WriteString(tc, "x"); err != nil || !tc.ConnectionState().DidResume {
		c.t.Fatalf("the data connection resumed: %v, %v", tc.ConnectionState().DidResume, err)
	}
	then()
	_ = tc.CloseWrite()
	_, _ = io.Copy(io.Discard, tc)
	nc.Close()
	c.want(code)
}

// Bytes that came in clear behind AUTH are nobody's commands (CVE-2011-0411).
func TestThreat10NothingSaidInClearCountsUnderTLS(t *testing.T) {
	s := serveTLS(t, false, nil)
	c := s.dial(clientTLS(tls.VersionTLS13))
	c.want("220")
	c.Send("AUTH TLS\r\nUSER mallory\r\nNOOP")
	c.want("234")
	c.startTLS()
	c.do("PASS secret", "503") // no USER was heard
	c.do("NOOP", "200")
	if !s.log.has("dropped") {
		t.Error("the log says nothing of the bytes that were dropped")
	}
}

// AUTH is possible at any time in clear, also after a login, which is forgotten by
// it, with all that was set (RFC 2228 §3, RFC 4217 §4).
func TestThreat10AuthForgetsTheLogin(t *testing.T) {
	s := serveTLS(t, false, nil)
	c := s.dial(clientTLS(tls.VersionTLS13))
	c.want("220")
	c.do("USER mallory", "331")
	c.auth()
	c.do("PASS secret", "503")
	c.do("AUTH TLS", "503")
	c.do("USER alice", "331")
	c.do("PASS secret", "230")

	late := s.dial(clientTLS(tls.VersionTLS13))
	late.want("220")
	clear := late.features()
	late.do("USER alice", "331")
	late.do("PASS secret", "230")
	late.do("MKD d", "257")
	late.do("CWD d", "250")
	late.do("TYPE I", "200")
	late.do("EPSV", "229")
	late.auth()
	late.do("PWD", "530")
	late.do("PASS secret", "503")
	if private := late.features(); private != clear {
		t.Errorf("FEAT says in clear\n%s\nand under TLS\n%s", clear, private)
	}
	late.do("USER alice", "331")
	late.do("PASS secret", "230")
	if line := late.do("PWD", "257"); !strings.Contains(line, `"/"`) {
		t.Errorf("the directory is still the one of before: %s", line)
	}
	late.do("RETR d", "425") // the passive port is forgotten
}

// features is what FEAT says.
func (c *secureClient) features() string {
	c.t.Helper()
	c.Send("FEAT")
	for all := ""; ; {
		line, err := c.r.ReadString('\n')
		if err != nil {
			c.t.Fatal(err)
		}
		if all += line; strings.HasPrefix(line, "211 ") {
			return all
		}
	}
}

// Who cuts an upload off cannot forge a close_notify: whatever the record at
// which it ends, nothing is published and the part is kept.
func TestThreat12TruncatedUploadIsNotPublished(t *testing.T) {
	for name, version := range versions() {
		t.Run(name, func(t *testing.T) {
			s := serveTLS(t, false, nil)
			for records := range 4 {
				c := s.login(clientTLS(version), "alice")
				nc := c.passive()
				c.do("STOR f", "150")
				tc := tls.Client(nc, c.tls)
				if err := tc.Handshake(); err != nil {
					t.Fatal(err)
				}
				for range records {
					if _, err := tc.Write(make([]byte, 1000)); err != nil {
						t.Fatal(err)
					}
				}
				_ = nc.(*net.TCPConn).CloseWrite() // a FIN at a record's end, no alert
				c.want("426")
				if _, there := s.content("/f"); there {
					t.Fatalf("after %d records half a file was published", records)
				}
				c.do("SIZE f", fmt.Sprintf("213 %d", records*1000))
			}
		})
	}
}

func TestUncleanCloseCountsWhereAllowed(t *testing.T) {
	s := serveTLS(t, false, everybody(Policy{UncleanClose: true}))
	c := s.login(clientTLS(tls.VersionTLS13), "alice")
	nc := c.passive()
	c.do("STOR f", "150")
	tc := tls.Client(nc, c.tls)
	if _, err := io.WriteString(tc, "all of it"); err != nil {
		t.Fatal(err)
	}
	_ = nc.(*net.TCPConn).CloseWrite()
	c.want("226")
	if got, _ := s.content("/f"); got != "all of it" {
		t.Errorf("published %q", got)
	}
	if !s.log.has("without close_notify") {
		t.Error("the log does not say that leniency saved the upload")
	}
}

// A client that closes its upload without having read our session tickets
// resets the connection; nothing that it sent may be lost by that. OpenSSL
// reads no more than it is asked for, and ftp-ssl does not ask.
func TestUploadByClientThatNeverReads(t *testing.T) {
	for name, c := range map[string]struct {
		version uint16
		resumes bool
		policy  Policy
	}{
		"TLS 1.2":                      {tls.VersionTLS12, false, Policy{}},
		"TLS 1.2, resumed":             {tls.VersionTLS12, true, Policy{}},
		"TLS 1.3":                      {tls.VersionTLS13, false, Policy{}},
		"TLS 1.3, resumed":             {tls.VersionTLS13, true, Policy{}},
		"TLS 1.3, resumed by a device": {tls.VersionTLS13, true, Policy{Binding: ftptls.BindEnforce, UncleanClose: true}},
		"TLS 1.3, resumed, unbound":    {tls.VersionTLS13, true, Policy{Binding: ftptls.BindOff}},
	} {
		t.Run(name, func(t *testing.T) {
			s := serveTLS(t, false, everybody(c.policy))
			client := s.login(clientTLS(c.version), "alice")
			cfg := client.tls.Clone()
			if !c.resumes {
				cfg.ClientSessionCache = nil
			}
			content := strings.Repeat("x", 3<<20)
			nc := client.passive()
			client.do("STOR f", "150")
			hasty := &hastyConn{Conn: nc}
			tc := tls.Client(hasty, cfg)
			if err := tc.Handshake(); err != nil {
				t.Fatal(err)
			}
			hasty.gather = true
			if _, err := io.WriteString(tc, content); err != nil {
				t.Fatal(err)
			}
			if err := tc.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			_ = nc.SetDeadline(time.Now().Add(time.Minute)) // CloseWrite leaves one in the past
			if _, err := nc.Write(hasty.out); err != nil {
				t.Fatal(err)
			}
			nc.Close()
			client.want("226")
			if got, _ := s.content("/f"); got != content {
				t.Errorf("%d bytes of %d arrived", len(got), len(content))
			}
		})
	}
}

// once is a cache whose tickets can be used once, as OpenSSL's; frozen keeps
// what it has.
type once struct {
	have   *tls.ClientSessionState
	frozen bool
}

func (o *once) Get(string) (*tls.ClientSessionState, bool) {
	have := o.have
	if !o.frozen {
		o.have = nil
	}
	return have, have != nil
}

func (o *once) Put(_ string, s *tls.ClientSessionState) {
	if !o.frozen {
		o.have = s
	}
}

// BindAuto asks for a ticket only who must have one: not a client that used its
// last one for an upload, at whose end it read no other; but one that has read
// since, or shows one twice.
func TestThreat9AutoAsksWhoMustHaveATicket(t *testing.T) {
	cfg := clientTLS(tls.VersionTLS13)
	cache := new(once)
	cfg.ClientSessionCache = cache
	s := serveTLS(t, false, nil)
	c := s.login(cfg, "alice")
	upload := func(cfg *tls.Config, reply string) {
		t.Helper()
		nc := c.passive()
		c.do("STOR f", "150")
		tc := tls.Client(nc, cfg)
		if err := tc.Handshake(); err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(tc, "content") // who is refused may find it closed
		_ = tc.CloseWrite()                  // and has read nothing
		nc.Close()
		c.want(reply)
	}
	stranger := clientTLS(tls.VersionTLS13)
	upload(cfg, "226")
	upload(cfg, "226")
	upload(stranger, "226") // nobody can tell
	c.do("QUIT", "221")

	c = s.login(cfg, "alice")
	c.get("f")
	upload(stranger, "522")
	upload(cfg, "226")
	c.do("QUIT", "221")

	c = s.login(cfg, "alice")
	cache.frozen = true
	upload(cfg, "226")
	upload(cfg, "226")
	upload(stranger, "522")
}

// A client that uses each ticket once, as OpenSSL's do, gets the one for its
// next data connection before it closes this one, where it must show one.
func TestResumedUploadGivesATicketAtOnce(t *testing.T) {
	s := serveTLS(t, false, everybody(Policy{Binding: ftptls.BindEnforce}))
	c := s.login(clientTLS(tls.VersionTLS13), "alice")
	nc := c.passive()
	c.do("STOR f", "150")
	tc := tls.Client(&hastyConn{Conn: nc}, c.tls)
	if err := tc.Handshake(); err != nil {
		t.Fatal(err)
	}
	var record [1]byte
	if _, err := io.ReadFull(nc, record[:]); err != nil || !tc.ConnectionState().DidResume {
		t.Errorf("after the handshake (resumed: %v) nothing comes: %v", tc.ConnectionState().DidResume, err)
	}
}

// A client that is refused because of its binding has seen the whole
// handshake: the reply tells it why, not TLS.
func TestRefusalComesAfterTheHandshake(t *testing.T) {
	for name, version := range versions() {
		t.Run(name, func(t *testing.T) {
			s := serveTLS(t, false, everybody(Policy{Binding: ftptls.BindEnforce}))
			c := s.login(clientTLS(version), "alice")
			for _, command := range []string{"STOR f", "NLST"} {
				nc := c.passive()
				c.do(command, "150")
				if err := tls.Client(nc, &tls.Config{InsecureSkipVerify: true, MaxVersion: version}).Handshake(); err != nil {
					t.Errorf("%s: %v", command, err)
				}
				c.want("522")
			}
		})
	}
}

// hastyConn reads nothing that it is not asked for, and keeps what is written,
// once it is told to, so that all of it can be sent at once: faster than a
// server takes it.
type hastyConn struct {
	net.Conn
	out    []byte
	gather bool
}

func (h *hastyConn) Read(p []byte) (int, error) { return h.Conn.Read(p[:min(len(p), 1)]) }

func (h *hastyConn) Write(p []byte) (int, error) {
	if !h.gather {
		return h.Conn.Write(p)
	}
	h.out = append(h.out, p...)
	return len(p), nil
}

// A client in clear on a private data connection, and the other way round.
func TestDataConnectionInClear(t *testing.T) {
	s := serveTLS(t, false, nil)
	c := s.login(clientTLS(tls.VersionTLS13), "alice")
	nc := c.passive()
	c.do("STOR f", "150")
	_, _ = io.WriteString(nc, "this is no handshake, but it is long enough to be looked at")
	c.want("522")
	c.do("PROT C", "200")
	nc = c.passive()
	c.do("STOR f", "150")
	_, _ = io.WriteString(nc, "plain")
	nc.Close()
	c.want("226")
	if got, _ := s.content("/f"); got != "plain" {
		t.Errorf("published %q", got)
	}
}

func TestProtectionCommands(t *testing.T) {
	s := serveTLS(t, false, everybody(Policy{CCC: true}))
	c := s.dial(clientTLS(tls.VersionTLS13))
	c.want("220")
	for _, step := range [][2]string{
		{"AUTH", "501"}, {"AUTH KERBEROS_V4", "504"}, {"PBSZ 0", "503"}, {"PROT P", "503"}, {"CCC", "533"},
	} {
		c.do(step[0], step[1])
	}
	c.auth()
	for _, step := range [][2]string{
		{"PROT P", "503"}, {"PBSZ x", "501"}, {"PBSZ 16384", "200 PBSZ=0"}, {"PROT S", "536"}, {"PROT E", "536"}, {"PROT X", "504"},
		{"PROT P", "200"}, {"PROT C", "200"}, {"CCC", "530"},
	} {
		c.do(step[0], step[1])
	}
}

// After CCC what follows the client's close_notify in the same segment is
// heard, in clear.
func TestCCCGoesOnInClear(t *testing.T) {
	for name, version := range versions() {
		t.Run(name, func(t *testing.T) {
			s := serveTLS(t, false, everybody(Policy{CCC: true}))
			c := s.login(clientTLS(version), "alice")
			c.do("CCC", "200")
			tc := c.conn.(*tls.Conn)
			if n, err := tc.Read(make([]byte, 1)); n != 0 || err != io.EOF {
				t.Fatalf("no close_notify: %d, %v", n, err)
			}
			var last bytes.Buffer // the close_notify and what follows, in one segment
			c.under.to = &last
			if err := tc.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			c.rearm()
			last.WriteString("NOOP\r\nPROT C\r\nPWD\r\n")
			if _, err := c.raw.Write(last.Bytes()); err != nil {
				t.Fatal(err)
			}
			c.conn, c.r = c.raw, bufio.NewReader(c.raw)
			c.want("200")
			c.want("503") // no more PROT
			c.want("257")
			// Data connections stay private.
			nc := c.passive()
			c.do("STOR f", "150")
			d := tls.Client(nc, c.tls)
			_, _ = io.WriteString(d, "private")
			_ = d.CloseWrite()
			c.want("226")
		})
	}
}

// switchConn is a connection whose writes can be caught.
type switchConn struct {
	net.Conn
	to *bytes.Buffer
}

func (s *switchConn) Write(p []byte) (int, error) {
	if s.to != nil {
		return s.to.Write(p)
	}
	return s.Conn.Write(p)
}

// curl in its passive mode sends no close_notify of its own after CCC.
func TestCCCWithoutTheClientsCloseNotify(t *testing.T) {
	for name, version := range versions() {
		t.Run(name, func(t *testing.T) {
			s := serveTLS(t, false, everybody(Policy{CCC: true}))
			c := s.login(clientTLS(version), "alice")
			c.do("CCC", "200")
			if n, err := c.conn.Read(make([]byte, 1)); n != 0 || err != io.EOF {
				t.Fatalf("no close_notify: %d, %v", n, err)
			}
			c.conn, c.r = c.raw, bufio.NewReader(c.raw)
			c.do("PWD", "257")
			c.do("PROT C", "503")
		})
	}
}

func TestREINLeavesTLS(t *testing.T) {
	s := serveTLS(t, false, nil)
	c := s.login(clientTLS(tls.VersionTLS13), "alice")
	c.do("REIN", "220")
	c.endTLS()
	c.do("PWD", "530")
	c.do("PROT P", "503")
	c.auth()
	c.do("USER alice", "331")
	c.do("PASS secret", "230")
}

func TestRequire(t *testing.T) {
	tests := []struct {
		require                   Require
		user, anonymous           string // the reply to USER in clear
		data, anonData, protClear string // to STOR or RETR and PROT C under TLS with PROT C
	}{
		{RequireOff, "331", "331", "425", "425", "200"},
		{RequireLogin, "530", "331", "425", "425", "200"},
		{RequireData, "530", "331", "521", "425", "534"},
		{RequireAll, "530", "530", "521", "521", "534"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.require), func(t *testing.T) {
			s := serveTLS(t, false, everybody(Policy{Require: tt.require, CCC: true}))
			plain := s.dial(nil)
			plain.want("220")
			plain.do("USER alice", tt.user)
			plain.do("USER anonymous", tt.anonymous)

			c := s.dial(clientTLS(tls.VersionTLS13))
			c.want("220")
			c.auth()
			c.do("USER alice", "331")
			c.do("PASS secret", "230")
			c.do("STOR f", tt.data)
			c.do("LIST", tt.data)
			c.do("PBSZ 0", "200")
			c.do("PROT C", tt.protClear)
			c.do("USER anonymous", "331")
			c.do("PASS x", "230")
			c.do("RETR f", tt.anonData)
		})
	}
}

// Whatever the byte at which a client goes away in its handshake, the session
// ends and the next client is served.
func TestThreat13HandshakeCutAtEveryByte(t *testing.T) {
	s := serveTLS(t, false, nil)
	var hello bytes.Buffer
	_ = tls.Client(&onlyWrite{to: &hello}, clientTLS(tls.VersionTLS13)).Handshake()
	step := 1
	if testing.Short() {
		step = 16
	}
	for cut := 0; cut <= hello.Len(); cut += step {
		c := s.dial(nil)
		c.want("220")
		c.do("AUTH TLS", "234")
		_, _ = c.raw.Write(hello.Bytes()[:cut])
		_ = c.raw.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, c.raw) // until the server has closed, too
		c.raw.Close()
	}
	s.login(clientTLS(tls.VersionTLS13), "alice").do("NOOP", "200")
}

// onlyWrite is a connection with nobody at the other end.
type onlyWrite struct {
	net.Conn
	to *bytes.Buffer
}

func (o *onlyWrite) Write(p []byte) (int, error) { return o.to.Write(p) }
func (o *onlyWrite) Read([]byte) (int, error)    { return 0, io.EOF }
func (o *onlyWrite) Close() error                { return nil }

func TestFEATNamesTLS(t *testing.T) {
	s := serveTLS(t, false, everybody(Policy{CCC: true}))
	c := s.dial(nil)
	c.want("220")
	c.Send("FEAT")
	var lines []string
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if lines = append(lines, strings.TrimSpace(line)); strings.HasPrefix(line, "211 ") {
			break
		}
	}
	for _, want := range []string{"AUTH TLS", "CCC", "PBSZ", "PROT"} {
		found := false
		for _, line := range lines {
			found = found || line == want
		}
		if !found {
			t.Errorf("FEAT has no line %q", want)
		}
	}
}

// A certificate that stands for the user is enough (RFC 4217 §4: 232), or
// needed beside the password, as the policy says.
func TestClientCertificate(t *testing.T) {
	tests := []struct {
		factor           CertFactor
		user, pass       string // replies with the certificate of alice
		without          string // reply to PASS without a certificate
		stranger, strPwd string // replies to bob with the certificate of alice
	}{
		{CertNothing, "331", "230", "230", "331", "230"},
		{CertEnough, "232", "202", "230", "331", "230"},
		{CertToo, "331", "230", "530", "331", "530"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.factor), func(t *testing.T) {
			t.Parallel() // a refused login takes its time
			s := serveTLS(t, false, everybody(Policy{CertFactor: tt.factor}))
			with := clientTLS(tls.VersionTLS13)
			with.Certificates = []tls.Certificate{nettest.Certificate(t)}
			for _, step := range []struct {
				cfg              *tls.Config
				name, user, pass string
			}{
				{with, "alice", tt.user, tt.pass},
				{clientTLS(tls.VersionTLS13), "alice", "331", tt.without},
				{with, "bob", tt.stranger, tt.strPwd},
			} {
				c := s.dial(step.cfg)
				c.want("220")
				c.auth()
				c.do("USER "+step.name, step.user)
				c.do("PASS secret", step.pass)
			}
		})
	}
}

// What an account wants to be shown holds for FTP too: a certificate that
// stands for the user is its key, where certificates count (threat 29).
func TestThreat29FactorsOfAnAccount(t *testing.T) {
	const none, in, no, more = "331", "230", "530", "331"
	tests := []struct {
		factor     CertFactor
		name       string
		user, pass string // replies with the certificate of the user
		without    string // reply to PASS without one
	}{
		{CertNothing, "keyed", none, no, no},
		{CertEnough, "keyed", "232", "202", no},
		{CertToo, "keyed", none, in, no},
		{CertNothing, "typist", none, in, in},
		{CertEnough, "typist", none, in, in},
		{CertToo, "typist", none, in, no},
		{CertNothing, "chained", none, no, no},
		{CertEnough, "chained", more, in, no},
		{CertToo, "chained", none, in, no},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.factor, tt.name), func(t *testing.T) {
			t.Parallel()
			s := serveTLS(t, false, everybody(Policy{CertFactor: tt.factor}))
			with := clientTLS(tls.VersionTLS13)
			with.Certificates = []tls.Certificate{nettest.Certificate(t)}
			c := s.dial(with)
			c.want("220")
			c.auth()
			c.do("USER "+tt.name, tt.user)
			c.do("PASS secret", tt.pass)
			c = s.dial(clientTLS(tls.VersionTLS13))
			c.want("220")
			c.auth()
			c.do("USER "+tt.name, "331")
			c.do("PASS secret", tt.without)
			c.do("USER "+tt.name, "331")
			c.do("PASS wrong", no)
		})
	}
}

// HOST and the server name of TLS must be the same (RFC 7151 §3.1); each is
// enough to choose the virtual host.
func TestHostAgreesWithServerName(t *testing.T) {
	s := serveTLS(t, false, nil)
	c := s.dial(clientTLS(tls.VersionTLS13))
	c.want("220")
	c.auth() // with the name ftp.example
	c.do("HOST other.example", "504")
	c.do("HOST ftp.example", "220")
	c.do("REIN", "220")
}

// Devices with old manners get what they need where they are told of, and the
// log says each time what it was.
func TestLegacyProfile(t *testing.T) {
	s := serveTLS(t, false, everybody(Policy{Legacy: &Legacy{Charset: "windows-1251", DOSList: true, LooseTypes: true}}))
	c := s.login(clientTLS(tls.VersionTLS12), "alice")
	c.put("\xff.txt", "one\ntwo\n", "226")
	if got, _ := s.content("/\u044f.txt"); got != "one\ntwo\n" {
		t.Errorf("the name in CP1251 came out wrong, or the content: %q", got)
	}
	c.do("TYPE A", "200")
	c.do("SIZE \xff.txt", "213 8")
	c.do("REST 4", "350")
	if got := c.get("\xff.txt"); got != "two\r\n" {
		t.Errorf("from 4 on: %q", got)
	}
	if got := c.list(); !strings.HasSuffix(got, "M                    8 \xff.txt\r\n") {
		t.Errorf("LIST %q", got)
	}
	for _, what := range []string{"charset windows-1251", "SIZE in TYPE A", "REST in TYPE A", "LIST as on Windows"} {
		if !s.log.has(what) {
			t.Errorf("the log does not say %q", what)
		}
	}
}
