package sshserver

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
)

// keyBits is the size of RSA keys that are made: what NIST SP 800-57 holds good
// beyond 2030.
const keyBits = 3072

// hostKeyKind is a key that is made where there is none.
type hostKeyKind struct {
	file     string
	generate func() (crypto.PrivateKey, error)
}

func hostKeyKinds() []hostKeyKind {
	return []hostKeyKind{
		{"host_ed25519", func() (crypto.PrivateKey, error) {
			_, key, err := ed25519.GenerateKey(rand.Reader)
			return key, err
		}},
		{"host_ecdsa", func() (crypto.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }},
		{"host_rsa", func() (crypto.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, keyBits) }},
	}
}

// HostKeys gives the host keys kept in dir, one each of Ed25519, ECDSA P-256
// and RSA. Those that are missing are made, with mode 0600, and dir, where
// missing, with 0700. A key that is there and cannot be used is an error that
// names its file: to make another in its place would look like an attack to
// every client that knows the old one.
func HostKeys(dir string) ([]ssh.Signer, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the directory of the host keys: %w", err)
	}
	var keys []ssh.Signer
	for _, kind := range hostKeyKinds() {
		file := filepath.Join(dir, kind.file)
		key, err := ReadHostKey(file)
		if errors.Is(err, fs.ErrNotExist) {
			if err = makeHostKey(file, kind.generate); err == nil {
				key, err = ReadHostKey(file)
			}
		}
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// CheckHostKeys reads the keys that HostKeys would, and makes none.
func CheckHostKeys(dir string) error {
	for _, kind := range hostKeyKinds() {
		_, err := ReadHostKey(filepath.Join(dir, kind.file))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// leastBits is the shortest RSA key that OpenSSH's clients take.
const leastBits = 2048

// ReadHostKey reads a private key in the form of OpenSSH or PEM, without a
// passphrase. Others than its owner must not be able to read the file. The
// error says what is wrong with which file, and what to do.
func ReadHostKey(file string) (ssh.Signer, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("cannot read the host key: %w", err)
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("cannot read the host key: %w", err)
	}
	if _, _, _, _, err := ssh.ParseAuthorizedKey(data); err == nil {
		return nil, fmt.Errorf("host key %s is a public key or a certificate: the private one is needed, which has the same name without .pub", file)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("host key %s can be read by others (mode %#o): chmod 600 it", file, info.Mode().Perm())
	}
	key, err := ssh.ParsePrivateKey(data)
	if err != nil {
		return nil, badHostKey(file, data, err)
	}
	switch public := key.PublicKey(); public.Type() {
	case "ssh-dss": // RFC 4253 §6.6
		return nil, fmt.Errorf("host key %s is a DSA key, which no client takes any more: ssh-keygen -t ed25519 makes a better one", file)
	case ssh.KeyAlgoRSA:
		if bits := rsaBits(public); bits < leastBits {
			return nil, fmt.Errorf("host key %s is an RSA key of %d bits, and clients want %d at least: ssh-keygen -t ed25519 makes a better one", file, bits, leastBits)
		}
	}
	return key, nil
}

func rsaBits(key ssh.PublicKey) int {
	if k, ok := key.(ssh.CryptoPublicKey); ok {
		if k, ok := k.CryptoPublicKey().(*rsa.PublicKey); ok {
			return k.N.BitLen()
		}
	}
	return 0
}

// badHostKey says what data is, which could not be read as a private key
// because of err.
func badHostKey(file string, data []byte, err error) error {
	missing := new(ssh.PassphraseMissingError)
	block, _ := pem.Decode(data)
	switch {
	case errors.As(err, &missing), block != nil && block.Type == "ENCRYPTED PRIVATE KEY": // the latter in PKCS #8
		return fmt.Errorf("host key %s has a passphrase, which nobody can type at start: ssh-keygen -p -N '' -f %[1]s takes it away", file)
	case len(data) == 0:
		return fmt.Errorf("host key %s is empty: put a private key there, as ssh-keygen makes it", file)
	case block != nil && strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return fmt.Errorf("host key %s is damaged, or of a type that is not known here; Ed25519, ECDSA and RSA are (%w)", file, err)
	}
	return fmt.Errorf("host key %s is none that can be read: put a private key there, as ssh-keygen makes it (%w)", file, err)
}

// makeHostKey writes a new key, whole or not at all.
func makeHostKey(file string, generate func() (crypto.PrivateKey, error)) error {
	key, err := generate()
	if err != nil {
		return fmt.Errorf("cannot make a host key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		return fmt.Errorf("cannot make a host key: %w", err)
	}
	if err := writeWhole(file, pem.EncodeToMemory(block)); err != nil {
		return fmt.Errorf("cannot keep the host key %s: %w", file, err)
	}
	return nil
}

// writeWhole makes file with data, unless it is there by now: a server that
// was started at the same moment has then made the key.
func writeWhole(file string, data []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(file), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(data)
	err = errors.Join(err, temp.Sync(), temp.Close())
	if err != nil {
		return err
	}
	if err := os.Link(temp.Name(), file); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
