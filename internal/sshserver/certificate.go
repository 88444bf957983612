package sshserver

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// The critical options that are known (OpenSSH's PROTOCOL.certkeys). All others
// make a certificate useless here: they restrict it in a way that we would not.
// verify-required is one of those; whether the key has asked for a PIN is in the
// signature, which the library does not show.
const (
	forceCommand  = "force-command"
	sourceAddress = "source-address"
)

// checkCertificate tells why cert is not good here and now, nil if it is. Which
// account its principals stand for is that account's to say. The rules are
// those of sshd with TrustedUserCAKeys, where a certificate without principals
// is nobody's.
func (c *sshConn) checkCertificate(cert *ssh.Certificate) error {
	switch {
	case cert.CertType != ssh.UserCert:
		return errors.New("it is no certificate of a user")
	case c.srv.cfg.Authority == nil || !c.srv.cfg.Authority(cert.SignatureKey):
		return errors.New("no authority of sftp.user_ca has signed it")
	case !slices.Contains(ssh.SupportedAlgorithms().PublicKeyAuths, cert.Signature.Format):
		return fmt.Errorf("its authority has signed with %.40q, which is too weak: ssh-keygen -t rsa-sha2-512 signs with SHA-2", cert.Signature.Format)
	case c.revoked(cert):
		return errors.New("it, its key or its authority is revoked")
	case len(cert.ValidPrincipals) == 0:
		return errors.New("it names no principal: ssh-keygen -n gives it the names of the users it is for")
	}
	if command, ok := cert.CriticalOptions[forceCommand]; ok && command != "internal-sftp" {
		return fmt.Errorf("it is for the command %.60q, and internal-sftp is the only one that there is here", command)
	}
	if networks, ok := cert.CriticalOptions[sourceAddress]; ok {
		if err := checkSource(networks, c.peer.Addr()); err != nil {
			return err
		}
	}
	checker := ssh.CertChecker{SupportedCriticalOptions: []string{forceCommand, sourceAddress}}
	return checker.CheckCert(cert.ValidPrincipals[0], cert) // signature, time, other critical options
}

// checkSource tells why a client at peer may not use a certificate that is for
// networks: addresses and CIDR networks, separated by commas. One that cannot
// be read holds for nobody.
func checkSource(networks string, peer netip.Addr) error {
	var all []netip.Prefix
	for text := range strings.SplitSeq(networks, ",") {
		network, err := netip.ParsePrefix(text)
		if addr, wrong := netip.ParseAddr(text); wrong == nil && addr.Zone() == "" {
			network, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil {
			return fmt.Errorf("its %s %.60q cannot be read", sourceAddress, networks)
		}
		all = append(all, network)
	}
	if !within(all, peer) {
		return fmt.Errorf("it is for clients from %.200s only", networks)
	}
	return nil
}

// revoked tells whether a key or certificate is good no more.
func (c *sshConn) revoked(key ssh.PublicKey) bool {
	return c.srv.cfg.Revoked != nil && c.srv.cfg.Revoked(key)
}

// describe says for the log which certificate it is, as sshd does.
func describe(cert *ssh.Certificate) string {
	return fmt.Sprintf("certificate %.100q (serial %d) of the authority %s, for the key %s",
		cert.KeyId, cert.Serial, ssh.FingerprintSHA256(cert.SignatureKey), ssh.FingerprintSHA256(cert.Key))
}
