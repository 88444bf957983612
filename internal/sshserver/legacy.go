package sshserver

import (
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// noteLegacy says in the log when a client has negotiated what only those of
// the legacy networks may: who wants to do away with the profile has to know
// whom that would lock out.
func (c *sshConn) noteLegacy(meta ssh.ConnMetadata) {
	negotiated, ok := meta.(ssh.AlgorithmsConnMetadata)
	if !ok {
		return // cannot be: the library's connections all tell
	}
	n := negotiated.Algorithms()
	if old := outdated(n); len(old) > 0 {
		c.lenient(meta, strings.Join(old, ", "),
			"kex", n.KeyExchange, "host_key", n.HostKey,
			"cipher", both(n.Read.Cipher, n.Write.Cipher), "mac", both(n.Read.MAC, n.Write.MAC))
	}
}

// noteLegacyKey does so for the signature of a login.
func (c *sshConn) noteLegacyKey(meta ssh.ConnMetadata, algorithm string) {
	if !slices.Contains(modernAlgorithms(true).PublicKeyAuths, algorithm) {
		c.lenient(meta, algorithm, "user", claimedName(meta))
	}
}

// lenient is one use of the legacy profile.
func (c *sshConn) lenient(meta ssh.ConnMetadata, what string, more ...any) {
	c.log.Warn("legacy profile in use", append([]any{"for", what, "peer", c.peer, "client", string(meta.ClientVersion()),
		"so_far", c.srv.lenient.Add(1)}, more...)...)
}

// outdated are those algorithms that other clients would not have been given.
func outdated(n ssh.NegotiatedAlgorithms) []string {
	var old []string
	modern := modernAlgorithms(true)
	// Its name before RFC 8731, which the library adds by itself.
	modern.KeyExchanges = append(modern.KeyExchanges, "curve25519-sha256@libssh.org")
	for _, used := range []struct {
		name string
		good []string
	}{
		{n.KeyExchange, modern.KeyExchanges},
		{n.HostKey, modern.HostKeys},
		{n.Read.Cipher, modern.Ciphers},
		{n.Write.Cipher, modern.Ciphers},
		{n.Read.MAC, modern.MACs},
		{n.Write.MAC, modern.MACs},
	} {
		if used.name != "" && !slices.Contains(used.good, used.name) && !slices.Contains(old, used.name) {
			old = append(old, used.name) // a cipher that authenticates has no MAC: ""
		}
	}
	return old
}

// both is what is used in the two directions.
func both(in, out string) string {
	if in == out {
		return in
	}
	return in + " and " + out
}
