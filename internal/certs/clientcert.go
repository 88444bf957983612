package certs

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
)

// Identity is what a client certificate says about who has it.
type Identity struct {
	// Fingerprint is the SHA-256 of the certificate, 64 lower-case hex digits.
	Fingerprint string
	// CommonName is that of the subject; may be "".
	CommonName string
	// DNSNames, Emails and URIs are the subject's alternative names.
	DNSNames, Emails, URIs []string
}

// Identity tells who the client at the other end of cs is, and false where it
// showed no certificate, or none that verifies. It verifies again, so it may
// be asked long after the handshake: who was revoked meanwhile is nobody.
func (s *Source) Identity(cs tls.ConnectionState) (Identity, bool) {
	if s.trust.Load().verify(cs.PeerCertificates) != nil {
		return Identity{}, false
	}
	leaf := cs.PeerCertificates[0]
	sum := sha256.Sum256(leaf.Raw)
	id := Identity{
		Fingerprint: hex.EncodeToString(sum[:]),
		CommonName:  leaf.Subject.CommonName,
		DNSNames:    leaf.DNSNames,
		Emails:      leaf.EmailAddresses,
	}
	for _, uri := range leaf.URIs {
		id.URIs = append(id.URIs, uri.String())
	}
	return id, true
}

// verifyClient is what a handshake asks.
func (s *Source) verifyClient(cs tls.ConnectionState) error {
	if err := s.trust.Load().verify(cs.PeerCertificates); err != nil {
		return fmt.Errorf("client certificate refused: %w", err)
	}
	return nil
}
