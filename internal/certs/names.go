package certs

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"
)

// renewBefore is how long before its end a certificate is worth a warning, if
// it lives long enough: see worried.
const renewBefore = 14 * 24 * time.Hour

// Name is what a certificate of the server says about itself.
type Name struct {
	// Names are the host names and addresses that it is for; where it has
	// none, its subject.
	Names []string
	// Issuer is the name of who signed it, or "itself".
	Issuer string
	// Expires is when it ends.
	Expires time.Time
	// Fingerprint is as Source.Fingerprint says it.
	Fingerprint string
	// Warning is a sentence where the certificate has expired or will within
	// 14 days, or the last sixth of a life of less than 84; else "".
	Warning string
}

// Names tells of every certificate in use, the default one first.
func (s *Source) Names() []Name {
	var all []Name
	for _, cert := range s.current() {
		all = append(all, nameOf(cert.Leaf))
	}
	return all
}

// Fingerprint is the SHA-256 of the default certificate, as
// `openssl x509 -noout -fingerprint -sha256` prints it: "SHA256:AB:CD:…"; ""
// where an ACME server has not handed out the first one yet.
func (s *Source) Fingerprint() string {
	all := s.current()
	if len(all) == 0 {
		return ""
	}
	return fingerprint(all[0].Leaf)
}

// current is every certificate in use, the default one first.
func (s *Source) current() []*tls.Certificate {
	all := slices.Clone(*s.pairs.Load())
	if s.acme != nil {
		all = append(all, s.acme.current()...)
	}
	return all
}

func nameOf(leaf *x509.Certificate) Name {
	n := Name{Names: slices.Clone(leaf.DNSNames), Issuer: leaf.Issuer.String(), Expires: leaf.NotAfter, Fingerprint: fingerprint(leaf)}
	for _, ip := range leaf.IPAddresses {
		n.Names = append(n.Names, ip.String())
	}
	if len(n.Names) == 0 {
		n.Names = []string{leaf.Subject.String()}
	}
	if selfIssued(leaf) {
		n.Issuer = "itself"
	}
	switch left := time.Until(leaf.NotAfter); {
	case left < 0:
		n.Warning = fmt.Sprintf("the certificate for %s expired on %s; clients refuse it", strings.Join(n.Names, ", "), day(leaf.NotAfter))
	case left < worried(leaf):
		n.Warning = fmt.Sprintf("the certificate for %s expires on %s; renew it", strings.Join(n.Names, ", "), day(leaf.NotAfter))
	}
	return n
}

// worried is how much life left is too little. Certificates are renewed when a
// third is left, and there are some that live for six days: half of that third
// must pass before something looks wrong with them.
func worried(leaf *x509.Certificate) time.Duration {
	return min(renewBefore, leaf.NotAfter.Sub(leaf.NotBefore)/6)
}

func fingerprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return "SHA256:" + strings.ReplaceAll(fmt.Sprintf("% X", sum), " ", ":")
}
