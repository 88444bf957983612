package auth

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-crypt/crypt/algorithm/shacrypt"
	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// ErrHash: the stored password hash is of a kind that is not read, damaged, or
// so expensive that one login would be an attack.
var ErrHash = errors.New("the stored password hash cannot be used; set a new password")

// The most that one verification may cost, whatever the hash says: some
// seconds of one core at worst, and 256 MiB.
const (
	maxMemory       = 256 << 10 // KiB, argon2id, scrypt, yescrypt
	maxPasses       = 16        // argon2id
	maxLanes        = 16        // argon2id, scrypt
	maxBcryptCost   = 15
	maxRounds       = 1_000_000 // SHA-crypt
	maxPBKDF2Rounds = 2_000_000
)

// CheckHash tells what is wrong with a password hash: an error matches ErrHash. It costs
// nothing, and tries no password.
func CheckHash(encoded string) error {
	_, err := new(Hasher).parse(encoded)
	return err
}

// LooksHashed tells whether a secret was meant as a hash, be it one that is read or
// not: "$", the name of a kind, "$".
func LooksHashed(secret string) bool {
	const longest = len("pbkdf2-b64salt-sha512")
	kind, _, found := strings.Cut(strings.TrimPrefix(secret, "$"), "$")
	return found && secret[0] == '$' && kind != "" && len(kind) <= longest &&
		strings.Trim(kind, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// HashFault is what an error of CheckHash says of the hash.
func HashFault(err error) string { return strings.TrimPrefix(err.Error(), ErrHash.Error()+": ") }

// parse makes a hash into the function that compares a password with it. It
// does no expensive work itself.
func (h *Hasher) parse(encoded string) (matches func(password string) bool, err error) {
	fields := strings.Split(encoded, "$")
	if len(fields) < 4 || fields[0] != "" {
		return nil, fmt.Errorf("%w: it is not of a known kind", ErrHash)
	}
	switch fields[1] {
	case "argon2id":
		return h.parseArgon2id(fields)
	case "2a", "2b", "2y":
		return parseBcrypt(encoded)
	case "5", "6":
		return parseSHACrypt(encoded, fields)
	case "y":
		return parseYescrypt(encoded, fields)
	case "7":
		return parseCryptScrypt(fields)
	case "scrypt":
		return parseScrypt(fields)
	case "1":
		return parseMD5Crypt(encoded, fields)
	default:
		if strings.HasPrefix(fields[1], "pbkdf2") {
			return parsePBKDF2(fields)
		}
		return nil, fmt.Errorf("%w: it is not of a known kind", ErrHash)
	}
}

// argon2id is the parsed form of "$argon2id$v=19$m=…,t=…,p=…$salt$key".
type argon2id struct {
	Cost
	lanes     uint8
	salt, key []byte
}

func (h *Hasher) parseArgon2id(fields []string) (func(string) bool, error) {
	a, err := readArgon2id(fields)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHash, err)
	}
	return func(password string) bool {
		return equal(a.key, h.derive([]byte(password), a.salt, a.Passes, a.Memory, a.lanes, uint32(len(a.key))))
	}, nil
}

func readArgon2id(fields []string) (argon2id, error) {
	malformed := errors.New("it is not a well-formed argon2id hash")
	// fields: "", "argon2id", "v=…", "m=…,t=…,p=…", salt, key
	if len(fields) != 6 || fields[2] != "v="+strconv.Itoa(argon2.Version) {
		return argon2id{}, malformed
	}
	params := strings.Split(fields[3], ",")
	if len(params) != 3 {
		return argon2id{}, malformed
	}
	memory, errM := parameter(params[0], "m=", 32)
	passes, errT := parameter(params[1], "t=", 32)
	lanes, errP := parameter(params[2], "p=", 8)
	salt, errS := base64.RawStdEncoding.Strict().DecodeString(fields[4])
	key, errK := base64.RawStdEncoding.Strict().DecodeString(fields[5])
	if errors.Join(errM, errT, errP, errS, errK) != nil {
		return argon2id{}, malformed // their texts could quote the hash
	}
	a := argon2id{Cost{uint32(memory), uint32(passes)}, uint8(lanes), salt, key}
	return a, a.check()
}

// parameter reads the number behind prefix.
func parameter(s, prefix string, bits int) (uint64, error) {
	digits, found := strings.CutPrefix(s, prefix)
	if !found {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseUint(digits, 10, bits)
}

// check holds the parameters against RFC 9106 §3.1 and against our limits:
// argon2.IDKey panics at some of what it cannot do, and obeys in all else.
func (a argon2id) check() error {
	switch {
	case a.lanes < 1 || a.lanes > maxLanes:
		return fmt.Errorf("lanes must be 1 to %d", maxLanes)
	case a.Memory < 8*uint32(a.lanes) || a.Memory > maxMemory:
		return fmt.Errorf("memory must be 8 KiB for each lane to %d KiB", maxMemory)
	case a.Passes < 1 || a.Passes > maxPasses:
		return fmt.Errorf("passes must be 1 to %d", maxPasses)
	case len(a.salt) < 8 || len(a.salt) > 64 || len(a.key) < 16 || len(a.key) > 64:
		return errors.New("its salt or key is too short or too long")
	}
	return nil
}

// parseBcrypt reads "$2b$12$" and 53 characters of salt and key. As everywhere,
// bcrypt looks at the first 72 bytes of a password only.
func parseBcrypt(encoded string) (func(string) bool, error) {
	cost, err := bcrypt.Cost([]byte(encoded))
	if err != nil || len(encoded) != 60 {
		return nil, fmt.Errorf("%w: it is not a well-formed bcrypt hash", ErrHash)
	}
	if cost > maxBcryptCost {
		return nil, fmt.Errorf("%w: its bcrypt cost is above %d", ErrHash, maxBcryptCost)
	}
	return func(password string) bool {
		return bcrypt.CompareHashAndPassword([]byte(encoded), []byte(password)) == nil
	}, nil
}

// parseSHACrypt reads "$5$salt$key" (SHA-256), "$6$salt$key" (SHA-512), and
// both with "rounds=N$" before the salt.
func parseSHACrypt(encoded string, fields []string) (func(string) bool, error) {
	malformed := fmt.Errorf("%w: it is not a well-formed SHA-crypt hash", ErrHash)
	if len(fields) == 5 {
		rounds, err := parameter(fields[2], "rounds=", 32)
		if err != nil || rounds < shacrypt.IterationsMin {
			return nil, malformed
		}
		if rounds > maxRounds {
			return nil, fmt.Errorf("%w: it asks for more than %d rounds", ErrHash, maxRounds)
		}
	}
	salt, key := fields[len(fields)-2], fields[len(fields)-1]
	if len(salt) > shacrypt.SaltLengthMax || len(key) != keyChars(fields[1]) {
		return nil, malformed
	}
	digest, err := shacrypt.Decode(encoded)
	if err != nil {
		return nil, malformed // its text could quote the hash
	}
	return digest.Match, nil
}

// keyChars is the length of a SHA-crypt key in its base 64.
func keyChars(kind string) int {
	if kind == "5" {
		return 43 // 32 bytes
	}
	return 86 // 64 bytes
}
