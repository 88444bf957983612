package sftpserver

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"ferry"
	"ferry/internal/digest"
	"ferry/internal/sftpio"
)

// Options say whose session it is, over which files, and what it may do.
type Options struct {
	// FS is the user's tree, with everything that stands between it and the
	// user. Serve does not close it.
	FS ferry.FS
	// User is who is logged in.
	User ferry.User
	// Start is the directory that relative names begin at; "" means "/".
	Start ferry.Name
	// Home is what "~" means; "" means Start.
	Home ferry.Name
	// Host knows the names of the host, where the tree is the whole of it; nil: a
	// name is clean, and shown so, and nobody is told of the homes of others.
	Host Host
	// ReadOnly refuses all that would change something.
	ReadOnly bool
	// Allow names the only requests that are allowed, as Requests has them;
	// empty: all are. Deny names those that are refused all the same.
	Allow, Deny []string
	// Owner and Group give the name for a number, "" where there is none; nil:
	// there are no names.
	Owner, Group func(id uint32) string
	// Zone is that of the times in listings; nil means UTC.
	Zone *time.Location
	// Version is that of the program, for vendor-id.
	Version string
	// Log hears what was refused and why, and what a client does that an
	// operator should know; nil means nobody.
	Log *slog.Logger
	// Buffers are shared with other sessions; nil: the session has its own.
	Buffers *sftpio.Buffers
	// Handles is how many files the client may have open, as far as the FS lets it, to
	// be told to who asks; 0: as many as a session can have.
	Handles int
	// Dirs are shared with the other sessions of the connection; nil: the session has
	// its own.
	Dirs *Dirs
	// LinkFirst takes SYMLINK as the draft has it: the link, then its target.
	// Otherwise as OpenSSH's server takes it, and most clients send it.
	LinkFirst bool
	// PartWait is how long OPEN may wait for an upload of the user that another session
	// has; 0: ferry.PartWait; negative: not at all.
	PartWait time.Duration
	// Busy counts the requests that are being done, of all sessions that are
	// given it; nil: nobody asks.
	Busy *atomic.Int32
	// Hashes are where check-file waits for its turns; nil: it does not wait. Share is
	// whose turns they are.
	Hashes *digest.Queue
	Share  string
	// Drain asks the session to end, by its own end: as soon as no file is open
	// and every request is answered. nil: nobody does.
	Drain context.Context
	// Client ends when the client is no longer there to hear an answer, where
	// something else than the stream's end can tell: that may lie behind requests
	// which wait. nil: nothing else can.
	Client context.Context
	// Room is the memory that the session shares with others of its connection,
	// for what is on its way; nil: it has its own.
	Room *sftpio.Room
}

// withDefaults is cfg with what its comments say in the place of what was left out.
func (cfg Options) withDefaults() Options {
	if cfg.Start == "" {
		cfg.Start = "/"
	}
	if cfg.Home == "" {
		cfg.Home = cfg.Start
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Zone == nil {
		cfg.Zone = time.UTC
	}
	if cfg.Buffers == nil {
		cfg.Buffers = new(sftpio.Buffers)
	}
	if cfg.Handles == 0 {
		cfg.Handles = maxFiles
	}
	if cfg.Dirs == nil {
		cfg.Dirs = new(Dirs)
	}
	if cfg.Busy == nil {
		cfg.Busy = new(atomic.Int32)
	}
	return cfg
}

// Host is the host as those know it who work on it.
type Host interface {
	// Clean is ferry.Clean, with ".." behind a link as the host's kernel takes it.
	Clean(cwd ferry.Name, given string) (ferry.Name, error)
	// Realpath is where a name leads, links followed. Its last element may be missing.
	Realpath(name ferry.Name) (ferry.Name, error)
	// HomeOf is the home directory of a user; "" is the session's.
	HomeOf(user string) (ferry.Name, error)
}
