package harness

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"path/filepath"
	"testing"
	"time"
)

// authority is a certificate authority of one test.
type authority struct {
	t    testing.TB
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	Dir  string
	File string // its certificate, PEM
	last int64  // serial number given out last
}

// Pair is a certificate and its key, in files and as a client has them.
type Pair struct {
	Cert, Key string
	Serial    *big.Int
	Tls       tls.Certificate
}

func NewAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{t: t, Dir: t.TempDir(), last: 1}
	a.key = newKey(t)
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(a.last), Subject: pkix.Name{CommonName: "Interop Test CA"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(5, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.File = filepath.Join(a.Dir, "ca.crt")
	WriteFile(t, a.File, Block("CERTIFICATE", der))
	return a
}

// Issue makes a certificate for a server of these names or a client whose
// common name is the first. The files are named after it, and hold the
// authority's certificate too, as servers are given it.
func (a *authority) Issue(names ...string) Pair {
	a.t.Helper()
	return a.issueFor(newKey(a.t), x509.KeyUsageDigitalSignature, names)
}

// IssueRSA is issue with a key that old devices encrypt to (RSA key exchange).
func (a *authority) IssueRSA(names ...string) Pair {
	a.t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.issueFor(key, x509.KeyUsageDigitalSignature|x509.KeyUsageKeyEncipherment, names)
}

func (a *authority) issueFor(key crypto.Signer, usage x509.KeyUsage, names []string) Pair {
	a.t.Helper()
	a.last++
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(a.last), Subject: pkix.Name{CommonName: names[0]},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(0, 0, 90), KeyUsage: usage,
		CRLDistributionPoints: []string{"http://ca.invalid/crl"},
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	base := filepath.Join(a.Dir, names[0]+"-"+template.SerialNumber.String())
	p := Pair{Cert: base + ".crt", Key: base + ".key", Serial: template.SerialNumber}
	p.Tls = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	WriteFile(a.t, p.Cert, append(Block("CERTIFICATE", der), Block("CERTIFICATE", a.cert.Raw)...))
	WriteFile(a.t, p.Key, Block("PRIVATE KEY", secret))
	return p
}

// Revoke writes a revocation list with these certificates to a file.
func (a *authority) Revoke(file string, pairs ...Pair) {
	a.t.Helper()
	a.last++
	list := &x509.RevocationList{Number: big.NewInt(a.last), ThisUpdate: time.Now().Add(-time.Minute), NextUpdate: time.Now().AddDate(0, 0, 7)}
	for _, p := range pairs {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: p.Serial, RevocationTime: time.Now()})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, a.cert, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	WriteFile(a.t, file, Block("X509 CRL", der))
}

// Client is the configuration of a client that trusts the authority alone, and
// has a cache of sessions of its own.
func (a *authority) Client() *tls.Config {
	trusted := x509.NewCertPool()
	trusted.AddCert(a.cert)
	return &tls.Config{RootCAs: trusted, ServerName: "localhost", ClientSessionCache: tls.NewLRUClientSessionCache(8)}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func Block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
