package daemon

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"ferry"
	"ferry/internal/access"
	"ferry/internal/beneath"
	"ferry/internal/cluster"
	"ferry/internal/config"
	"ferry/internal/digest"
	"ferry/internal/event"
	"ferry/internal/gate"
	"ferry/internal/home"
	"ferry/internal/quota"
	"ferry/internal/store"
)

// Options are what a server is given beside its configuration.
type Options struct {
	// Log is where the log goes.
	Log *os.File
	// Signals stop the server (SIGTERM, SIGINT) and have it read again what can
	// be (SIGHUP). To be caught from the start on, so that no signal finds the
	// server half made.
	Signals <-chan os.Signal
	// Load reads the configuration again; nil: only the files that it names are.
	Load func() (*config.Config, error)
	// Password is that of static users without one; "": one is made up for each.
	Password string
	// Announce is called when the server accepts; nil: nobody wants to know.
	Announce func(Started)
	// Confine has the process give away what the server needs no more once it listens:
	// its user, as server.user says, and capabilities. There is no way back.
	Confine bool
	// Version is that of the program.
	Version string
}

// Started is what a person may want to know of a server that has begun to accept.
type Started struct {
	Server    *Server
	Users     []StaticUser
	Listeners Listeners
	TLS       Encryption
	SSH       SSH
}

// Server is a server that runs: what lasts for its life, and in now what a
// configuration makes of it.
type Server struct {
	o         Options
	log       serverLog
	homes     *home.Homes
	book      *quota.Book
	db        *store.Store
	transfers *transferLog
	secure    Encryption
	hashes    *digest.Queue // of files; logins are not to wait for them
	gate      *gate.Gate

	reloading sync.Mutex
	now       atomic.Pointer[settings]
}

// mostHashes is how many passwords are hashed at once, however many processors
// there are: each hash takes users.hash_memory.
const mostHashes = 8

// Serve is the server: everything is made and tied together here, in the
// order in which it depends on one another, runs until a signal says stop,
// and is taken down in the opposite order.
func Serve(conf *config.Config, o Options) error {
	static, err := staticUsers(conf, o.Password)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s := &Server{o: o, log: openServerLog(conf, o.Log), hashes: digest.NewQueue(0)}
	defer s.log.Close()
	s.log.warn(conf)
	// What the server makes gets the permissions that the configuration says,
	// whatever shell or service manager started it.
	syscall.Umask(int(conf.Storage.Umask))

	// The listeners come first: a port that is taken is known before anything is made,
	// and ports below 1024 are root's. Nobody is let in yet.
	listeners, err := openListeners(ctx, conf)
	if err != nil {
		return err
	}
	defer listeners.Close()
	if o.Confine {
		if err := confine(conf, listeners, s.log.Logger); err != nil {
			return err
		}
	}

	// The files: when they cannot be served, nothing is left behind.
	s.book = quota.New(beneath.Total, s.log.Logger)
	s.homes = home.New(conf, s.book, s.log.Logger)
	defer s.homes.Close()
	if err := s.homes.Prepare(); err != nil {
		return err
	}

	// The state: accounts in the database, and what nodes share.
	if s.db, err = store.Open(ctx, conf.Database()); err != nil {
		return err
	}
	defer s.db.Close()
	if err := s.book.Load(ctx, s.db); err != nil {
		return err
	}
	defer s.book.Close()
	nodes := cluster.NewAlone()

	// The events.
	told := event.Bound(event.Log(s.log.Logger))
	defer told.Close()
	if s.transfers, err = openTransferLog(conf, s.log.Logger); err != nil {
		return err
	}
	defer s.transfers.Close()

	// The certificates.
	if s.secure, err = openEncryption(ctx, conf, s.log.Logger); err != nil {
		return err
	}

	// The gate, and the protocols in front of it.
	s.gate = gate.New(gate.Config{
		Auth: loginsFirst{currentUsers{s}, s.hashes},
		Files: func(ctx context.Context, sess *gate.Session) (ferry.FS, error) {
			files, err := s.homes.View(ctx, sess.User)
			if err != nil {
				return nil, err
			}
			return layers(sess, files), nil
		},
		Cluster: nodes,
		Events:  event.Fan(told.Sink(), s.transfers.sink()),
		Limits:  gateLimits(conf),
	})
	first, err := s.prepare(ctx, conf, static, nil)
	if err != nil {
		return err
	}
	first.ssh.tell(s.log.Logger)
	s.now.Store(first)

	// The work beside the sessions.
	var maintenance sync.WaitGroup
	defer maintenance.Wait()
	defer cancel()
	maintenance.Go(func() { s.sweep(ctx, nodes) })
	maintenance.Go(func() { s.secure.watch(ctx) })
	maintenance.Go(func() { watchMemory(ctx) })
	maintenance.Go(func() { s.followAccounts(ctx) })
	maintenance.Go(func() { s.book.Run(ctx) })

	// Clients are let in.
	ended := listeners.serve(s)
	if o.Announce != nil {
		o.Announce(Started{s, static, listeners, s.secure, first.ssh})
	}
	s.log.Info("ready", "ftp", listeners.address("ftp"), "ftps", listeners.address("ftps"), "sftp", listeners.address("sftp"), "root", conf.Storage.Root, "state", conf.Server.State, "version", o.Version)
	notifySystemd(s.log.Logger, "READY=1")

	reload := func() { maintenance.Go(func() { s.reload(ctx) }) } // what takes long keeps no signal waiting
	err = untilStopped(o.Signals, ended, reload, s.log.Logger)
	notifySystemd(s.log.Logger, "STOPPING=1")
	listeners.Close()
	last := s.now.Load()
	finish(last, o.Signals, last.conf.Server.Grace, s.log.Logger)
	return err
}

// layers puts around the files of a session what stands between a client and them.
// What refuses is innermost, so that nothing above it can reach what it refuses, and
// what tells is outermost, so that it tells of what was done. A hook that may refuse
// belongs between the two, an audit around all.
func layers(s *gate.Session, files ferry.FS) ferry.FS {
	files = access.New(files, s.User)
	files = s.Meter(files)
	return event.Watch(files, s.Emit)
}

// untilStopped waits for the signal to stop, or for a listener to fail.
func untilStopped(signals <-chan os.Signal, ended <-chan error, reload func(), log *slog.Logger) error {
	for {
		select {
		case s := <-signals:
			if s != syscall.SIGHUP {
				log.Info("stopping", "signal", s.String())
				return nil
			}
			reload()
		case err := <-ended:
			return err
		}
	}
}

// finish gives the transfers that still run the time of grace. A second signal
// ends it at once; a third would end the process as if nobody caught o.signals.
func finish(p *settings, signals <-chan os.Signal, grace time.Duration, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	go func() {
		for s := range signals {
			if s != syscall.SIGHUP {
				cancel()
				signal.Reset(syscall.SIGTERM, syscall.SIGINT)
			}
		}
	}()
	if err := p.shutdown(ctx); err != nil {
		log.Warn("stopped before every transfer had ended; their parts are kept")
		return
	}
	log.Info("stopped")
}
