package certs

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"ferry"
)

// Pair names the files of a certificate and its key, both PEM.
type Pair struct {
	// Cert holds the server's certificate first, then those that lead from
	// it to the authority.
	Cert string
	// Key holds the private key, without a passphrase; "": it is in Cert.
	Key string
}

// files are the paths of the pair.
func (p Pair) files() []string {
	if p.Key == "" {
		return []string{p.Cert}
	}
	return []string{p.Cert, p.Key}
}

func loadPairs(pairs []Pair) ([]*tls.Certificate, error) {
	all := make([]*tls.Certificate, 0, len(pairs))
	for _, p := range pairs {
		cert, err := p.load()
		if err != nil {
			return nil, err
		}
		all = append(all, cert)
	}
	return all, nil
}

// load reads the pair and looks at it as a client would.
func (p Pair) load() (*tls.Certificate, error) {
	certPEM, err := readFile("certificate", p.Cert)
	if err != nil {
		return nil, err
	}
	keyPath, keyPEM := p.Cert, certPEM
	if p.Key != "" {
		keyPath = p.Key
		if keyPEM, err = readFile("key", p.Key); err != nil {
			return nil, err
		}
	}
	chain, err := parseCertificates(p.Cert, certPEM)
	if err != nil {
		return nil, err
	}
	if err := checkKey(keyPath, keyPEM); err != nil {
		return nil, err
	}
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("key %q and certificate %q do not go together: %s", keyPath, p.Cert, mismatch(err, chain, keyPEM))
	}
	if err := checkDates(fmt.Sprintf("certificate %q", p.Cert), cert.Leaf); err != nil {
		return nil, err
	}
	return &cert, nil
}

// mismatch says why the key is not that of the chain's first certificate. The
// usual mistake is a chain in the wrong order.
func mismatch(err error, chain []*x509.Certificate, keyPEM []byte) string {
	key, ok := parseKey(keyPEM).(crypto.Signer)
	if !ok {
		return strings.TrimPrefix(err.Error(), "tls: ")
	}
	for i, cert := range chain {
		public, ok := cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
		if ok && public.Equal(key.Public()) {
			return fmt.Sprintf("the key is that of certificate number %d in the file, and the server's own must come first", i+1)
		}
	}
	return "the key belongs to another certificate"
}

// readFile reads what ("certificate", "key", …) the file at path is.
func readFile(what, path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err == nil {
		return data, nil
	}
	err = ferry.WithoutPath(err)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("cannot read %s %q: %w; let the user that the server runs as read it", what, path, err)
	}
	return nil, fmt.Errorf("cannot read %s %q: %w", what, path, err)
}

// parseCertificates wants at least one certificate in data.
func parseCertificates(path string, data []byte) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %q is damaged: %w", path, err)
		}
		all = append(all, cert)
	}
	if len(all) > 0 {
		return all, nil
	}
	if block, _ := pem.Decode(data); block != nil {
		return nil, fmt.Errorf("certificate %q holds no certificate but %q; are certificate and key swapped?", path, block.Type)
	}
	return nil, fmt.Errorf("certificate %q is not PEM; for a DER file: openssl x509 -inform der -in FILE -out FILE.pem", path)
}

// checkKey says what is wrong with the first key in data, in words that help
// more than those of crypto/tls, which come later for all the rest.
func checkKey(path string, data []byte) error {
	first, _ := pem.Decode(data)
	if first == nil {
		return fmt.Errorf("key %q is not PEM; for a DER file: openssl pkey -inform der -in FILE -out FILE.pem", path)
	}
	block := keyBlock(data)
	switch {
	case block == nil:
		return fmt.Errorf("key %q holds no private key but %q; are certificate and key swapped?", path, first.Type)
	case block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
		return fmt.Errorf("key %q has a passphrase, and nobody is there to type it; take it off: openssl pkey -in FILE -out FILE.pem", path)
	}
	return nil
}

// keyBlock is the first private key in data; nil: there is none.
func keyBlock(data []byte) *pem.Block {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "PRIVATE KEY" || strings.HasSuffix(block.Type, " PRIVATE KEY") {
			return block
		}
	}
	return nil
}

// parseKey is the first private key in data, in any of its three encodings;
// nil: there is none that can be understood.
func parseKey(data []byte) crypto.PrivateKey {
	block := keyBlock(data)
	if block == nil {
		return nil
	}
	if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		return key
	}
	if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		return key
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key
	}
	return nil
}

// checkDates says since when or until when what ("certificate "x.pem"") is of
// no use.
func checkDates(what string, cert *x509.Certificate) error {
	switch now := time.Now(); {
	case now.After(cert.NotAfter):
		return fmt.Errorf("%s expired on %s; renew it", what, day(cert.NotAfter))
	case now.Before(cert.NotBefore):
		return fmt.Errorf("%s is not valid before %s; is the clock right?", what, day(cert.NotBefore))
	}
	return nil
}

// day is t for people, to the minute.
func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// selfIssued says that cert is its own authority.
func selfIssued(cert *x509.Certificate) bool {
	return bytes.Equal(cert.RawIssuer, cert.RawSubject) && cert.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature) == nil
}
