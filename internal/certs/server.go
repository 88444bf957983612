package certs

import (
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
)

// ClientCerts says whether clients are asked for a certificate.
type ClientCerts int

const (
	// ClientCertsOff: they are not asked.
	ClientCertsOff ClientCerts = iota
	// ClientCertsAsk: they are asked and may have none; one that does not
	// verify fails the handshake.
	ClientCertsAsk
	// ClientCertsRequire: without one that verifies, the handshake fails.
	ClientCertsRequire
)

// Options is what differs between the listeners of one server.
type Options struct {
	// Legacy lets TLS 1.0 and 1.1, RSA key exchange and CBC suites in, as far
	// as Go still has them, for devices that know nothing better. Such
	// devices often need an RSA certificate, too.
	Legacy bool
	// ClientCerts is whether clients are asked for a certificate. None
	// verifies without Config.ClientCA.
	ClientCerts ClientCerts
	// ALPN are the protocols that clients may ask for; nil: "ftp". A client
	// that asks for others only is not what it seems, or is led here by an
	// attacker (ALPACA): its handshake fails. One that does not ask at all,
	// as nearly every FTP client, is welcome.
	ALPN []string
	// StrictSNI fails the handshake of a client that asks for a name which no
	// certificate is for. Clients that ask for none are welcome.
	StrictSNI bool
	// FullRecords sends records of full size from the first byte on, as suits
	// data connections; else they begin small, for the first answer's sake.
	FullRecords bool
}

// Server makes the TLS configuration of a listener, control or data. It may be
// used as long as the source lives: certificates and authorities are asked for
// at each handshake. Give it its ticket keys with Tickets.Apply.
//
// TLS 1.2 has AEAD suites only, TLS 1.3 those that Go has. Renegotiation does
// not exist, in either.
func (s *Source) Server(o Options) *tls.Config {
	if o.ALPN == nil {
		o.ALPN = []string{"ftp"}
	}
	cfg := &tls.Config{
		MinVersion:                  tls.VersionTLS12,
		CipherSuites:                modernSuites(),
		NextProtos:                  slices.Clone(o.ALPN),
		DynamicRecordSizingDisabled: o.FullRecords,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if asksChallenge(hello, o.ALPN) {
				return s.answer(hello)
			}
			return s.choose(hello, o.StrictSNI)
		},
	}
	if o.Legacy {
		cfg.MinVersion = tls.VersionTLS10
		cfg.CipherSuites = legacySuites()
	}
	if s.acme != nil && s.acme.alpn {
		// Last, so that it is spoken only with those who speak nothing else.
		cfg.NextProtos = append(cfg.NextProtos, acmeALPN)
	}
	s.askClients(cfg, o.ClientCerts)
	return cfg
}

// askClients sets what becomes of client certificates. They are verified in
// VerifyConnection and not by crypto/tls itself, because only there the
// authorities can change while the configuration stays, and because it is
// asked for resumed sessions, too: a certificate that was revoked since is
// refused on the next data connection. The names of our authorities are not
// sent: a client of FTP has one certificate or none, and chooses it itself.
func (s *Source) askClients(cfg *tls.Config, c ClientCerts) {
	switch c {
	case ClientCertsAsk:
		cfg.ClientAuth = tls.RequestClientCert
	case ClientCertsRequire:
		cfg.ClientAuth = tls.RequireAnyClientCert
	}
	cfg.VerifyConnection = func(cs tls.ConnectionState) error {
		if Challenge(cs) {
			return checkChallenge(cs)
		}
		if c == ClientCertsOff || c == ClientCertsAsk && len(cs.PeerCertificates) == 0 {
			return nil
		}
		return s.verifyClient(cs)
	}
}

// choose finds the certificate for hello: the first that is for the name asked
// for and that the client can verify; else the default one.
func (s *Source) choose(hello *tls.ClientHelloInfo, strict bool) (*tls.Certificate, error) {
	all := s.current()
	if len(all) == 0 {
		return nil, errors.New("there is no certificate yet: the ACME server has not handed one out")
	}
	for _, cert := range all {
		if hello.SupportsCertificate(cert) == nil {
			return cert, nil
		}
	}
	if strict && hello.ServerName != "" && !slices.ContainsFunc(all, func(cert *tls.Certificate) bool {
		return cert.Leaf.VerifyHostname(hello.ServerName) == nil
	}) {
		return nil, fmt.Errorf("no certificate is for the name %q that the client asked for", hello.ServerName)
	}
	anyName := *hello
	anyName.ServerName = ""
	for _, cert := range all {
		if anyName.SupportsCertificate(cert) == nil {
			return cert, nil
		}
	}
	return all[0], nil
}

// modernSuites are those of TLS 1.2 with forward secrecy and authenticated
// encryption. The order is Go's; the list is said, so that no environment
// variable adds to it.
func modernSuites() []uint16 {
	return []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	}
}

// legacySuites adds what Go can still speak, but for RC4, which protects
// nothing.
func legacySuites() []uint16 {
	all := modernSuites()
	for _, suite := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		switch suite.ID {
		case tls.TLS_RSA_WITH_RC4_128_SHA, tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA, tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA:
		default:
			if !slices.Contains(all, suite.ID) {
				all = append(all, suite.ID)
			}
		}
	}
	return all
}
