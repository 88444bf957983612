package sshserver

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"

	"golang.org/x/crypto/ssh"
)

// ReadHostCertificate reads the certificate of a host key, as ssh-keygen -s -h
// makes it (OpenSSH's PROTOCOL.certkeys). Its time is not looked at: clients do
// that, and go by the key where it has run out.
func ReadHostCertificate(file string) (*ssh.Certificate, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("cannot read the host certificate: %w", err)
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(data)
	cert, ok := key.(*ssh.Certificate)
	switch {
	case err != nil || !ok:
		return nil, fmt.Errorf("host certificate %s is none: name the file that ssh-keygen -s has made, which ends in -cert.pub", file)
	case cert.CertType != ssh.HostCert:
		return nil, fmt.Errorf("host certificate %s is one of a user: ssh-keygen -s makes one of a host with -h", file)
	}
	return cert, nil
}

// checkHostCertificates wants each certificate to belong to a host key, and
// each key to have one at most.
func (cfg Config) checkHostCertificates() error {
	var seen [][]byte
	for _, cert := range cfg.HostCerts {
		key := cert.Key.Marshal()
		if !slices.ContainsFunc(cfg.HostKeys, func(k ssh.Signer) bool { return bytes.Equal(k.PublicKey().Marshal(), key) }) {
			return fmt.Errorf("sftp: the host certificate %q is for the key %s, which is no host key", cert.KeyId, ssh.FingerprintSHA256(cert.Key))
		}
		if slices.ContainsFunc(seen, func(k []byte) bool { return bytes.Equal(k, key) }) {
			return errors.New("sftp: a host key has two certificates: name one of them")
		}
		seen = append(seen, key)
	}
	return nil
}

// withCertificate is key as it shows its certificate; nil: it has none.
func (cfg Config) withCertificate(key ssh.Signer) ssh.Signer {
	for _, cert := range cfg.HostCerts {
		if signer, err := ssh.NewCertSigner(cert, key); err == nil { // else it is another key's
			return signer
		}
	}
	return nil
}
