package certs

import (
	"crypto/tls"
	"errors"
	"slices"
)

// acmeALPN is how an ACME server asks for a TLS-ALPN-01 challenge (RFC 8737).
const acmeALPN = "acme-tls/1"

// Challenge says that the handshake was the question of an ACME server, which
// is answered by the handshake itself: no protocol follows, close the
// connection without a word (RFC 8737 §3).
func Challenge(cs tls.ConnectionState) bool { return cs.NegotiatedProtocol == acmeALPN }

// checkChallenge refuses what no ACME server does: to resume a session, with
// which the certificate that would answer is not sent.
func checkChallenge(cs tls.ConnectionState) error {
	if cs.DidResume {
		return errors.New("an ACME challenge cannot resume a session")
	}
	return nil
}

// asksChallenge says that acme-tls/1 is what will be agreed on, since the client
// offers nothing of alpn beside it.
func asksChallenge(hello *tls.ClientHelloInfo, alpn []string) bool {
	return slices.Contains(hello.SupportedProtos, acmeALPN) &&
		!slices.ContainsFunc(alpn, func(p string) bool { return slices.Contains(hello.SupportedProtos, p) })
}

// answer is the certificate that a challenge is answered with; an error where
// none is open for the name.
func (s *Source) answer(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	switch {
	case s.acme == nil:
		return nil, errors.New("an ACME challenge, and no ACME is configured")
	case len(hello.SupportedProtos) > 1:
		return nil, errors.New("an ACME challenge comes with acme-tls/1 alone")
	}
	return s.acme.config.GetCertificate(hello)
}
