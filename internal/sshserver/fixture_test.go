package sshserver

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"ferry"
	"ferry/internal/cluster"
	"ferry/internal/gate"
	"ferry/internal/gatetest"
	"ferry/internal/mem"
	"ferry/internal/sftptest"
)

// harbour is a server over a tree in memory, its users, and its clients.
type harbour struct {
	t      *testing.T
	tree   *mem.Tree
	users  keyring
	limits gate.Limits
	cfg    Config
	gate   *gate.Gate
	srv    *Server
	log    *sftptest.Logbook
	over   func(ferry.FS) ferry.FS // what the tree is seen through

	mu    sync.Mutex
	heard []ferry.Event
}

func newHarbour(t *testing.T) *harbour {
	return &harbour{t: t, tree: mem.New(mem.Config{}), log: new(sftptest.Logbook),
		over:   func(fs ferry.FS) ferry.FS { return fs },
		limits: gate.Limits{FailDelay: -1, MaxFails: 3},
		users:  keyring{"alice": {password: "s3cret"}}}
}

// Open starts the server.
func (h *harbour) Open() *harbour {
	h.t.Helper()
	log := slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h.gate = gate.New(gate.Config{
		Auth:    h.users,
		Files:   gatetest.Files(func(u ferry.User) ferry.FS { return h.over(h.tree.For(u)) }),
		Cluster: cluster.NewAlone(),
		Events: func(e ferry.Event) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.heard = append(h.heard, e)
			if e.Kind == ferry.EventRefused {
				log.Warn(e.Kind.String(), "error", e.Err)
			}
		},
		Limits: h.limits,
	})
	h.cfg.Gate, h.cfg.Log = h.gate, log
	if h.cfg.HostKeys == nil {
		h.cfg.HostKeys = []ssh.Signer{newKey(h.t)}
	}
	var err error
	if h.srv, err = New(h.cfg); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_ = h.srv.Shutdown(ended)
	})
	return h
}

// events are those of one kind.
func (h *harbour) events(kind ferry.EventKind) []ferry.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(h.heard), func(e ferry.Event) bool { return e.Kind != kind })
}

// refusals are what is told of ways to log in that were not open.
func (h *harbour) refusals() string {
	var text strings.Builder
	for _, e := range h.events(ferry.EventLoginRefused) {
		fmt.Fprintf(&text, "user=%s by=%s: %v\n", e.User, e.By, e.Err)
	}
	return text.String()
}

// knock connects and logs in.
func (h *harbour) knock(name string, auth ...ssh.AuthMethod) (*ssh.Client, error) {
	return h.knockWith(&ssh.ClientConfig{User: name, Auth: auth})
}

func (h *harbour) knockWith(cfg *ssh.ClientConfig) (*ssh.Client, error) {
	near, far := newWire()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		h.srv.Handle(far)
	}()
	cfg.HostKeyCallback = ssh.InsecureIgnoreHostKey()
	conn, channels, requests, err := ssh.NewClientConn(near, "server", cfg)
	if err != nil {
		_ = near.Close()
		<-ended // all that there is to tell has been told
		return nil, err
	}
	client := ssh.NewClient(conn, channels, requests)
	h.t.Cleanup(func() { client.Close() })
	return client, nil
}

// enter is knock by alice's password, which must work.
func (h *harbour) enter() *ssh.Client {
	h.t.Helper()
	client, err := h.knock("alice", ssh.Password("s3cret"))
	if err != nil {
		h.t.Fatal(err)
	}
	return client
}

// run runs a command with that standard input.
func run(t *testing.T, client *ssh.Client, command, stdin string) (stdout, stderr string, err error) {
	t.Helper()
	s, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var out, errs bytes.Buffer
	s.Stdin, s.Stdout, s.Stderr = strings.NewReader(stdin), &out, &errs
	err = s.Run(command)
	return out.String(), errs.String(), err
}

// keyring are the users of the tests.
type keyring map[string]holder

type holder struct {
	password string
	keys     []string // fingerprints
	rights   ferry.Right
	login    ferry.Login
	named    []string // principals
	sessions int      // at once; 0: any
}

