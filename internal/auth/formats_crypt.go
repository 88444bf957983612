package auth

import (
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"math/bits"
	"strconv"
	"strings"

	"github.com/go-crypt/crypt/algorithm/md5crypt"
	"github.com/openwall/yescrypt-go"
	"golang.org/x/crypto/scrypt"
)

// crypt64 are the digits of crypt(5), which is base 64 with the least bits first.
const crypt64 = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// parseYescrypt reads "$y$j9T$salt$key", Debian's default since version 11. Of its
// parameters only what libxcrypt makes is there: one lane, no extra time.
func parseYescrypt(encoded string, fields []string) (func(string) bool, error) {
	malformed := fmt.Errorf("%w: it is not a well-formed yescrypt hash", ErrHash)
	if len(fields) != 5 || len(fields[2]) != 3 || fields[2][0] != 'j' || fields[3] == "" || len(fields[4]) != crypt64Len(32) {
		return nil, malformed
	}
	n, r := strings.IndexByte(crypt64, fields[2][1])+1, strings.IndexByte(crypt64, fields[2][2])+1
	if n < 10 || r < 1 {
		return nil, malformed
	}
	if !fits(n, r) {
		return nil, fmt.Errorf("%w: it takes more than %d MiB", ErrHash, maxMemory>>10)
	}
	for _, digits := range fields[3:] {
		if !isCrypt64(digits) {
			return nil, malformed
		}
	}
	return func(password string) bool {
		key, err := yescrypt.Hash([]byte(password), []byte(encoded))
		return err == nil && equal(key, []byte(encoded))
	}, nil
}

// fits tells whether 2^n blocks of r times 128 bytes are no more than maxMemory.
func fits(n, r int) bool { return n < 32 && 128*r<<n <= maxMemory<<10 }

// scryptHash is a parsed hash of scrypt (RFC 7914).
type scryptHash struct {
	n    int // the logarithm of N, to base 2
	r, p int
	salt []byte
	key  []byte
}

func (s scryptHash) matcher() (func(string) bool, error) {
	switch {
	case s.n < 1 || s.r < 1 || s.p < 1 || len(s.salt) == 0 || len(s.key) < 16 || len(s.key) > 64:
		return nil, fmt.Errorf("%w: it is not a well-formed scrypt hash", ErrHash)
	case !fits(s.n, s.r) || s.p > maxLanes:
		return nil, fmt.Errorf("%w: it takes more than %d MiB, or more than %d lanes", ErrHash, maxMemory>>10, maxLanes)
	}
	return func(password string) bool {
		key, err := scrypt.Key([]byte(password), s.salt, 1<<s.n, s.r, s.p, len(s.key))
		return err == nil && equal(key, s.key)
	}, nil
}

// parseScrypt reads "$scrypt$ln=16,r=8,p=1$salt$key", as passlib writes it.
func parseScrypt(fields []string) (func(string) bool, error) {
	malformed := fmt.Errorf("%w: it is not a well-formed scrypt hash", ErrHash)
	if len(fields) != 5 {
		return nil, malformed
	}
	params := strings.Split(fields[2], ",")
	if len(params) != 3 {
		return nil, malformed
	}
	n, errN := parameter(params[0], "ln=", 8)
	r, errR := parameter(params[1], "r=", 16)
	p, errP := parameter(params[2], "p=", 16)
	salt, errS := base64.RawStdEncoding.DecodeString(fields[3])
	key, errK := base64.RawStdEncoding.DecodeString(fields[4])
	if errors.Join(errN, errR, errP, errS, errK) != nil {
		return nil, malformed // their texts could quote the hash
	}
	return scryptHash{int(n), int(r), int(p), salt, key}.matcher()
}

// parseCryptScrypt reads "$7$", a digit for N, five each for r and p, the salt as it
// is, and "$key", as libxcrypt writes it.
func parseCryptScrypt(fields []string) (func(string) bool, error) {
	malformed := fmt.Errorf("%w: it is not a well-formed scrypt hash", ErrHash)
	if len(fields) != 4 || len(fields[2]) < 1+5+5 || !isCrypt64(fields[2][:11]) {
		return nil, malformed
	}
	key, ok := decodeCrypt64(fields[3])
	if !ok || len(key) != 32 {
		return nil, malformed
	}
	params := fields[2]
	s := scryptHash{strings.IndexByte(crypt64, params[0]), crypt64Number(params[1:6]), crypt64Number(params[6:11]), []byte(params[11:]), key}
	return s.matcher()
}

