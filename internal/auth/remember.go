package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"

	"ferry"
)

// Remembered holds which passwords were right a short while ago, so that
// clients with many short sessions do not pay a verification for each. What it
// holds are keyed digests (HMAC-SHA256 under a random key of this process) of
// the account, its version, its password hash and the password: after any
// change of the account they match nothing any more. A wrong password is never
// remembered. It may be used by several goroutines at once; a nil one
// remembers nothing.
type Remembered struct {
	key    [sha256.Size]byte
	length time.Duration
	most   int

	mu    sync.Mutex
	until map[digest]time.Time
}

type digest [sha256.Size]byte

// Remember makes a memory of at most most passwords, each for length from
// when it was verified; 5 minutes and some thousands are good values.
func Remember(length time.Duration, most int) *Remembered {
	r := &Remembered{length: length, most: most, until: make(map[digest]time.Time)}
	rand.Read(r.key[:]) // never fails (crypto/rand)
	return r
}

func (r *Remembered) knows(u ferry.User, hash, password string) bool {
	if r == nil || hash == "" {
		return false
	}
	d := r.digest(u, hash, password)
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Now().Before(r.until[d])
}

func (r *Remembered) keep(u ferry.User, hash, password string) {
	if r == nil || r.most < 1 {
		return
	}
	d := r.digest(u, hash, password)
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.until) >= r.most {
		r.makeRoom(now)
	}
	r.until[d] = now.Add(r.length)
}

// makeRoom forgets what is over, and where that is nothing, any one.
func (r *Remembered) makeRoom(now time.Time) {
	for d, until := range r.until {
		if !now.Before(until) {
			delete(r.until, d)
		}
	}
	for d := range r.until {
		if len(r.until) < r.most {
			return
		}
		delete(r.until, d)
	}
}

// digest writes the length of each text before it, so that no two claims
// share one.
func (r *Remembered) digest(u ferry.User, hash, password string) digest {
	mac := hmac.New(sha256.New, r.key[:])
	b := binary.BigEndian.AppendUint64(nil, uint64(u.Version))
	for _, s := range []string{u.Name, hash, password} {
		b = binary.BigEndian.AppendUint64(b, uint64(len(s)))
		b = append(b, s...)
	}
	mac.Write(b)
	return digest(mac.Sum(nil))
}
