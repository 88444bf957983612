package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"ferry/internal/auth"
	"ferry/internal/cluster"
	"ferry/internal/event"
	"ferry/internal/ftpserver"
	"ferry/internal/gate"
	"ferry/internal/store"
)

// mostHashes is how many passwords are hashed at once, however many processors
// there are: each hash takes users.hash_memory.
const mostHashes = 8

// serveCmd is `ferry serve [DIR]`.
type serveCmd struct {
	configFlags
	Dir string `arg:"" optional:"" placeholder:"DIR" help:"The directory to serve."`
}

func (cmd *serveCmd) Run(c console, k *kong.Context) error {
	// Caught from the start on, so that no signal finds the server half made.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)

	conf, err := loadConfig(cmd.Config, flagsGiven(k))
	if err != nil {
		return err
	}
	if err := conf.checkServing(); err != nil {
		return err
	}
	if err := conf.checkCertificates(); err != nil {
		return err
	}
	if err := conf.checkHostKeys(); err != nil {
		return err
	}
	if err := conf.checkTrust(); err != nil {
		return err
	}
	people, err := staticUsers(conf, os.Getenv("FERRY_PASSWORD"))
	if err != nil {
		return err
	}
	return serve(conf, people, c, signals)
}

// serve is the server: everything is made and tied together here, in the
// order in which it depends on one another, runs until a signal says stop,
// and is taken down in the opposite order.
func serve(conf *config, people []person, c console, signals <-chan os.Signal) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	log := newLog(conf, c.err)
	if conf.passwordInArguments() {
		log.Warn("other processes can see the password given with --user: use FERRY_PASSWORD, or ferry user add")
	}
	// What the server makes gets the permissions that the configuration says,
	// whatever shell or service manager started it.
	syscall.Umask(int(conf.Storage.Umask))

	// The files come first: when they cannot be served, nothing is left behind.
	trees := newTrees(conf, log)
	defer trees.close()
	if err := trees.prepare(); err != nil {
		return err
	}

	// So do the doors: a port that is taken is known before anything is made.
	// Nobody is let in yet.
	doors, err := openDoors(ctx, conf)
	if err != nil {
		return err
	}
	defer doors.close()

	// The state: accounts in the database, and what nodes share.
	db, err := store.Open(ctx, filepath.Join(conf.Server.State, databaseFile))
	if err != nil {
		return err
	}
	defer db.Close()
	nodes := cluster.NewAlone()

	// The users: those of the command line before those of the database.
	hasher, err := conf.hasher(min(runtime.GOMAXPROCS(0), mostHashes))
	if err != nil {
		return err
	}
	static, err := entries(ctx, conf, people, hasher)
	if err != nil {
		return err
	}
	users := auth.Join(auth.Static(static...), accountsIn{db, conf})

	// The events.
	transfers, err := openTransferLog(conf, log)
	if err != nil {
		return err
	}
	defer transfers.close()

	// The certificates.
	secure, err := openEncryption(ctx, conf, log)
	if err != nil {
		return err
	}

	// The gate, and the protocols in front of it.
	g := gate.New(gate.Config{
		Auth:    authenticator(conf, users, hasher),
		Files:   trees.session,
		Cluster: nodes,
		Events:  event.Fan(event.Log(log), transfers.sink()),
		Limits:  gateLimits(conf),
	})
	ftp, err := ftpserver.New(ftpConfig(conf, g, secure.security(conf), log))
	if err != nil {
		return err
	}
	trust, err := openTrust(conf, log)
	if err != nil {
		return err
	}
	ssh, err := openSFTP(conf, g, trust, log)
	if err != nil {
		return err
	}
	speaking := protocols{ftp, ssh.server}

	// The work beside the sessions.
	var chores sync.WaitGroup
	defer chores.Wait()
	defer cancel()
	chores.Go(func() { sweep(ctx, nodes, trees, db, log) })
	chores.Go(func() { secure.watch(ctx) })
	chores.Go(func() { watchMemory(ctx) })
	chores.Go(func() { refresh(ctx, conf, g, db, users, log) })

	// The doors open.
	ended := doors.serve(speaking)
	if conf.file == "" {
		greet(c, conf, people, doors, secure, ssh)
	}
	log.Info("ready", "ftp", doors.address("ftp"), "ftps", doors.address("ftps"), "sftp", doors.address("sftp"), "root", conf.Storage.Root, "state", conf.Server.State, "version", buildOf().Version)
	notifySystemd(log, "READY=1")

	reload := func() { transfers.reopen(); secure.reload(); trust.Reload() }
	err = untilStopped(signals, ended, reload, log)
	notifySystemd(log, "STOPPING=1")
	doors.close()
	finish(speaking, signals, conf.Server.Grace, log)
	return err
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
// ends it at once; a third would end the process as if nobody caught signals.
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
