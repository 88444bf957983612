package ftpserver

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"ferry"
	"ferry/internal/digest"
	"ferry/internal/ftpcontrol"
	"ferry/internal/ftpdata"
	"ferry/internal/ftplist"
	"ferry/internal/ftpport"
	"ferry/internal/ftpreply"
	"ferry/internal/ftptls"
	"ferry/internal/ftptree"
	"ferry/internal/gate"
	"ferry/internal/listen"
)

// Config is what an FTP service needs. The zero value of a field means what
// its comment says.
type Config struct {
	Gate *gate.Gate
	Log  *slog.Logger

	// Greeting is the text of the first reply, 220; empty: "Ferry ready."
	Greeting string
	// Hosts are the names that HOST accepts (RFC 7151), besides the very
	// address that the client reached, each with a greeting of its own or "".
	// A login says which of them was asked for.
	Hosts map[string]string
	// Account gives the account that a login name means on one of Hosts, or on
	// none (""); nil: the one of that name.
	Account func(host, name string) string
	// Security is TLS, and what must be protected by it.
	Security Security

	// Ports says where data connections may come about.
	Ports ftpport.Policy
	// Network is where they do; nil: TCP.
	Network ftpdata.Network

	LoginTimeout time.Duration // from the connect to a login; 0: 1 min
	IdleTimeout  time.Duration // between commands; 0: 15 min (RFC 1123 §4.1.3.2 wants 5 at least)
	DataTimeout  time.Duration // for a data connection to come about; 0: 30 s
	StallTimeout time.Duration // a listing that cannot be written for so long ends; 0: 5 min

	// Zone is the time zone of LIST; nil: UTC. MLSD, MDTM and MFMT are always UTC.
	Zone *time.Location
	// ModeZ offers MODE Z, compressed data connections.
	ModeZ bool
	// Recursive honours LIST -R.
	Recursive bool
	// ListLimit bounds the entries of one recursive listing and of one listing
	// on the control connection (STAT); 0: 10,000.
	ListLimit int
	// Hashes is where the hashes of files take turns, with those of other protocols;
	// nil: nobody waits.
	Hashes *digest.Queue
	// LooseALLO publishes an upload that has fewer bytes than its ALLO announced.
	LooseALLO bool
}

// Server is an FTP service. Its connections come by Handle.
type Server struct {
	cfg  Config
	data *ftpdata.Service
	*common
}

// common is what a Server and those that Reconfigured makes of it share.
type common struct {
	commands map[string]*command
	listBufs *sync.Pool // of *[listBuf]byte
	hashing  *ftptree.Hashing
	wires    *ftptls.Pools

	tlsSessions *ftptls.Sessions
	// lenient counts the uses of legacy profiles.
	lenient atomic.Int64

	// end is how the sessions come to theirs.
	end *listen.Drain
}

// New checks cfg and makes a service of it.
func New(cfg Config) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, common: &common{
		commands: commandTable(),
		listBufs: ftplist.NewListBufs(),
		hashing:  ftptree.NewHashing(cfg.Hashes),
		wires:    ftptls.NewPools(),

		tlsSessions: ftptls.NewSessions(),
		end:         listen.NewDrain(),
	}}
	s.data = ftpdata.New(cfg.data(), cfg.Network, s.tlsSessions, s.wires)
	return s, nil
}

// Reconfigured is the same service for connections that begin from now on, which are served by
// cfg; of Ports the passive ones stay. Those that s has go on by its own, and Shutdown of one
// of the two ends both.
func (s *Server) Reconfigured(cfg Config) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Server{cfg: cfg, data: s.data.Reconfigured(cfg.data()), common: s.common}, nil
}

// withDefaults checks cfg, and sets what it leaves open.
func (cfg Config) withDefaults() (Config, error) {
	if cfg.Network == nil {
		cfg.Network = ftpdata.TCPNetwork{}
	}
	if cfg.Gate == nil {
		return cfg, errors.New("ftp: no gate given")
	}
	var err error
	if cfg.Ports, err = cfg.Ports.Checked(); err != nil {
		return cfg, err
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	setDefault(&cfg.Greeting, "Ferry ready.")
	setDefault(&cfg.LoginTimeout, time.Minute)
	setDefault(&cfg.IdleTimeout, 15*time.Minute)
	setDefault(&cfg.DataTimeout, 30*time.Second)
	setDefault(&cfg.StallTimeout, 5*time.Minute)
	setDefault(&cfg.ListLimit, 10_000)
	setDefault(&cfg.Zone, time.UTC)
	return cfg, nil
}

func (cfg Config) data() ftpdata.Config {
	return ftpdata.Config{
		First: cfg.Ports.First, Last: cfg.Ports.Last, Addresses: cfg.Ports.Addresses, ActivePort: cfg.Ports.ActivePort,
		DataTimeout: cfg.DataTimeout, StallTimeout: cfg.StallTimeout,
	}
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// Handle serves one control connection until it ends, and closes it.
func (s *Server) Handle(nc net.Conn) { s.handle(nc, false) }

// HandleTLS is Handle for connections that begin with TLS (implicit FTPS).
// Their data connections are private unless PROT says otherwise.
func (s *Server) HandleTLS(nc net.Conn) { s.handle(nc, true) }

func (s *Server) handle(nc net.Conn, implicit bool) {
	defer s.end.Enter()()
	defer nc.Close()
	if c := s.newSession(nc, implicit); c != nil {
		c.gateConn.Close(c.serve())
	}
}

// newSession makes a session of a connection, or says to it why not.
func (s *Server) newSession(nc net.Conn, implicit bool) *conn {
	protocol := "ftp"
	if implicit {
		protocol = "ftps"
	}
	if s.end.Asked.Err() != nil {
		ftpcontrol.Refuse(nc, 421, "The server is shutting down; try again later.")
		return nil
	}
	peer, local := listen.AddrPort(nc.RemoteAddr()), listen.AddrPort(nc.LocalAddr())
	gateConn, err := s.cfg.Gate.Admit(s.end.Stopped, protocol, peer, local)
	if err != nil {
		ftpcontrol.Refuse(nc, 421, ftpreply.Sentence(err))
		return nil
	}
	return newConn(s, nc, gateConn, peer, local, implicit)
}

// Shutdown ends the service: sessions without a transfer get 421 at once, the
// others when their transfer has ended, and when ctx ends everything stops.
// It returns when the last session is gone, with ctx's error if some had to
// be stopped. The listeners are the caller's to close before.
func (s *Server) Shutdown(ctx context.Context) error {
	defer s.data.Close()
	return s.end.Shutdown(ctx, ferry.ErrShutdown)
}
