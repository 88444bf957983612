package threats

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"ferry/internal/interop/harness"
)

// TestThreat9StolenDataConnection: somebody at the client's own address races
// to the port that the server opened for the client, with TLS, and without the
// client's session. Where the client is known to resume, he gets nothing.
func TestThreat9StolenDataConnection(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"auto", "enforce"} {
		for name, version := range harness.Versions() {
			t.Run(mode+", "+name, func(t *testing.T) {
				t.Parallel()
				v := harness.StartSecure(t, harness.Setup{Config: harness.CheapLogins}, harness.Binding(mode))
				harness.AddUser(t, v.Server, "bob", "first-4711")
				harness.WriteFile(t, v.Path("f"), harness.Noise(1, 1000))
				client := func() *tls.Config {
					cfg := v.Ca.Client()
					cfg.MaxVersion = version
					return cfg
				}
				bobs, stranger := client(), client()
				bob := harness.PhoneSecureAs(t, v, bobs, "bob", "first-4711")
				bob.WantFetched("RETR f", harness.Noise(1, 1000))
				l := harness.PhoneSecure(t, v, client())
				l.WantFetched("RETR f", harness.Noise(1, 1000))
				for who, cfg := range map[string]*tls.Config{"a stranger": stranger, "bob": bobs} {
					for _, command := range []string{"RETR f", "NLST", "STOR g"} {
						addr, err := l.Passive()
						if err != nil {
							t.Fatal(err)
						}
						l.Want(command, 150)
						thief := &harness.RawClient{Tls: cfg}
						conn, err := thief.Reach(addr)
						if err != nil {
							t.Fatal(err)
						}
						got, _ := harness.ReadAll(conn)
						conn.Close()
						if a, err := l.Hear(); err != nil || a.Code != 522 || got != "" {
							t.Errorf("%s got %d bytes of %s, and the answer was %v, %v; want 522", who, len(got), command, a, err)
						}
					}
				}
				harness.WantNoFile(t, v.Path("g"))
				l.WantFetched("RETR f", harness.Noise(1, 1000)) // the session goes on
			})
		}
	}
}

// TestThreat9SharedCache: sessions of one client that share a cache, such as
// rclone's, show each other's tickets, which is right in every mode.
func TestThreat9SharedCache(t *testing.T) {
	t.Parallel()
	for _, mode := range harness.Bindings() {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			v := harness.StartSecure(t, harness.Setup{Config: harness.CheapLogins}, harness.Binding(mode))
			cfg := v.Ca.Client()
			var clients sync.WaitGroup
			for i := range 6 {
				l := harness.PhoneSecure(t, v, cfg)
				clients.Go(func() {
					for range 10 {
						name, content := fmt.Sprint("f", i), harness.Noise(uint64(i), 5000)
						a, err := l.Store("STOR "+name, content)
						if err != nil || a.Code != 226 {
							t.Errorf("STOR was answered %v, %v", a, err)
							return
						}
						if got, err := l.Fetch("RETR " + name); err != nil || string(got) != string(content) {
							t.Errorf("RETR gave %d bytes, %v", len(got), err)
							return
						}
					}
				})
			}
			clients.Wait()
		})
	}
}

