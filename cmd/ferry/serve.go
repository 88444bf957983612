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

	conf, err := config.Load(cmd.Config, flagsGiven(k))
	if err != nil {
		return err
	}
	if err := daemon.Check(conf); err != nil {
		return err
	}
	o := daemon.Options{Log: c.err, Signals: signals, Password: os.Getenv("FERRY_PASSWORD"), Version: buildOf().Version}
	if conf.File == "" {
		o.Announce = func(s daemon.Started) { greet(c, conf, s) }
	}
	return daemon.Serve(conf, o)
}