// parsePBKDF2 reads "$pbkdf2-sha256$rounds$salt$key" and its like. Passlib writes salt
// and key in base 64 with "." for "+" and no padding; SFTPGo the salt as it is and
// the key in base 64 with padding, which a key of SHA-1 or SHA-2 always has.
func parsePBKDF2(fields []string) (func(string) bool, error) {
	malformed := fmt.Errorf("%w: it is not a well-formed PBKDF2 hash", ErrHash)
	if len(fields) != 5 {
		return nil, malformed
	}
	kind := strings.Replace(fields[1], "-b64salt", "", 1)
	saltIsEncoded := kind != fields[1]
	sum, known := pbkdf2Sums()[kind]
	if !known {
		return nil, fmt.Errorf("%w: it is not of a known kind", ErrHash)
	}
	rounds, err := strconv.ParseUint(fields[2], 10, 32)
	if err != nil || rounds < 1 {
		return nil, malformed
	}
	if rounds > maxPBKDF2Rounds {
		return nil, fmt.Errorf("%w: it asks for more than %d rounds", ErrHash, maxPBKDF2Rounds)
	}
	salt, key, ok := pbkdf2Parts(fields[3], fields[4], saltIsEncoded)
	if !ok || len(salt) == 0 || len(key) < 16 || len(key) > 64 {
		return nil, malformed
	}
	return func(password string) bool {
		got, err := pbkdf2.Key(sum, password, salt, int(rounds), len(key))
		return err == nil && equal(got, key)
	}, nil
}

func pbkdf2Sums() map[string]func() hash.Hash {
	return map[string]func() hash.Hash{
		"pbkdf2":        sha1.New,
		"pbkdf2-sha1":   sha1.New,
		"pbkdf2-sha256": sha256.New,
		"pbkdf2-sha512": sha512.New,
	}
}

// pbkdf2Parts decodes salt and key of a PBKDF2 hash.
func pbkdf2Parts(saltText, keyText string, saltIsEncoded bool) (salt, key []byte, ok bool) {
	if strings.HasSuffix(keyText, "=") { // SFTPGo's
		key, errK := base64.StdEncoding.DecodeString(keyText)
		if !saltIsEncoded {
			return []byte(saltText), key, errK == nil
		}
		salt, errS := base64.StdEncoding.DecodeString(saltText)
		return salt, key, errors.Join(errK, errS) == nil
	}
	salt, errS := base64.RawStdEncoding.DecodeString(strings.ReplaceAll(saltText, ".", "+"))
	key, errK := base64.RawStdEncoding.DecodeString(strings.ReplaceAll(keyText, ".", "+"))
	return salt, key, errors.Join(errS, errK) == nil
}

// parseMD5Crypt reads "$1$salt$key". It is quick to guess, and so good for nothing but
// to bring accounts over.
func parseMD5Crypt(encoded string, fields []string) (func(string) bool, error) {
	malformed := fmt.Errorf("%w: it is not a well-formed MD5-crypt hash", ErrHash)
	if len(fields) != 4 || len(fields[2]) > 8 || len(fields[3]) != crypt64Len(16) || !isCrypt64(fields[3]) {
		return nil, malformed
	}
	digest, err := md5crypt.Decode(encoded)
	if err != nil {
		return nil, malformed // its text could quote the hash
	}
	return digest.Match, nil
}

// crypt64Len is how many digits n bytes have.
func crypt64Len(n int) int { return (n*8 + 5) / 6 }

func isCrypt64(digits string) bool {
	return strings.Trim(digits, crypt64) == ""
}

// crypt64Number reads digits, the lowest first.
func crypt64Number(digits string) int {
	n := 0
	for i := range len(digits) {
		n |= strings.IndexByte(crypt64, digits[i]) << (6 * i)
	}
	return n
}

// decodeCrypt64 decodes bytes; bits that are left over have to be zero.
func decodeCrypt64(digits string) (p []byte, ok bool) {
	bitsIn, n := uint(0), 0
	for i := range len(digits) {
		d := strings.IndexByte(crypt64, digits[i])
		if d < 0 {
			return nil, false
		}
		bitsIn |= uint(d) << n
		for n += 6; n >= 8; n -= 8 {
			p = append(p, byte(bitsIn))
			bitsIn >>= 8
		}
	}
	return p, bits.Len(bitsIn) == 0
}
