package ftpserver

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ferry"
	"ferry/internal/cluster"
	"ferry/internal/gate"
	"ferry/internal/gatetest"
	"ferry/internal/mem"
	"ferry/internal/nettest"
)

// logged is a log that tests look into.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) has(part string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), part)
}

// secureServer is a service with TLS on loopback, over files in memory.
type secureServer struct {
	t    *testing.T
	addr string
	srv  *Server
	tree *mem.Tree
	log  *logged
	cert tls.Certificate
}

// serveTLS starts one; policy nil means the zero Policy. The settings change
// what TLS speaks.
func serveTLS(t *testing.T, implicit bool, policy func(Client) Policy, settings ...func(*tls.Config)) *secureServer {
	t.Helper()
	s := &secureServer{t: t, tree: mem.New(mem.Config{}), log: &logged{}, cert: nettest.Certificate(t)}
	base := &tls.Config{
		Certificates: []tls.Certificate{s.cert}, MinVersion: tls.VersionTLS12,
		ClientAuth: tls.RequestClientCert,
	}
	base.SetSessionTicketKeys([][32]byte{{1}})
	for _, set := range settings {
		set(base)
	}
	log := slog.New(slog.NewTextHandler(s.log, nil))
	srv, err := New(Config{
		Gate: gate.New(gate.Config{
			Auth:    scriptUsers{},
			Files:   gatetest.Files(s.tree.For),
			Cluster: cluster.NewAlone(),
			Limits:  gate.Limits{FailDelay: -1, BanAfter: 3},
			Events: func(e ferry.Event) {
				if e.Kind == ferry.EventRefused || e.Kind == ferry.EventBan {
					log.Warn(e.Kind.String(), "error", e.Err)
				}
			},
		}),
		Log:   log,
		Hosts: map[string]string{"ftp.example": "", "other.example": ""},
		ModeZ: true,
		Security: Security{
			TLS:       func(Client) *tls.Config { return base },
			Policy:    policy,
			Certified: func(_ tls.ConnectionState, user string) bool { return user != "bob" },
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.srv, s.addr = srv, l.Addr().String()
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			if implicit {
				go srv.HandleTLS(nc)
			} else {
				go srv.Handle(nc)
			}
		}
	})
	t.Cleanup(func() {
		l.Close()
		accepting.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			t.Errorf("a session did not end: %v", err)
		}
	})
	return s
}

// secureClient is one control connection of a client.
type secureClient struct {
	t      *testing.T
	server *secureServer
	raw    net.Conn
	conn   net.Conn
	r      *bufio.Reader
	tls    *tls.Config
	under  *switchConn // raw, below TLS
}

// clientTLS is a client's configuration with a cache of sessions of its own.
func clientTLS(version uint16) *tls.Config {
	return &tls.Config{
		InsecureSkipVerify: true, ServerName: "ftp.example", MinVersion: version, MaxVersion: version,
		ClientSessionCache: tls.NewLRUClientSessionCache(8),
	}
}

// dial connects, and reads the greeting of a service that begins in clear.
func (s *secureServer) dial(cfg *tls.Config) *secureClient {
	s.t.Helper()
	nc, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(time.Minute))
	sw := &switchConn{Conn: nc}
	c := &secureClient{t: s.t, server: s, raw: nc, conn: nc, r: bufio.NewReader(nc), tls: cfg, under: sw}
	return c
}

// login is a whole beginning: greeting, AUTH TLS, USER, PASS, PBSZ, PROT P, TYPE I.
func (s *secureServer) login(cfg *tls.Config, user string) *secureClient {
	s.t.Helper()
	return s.loginBy(cfg, user, "secret")
}

func (s *secureServer) loginBy(cfg *tls.Config, user, password string) *secureClient {
	s.t.Helper()
	c := s.dial(cfg)
	c.want("220")
	c.auth()
	for _, step := range [][2]string{{"USER " + user, "331"}, {"PASS " + password, "230"}, {"PBSZ 0", "200"}, {"PROT P", "200"}, {"TYPE I", "200"}} {
		c.do(step[0], step[1])
	}
	return c
}

func (c *secureClient) auth() {
	c.t.Helper()
	c.do("AUTH TLS", "234")
	c.startTLS()
}