func (k keyring) Authenticate(_ context.Context, c ferry.Claim) (ferry.User, error) {
	h, ok := k[c.Name]
	key, password := c.Shows()
	switch {
	case !ok, c.Denied != "", password && (h.password == "" || c.Password != h.password), key && !c.Certified && !slices.Contains(h.keys, c.Key):
		return ferry.User{}, ferry.ErrLogin
	}
	if h.rights == 0 {
		h.rights = ferry.RightsAll
	}
	return ferry.User{Name: c.Name, Login: h.login, Principals: h.named, Limits: ferry.Limits{Sessions: h.sessions},
		Rules: []ferry.Rule{{Prefix: "/", Rights: h.rights}}}, nil
}

func newRSAKey(t *testing.T) ssh.Signer {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func newKey(t *testing.T) ssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// Put stores a file.
func (h *harbour) Put(name ferry.Name, content string) {
	h.t.Helper()
	fs := h.tree.For(ferry.User{Name: "root"})
	perm := os.FileMode(0o644)
	f, err := fs.Open(h.t.Context(), name, ferry.OpenOptions{Mode: ferry.Replace, Perm: &perm})
	if err == nil {
		_, err = f.WriteAt([]byte(content), 0)
		err = errors.Join(err, f.Commit(), fs.Close())
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

// content is what stands under name; "(none)": nothing.
func (h *harbour) content(name ferry.Name) string {
	h.t.Helper()
	fs := h.tree.For(ferry.User{Name: "root"})
	defer fs.Close()
	f, err := fs.Open(h.t.Context(), name, ferry.OpenOptions{Mode: ferry.Read})
	if err != nil {
		return "(none)"
	}
	defer f.Abort(nil)
	i, err := f.Stat()
	if err != nil {
		h.t.Fatal(err)
	}
	b := make([]byte, i.Size)
	if _, err := f.ReadAt(b, 0); err != nil && err != io.EOF {
		h.t.Fatal(err)
	}
	return string(b)
}

// wire is one end of a connection in memory. What is written waits for a
// reader, as in a kernel: both sides of SSH speak first.
type wire struct {
	in, out *pipe
	at      net.Addr
}

func newWire() (near, far *wire) {
	a, b := newPipe(), newPipe()
	client := net.TCPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.7:4000"))
	server := net.TCPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.1:22"))
	return &wire{a, b, client}, &wire{b, a, server}
}

func (w *wire) Read(p []byte) (int, error)  { return w.in.Read(p) }
func (w *wire) Write(p []byte) (int, error) { return w.out.Write(p) }
func (w *wire) LocalAddr() net.Addr         { return w.at }
func (w *wire) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.7:4000"))
}

func (w *wire) Close() error {
	w.in.close()
	w.out.close()
	return nil
}

func (w *wire) SetDeadline(at time.Time) error {
	w.in.deadline(at)
	return nil
}
func (w *wire) SetReadDeadline(at time.Time) error { return w.SetDeadline(at) }
func (w *wire) SetWriteDeadline(time.Time) error   { return nil }

// pipe is one direction of a wire.
type pipe struct {
	mu     sync.Mutex
	more   sync.Cond
	bytes  bytes.Buffer
	closed bool
	late   bool
	timer  *time.Timer
}

func newPipe() *pipe {
	p := new(pipe)
	p.more.L = &p.mu
	return p
}

func (p *pipe) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.bytes.Len() == 0 && !p.closed && !p.late {
		p.more.Wait()
	}
	switch {
	case p.bytes.Len() > 0:
		return p.bytes.Read(b)
	case p.late:
		return 0, &net.OpError{Op: "read", Err: context.DeadlineExceeded}
	}
	return 0, io.EOF
}

func (p *pipe) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return 0, net.ErrClosed
	}
	defer p.more.Broadcast()
	return p.bytes.Write(b)
}

func (p *pipe) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.more.Broadcast()
}

func (p *pipe) deadline(at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer != nil {
		p.timer.Stop()
	}
	if at.IsZero() {
		return
	}
	p.timer = time.AfterFunc(time.Until(at), func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.late = true
		p.more.Broadcast()
	})
}

// newProgram is a session in which nothing runs yet, and its standard input.
func newProgram(t *testing.T, client *ssh.Client) (*ssh.Session, io.WriteCloser) {
	t.Helper()
	s, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	in, err := s.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	return s, in
}
