package main

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"ferry/internal/config"
	"ferry/internal/daemon"
)

// serveCmd is `ferry serve [DIR]`.
type serveCmd struct {
	configFlags
	Dir string `arg:"" optional:"" placeholder:"DIR" help:"The directory to serve."`
}

func (cmd *serveCmd) Run(c console, k *kong.Context) error {
	// Caught from the start on, so that no signal finds the server half made.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	// Go ends a program whose standard error is a pipe without a reader. A server whose
	// log is lost serves on.
	signal.Ignore(syscall.SIGPIPE)

	if err := directory(cmd.Dir); err != nil {
		return err
	}
	password := os.Getenv(config.PasswordVariable)
	load := func() (*config.Config, error) { return daemon.Load(cmd.Config, flagsGiven(k), password) }
	conf, err := load()
	if err != nil {
		return err
	}
	o := daemon.Options{Log: c.err, Signals: signals, Load: load, Password: password, Confine: true, Version: buildOf().Version}
	if conf.File == "" {
		o.Announce = func(s daemon.Started) { greet(c, conf, s) }
	}
	return daemon.Serve(conf, o)
}
