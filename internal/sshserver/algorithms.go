package sshserver

import (
	"net/netip"
	"slices"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/cpu"
)

// modernAlgorithms are those that nothing is known against. Their order is
// that of ssh.SupportedAlgorithms, the quick ones first. Strict key exchange
// (Terrapin, CVE-2023-48795) is the library's, and always on.
//
// chacha20-poly1305 has no assembler in the library: where the processor has
// AES, GCM is several times as fast, and a client that prefers ChaCha20, as
// OpenSSH does, would choose the slow one.
func modernAlgorithms(chacha20 bool) ssh.Algorithms {
	a := ssh.SupportedAlgorithms()
	a.MACs = without(a.MACs, "hmac-sha1")
	// Its groups are the client's choice, and long ones cost the server much.
	a.KeyExchanges = without(a.KeyExchanges, "diffie-hellman-group-exchange-sha256")
	if !chacha20 {
		a.Ciphers = without(a.Ciphers, ssh.CipherChaCha20Poly1305)
	}
	return a
}

// legacyAlgorithms are for devices that know nothing better: what the library
// still has, but for what is broken by a listener.
func legacyAlgorithms() ssh.Algorithms {
	a, old := ssh.SupportedAlgorithms(), ssh.InsecureAlgorithms()
	a.KeyExchanges = append(a.KeyExchanges, old.KeyExchanges...)
	a.Ciphers = append(a.Ciphers, without(old.Ciphers, "arcfour256", "arcfour128", "arcfour")...)
	a.MACs = append(a.MACs, old.MACs...)
	a.HostKeys = append(a.HostKeys, "ssh-rsa")
	a.PublicKeyAuths = append(a.PublicKeyAuths, "ssh-rsa")
	return a
}

func without(list []string, names ...string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(name string) bool { return slices.Contains(names, name) })
}

// hasAES tells whether the processor computes AES-GCM itself.
func hasAES() bool {
	return cpu.X86.HasAES && cpu.X86.HasPCLMULQDQ || cpu.ARM64.HasAES && cpu.ARM64.HasPMULL ||
		cpu.S390X.HasAES && cpu.S390X.HasAESGCM
}

// handshakeConfig is what the handshakes of all clients have in common.
func handshakeConfig(cfg Config, a ssh.Algorithms) *ssh.ServerConfig {
	c := &ssh.ServerConfig{
		Config:                  ssh.Config{KeyExchanges: a.KeyExchanges, Ciphers: a.Ciphers, MACs: a.MACs},
		PublicKeyAuthAlgorithms: a.PublicKeyAuths,
		MaxAuthTries:            maxTries,
		ServerVersion:           serverVersion,
	}
	if cfg.Banner != "" {
		c.BannerCallback = func(ssh.ConnMetadata) string { return cfg.Banner + "\n" }
	}
	for _, key := range cfg.HostKeys {
		key = signingWith(key, a.HostKeys)
		c.AddHostKey(key)
		if certified := cfg.withCertificate(key); certified != nil {
			c.AddHostKey(certified)
		}
	}
	return c
}

// signingWith is key, signing with nothing but the given algorithms: one RSA
// key is good for several, and with SHA-1 only for old clients.
func signingWith(key ssh.Signer, algorithms []string) ssh.Signer {
	signer, ok := key.(ssh.AlgorithmSigner)
	if !ok || key.PublicKey().Type() != ssh.KeyAlgoRSA {
		return key
	}
	var rsa []string
	for _, a := range []string{ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSA} {
		if slices.Contains(algorithms, a) {
			rsa = append(rsa, a)
		}
	}
	limited, err := ssh.NewSignerWithAlgorithms(signer, rsa)
	if err != nil {
		return key // cannot be: all three are RSA's
	}
	return limited
}

func within(networks []netip.Prefix, peer netip.Addr) bool {
	return slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Contains(peer.WithZone("")) })
}