// TestThreat10Injection (and race 14): what comes in clear behind AUTH TLS, in
// its segment or after it, is nobody's command, and what was said before is
// forgotten (CVE-2011-0411).
func TestThreat10Injection(t *testing.T) {
	t.Parallel()
	v := harness.StartSecure(t, harness.Setup{}, `require = "off"`)
	for name, injected := range map[string]string{
		"a login":     "USER " + harness.User + "\r\nPASS " + harness.Password + "\r\nMKD injected\r\n",
		"half a line": "USER ali",
		"REST":        "REST 5\r\nTYPE I\r\n",
		"AUTH again":  "AUTH TLS\r\n",
		"much":        strings.Repeat("NOOP\r\n", 40),
	} {
		t.Run(name, func(t *testing.T) {
			k, _, err := harness.Call("", v.Addr)
			if err != nil {
				t.Fatal(err)
			}
			defer k.HangUp()
			l := harness.Caller{RawClient: k, T: t}
			l.Want("USER mallory", 331)
			if _, err := io.WriteString(k.Conn, "AUTH TLS\r\n"+injected); err != nil {
				t.Fatal(err)
			}
			if a, err := k.Hear(); err != nil || a.Code != 234 {
				t.Fatalf("AUTH was answered %v, %v", a, err)
			}
			if err := k.Protect(v.Ca.Client()); err != nil {
				t.Fatal(err)
			}
			l.Want("PASS x", 503) // and mallory is forgotten, too
			l.Want("PWD", 530)
			if err := l.Login(harness.User, harness.Password); err != nil {
				t.Error(err)
			}
			l.Want("QUIT", 221)
		})
	}
	// More than is read at once is taken for TLS, and ends the handshake.
	k, _, err := harness.Call("", v.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer k.HangUp()
	if _, err := io.WriteString(k.Conn, "AUTH TLS\r\n"+strings.Repeat("MKD injected\r\n", 1000)); err != nil {
		t.Fatal(err)
	}
	if a, err := k.Hear(); err != nil || a.Code != 234 {
		t.Fatalf("AUTH was answered %v, %v", a, err)
	}
	if k.Protect(v.Ca.Client()) == nil {
		t.Error("a handshake succeeded behind kilobytes in clear")
	}
	harness.WantNoFile(t, v.Path("injected"))
	v.Log.Wait(t, "bytes sent in clear behind AUTH were dropped", v.Ended)
}

// TestThreat11ALPACA: browsers and mailers that are led here, with another
// protocol's name or none, get nothing they could take for an answer.
func TestThreat11ALPACA(t *testing.T) {
	t.Parallel()
	v := harness.StartSecure(t, harness.Setup{Config: "[limits]\nban_after = 0\n"})
	for _, protocols := range [][]string{{"h2"}, {"http/1.1"}, {"h2", "http/1.1"}, {"smtp"}, {"imap"}, {"pop3"}} {
		cfg := v.Ca.Client()
		cfg.NextProtos = protocols
		for _, addr := range []string{v.Implicit, v.Addr} {
			if state, err := harness.Hello(addr, addr == v.Addr, cfg); err == nil {
				t.Errorf("a client of %v was let in: %q", protocols, state.NegotiatedProtocol)
			}
		}
	}
	for _, protocols := range [][]string{{"ftp"}, {"ftp", "x"}, {"h2", "ftp"}} {
		cfg := v.Ca.Client()
		cfg.NextProtos = protocols
		if state, err := harness.Hello(v.Implicit, false, cfg); err != nil || state.NegotiatedProtocol != "ftp" {
			t.Errorf("a client of %v: %q, %v", protocols, state.NegotiatedProtocol, err)
		}
	}

	const secret = "do-not-reflect-me"
	for _, request := range []string{
		"GET /<script>" + secret + "</script> HTTP/1.1\r\nHost: localhost\r\nCookie: " + secret + "\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 40\r\n\r\nUSER " + harness.User + "\r\n" + secret + "\r\n",
		"PUT /" + secret + " HTTP/1.1\r\n\r\n", "OPTIONS * HTTP/1.1\r\n\r\n", "HEAD / HTTP/1.1\r\n\r\n", "CONNECT x:1 HTTP/1.1\r\n\r\n",
		"EHLO " + secret + "\r\nMAIL FROM:<a@b>\r\n", "HELO " + secret + "\r\n",
	} {
		conns := map[string]net.Conn{}
		for where, dial := range map[string]func() (net.Conn, error){
			"in clear":   func() (net.Conn, error) { return harness.DialFrom("", v.Addr) },
			"in TLS":     func() (net.Conn, error) { return tls.Dial("tcp", v.Implicit, v.Ca.Client()) },
			"after AUTH": func() (net.Conn, error) { return harness.Ring(t, v, v.Ca.Client()).Conn, nil },
		} {
			conn, err := dial()
			if err != nil {
				t.Fatal(err)
			}
			conns[where] = conn
		}
		for where, conn := range conns {
			if _, err := io.WriteString(conn, request); err != nil {
				t.Fatal(err)
			}
			said, err := harness.ReadAll(conn)
			if err != nil && !isReset(err) {
				t.Errorf("%q %s: %v", request, where, err)
			}
			if strings.Contains(said, secret) || strings.Contains(said, "331") || strings.Count(said, "\n") > 2 {
				t.Errorf("%q %s was answered %q", request, where, said)
			}
			conn.Close()
		}
	}
}

func isReset(err error) bool {
	var op *net.OpError
	return errors.As(err, &op)
}

// TestThreat12Truncation: an upload that is cut at each boundary of a record
// is not published, and what came is kept; one that ends TLS is published at
// each of them.
func TestThreat12Truncation(t *testing.T) {
	t.Parallel()
	for name, version := range harness.Versions() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := harness.StartSecure(t, harness.Setup{})
			cfg := v.Ca.Client()
			cfg.MaxVersion = version
			l := harness.PhoneSecure(t, v, cfg)
			const record = 10_000
			content := harness.Noise(1, 8*record)
			for records := range 9 {
				for _, whole := range []bool{false, true} {
					file := fmt.Sprintf("%d-%v", records, whole)
					conn, err := l.Begin("STOR " + file)
					if err != nil {
						t.Fatal(err)
					}
					for i := range records {
						if _, err := conn.Write(content[i*record : (i+1)*record]); err != nil {
							t.Fatal(err)
						}
					}
					if !whole {
						_ = harness.Bare(conn).CloseWrite() // an end that anybody on the way can make
					} else if err := conn.(*tls.Conn).CloseWrite(); err != nil {
						t.Fatal(err)
					}
					a, err := l.Hear()
					conn.Close()
					switch {
					case whole && (err != nil || a.Code != 226), !whole && (err != nil || a.Code != 426):
						t.Errorf("after %d records, whole %v: %v, %v", records, whole, a, err)
					case whole:
						harness.WantFile(t, v.Path(file), content[:records*record])
					default:
						harness.WantNoFile(t, v.Path(file))
						if size, err := l.Size(file); err != nil || size != records*record {
							t.Errorf("after %d records %d bytes were kept, %v", records, size, err)
						}
					}
				}
			}
		})
	}
}

