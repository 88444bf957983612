package ftpwire

import (
	"errors"
	"net/netip"
	"strings"
)

// Why the argument of HOST is none.
var (
	ErrHostLiteral = errors.New("not an IPv6 address in brackets")
	ErrHostPort    = errors.New("a host is a name without a port, IPv6 addresses in brackets")
	ErrHostName    = errors.New("not a host name")
)

// ParseHost reads the argument of HOST (RFC 7151 §3): a name, an IPv4 address, or an
// IPv6 address in brackets, which host has no more.
func ParseHost(arg string) (host string, err error) {
	if literal, ok := strings.CutPrefix(arg, "["); ok {
		literal, ok = strings.CutSuffix(literal, "]")
		addr, err := netip.ParseAddr(literal)
		if !ok || err != nil || !addr.Is6() {
			return "", ErrHostLiteral
		}
		return addr.WithZone("").String(), nil
	}
	if strings.Contains(arg, ":") {
		return "", ErrHostPort
	}
	if _, err := netip.ParseAddr(arg); err != nil && !isHostName(arg) {
		return "", ErrHostName
	}
	return arg, nil
}

func isHostName(name string) bool {
	if name == "" || len(name) > 253 {
		return false
	}
	for _, r := range name {
		if r <= ' ' || strings.ContainsRune(`/\@,;"'()[]`, r) || r == 127 {
			return false
		}
	}
	return true
}
