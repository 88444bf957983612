package ftptls

import (
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
)

// maxBrief is how many bytes of one list, or of an error that repeats what a client said, a
// log has.
const maxBrief = 120

// Offered notes what a client offers, for the log of a handshake that fails.
func Offered(cfg *tls.Config, offer *string) *tls.Config {
	inner := cfg.GetConfigForClient
	cfg.GetConfigForClient = func(hi *tls.ClientHelloInfo) (*tls.Config, error) {
		var versions, suites []string
		for _, v := range hi.SupportedVersions {
			versions = append(versions, tls.VersionName(v))
		}
		for _, s := range hi.CipherSuites {
			suites = append(suites, tls.CipherSuiteName(s))
		}
		*offer = "versions " + brief(versions) + "; suites " + brief(suites)
		if hi.ServerName != "" {
			*offer += "; name " + brief([]string{hi.ServerName})
		}
		if len(hi.SupportedProtos) > 0 {
			*offer += "; protocols " + brief(hi.SupportedProtos)
		}
		if inner == nil {
			return nil, nil
		}
		return inner(hi)
	}
	return cfg
}

// Failed is why a handshake failed, in one line of a few hundred bytes: a client can fail
// as often as it likes.
func Failed(what string, err error, offer string) error {
	text := what + " failed: " + brief([]string{err.Error()})
	if offer != "" {
		text += "; the client offers " + offer
	}
	return errors.New(text)
}

// brief is a list that a client has sent, or an error that repeats one, as a log has it.
func brief(list []string) string {
	var b strings.Builder
	for i, item := range list {
		if b.Len()+len(item) > maxBrief && i > 0 {
			fmt.Fprintf(&b, ",… (%d)", len(list))
			break
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strings.ToValidUTF8(item[:min(len(item), maxBrief)], "�"))
	}
	return b.String()
}
