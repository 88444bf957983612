package certs

import (
	"context"
	"os"
	"time"
)

const (
	// lookEvery is how often the files are looked at. It costs a stat each.
	lookEvery = 5 * time.Second
	// warnEvery is how often certificates that are about to expire are told
	// of.
	warnEvery = 24 * time.Hour
)

// Watch keeps the certificates current until ctx ends: it reloads files that
// change, asks the ACME server for what is missing or about to expire, and
// warns daily of what is about to expire or has. Start it when the
// listeners are open.
//
// It looks at time, size and identity of what the names lead to, so it notices
// files written in place, files renamed over, and the symlinks that certbot
// and Kubernetes turn. It takes what it finds when nothing has changed between
// two looks: certificate and key are written one after the other.
func (s *Source) Watch(ctx context.Context) {
	if s.acme != nil {
		s.acme.manage(ctx)
	}
	s.warn()
	before := s.look()
	looks, warnings := time.NewTicker(lookEvery), time.NewTicker(warnEvery)
	defer looks.Stop()
	defer warnings.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-warnings.C:
			s.warn()
		case <-looks.C:
			now := s.look()
			if now.same(before) && s.changed(now) {
				_ = s.Reload() // it has logged what is wrong; the next change may put it right
			}
			before = now
		}
	}
}

// warn logs what is about to end.
func (s *Source) warn() {
	for _, name := range s.Names() {
		if name.Warning != "" {
			s.log.Warn("a certificate has expired, or will soon", "warning", name.Warning, "fingerprint", name.Fingerprint)
		}
	}
	if err := s.trust.Load().stale(); err != nil {
		s.log.Warn("client certificates that were revoked lately may still be accepted", "error", err)
	}
}

// sight is what was seen of the files, in their order; nil: not there.
type sight []os.FileInfo

func (s *Source) look() sight {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	return s.cfg.look()
}

func (c Config) look() sight {
	var seen sight
	for _, path := range c.files() {
		info, err := os.Stat(path)
		if err != nil {
			info = nil
		}
		seen = append(seen, info)
	}
	return seen
}

// changed says that the files are not those that were loaded last.
func (s *Source) changed(now sight) bool {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	return !now.same(s.seen)
}

// files are the paths of all that can be reloaded.
func (c Config) files() []string {
	var all []string
	for _, pair := range c.Pairs {
		all = append(all, pair.files()...)
	}
	for _, path := range []string{c.ClientCA, c.ClientCRL} {
		if path != "" {
			all = append(all, path)
		}
	}
	return all
}

// same compares two sights of the same files. Those of other files are not the same.
func (a sight) same(b sight) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !sameFile(a[i], b[i]) {
			return false
		}
	}
	return true
}

func sameFile(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
