package ftptls

import (
	"crypto/tls"
	"strings"
)

const (
	maxOffer     = 200     // items of one list of a client's offer that the log names
	maxOfferText = 8 << 10 // and bytes of it
)

// Offered notes what a client offers, for the log of a handshake that fails.
func Offered(cfg *tls.Config, offer *string) *tls.Config {
	inner := cfg.GetConfigForClient
	cfg.GetConfigForClient = func(hi *tls.ClientHelloInfo) (*tls.Config, error) {
		var versions, suites []string
		for _, v := range hi.SupportedVersions {
			versions = append(versions, tls.VersionName(v))
		}
		for _, s := range hi.CipherSuites[:min(len(hi.CipherSuites), maxOffer)] {
			suites = append(suites, tls.CipherSuiteName(s))
		}
		*offer = "versions " + Brief(versions) + "; suites " + Brief(suites)
		if hi.ServerName != "" {
			*offer += "; name " + Brief([]string{hi.ServerName})
		}
		if len(hi.SupportedProtos) > 0 {
			*offer += "; protocols " + Brief(hi.SupportedProtos)
		}
		if inner == nil {
			return nil, nil
		}
		return inner(hi)
	}
	return cfg
}

// Brief is a list that a client has sent, or an error that repeats one, as the
// log has it. Clients with every old suite offer some 150; who sends more fills
// logs.
func Brief(list []string) string {
	text := strings.Join(list[:min(len(list), maxOffer)], ",")
	if len(text) > maxOfferText {
		text = text[:maxOfferText] + "…"
	}
	return text
}
