package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ferry"
)

const (
	// selfSignedFor is how long a self-signed certificate lasts. Clients trust
	// it by the fingerprint that they saw first; each new one is an alarm for
	// every user, and teaches them to click alarms away. So it is long, yet
	// within what devices with 32-bit clocks can read for some years to come.
	selfSignedFor = 10 * 365 * 24 * time.Hour
	// clockSkew is how far a client's clock may be behind ours.
	clockSkew = 24 * time.Hour
)

// selfSignedPair is the file in dir: key and certificate in one, so that a
// crash cannot leave one of them without the other.
func selfSignedPair(dir string) Pair {
	return Pair{Cert: filepath.Join(dir, "self-signed.pem")}
}

// keepSelfSigned makes sure that there is a self-signed certificate in dir.
func keepSelfSigned(dir string, hosts []string) (Pair, error) {
	pair := selfSignedPair(dir)
	if exists(pair.Cert) {
		return pair, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return pair, fmt.Errorf("cannot make the directory %q for the self-signed certificate: %w", dir, ferry.WithoutPath(err))
	}
	data, err := selfSign(hosts)
	if err == nil {
		err = writeFile(pair.Cert, data)
	}
	if err != nil {
		return pair, fmt.Errorf("cannot keep a self-signed certificate in %q: %w", pair.Cert, ferry.WithoutPath(err))
	}
	return pair, nil
}

// exists is true also where something is there that cannot be looked at: to
// load it will say why.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return !os.IsNotExist(err)
}

// selfSign makes a P-256 key (RFC 8422; what every client of the last ten
// years can do, at a tenth of the cost of RSA) and a certificate for it.
func selfSign(hosts []string) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := selfSignedTemplate(hosts, time.Now())
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return append(
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})...), nil
}

// selfSignedTemplate leaves the serial number to x509. The certificate is no
// authority: who trusts it trusts this server and nothing that it could sign.
func selfSignedTemplate(hosts []string, now time.Time) *x509.Certificate {
	t := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "localhost"},
		NotBefore:             now.Add(-clockSkew),
		NotAfter:              now.Add(selfSignedFor),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	machine, err := os.Hostname()
	if err == nil && checkHosts([]string{machine}) == nil {
		hosts = append([]string{machine}, hosts...)
	}
	for _, host := range append(slices.Clone(hosts), "localhost", "127.0.0.1", "::1") {
		addHost(t, host)
	}
	if len(t.DNSNames[0]) <= 64 { // the most that RFC 5280 lets a common name have
		t.Subject.CommonName = t.DNSNames[0]
	}
	return t
}

func addHost(t *x509.Certificate, host string) {
	ip := net.ParseIP(host)
	switch {
	case ip != nil && !slices.ContainsFunc(t.IPAddresses, ip.Equal):
		t.IPAddresses = append(t.IPAddresses, ip)
	case ip == nil && !slices.Contains(t.DNSNames, host):
		t.DNSNames = append(t.DNSNames, host)
	}
}

// checkHosts wants names as DNS has them (RFC 1123 §2.1), or addresses.
func checkHosts(hosts []string) error {
	for _, host := range hosts {
		if net.ParseIP(host) == nil && !isHostName(host) {
			return fmt.Errorf("%q is neither a host name nor an address that a certificate could be for; write ftp.example.com or 192.0.2.7, without a port, and other scripts than Latin as xn--…", host)
		}
	}
	return nil
}

func isHostName(host string) bool {
	if len(host) > 253 {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || strings.ContainsFunc(label, notInLabel) {
			return false
		}
	}
	return true
}

// notInLabel lets the underscore pass, which RFC 1123 does not and machines
// have all the same.
func notInLabel(r rune) bool {
	letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	return !letter && !('0' <= r && r <= '9') && r != '-' && r != '_'
}
