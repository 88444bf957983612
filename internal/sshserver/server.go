package sshserver

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"ferry"
	"ferry/internal/digest"
	"ferry/internal/gate"
	"ferry/internal/listen"
	"ferry/internal/sftpio"
	"ferry/internal/sshexec"
)

// Config is what an SSH service needs. The zero value of a field means what
// its comment says.
type Config struct {
	Gate *gate.Gate
	Log  *slog.Logger
	// HostKeys are the server's own, one of each type; at least one.
	HostKeys []ssh.Signer
	// HostCerts are certificates of host keys, one of each at most.
	HostCerts []*ssh.Certificate

	// Banner is shown by clients before the login; empty: none.
	Banner string
	// NoPasswords lets clients in by public key only, or by that and a password.
	NoPasswords bool
	// Authority tells whether key is that of an authority whose certificates
	// let users in, as sshd's TrustedUserCAKeys does; nil: there is none.
	Authority func(key ssh.PublicKey) bool
	// Revoked tells whether a key is revoked, or the *ssh.Certificate that it
	// is, as sshd's RevokedKeys does; nil: none is.
	Revoked func(key ssh.PublicKey) bool
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

	// Handles is how many files the gate lets one connection have open, to be told to
	// who asks; 0: it sets no bound.
	Handles int

	// Hashes are where files are hashed in turns; nil: nobody waits.
	Hashes *digest.Queue

	// Zone is that of the times in listings; nil: UTC.
	Zone *time.Location
	// Version is that of the program, for vendor-id.
	Version string
}

// Server is an SSH service for SFTP, SCP and a few commands. Its connections
// come by Handle.
type Server struct {
	cfg    Config
	modern *ssh.ServerConfig
	legacy *ssh.ServerConfig
	*common
}

// common is what a Server and those that Reconfigured makes of it share.
type common struct {
	buffers      sftpio.Buffers
	writeBuffers writeBuffers
	commands     sshexec.Commands

	// end is how the connections come to theirs.
	end *listen.Drain

	refusals atomic.Int32 // connections that are told why they are not let in

	// lenient counts the uses of the legacy profile.
	lenient atomic.Int64

	mu    sync.Mutex
	conns map[*sshConn]struct{}
}

// New checks cfg and makes a service of it.
func New(cfg Config) (*Server, error) {
	all := &common{conns: make(map[*sshConn]struct{}), end: listen.NewDrain()}
	return all.server(cfg)
}

// Reconfigured is the same service for connections that begin from now on, which are served by
// cfg. Those that s has go on by its own, and Shutdown of one of the two ends both.
func (s *Server) Reconfigured(cfg Config) (*Server, error) { return s.server(cfg) }

func (all *common) server(cfg Config) (*Server, error) {
	switch {
	case cfg.Gate == nil:
		return nil, errors.New("sftp: no gate given")
	case len(cfg.HostKeys) == 0:
		return nil, errors.New("sftp: no host key given")
	}
	if err := cfg.checkHostCertificates(); err != nil {
		return nil, err
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
	return &Server{
		cfg:    cfg,
		modern: handshakeConfig(cfg, modernAlgorithms(cfg.ChaCha20 || !hasAES())),
		legacy: handshakeConfig(cfg, legacyAlgorithms()),
		common: all,
	}, nil
}

// Handle serves one connection until it ends, and closes it.
func (s *Server) Handle(nc net.Conn) {
	defer s.end.Enter()()
	defer func() { _ = nc.Close() }()
	if s.end.Asked.Err() != nil {
		s.refuseConn(nc, reasonUnavailable, sentence(ferry.ErrShutdown))
		return
	}
	gateConn, err := s.cfg.Gate.Admit(s.end.Stopped, "sftp", listen.AddrPort(nc.RemoteAddr()), listen.AddrPort(nc.LocalAddr()))
	if err != nil {
		s.refuseConn(nc, reasonFor(err), sentence(err))
		return
	}
	c := newSSHConn(s, nc, gateConn)
	s.enter(c)
	defer s.leave(c)
	gateConn.Close(c.serve())
}

func (s *Server) enter(c *sshConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[c] = struct{}{}
	if s.end.Asked.Err() != nil { // Shutdown has not seen it
		go c.drainPrograms()
	}
}

func (s *Server) leave(c *sshConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// Shutdown ends the service: connections on which nothing is under way end at
// once, the others as soon as that is done, and when ctx ends all that are
// left. Under way are open files of SFTP, and commands. It returns when the
// last is gone, with ctx's error if some had to be stopped. The listeners are
// the caller's to close before.
func (s *Server) Shutdown(ctx context.Context) error {
	s.drainConns()
	return s.end.Shutdown(ctx, ferry.ErrShutdown)
}

// drainConns has every client wind up, those too that come later.
func (s *Server) drainConns() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end.Ask()
	for c := range s.conns {
		go c.drainPrograms()
	}
}
