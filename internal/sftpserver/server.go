package sftpserver

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"ferry"
	"ferry/internal/gate"
)

// Config is what an SSH service needs. The zero value of a field means what
// its comment says.
type Config struct {
	Gate *gate.Gate
	Log  *slog.Logger
	// HostKeys are the server's own, one of each type; at least one.
	HostKeys []ssh.Signer

	// Banner is shown by clients before the login; empty: none.
	Banner string
	// NoPasswords lets clients in by public key only.
	NoPasswords bool
	// ChaCha20 offers chacha20-poly1305 where the processor has AES, too.
	ChaCha20 bool
	// Legacy are the networks of clients that may use what is outdated: SHA-1,
	// CBC, short Diffie-Hellman groups.
	Legacy []netip.Prefix

	LoginTimeout time.Duration // from the connect to a login; 0: 1 min
	IdleTimeout  time.Duration // without a byte on any channel; 0: never
	// KeepAlive is after what silence a client is asked whether it is still
	// there, and how long it may take to answer; 0: 1 min.
	KeepAlive time.Duration

	// Zone is that of the times in listings; nil: UTC.
	Zone *time.Location
	// Version is that of the program, for vendor-id.
	Version string
}

// Server is an SSH service for SFTP, SCP and a few commands. Its connections
// come by Handle.
type Server struct {
	cfg     Config
	modern  *ssh.ServerConfig
	legacy  *ssh.ServerConfig
	buffers Buffers

	// drain ends when connections shall finish what they do and close; kill
	// ends when they must stop at once.
	drain, kill context.Context
	startDrain  context.CancelFunc
	startKill   context.CancelCauseFunc

	mu      sync.Mutex
	clients map[*client]struct{}
	running sync.WaitGroup
}

// New checks cfg and makes a service of it.
func New(cfg Config) (*Server, error) {
	switch {
	case cfg.Gate == nil:
		return nil, errors.New("sftp: no gate given")
	case len(cfg.HostKeys) == 0:
		return nil, errors.New("sftp: no host key given")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.LoginTimeout == 0 {
		cfg.LoginTimeout = time.Minute
	}
	if cfg.KeepAlive == 0 {
		cfg.KeepAlive = time.Minute
	}
	s := &Server{
		cfg:     cfg,
		modern:  handshakeConfig(cfg, modernAlgorithms(cfg.ChaCha20 || !hasAES())),
		legacy:  handshakeConfig(cfg, legacyAlgorithms()),
		clients: make(map[*client]struct{}),
	}
	s.drain, s.startDrain = context.WithCancel(context.Background())
	s.kill, s.startKill = context.WithCancelCause(context.Background())
	return s, nil
}

// Handle serves one connection until it ends, and closes it.
func (s *Server) Handle(nc net.Conn) {
	s.running.Add(1)
	defer s.running.Done()
	defer func() { _ = nc.Close() }()
	if s.drain.Err() != nil {
		sayAndClose(nc, "The server is shutting down; try again later.")
		return
	}
	visit, err := s.cfg.Gate.Admit(s.kill, "sftp", addrOf(nc.RemoteAddr()), addrOf(nc.LocalAddr()))
	if err != nil {
		sayAndClose(nc, sentence(err))
		return
	}
	c := newClient(s, nc, visit)
	s.enter(c)
	defer s.leave(c)
	visit.Leave(c.serve())
}

func (s *Server) enter(c *client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients[c] = struct{}{}
}

func (s *Server) leave(c *client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.clients, c)
}

// Shutdown ends the service: connections without an open file end at once, the
// others as soon as they have none, and when ctx ends all that are left. It
// returns when the last is gone, with ctx's error if some had to be stopped.
// The listeners are the caller's to close before.
func (s *Server) Shutdown(ctx context.Context) error {
	s.startDrain()
	done := make(chan struct{})
	go func() {
		s.running.Wait()
		close(done)
	}()
	// Which files are open is the gate's to know, and nobody tells when there
	// are none any more: it is looked at, as net/http does it.
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for {
		s.endIdle()
		select {
		case <-done:
			return nil
		case <-look.C:
		case <-ctx.Done():
			s.startKill(ferry.ErrShutdown)
			<-done
			return ctx.Err()
		}
	}
}

// endIdle ends the connections that have no file open.
func (s *Server) endIdle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.clients {
		if !c.busy() {
			c.cancel(ferry.ErrShutdown)
		}
	}
}

// sayAndClose gives the reason for which a client is not even talked to, as a
// line before the version of the protocol, which clients may show (RFC 4253
// §4.2).
func sayAndClose(nc net.Conn, text string) {
	_ = nc.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = nc.Write([]byte(text + "\r\n"))
}

// sentence is an error of Admit or Login as the client is told it.
func sentence(err error) string {
	for _, known := range []error{ferry.ErrBanned, ferry.ErrServerFull, ferry.ErrAddressFull, ferry.ErrUserFull, ferry.ErrTooManyLogins} {
		if errors.Is(err, known) {
			text := known.Error()
			return strings.ToUpper(text[:1]) + text[1:] + "."
		}
	}
	return "The server cannot let anybody in at the moment; try again later."
}

// addrOf is the address and port of a, an IPv4 address as such even where the
// socket says it in IPv6's form.
func addrOf(a net.Addr) netip.AddrPort {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
