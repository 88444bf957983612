package certs

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"ferry"
)

const (
	// rotateEvery is how long a key makes new tickets.
	rotateEvery = 24 * time.Hour
	// oldKeys is how many keys before it still open tickets, so that a ticket
	// is good for three days at least.
	oldKeys = 3
	// rereadEvery is how often the file is looked at while the server runs:
	// another process may have rotated the keys, as during an upgrade.
	rereadEvery = time.Hour
)

// Tickets are the keys that session tickets are sealed with (RFC 5077, RFC
// 8446 §4.6.1). All listeners share them, so that a data connection resumes
// the session of its control connection; a file keeps them over a restart.
//
// To put something of its own into a ticket, a caller clones a configuration
// that was given to Apply, for one connection, and sets WrapSession and
// UnwrapSession of the clone to functions that call EncryptTicket and
// DecryptTicket of *the one that was cloned*: that one hears of new keys, the
// clone does not.
type Tickets struct {
	path string // "": memory only

	mu      sync.Mutex
	keys    []ticketKey // newest first
	configs []*tls.Config
}

// OpenTickets loads the keys from the file at path, or makes some and keeps
// them there, mode 0600; "" keeps them in memory. A damaged file is an error
// that names it.
func OpenTickets(path string) (*Tickets, error) {
	t := &Tickets{path: path}
	if err := t.refresh(); err != nil {
		return nil, err
	}
	return t, nil
}

// Apply gives cfg the keys, now and at each rotation. It is for configurations
// that live as long as the server.
func (t *Tickets) Apply(cfg *tls.Config) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.configs = append(t.configs, cfg)
	cfg.SetSessionTicketKeys(secrets(t.keys))
}

// Watch makes a new key every day until ctx ends. Where the file cannot be
// written or read, the log says so and the keys stay as they are.
func (t *Tickets) Watch(ctx context.Context, log *slog.Logger) {
	again := time.NewTicker(rereadEvery)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-again.C:
			if err := t.refresh(); err != nil {
				log.Error("the keys of session tickets stay as they are; tried again in an hour", "error", err)
			}
		}
	}
}

// refresh takes the keys of the file, and adds one where the newest is old.
func (t *Tickets) refresh() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	keys := t.keys
	if t.path != "" {
		var err error
		if keys, err = readTickets(t.path); err != nil {
			return err
		}
	}
	if due(keys, time.Now()) {
		keys = rotate(keys, time.Now())
		if err := t.write(keys); err != nil {
			return err
		}
	}
	t.keys = keys
	for _, cfg := range t.configs {
		cfg.SetSessionTicketKeys(secrets(keys))
	}
	return nil
}

func (t *Tickets) write(keys []ticketKey) error {
	if t.path == "" {
		return nil
	}
	if err := writeFile(t.path, formatTickets(keys)); err != nil {
		return fmt.Errorf("cannot keep the keys of session tickets in %q: %w", t.path, ferry.WithoutPath(err))
	}
	return nil
}

// readTickets gives no keys where there is no file.
func readTickets(path string) ([]ticketKey, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the keys of session tickets %q: %w", path, ferry.WithoutPath(err))
	}
	keys, err := parseTickets(data)
	if err != nil {
		return nil, fmt.Errorf("the keys of session tickets %q are damaged: %w; remove the file, clients only lose a little time", path, err)
	}
	return keys, nil
}

// due says whether the newest key has done its day, or comes from a future
// that a clock put right since has taken back.
func due(keys []ticketKey, now time.Time) bool {
	if len(keys) == 0 {
		return true
	}
	age := now.Sub(keys[0].made)
	return age < 0 || age >= rotateEvery
}

// rotate puts a new key first and drops the oldest.
func rotate(keys []ticketKey, now time.Time) []ticketKey {
	fresh := ticketKey{made: now.UTC().Truncate(time.Second)}
	_, _ = rand.Read(fresh.secret[:]) // never fails: crypto/rand ends the program instead
	return slices.Insert(slices.Clone(keys[:min(len(keys), oldKeys)]), 0, fresh)
}

// secrets is keys as crypto/tls wants them.
func secrets(keys []ticketKey) [][32]byte {
	all := make([][32]byte, 0, len(keys))
	for _, key := range keys {
		all = append(all, key.secret)
	}
	return all
}
