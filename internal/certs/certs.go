package certs

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
)

// Config says where certificates come from. Pairs and ACME may be used
// together; a self-signed certificate is made only where there are neither.
type Config struct {
	// Pairs are chosen by the name that the client asks for (SNI, RFC 6066
	// §3). The first is for clients that ask for none, or for an unknown one.
	Pairs []Pair
	// Dir is where the self-signed certificate is made once and kept: the
	// directory with mode 0700, the file with 0600.
	Dir string
	// Hosts are names and addresses that the self-signed certificate is for,
	// besides localhost, the loopback addresses and the machine's own name.
	Hosts []string
	// ACME is how certificates are asked for; nil: not at all.
	ACME *ACME
	// ClientCA is a PEM file of the authorities whose client certificates
	// are accepted; "": none are.
	ClientCA string
	// ClientCRL is a PEM file of revocation lists that these authorities
	// signed; "": nothing is revoked.
	ClientCRL string
	// Log hears of reloads, renewals and expiry; nil: nobody does.
	Log *slog.Logger
}

// Source is the certificates of a server, as they are now. Its methods may be
// called at the same time from many goroutines.
type Source struct {
	cfg   Config
	log   *slog.Logger
	pairs atomic.Pointer[[]*tls.Certificate] // from files, or the self-signed one; Leaf is set
	trust atomic.Pointer[trust]
	acme  *issuer // nil: no ACME

	reloading sync.Mutex // held by a reload; guards seen, and of cfg the names of files
	seen      sight      // of the files, just before they were loaded last
}

// Open loads what cfg names and makes what is to be made. It does not speak to
// an ACME server, but uses what one handed out before; Watch does the rest.
// ctx is how long the source lives.
//
// The error is a sentence that names the file and says what is wrong with it:
// missing, unreadable, not PEM, a key that belongs to another certificate,
// expired, not valid yet.
func Open(ctx context.Context, cfg Config) (*Source, error) {
	s := &Source{cfg: cfg, log: cfg.Log}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	f, err := loadFiles(cfg)
	if err != nil {
		return nil, err
	}
	s.install(f)
	if cfg.ACME != nil {
		if s.acme, err = openIssuer(ctx, *cfg.ACME, s.log); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Prepare looks at the files of cfg as Open would, and gives what puts them in the place
// of the source's own, for handshakes that begin afterwards. Where the certificates of
// an ACME server come from cannot change.
func (s *Source) Prepare(cfg Config) (use func(), err error) {
	f, err := loadFiles(cfg)
	if err != nil {
		return nil, err
	}
	return func() {
		s.reloading.Lock()
		defer s.reloading.Unlock()
		old := *s.pairs.Load()
		s.install(f)
		for i, pair := range f.pairs {
			if !slices.ContainsFunc(old, func(o *tls.Certificate) bool { return o.Leaf.Equal(pair.Leaf) }) {
				s.tellReplaced(i, pair)
			}
		}
	}, nil
}

// files are what a Config names, as it was read.
type files struct {
	cfg   Config // with the certificate that was made
	seen  sight
	pairs []*tls.Certificate
	trust *trust
}

func loadFiles(cfg Config) (f files, err error) {
	if err := checkConfig(cfg); err != nil {
		return f, err
	}
	if cfg.selfSigned() {
		pair, err := keepSelfSigned(cfg.Dir, cfg.Hosts)
		if err != nil {
			return f, err
		}
		cfg.Pairs = []Pair{pair}
	}
	f.cfg, f.seen = cfg, cfg.look()
	if f.pairs, err = loadPairs(cfg.Pairs); err != nil {
		return f, err
	}
	if f.trust, err = loadTrust(cfg.ClientCA, cfg.ClientCRL); err != nil {
		return f, err
	}
	return f, f.trust.stale()
}

func (s *Source) install(f files) {
	s.cfg.Pairs, s.cfg.ClientCA, s.cfg.ClientCRL = f.cfg.Pairs, f.cfg.ClientCA, f.cfg.ClientCRL
	s.seen = f.seen
	s.pairs.Store(&f.pairs)
	s.trust.Store(f.trust)
}

// tellReplaced logs that the certificate of the i-th pair is a new one.
func (s *Source) tellReplaced(i int, pair *tls.Certificate) {
	name := nameOf(pair.Leaf)
	s.log.Info("certificate replaced", "file", s.cfg.Pairs[i].Cert, "names", name.Names,
		"issuer", name.Issuer, "expires", name.Expires, "fingerprint", name.Fingerprint)
}

// Check looks at all that Open would look at, and neither makes nor starts
// anything. Its errors are those of Open.
func Check(cfg Config) error {
	if err := checkConfig(cfg); err != nil {
		return err
	}
	pairs := cfg.Pairs
	if kept := selfSignedPair(cfg.Dir); cfg.selfSigned() && exists(kept.Cert) {
		pairs = []Pair{kept}
	}
	if _, err := loadPairs(pairs); err != nil {
		return err
	}
	return CheckClients(cfg.ClientCA, cfg.ClientCRL)
}

// CheckClients is Check for Config.ClientCA and ClientCRL alone.
func CheckClients(ca, crl string) error {
	trust, err := loadTrust(ca, crl)
	if err != nil {
		return err
	}
	return trust.stale()
}

// selfSigned says whether a certificate must be made, because none is given.
func (c Config) selfSigned() bool { return len(c.Pairs) == 0 && c.ACME == nil }

// checkConfig finds what is wrong with cfg without looking at any file.
func checkConfig(cfg Config) error {
	switch {
	case cfg.selfSigned() && cfg.Dir == "":
		return errors.New("no certificate: name a certificate and its key, a directory to keep a self-signed one in, or an ACME server")
	case cfg.ClientCRL != "" && cfg.ClientCA == "":
		return errors.New("a revocation list for client certificates is given, but not the authority that signs them; name its certificate too")
	}
	if err := checkHosts(cfg.Hosts); err != nil {
		return err
	}
	if cfg.ACME != nil {
		return cfg.ACME.check()
	}
	return nil
}

// Reload reads the files again, for all handshakes that begin afterwards;
// sessions that run are not touched. Where the new certificates, or the new
// authorities and their lists, are bad, the old ones of that kind stay in use,
// and the log and the error say why.
func (s *Source) Reload() error {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	s.seen = s.cfg.look()
	return errors.Join(s.reloadPairs(), s.reloadTrust())
}

func (s *Source) reloadPairs() error {
	pairs, err := loadPairs(s.cfg.Pairs)
	if err != nil {
		s.log.Error("the new certificate is not used, the old one stays", "error", err)
		return err
	}
	old := *s.pairs.Swap(&pairs)
	for i, pair := range pairs {
		if !pair.Leaf.Equal(old[i].Leaf) {
			s.tellReplaced(i, pair)
		}
	}
	return nil
}

// reloadTrust takes an expired revocation list with a warning: what it revokes
// stays revoked, and to go on with the list before it would revoke less.
func (s *Source) reloadTrust() error {
	trust, err := loadTrust(s.cfg.ClientCA, s.cfg.ClientCRL)
	if err != nil {
		s.log.Error("the new authorities of client certificates are not used, the old ones stay", "error", err)
		return err
	}
	s.trust.Store(trust)
	if err := trust.stale(); err != nil {
		s.log.Warn("client certificates that were revoked lately may still be accepted", "error", err)
	}
	return nil
}
