package daemon

import (
	"context"
	"slices"

	"ferry/internal/auth"
	"ferry/internal/config"
	"ferry/internal/gate"
)

// Reloaded is what came of reading the configuration again.
type Reloaded struct {
	Changed []string // keys whose new value is in effect
	Restart []string // keys whose new value takes a restart
	Err     error    // why nothing was changed; several, where it unwraps to them
}

// Reload reads the configuration and all files that it names again. Everything that can
// fail is done before anything changes: where the configuration is wrong, or cannot be
// taken, the server goes on as before.
//
// Limits, rights and users hold from then on for the sessions that run, too. How a
// protocol speaks holds for connections that begin.
func (s *Server) Reload(ctx context.Context) Reloaded {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	before := s.now.Load()
	conf, changes, err := s.readAgain(before.conf)
	if err != nil {
		return Reloaded{Err: err}
	}
	static, err := staticUsers(conf, s.o.Password)
	if err != nil {
		return Reloaded{Err: err}
	}
	keepMade(static, before.static)
	next, err := s.prepare(ctx, conf, static, before)
	if err != nil {
		return Reloaded{Err: err}
	}
	useCertificates, err := s.secure.prepare(conf)
	if err != nil {
		return Reloaded{Err: err}
	}
	if err := s.homes.PrepareDrops(conf); err != nil {
		return Reloaded{Err: err}
	}
	useTransferLog, err := s.transfers.prepare(conf)
	if err != nil {
		return Reloaded{Err: err}
	}

	s.log.setLevel(conf)
	useTransferLog()
	useCertificates()
	s.now.Store(next)
	s.gate.SetLimits(gateLimits(conf))
	s.followUsers(ctx)
	if slices.ContainsFunc(changes.Live, concernsAnonymous) {
		s.gate.Kick(func(i gate.SessionInfo) bool { return auth.IsAnonymous(i.User) }, nil)
	}
	return Reloaded{Changed: changes.Live, Restart: changes.Restart}
}

// readAgain is the configuration as it is now, as far as it can be in effect without a
// restart, and how it differs from before.
func (s *Server) readAgain(before *config.Config) (*config.Config, config.Changes, error) {
	if s.o.Load == nil {
		return before, config.Changes{}, nil
	}
	conf, err := s.o.Load()
	if err != nil {
		return nil, config.Changes{}, err
	}
	changes, err := conf.Follow(before)
	return conf, changes, err
}

// concernsAnonymous tells whether key says what anonymous users may do. They have no
// account that their sessions could be held against, so those end where it changes.
func concernsAnonymous(key string) bool {
	switch key {
	case "users.anonymous", "users.anonymous_root", "users.drop", "hosts.anonymous_roots", "storage.read_only":
		return true
	}
	return false
}

// reload is Reload for SIGHUP: it tells the log, and systemd.
func (s *Server) reload(ctx context.Context) {
	notifyReloading(s.log.Logger)
	defer notifySystemd(s.log.Logger, "READY=1")
	r := s.Reload(ctx)
	for _, err := range each(r.Err) {
		s.log.Error("the configuration was not read again; nothing has changed", "error", err)
	}
	if r.Err != nil {
		return
	}
	s.log.warn(s.now.Load().conf)
	s.log.Info("configuration read again", "changed", r.Changed)
	if len(r.Restart) > 0 {
		s.log.Warn("changes of the configuration that need a restart", "keys", r.Restart)
	}
}

// each are the errors that were joined to err.
func each(err error) []error {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		return several.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}