func (c *secureClient) startTLS() {
	c.t.Helper()
	tc := tls.Client(c.under, c.tls)
	if err := tc.Handshake(); err != nil {
		c.t.Fatal(err)
	}
	c.conn, c.r = tc, bufio.NewReader(tc)
}

func (c *secureClient) Send(line string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, line+"\r\n"); err != nil {
		c.t.Fatal(err)
	}
}

// want reads a reply and fails unless it has that code.
func (c *secureClient) want(code string) string {
	c.t.Helper()
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			c.t.Fatalf("waiting for %s: %v", code, err)
		}
		if len(line) > 3 && line[3] == '-' || strings.HasPrefix(line, " ") {
			continue
		}
		if !strings.HasPrefix(line, code) {
			c.t.Fatalf("got %q, want %s", line, code)
		}
		return line
	}
}

func (c *secureClient) do(line, code string) string {
	c.t.Helper()
	c.Send(line)
	return c.want(code)
}

// rearm takes back the deadline that the end of TLS leaves on a connection.
func (c *secureClient) rearm() { _ = c.raw.SetDeadline(time.Now().Add(time.Minute)) }

// endTLS ends TLS with the server and goes on in clear.
func (c *secureClient) endTLS() {
	c.t.Helper()
	tc := c.conn.(*tls.Conn)
	if _, err := tc.Read(make([]byte, 1)); err != io.EOF {
		c.t.Fatalf("no close_notify: %v", err)
	}
	if err := tc.CloseWrite(); err != nil {
		c.t.Fatal(err)
	}
	c.rearm()
	c.conn, c.r = c.raw, bufio.NewReader(c.raw)
}

// passive opens a bare data connection.
func (c *secureClient) passive() net.Conn {
	c.t.Helper()
	return c.connect(c.passivePort())
}

// passivePort is where the next data connection is awaited.
func (c *secureClient) passivePort() (port int) {
	c.t.Helper()
	line := c.do("EPSV", "229")
	if _, err := fmt.Sscanf(line[strings.IndexByte(line, '('):], "(|||%d|)", &port); err != nil {
		c.t.Fatal(err)
	}
	return port
}

// connect opens a bare data connection to a port of the server.
func (c *secureClient) connect(port int) net.Conn {
	c.t.Helper()
	host, _, _ := net.SplitHostPort(c.server.addr)
	nc, err := net.Dial("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(time.Minute))
	return nc
}

// put uploads with the client's own session cache and returns the last reply's code.
func (c *secureClient) put(name, content, code string) {
	c.t.Helper()
	c.putWith(c.tls, name, content, code)
}

// putWith is put with another TLS configuration on the data connection.
func (c *secureClient) putWith(cfg *tls.Config, name, content, code string) {
	c.t.Helper()
	nc := c.passive()
	c.do("STOR "+name, "150")
	tc := tls.Client(nc, cfg)
	if err := tc.Handshake(); err == nil {
		_, _ = io.WriteString(tc, content)
		_ = tc.CloseWrite()
		_, _ = io.Copy(io.Discard, tc) // reads the tickets, as most clients do
	}
	nc.Close()
	c.want(code)
}

// get downloads with the client's own session cache.
func (c *secureClient) get(name string) string {
	c.t.Helper()
	return c.receive("RETR " + name)
}

// list is LIST of the session's directory.
func (c *secureClient) list() string {
	c.t.Helper()
	return c.receive("LIST")
}

// receive gives a command that makes the server send.
func (c *secureClient) receive(command string) string {
	c.t.Helper()
	nc := c.passive()
	c.do(command, "150")
	tc := tls.Client(nc, c.tls)
	content, err := io.ReadAll(tc)
	if err != nil {
		c.t.Fatalf("%s: %v", command, err)
	}
	c.want("226")
	return string(content)
}

// content is what a file has, as alice reads it.
func (s *secureServer) content(name ferry.Name) (string, bool) {
	s.t.Helper()
	tree := s.tree.For(ferry.User{Name: "alice"})
	defer tree.Close()
	h, err := tree.Open(context.Background(), name, ferry.OpenOptions{Mode: ferry.Read})
	if err != nil {
		return "", false
	}
	defer h.Abort(nil)
	b, err := io.ReadAll(io.NewSectionReader(h, 0, 1<<30))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(b), true
}
