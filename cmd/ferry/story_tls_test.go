package main

import (
	"bufio"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// startTLS is the client's side of the handshake; it asks for name, where
// there is one. $CERTIFICATE is the fingerprint of what the server showed.
func (c *client) startTLS(ts *testscript.TestScript, name string) {
	secure := tls.Client(c.Conn, &tls.Config{ServerName: name, InsecureSkipVerify: true}) // the story compares fingerprints
	ts.Check(secure.Handshake())
	sum := sha256.Sum256(secure.ConnectionState().PeerCertificates[0].Raw)
	ts.Setenv("CERTIFICATE", strings.ReplaceAll(fmt.Sprintf("% X", sum), " ", ":"))
	c.Conn, c.replies = secure, bufio.NewReader(secure)
}

// storyCertificate writes NAME.crt and NAME.key.
func storyCertificate(ts *testscript.TestScript, neg bool, args []string) {
	now := time.Now()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: filepath.Base(args[0])},
		NotBefore:    now.Add(-48 * time.Hour),
		NotAfter:     now.Add(100 * 24 * time.Hour),
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	parent, signer := template, crypto.PrivateKey(key)
	for _, word := range args[1:] {
		switch by, signed := strings.CutPrefix(word, "by="); {
		case signed:
			pair, err := tls.LoadX509KeyPair(ts.MkAbs(by+".crt"), ts.MkAbs(by+".key"))
			ts.Check(err)
			parent, signer = pair.Leaf, pair.PrivateKey
		case word == "authority":
			template.IsCA, template.BasicConstraintsValid = true, true
		case word == "expired":
			template.NotAfter = now.Add(-24 * time.Hour)
		default:
			template.DNSNames = append(template.DNSNames, word)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	ts.Check(err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	ts.Check(writePEM(ts.MkAbs(args[0]+".crt"), "CERTIFICATE", der))
	ts.Check(writePEM(ts.MkAbs(args[0]+".key"), "PRIVATE KEY", secret))
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
