package daemon

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	"ferry"
	"ferry/internal/access"
	"ferry/internal/auth"
	"ferry/internal/cluster"
	"ferry/internal/config"
	"ferry/internal/digest"
	"ferry/internal/event"
	"ferry/internal/ftpserver"
	"ferry/internal/gate"
	"ferry/internal/home"
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
	// Password is that of static users without one; "": one is made up for each.
	Password string
	// Announce is called when the server accepts; nil: nobody wants to know.
	Announce func(Started)
	// Version is that of the program.
	Version string
}

// Started is what a person may want to know of a server that has begun to accept.
type Started struct {
	Users     []Person
	Listeners Listeners
	TLS       Encryption
	SSH       SSH
}

// mostHashes is how many passwords are hashed at once, however many processors
// there are: each hash takes users.hash_memory.
const mostHashes = 8

// Serve is the server: everything is made and tied together here, in the
// order in which it depends on one another, runs until a signal says stop,
// and is taken down in the opposite order.
func Serve(conf *config.Config, o Options) error {
	people, err := staticUsers(conf, o.Password)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	out := openServerLog(conf, o.Log)
	defer out.Close()
	log := out.Logger
	for _, warning := range slices.Concat(conf.Warnings, conf.Notes) {
		log.Warn("the configuration works, and should be looked at", "warning", warning)
	}
	if conf.PasswordInArguments() {
		log.Warn("other processes can see the password given with --user: use FERRY_PASSWORD, or ferry user add")
	}
	// What the server makes gets the permissions that the configuration says,
	// whatever shell or service manager started it.
	syscall.Umask(int(conf.Storage.Umask))

	// The files come first: when they cannot be served, nothing is left behind.
	homes := home.New(conf, log)
	defer homes.Close()
	if err := homes.Prepare(); err != nil {
		return err
	}

	// So do the doors: a port that is taken is known before anything is made.
	// Nobody is let in yet.
	doors, err := openListeners(ctx, conf)
	if err != nil {
		return err
	}
	defer doors.Close()

	// The state: accounts in the database, and what nodes share.
	db, err := store.Open(ctx, conf.Database())
	if err != nil {
		return err
	}
	defer db.Close()
	nodes := cluster.NewAlone()

	// The users: those of the command line before those of the database.
	hasher, err := conf.Hasher(min(runtime.GOMAXPROCS(0), mostHashes))
	if err != nil {
		return err
	}
	static, err := entries(ctx, conf, people, hasher)
	if err != nil {
		return err
	}
	users := auth.Join(auth.Static(static...), accountsIn{db, conf})

	// The events.
	told := event.Bound(event.Log(log))
	defer told.Close()
	transfers, err := openTransferLog(conf, log)
	if err != nil {
		return err
	}
	defer transfers.Close()

	// The certificates.
	secure, err := openEncryption(ctx, conf, log)
	if err != nil {
		return err
	}

	// Hashes of files, which logins are not to wait for.
	hashes := digest.NewQueue(0)

	// The gate, and the protocols in front of it.
	g := gate.New(gate.Config{
		Auth: loginsFirst{authenticator(conf, users, hasher, renewal(conf, db, log)), hashes},
		Files: func(ctx context.Context, s *gate.Session) (ferry.FS, error) {
			files, err := homes.View(ctx, s.User())
			if err != nil {
				return nil, err
			}
			return layers(s, files), nil
		},
		Cluster: nodes,
		Events:  event.Fan(told.Sink(), transfers.sink()),
		Limits:  gateLimits(conf),
	})
	ftp, err := ftpserver.New(ftpConfig(conf, g, secure.security(conf), hashes, log))
	if err != nil {
		return err
	}
	trust, err := openTrust(conf, log)
	if err != nil {
		return err
	}
	ssh, err := openSSH(conf, g, trust, hashes, o.Version, log)
	if err != nil {
		return err
	}
	speaking := protocols{ftp, ssh.server}

	// The work beside the sessions.
	var chores sync.WaitGroup
	defer chores.Wait()
	defer cancel()
	chores.Go(func() { sweep(ctx, nodes, conf, homes, db, log) })
	chores.Go(func() { secure.watch(ctx) })
	chores.Go(func() { watchMemory(ctx) })
	chores.Go(func() { refresh(ctx, conf, g, db, users, log) })

	// The doors open.
	ended := doors.serve(speaking)
	if o.Announce != nil {
		o.Announce(Started{people, doors, secure, ssh})
	}
	log.Info("ready", "ftp", doors.address("ftp"), "ftps", doors.address("ftps"), "sftp", doors.address("sftp"), "root", conf.Storage.Root, "state", conf.Server.State, "version", o.Version)
	notifySystemd(log, "READY=1")

	reload := func() {
		go transfers.reopen() // a log that hangs must not keep the next signal waiting
		secure.reload()
		trust.Reload()
	}
	err = untilStopped(o.Signals, ended, reload, log)
	notifySystemd(log, "STOPPING=1")
	doors.Close()
	finish(speaking, o.Signals, conf.Server.Grace, log)
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
func finish(p protocols, signals <-chan os.Signal, grace time.Duration, log *slog.Logger) {
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