// cutConn is a connection that ends after so many bytes were sent.
type cutConn struct {
	net.Conn
	left int
}

var errCut = errors.New("cut here")

func (c *cutConn) Write(p []byte) (int, error) {
	if len(p) < c.left {
		c.left -= len(p)
		return c.Conn.Write(p)
	}
	if _, err := c.Conn.Write(p[:c.left]); err != nil {
		return 0, err
	}
	c.Conn.Close()
	return 0, errCut
}

// TestThreat13CutHandshakes: clients leave at every byte of their handshake,
// on control and data connections. Afterwards the server has no descriptor
// more than before, and nothing to do.
func TestThreat13CutHandshakes(t *testing.T) {
	t.Parallel()
	v := harness.StartSecure(t, harness.Setup{Config: "[ftp]\nlogin_timeout = \"2s\"\n[limits]\nban_after = 0\nper_address = 0\n"})
	cfg := v.Ca.Client()
	cfg.ClientSessionCache = nil
	cfg.CurvePreferences = []tls.CurveID{tls.X25519} // a short hello
	l := harness.PhoneSecure(t, v, cfg)
	quiet := harness.OpenFiles(t, v.Pid())

	for _, version := range harness.Versions() {
		cfg := cfg.Clone()
		cfg.MaxVersion = version
		cutEverywhere(t, cfg, func() (net.Conn, func()) {
			conn, err := harness.DialFrom("", v.Implicit)
			if err != nil {
				t.Fatal(err)
			}
			return conn, func() {}
		})
		cutEverywhere(t, cfg, func() (net.Conn, func()) {
			addr, err := l.Passive()
			if err != nil {
				t.Fatal(err)
			}
			conn, err := harness.DialFrom("", addr)
			if err != nil {
				t.Fatal(err)
			}
			l.Want("STOR f", 150)
			return conn, func() {
				if a, err := l.Hear(); err != nil || a.Code != 522 && a.Code != 426 {
					t.Fatalf("a handshake that was cut was answered %v, %v", a, err)
				}
			}
		})
	}
	l.Want("NOOP", 200)
	harness.WantNoFile(t, v.Path("f"))
	// Listeners at passive ports may stay for a while.
	harness.Eventually(t, "the descriptors are given back", func() bool { return harness.OpenFiles(t, v.Pid()) <= quiet+capPorts })

	// A silent client is thrown out after two seconds, in which a server that
	// spins takes two seconds of a processor.
	idle, err := harness.DialFrom("", v.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	before := busyTicks(t, v.Pid())
	if _, err := io.Copy(io.Discard, idle); err != nil {
		t.Fatal(err)
	}
	if ticks := busyTicks(t, v.Pid()) - before; ticks > 50 {
		t.Errorf("while nothing happened the server was busy for %d ticks, of 100 a second", ticks)
	}
}

// cutEverywhere makes handshakes on new connections, one byte longer each,
// until one is whole. done is called when its client has left.
func cutEverywhere(t *testing.T, cfg *tls.Config, dial func() (conn net.Conn, done func())) {
	t.Helper()
	for sent := 0; ; sent++ {
		conn, done := dial()
		err := tls.Client(&cutConn{conn, sent}, cfg).Handshake()
		conn.Close()
		if err == nil && sent < 100 {
			t.Errorf("a handshake of %d bytes succeeded", sent)
		}
		done()
		if err == nil {
			return
		}
	}
}

// busyTicks is the processor time of a process, in clock ticks: user and
// system (proc(5), fields 14 and 15).
func busyTicks(t testing.TB, pid int) int {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // behind the name, field 3
	fields := strings.Fields(rest)
	sum := 0
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return sum
}
