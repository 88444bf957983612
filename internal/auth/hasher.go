package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// MaxPassword is the longest password, in bytes. SHA-crypt's work grows with
// the length, so there must be an end.
const MaxPassword = 512

// Short tells whether a password has less than the 8 characters that a password should
// have (NIST SP 800-63B §5.1.1). Bans slow guessing down; they do not end it.
func Short(password string) bool { return utf8.RuneCountInString(password) < 8 }

const (
	saltBytes = 16 // RFC 9106 §3.1 recommends it for passwords
	keyBytes  = 32
)

// Cost is the work of one argon2id hash with one lane (RFC 9106 §3.1).
type Cost struct {
	Memory uint32 // KiB
	Passes uint32
}

// DefaultCost is 32 MiB and three passes: about 50 ms of one current core, and
// well above the least that OWASP asks for (19 MiB, two passes).
func DefaultCost() Cost { return Cost{Memory: 32 << 10, Passes: 3} }

// Hasher makes and verifies password hashes. It computes only so many at once:
// everybody else waits, so that a flood of logins takes neither all memory nor
// all cores. It may be used by several goroutines at once.
type Hasher struct {
	cost  Cost
	seats chan struct{} // one token for each computation that runs
	// derive is argon2.IDKey; tests count what goes through it.
	derive func(password, salt []byte, passes, memory uint32, lanes uint8, keyLen uint32) []byte
}

// NewHasher makes a Hasher whose new hashes have that cost, and that computes
// at most parallel hashes at once (at least one). A cost below what argon2
// takes, or above what Verify would refuse, is an error.
func NewHasher(cost Cost, parallel int) (*Hasher, error) {
	a := argon2id{Cost: cost, lanes: 1, salt: make([]byte, saltBytes), key: make([]byte, keyBytes)}
	if err := a.check(); err != nil {
		return nil, fmt.Errorf("password cost of %d KiB and %d passes: %w", cost.Memory, cost.Passes, err)
	}
	return &Hasher{cost: cost, seats: make(chan struct{}, max(1, parallel)), derive: argon2.IDKey}, nil
}

// Hash makes a hash of password with a random salt, in the form
// "$argon2id$v=19$m=32768,t=3,p=1$salt$hash". An empty password, and one longer
// than MaxPassword, is an error: nobody could log in with it.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	if password == "" {
		return "", errors.New("the password is empty; choose one with at least one character")
	}
	if len(password) > MaxPassword {
		return "", fmt.Errorf("the password has %d bytes; choose one with at most %d", len(password), MaxPassword)
	}
	leave, err := h.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	salt := make([]byte, saltBytes)
	rand.Read(salt) // never fails (crypto/rand)
	key := h.derive([]byte(password), salt, h.cost.Passes, h.cost.Memory, 1, keyBytes)
	b64 := base64.RawStdEncoding
	return h.prefix() + b64.EncodeToString(salt) + "$" + b64.EncodeToString(key), nil
}

// Verify tells whether encoded is a hash of password. It reads argon2id, bcrypt
// ($2a$, $2b$, $2y$), SHA-crypt ($5$, $6$), yescrypt ($y$), scrypt ($7$ and
// $scrypt$), PBKDF2 and MD5-crypt ($1$), each up to a cost that one login may have. ErrHash, without the hash in its text, means that encoded
// is none of those; the error of ctx that it ended while others computed.
//
// An empty hash matches nothing, nor does an empty password, or one longer
// than MaxPassword. That costs the same work as a password that is wrong.
func (h *Hasher) Verify(ctx context.Context, encoded, password string) (bool, error) {
	if encoded == "" || password == "" || len(password) > MaxPassword {
		return false, h.Burn(ctx)
	}
	matches, err := h.parse(encoded)
	if err != nil {
		return false, errors.Join(err, h.Burn(ctx))
	}
	leave, err := h.enter(ctx)
	if err != nil {
		return false, err
	}
	defer leave()
	return matches(password), nil
}

// outdated tells whether Hash would make another kind of hash than encoded, or one of
// another cost.
func (h *Hasher) outdated(encoded string) bool {
	return !strings.HasPrefix(encoded, h.prefix())
}

// prefix is what Hash's begin with.
func (h *Hasher) prefix() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=1$", argon2.Version, h.cost.Memory, h.cost.Passes)
}

// Burn does the work of one verification for nothing, so that a claim that
// cannot hold takes as long as one that might. The error is that of ctx.
func (h *Hasher) Burn(ctx context.Context) error {
	leave, err := h.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	h.derive(nil, make([]byte, saltBytes), h.cost.Passes, h.cost.Memory, 1, keyBytes)
	return nil
}

// enter waits for a seat to compute.
func (h *Hasher) enter(ctx context.Context) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case h.seats <- struct{}{}:
		return func() { <-h.seats }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// equal compares in a time that tells nothing of where two keys differ.
func equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
