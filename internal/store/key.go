package store

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// Key is a public key that an account may log in with.
type Key struct {
	Line        string // as in authorized_keys: type, base 64, comment
	Fingerprint string // "SHA256:…", as ssh-keygen -l shows it
	Added       time.Time
}

// ParseKey reads one line in the form of authorized_keys. Options in front of
// the key ("from=…", "command=…") are refused: ferry would not keep them, and
// a key whose restriction is not kept must not be let in. So are certificates:
// as a key, one would count after its time and whoever has signed it.
func ParseKey(line string) (Key, error) {
	line = strings.TrimSpace(line)
	public, _, options, rest, err := ssh.ParseAuthorizedKey([]byte(line))
	switch _, certificate := public.(*ssh.Certificate); {
	case err != nil || strings.ContainsAny(line, "\r\n\x00") || len(rest) > 0:
		return Key{}, errors.New("not a public key: give one line as in authorized_keys, such as \"ssh-ed25519 AAAA… comment\"")
	case certificate:
		return Key{}, errors.New("this is a certificate: give the public key without it, or name the authority that has signed it in sftp.user_ca")
	case len(options) > 0:
		return Key{}, fmt.Errorf("the key has options (%.40q), which are not supported; remove what stands before the key's type", options[0])
	}
	return Key{Line: line, Fingerprint: ssh.FingerprintSHA256(public)}, nil
}

func (k Key) same(other Key) bool { return k.Fingerprint == other.Fingerprint }
