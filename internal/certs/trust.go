package certs

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

// trust is whose client certificates are accepted, and which of them are not
// any more. The zero value accepts none.
type trust struct {
	roots *x509.CertPool // nil: none
	lists []revocation
}

// revocation is one list and who signed it.
type revocation struct {
	path    string
	issuer  *x509.Certificate // who signed it
	ends    time.Time         // when the next list was promised for; zero: never
	revoked map[string]bool   // serial numbers, decimal
}

// loadTrust reads the PEM files of authorities and of their revocation lists.
func loadTrust(caPath, crlPath string) (*trust, error) {
	t := &trust{}
	if caPath == "" {
		return t, nil
	}
	data, err := readFile("client CA", caPath)
	if err != nil {
		return nil, err
	}
	authorities, err := parseCertificates(caPath, data)
	if err != nil {
		return nil, err
	}
	t.roots = x509.NewCertPool()
	for _, ca := range authorities {
		if !ca.IsCA {
			return nil, fmt.Errorf("client CA %q: the certificate of %q is not that of an authority, so it cannot vouch for others", caPath, ca.Subject)
		}
		if err := checkDates(fmt.Sprintf("client CA %q: the certificate of %q", caPath, ca.Subject), ca); err != nil {
			return nil, err
		}
		t.roots.AddCert(ca)
	}
	if crlPath == "" {
		return t, nil
	}
	if data, err = readFile("revocation list", crlPath); err != nil {
		return nil, err
	}
	t.lists, err = parseRevocations(crlPath, data, authorities)
	return t, err
}

func parseRevocations(path string, data []byte, authorities []*x509.Certificate) ([]revocation, error) {
	var all []revocation
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "X509 CRL" {
			continue
		}
		list, err := x509.ParseRevocationList(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("revocation list %q is damaged: %w", path, err)
		}
		r, err := newRevocation(list, authorities)
		if err != nil {
			return nil, fmt.Errorf("revocation list %q of %q: %w", path, list.Issuer, err)
		}
		r.path = path
		all = append(all, r)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("revocation list %q holds no list in PEM; for a DER file: openssl crl -inform der -in FILE -out FILE.pem", path)
	}
	return all, nil
}

func newRevocation(list *x509.RevocationList, authorities []*x509.Certificate) (revocation, error) {
	for _, extension := range list.Extensions {
		if extension.Critical { // a list of changes only, or of some certificates only (RFC 5280 §5.2)
			return revocation{}, errors.New("only complete lists are understood, neither deltas nor lists for a part of the certificates")
		}
	}
	for _, ca := range authorities {
		if list.CheckSignatureFrom(ca) != nil {
			continue
		}
		r := revocation{issuer: ca, ends: list.NextUpdate, revoked: map[string]bool{}}
		for _, entry := range list.RevokedCertificateEntries {
			r.revoked[entry.SerialNumber.String()] = true
		}
		return r, nil
	}
	return revocation{}, errors.New("none of the client CAs has signed it")
}

// stale is an error where the next revocation list should have come already.
func (t *trust) stale() error {
	for _, list := range t.lists {
		if !list.ends.IsZero() && time.Now().After(list.ends) {
			return fmt.Errorf("revocation list %q of %q expired on %s; get the current one", list.path, list.issuer.Subject, day(list.ends))
		}
	}
	return nil
}

// verify is nil where leaf, the first of certs, is a client certificate of one
// of the authorities and neither it nor one between is revoked.
func (t *trust) verify(certs []*x509.Certificate) error {
	switch {
	case len(certs) == 0:
		return errors.New("the client has no certificate")
	case t.roots == nil:
		return errors.New("no client CA is configured, so no client certificate can be verified")
	}
	between := x509.NewCertPool()
	for _, cert := range certs[1:] {
		between.AddCert(cert)
	}
	chains, err := certs[0].Verify(x509.VerifyOptions{
		Roots: t.roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return err
	}
	for _, chain := range chains {
		if err = t.revokedIn(chain); err == nil {
			return nil
		}
	}
	return err
}

// revokedIn is an error where a list of its issuer names a certificate of the
// chain, which begins with the client's and ends with an authority. Issuers are
// compared by name, as RFC 5280 §5 has it: an authority may have several
// certificates.
func (t *trust) revokedIn(chain []*x509.Certificate) error {
	for _, cert := range chain[:len(chain)-1] {
		for _, list := range t.lists {
			if bytes.Equal(list.issuer.RawSubject, cert.RawIssuer) && list.revoked[cert.SerialNumber.String()] {
				return fmt.Errorf("the certificate of %q, serial number %s, is revoked", cert.Subject, cert.SerialNumber)
			}
		}
	}
	return nil
}
