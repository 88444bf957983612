package auth

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"slices"

	"golang.org/x/crypto/ssh"
)

// Revocations are the SSH keys and certificates that are good no more.
type Revocations struct {
	sha256s map[[sha256.Size]byte]bool // of the wire form of keys
	sha1s   map[[sha1.Size]byte]bool
	issued  map[string]*issued // by the wire form of the authority's key; "": of all authorities
}

func newRevocations() *Revocations {
	return &Revocations{map[[sha256.Size]byte]bool{}, map[[sha1.Size]byte]bool{}, map[string]*issued{}}
}

// ParseRevocations reads what sshd_config(5) allows for RevokedKeys: a key
// revocation list as ssh-keygen -k makes it, or a text with a public key on each
// line, which may be that of an authority, empty lines and comments (#). A line
// with a certificate revokes its key.
func ParseRevocations(data []byte) (*Revocations, error) {
	if isKRL(data) {
		return parseKRL(data)
	}
	r := newRevocations()
	err := eachKey(data, func(key ssh.PublicKey) error {
		if cert, ok := key.(*ssh.Certificate); ok {
			key = cert.Key
		}
		r.addKey(key.Marshal())
		return nil
	})
	return r, err
}

// eachKey calls do for the public keys of a text with one on a line, as
// authorized_keys has them but for its options. An error says the line.
func eachKey(data []byte, do func(ssh.PublicKey) error) error {
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 64<<10) // keys of 32768 bits, and long comments
	n := 1
	for ; lines.Scan(); n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		key, _, options, _, err := ssh.ParseAuthorizedKey(line)
		switch {
		case err != nil:
			return fmt.Errorf("line %d is no public key: write one a line, such as \"ssh-ed25519 AAAA… comment\"", n)
		case len(options) > 0:
			return fmt.Errorf("line %d has options in front of the key, which mean nothing here: take them away", n)
		}
		if err := do(key); err != nil {
			return fmt.Errorf("line %d %w", n, err)
		}
	}
	if lines.Err() != nil {
		return fmt.Errorf("line %d is too long for a public key", n)
	}
	return nil
}

// ParseAuthorities reads the public keys of authorities, one a line, and gives
// their wire forms.
func ParseAuthorities(data []byte) (map[string]bool, error) {
	keys := map[string]bool{}
	err := eachKey(data, func(key ssh.PublicKey) error {
		if _, ok := key.(*ssh.Certificate); ok {
			return errors.New("is a certificate: give the public key of who has signed it")
		}
		keys[string(key.Marshal())] = true
		return nil
	})
	if err == nil && len(keys) == 0 {
		err = errors.New("it holds no public key")
	}
	return keys, err
}

func (r *Revocations) addKey(blob []byte) { r.sha256s[sha256.Sum256(blob)] = true }

// Revoked tells whether a key is revoked, or a certificate: by itself, by its
// key, or with all others of its authority.
func (r *Revocations) Revoked(key ssh.PublicKey) bool {
	cert, ok := key.(*ssh.Certificate)
	if !ok {
		return r.revokedKey(key.Marshal())
	}
	authority := cert.SignatureKey.Marshal()
	return r.revokedKey(cert.Key.Marshal()) || r.revokedKey(authority) ||
		r.issued[string(authority)].revoked(cert) || r.issued[""].revoked(cert)
}

func (r *Revocations) revokedKey(blob []byte) bool {
	return r.sha256s[sha256.Sum256(blob)] || len(r.sha1s) > 0 && r.sha1s[sha1.Sum(blob)]
}

// revoked tells whether cert is among of. The number 0 is that of certificates
// that were given none, and revokes nothing.
func (of *issued) revoked(cert *ssh.Certificate) bool {
	switch {
	case of == nil:
		return false
	case of.ids[cert.KeyId]:
		return true
	case cert.Serial == 0:
		return false
	}
	i, found := slices.BinarySearchFunc(of.serials, cert.Serial, func(s span, serial uint64) int { return cmp.Compare(s.low, serial) })
	if found || i > 0 && cert.Serial <= of.serials[i-1].high {
		return true
	}
	return slices.ContainsFunc(of.bitmaps, func(b bitmap) bool { return b.has(cert.Serial) })
}

func (b bitmap) has(serial uint64) bool {
	return serial >= b.first && serial-b.first < uint64(b.bits.BitLen()) && b.bits.Bit(int(serial-b.first)) == 1
}

// joinSpans puts spans in order, and those that touch together.
func joinSpans(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.low, b.low) })
	joined := spans[:0]
	for _, s := range spans {
		if n := len(joined); n > 0 && (joined[n-1].high == math.MaxUint64 || s.low <= joined[n-1].high+1) {
			joined[n-1].high = max(joined[n-1].high, s.high)
			continue
		}
		joined = append(joined, s)
	}
	return joined
}
