package ftptls

import (
	"crypto/tls"
	"strings"
)

// Dated tells whether a connection has what only devices of a legacy profile
// are given: TLS below 1.2, a key exchange without forward secrecy, or a suite
// without authenticated encryption.
func Dated(state tls.ConnectionState) bool {
	suite := tls.CipherSuiteName(state.CipherSuite)
	sealed := strings.Contains(suite, "_GCM_") || strings.Contains(suite, "_CHACHA20_POLY1305_")
	return state.Version < tls.VersionTLS12 || strings.HasPrefix(suite, "TLS_RSA_") || !sealed
}
