package interop

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
	dir  string
	file string // its certificate, PEM
	last int64  // serial number given out last
}

// pair is a certificate and its key, in files and as a client has them.
type pair struct {
	cert, key string
	serial    *big.Int
	tls       tls.Certificate
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir(), last: 1}
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
	a.file = filepath.Join(a.dir, "ca.crt")
	writeFile(t, a.file, block("CERTIFICATE", der))
	return a
}

// issue makes a certificate for a server of these names or a client whose
// common name is the first. The files are named after it, and hold the
// authority's certificate too, as servers are given it.
func (a *authority) issue(names ...string) pair {
	a.t.Helper()
	return a.issueFor(newKey(a.t), x509.KeyUsageDigitalSignature, names)
}

// issueRSA is issue with a key that old devices encrypt to (RSA key exchange).
func (a *authority) issueRSA(names ...string) pair {
	a.t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.issueFor(key, x509.KeyUsageDigitalSignature|x509.KeyUsageKeyEncipherment, names)
}

func (a *authority) issueFor(key crypto.Signer, usage x509.KeyUsage, names []string) pair {
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
	base := filepath.Join(a.dir, names[0]+"-"+template.SerialNumber.String())
	p := pair{cert: base + ".crt", key: base + ".key", serial: template.SerialNumber}
	p.tls = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	writeFile(a.t, p.cert, append(block("CERTIFICATE", der), block("CERTIFICATE", a.cert.Raw)...))
	writeFile(a.t, p.key, block("PRIVATE KEY", secret))
	return p
}

// revoke writes a revocation list with these certificates to a file.
func (a *authority) revoke(file string, pairs ...pair) {
	a.t.Helper()
	a.last++
	list := &x509.RevocationList{Number: big.NewInt(a.last), ThisUpdate: time.Now().Add(-time.Minute), NextUpdate: time.Now().AddDate(0, 0, 7)}
	for _, p := range pairs {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: p.serial, RevocationTime: time.Now()})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, a.cert, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	writeFile(a.t, file, block("X509 CRL", der))
}

// client is the configuration of a client that trusts the authority alone, and
// has a cache of sessions of its own.
func (a *authority) client() *tls.Config {
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

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
