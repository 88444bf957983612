package ftpwire

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// ErrProtocolFamily is an address family that is neither IPv4 nor IPv6 (RFC 2428
// §2: 522; RFC 1639: 521).
var ErrProtocolFamily = errors.New("network protocol is neither IPv4 nor IPv6")

// ParsePORT reads "h1,h2,h3,h4,p1,p2", six decimal numbers from 0 to 255 (RFC 959
// §4.1.2). Whether port and address may be used is not decided here.
func ParsePORT(arg string) (netip.AddrPort, error) {
	var b [6]byte
	if rest, ok := cutNumbers(b[:], arg); !ok || rest != "" {
		return netip.AddrPort{}, fmt.Errorf("address %.40q: must be h1,h2,h3,h4,p1,p2, decimal numbers from 0 to 255", arg)
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[:4])), port(b[4], b[5])), nil
}

// ParsePASV finds "h1,h2,h3,h4,p1,p2" in the text of a 227 reply. The six numbers
// may stand anywhere, with or without parentheses (RFC 1123 §4.1.2.6).
func ParsePASV(reply string) (netip.AddrPort, error) {
	for i := 0; i < len(reply); i++ {
		if !isDigit(reply[i]) || i > 0 && isDigit(reply[i-1]) {
			continue
		}
		var b [6]byte
		if rest, ok := cutNumbers(b[:], reply[i:]); ok && !startsWithDigit(rest) {
			return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[:4])), port(b[4], b[5])), nil
		}
	}
	return netip.AddrPort{}, fmt.Errorf("reply to PASV %.80q: has no h1,h2,h3,h4,p1,p2", reply)
}

// AppendPASV prints an IPv4 address (IPv4 in IPv6 counts as one) as the numbers
// of a 227 reply, without parentheses. Like netip.Addr.As4 it panics for any other
// address: there PASV cannot be answered.
func AppendPASV(dst []byte, ap netip.AddrPort) []byte {
	a := ap.Addr().As4()
	dst = appendNumbers(dst, a[:])
	dst = append(dst, ',')
	return appendNumbers(dst, []byte{byte(ap.Port() >> 8), byte(ap.Port())})
}

// AppendPORT prints the argument of PORT. The rules are AppendPASV's.
func AppendPORT(dst []byte, ap netip.AddrPort) []byte { return AppendPASV(dst, ap) }

// ParseEPRT reads "|family|address|port|" (RFC 2428 §2), where "|" may be any
// character from 33 to 126. ErrProtocolFamily is a family other than 1 (IPv4) and
// 2 (IPv6). Zones and host names are errors. IPv4 in IPv6 comes out as IPv4.
func ParseEPRT(arg string) (netip.AddrPort, error) {
	family, host, portText, err := splitEPRT(arg)
	if err != nil {
		return netip.AddrPort{}, err
	}
	number, ok := parsePort(portText)
	if !ok {
		return netip.AddrPort{}, fmt.Errorf("address %.80q: port must be a number from 0 to 65535", arg)
	}
	if family != "1" && family != "2" {
		return netip.AddrPort{}, ErrProtocolFamily
	}
	addr, err := netip.ParseAddr(host)
	if err != nil || addr.Zone() != "" || addr.Is4() != (family == "1") {
		return netip.AddrPort{}, fmt.Errorf("address %.80q: no address of the network protocol it names", arg)
	}
	return netip.AddrPortFrom(addr.Unmap(), number), nil
}

func splitEPRT(arg string) (family, host, port string, err error) {
	if len(arg) > 1 && isDelimiter(arg[0]) {
		parts := strings.Split(arg, arg[:1])
		if len(parts) == 5 && parts[0] == "" && parts[4] == "" && isNumber(parts[1]) {
			return parts[1], parts[2], parts[3], nil
		}
	}
	return "", "", "", fmt.Errorf("address %.80q: must be |1|IPv4 address|port| or |2|IPv6 address|port|", arg)
}

// AppendEPRT prints the argument of EPRT. IPv4 in IPv6 is printed as IPv4, a zone
// is left out: it means nothing on another host.
func AppendEPRT(dst []byte, ap netip.AddrPort) []byte {
	addr := ap.Addr().Unmap().WithZone("")
	family := "|2|"
	if addr.Is4() {
		family = "|1|"
	}
	dst = addr.AppendTo(append(dst, family...))
	dst = strconv.AppendUint(append(dst, '|'), uint64(ap.Port()), 10)
	return append(dst, '|')
}

// ParseEPSV finds "(|||port|)" in the text of a 229 reply (RFC 2428 §3), "|" being
// any character from 33 to 126.
func ParseEPSV(reply string) (uint16, error) {
	for rest := reply; ; {
		_, after, found := strings.Cut(rest, "(")
		if !found {
			break
		}
		if number, ok := cutEPSV(after); ok {
			return number, nil
		}
		rest = after
	}
	return 0, fmt.Errorf("reply to EPSV %.80q: has no (|||port|)", reply)
}

// cutEPSV reads "|||port|)" from the beginning of s.
func cutEPSV(s string) (uint16, bool) {
	if len(s) < len("|||1|)") || !isDelimiter(s[0]) || s[1] != s[0] || s[2] != s[0] {
		return 0, false
	}
	number, rest, ok := strings.Cut(s[3:], s[:1])
	if !ok || !strings.HasPrefix(rest, ")") {
		return 0, false
	}
	return parsePort(number)
}

// AppendEPSV prints "(|||port|)", literally what clients look for in a 229 reply.
func AppendEPSV(dst []byte, port uint16) []byte {
	dst = append(dst, "(|||"...)
	dst = strconv.AppendUint(dst, uint64(port), 10)
	return append(dst, "|)"...)
}

// ParseLPRT reads the argument of LPRT (RFC 1639): "4,4,h1,…,h4,2,p1,p2" or
// "6,16,h1,…,h16,2,p1,p2". ErrProtocolFamily is any other family.
func ParseLPRT(arg string) (netip.AddrPort, error) {
	var all [21]byte // the longest form
	b := all[:min(1+strings.Count(arg, ","), len(all))]
	if rest, ok := cutNumbers(b, arg); !ok || rest != "" {
		return netip.AddrPort{}, fmt.Errorf("address %.80q: must be decimal numbers from 0 to 255, with commas between them", arg)
	}
	switch {
	case b[0] != 4 && b[0] != 6:
		return netip.AddrPort{}, ErrProtocolFamily
	case b[0] == 4 && len(b) == 9 && b[1] == 4 && b[6] == 2:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[2:6])), port(b[7], b[8])), nil
	case b[0] == 6 && len(b) == 21 && b[1] == 16 && b[18] == 2:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[2:18])).Unmap(), port(b[19], b[20])), nil
	}
	return netip.AddrPort{}, fmt.Errorf("address %.80q: must be 4,4,h1,…,h4,2,p1,p2 or 6,16,h1,…,h16,2,p1,p2", arg)
}

// AppendLPSV prints the numbers of a 228 reply, without parentheses. They are
// LPRT's argument too.
func AppendLPSV(dst []byte, ap netip.AddrPort) []byte {
	addr := ap.Addr().Unmap()
	if addr.Is4() {
		a := addr.As4()
		dst = appendNumbers(append(dst, "4,4,"...), a[:])
	} else {
		a := addr.As16()
		dst = appendNumbers(append(dst, "6,16,"...), a[:])
	}
	dst = append(dst, ",2,"...)
	return appendNumbers(dst, []byte{byte(ap.Port() >> 8), byte(ap.Port())})
}

// cutNumbers reads len(b) decimal numbers from 0 to 255, with commas between them,
// from the beginning of s.
func cutNumbers(b []byte, s string) (rest string, ok bool) {
	for i := range b {
		if i > 0 {
			if s == "" || s[0] != ',' {
				return s, false
			}
			s = s[1:]
		}
		n, digits := 0, 0
		for digits < 3 && startsWithDigit(s) {
			n = n*10 + int(s[0]-'0')
			digits++
			s = s[1:]
		}
		if digits == 0 || n > 255 {
			return s, false
		}
		b[i] = byte(n)
	}
	return s, true
}

func appendNumbers(dst, b []byte) []byte {
	for i, n := range b {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendUint(dst, uint64(n), 10)
	}
	return dst
}

func parsePort(s string) (uint16, bool) {
	if !isNumber(s) || len(s) > 5 {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 16)
	return uint16(n), err == nil
}

func port(high, low byte) uint16 { return uint16(high)<<8 | uint16(low) }

func isDelimiter(c byte) bool { return 33 <= c && c <= 126 }

func startsWithDigit(s string) bool { return s != "" && isDigit(s[0]) }

// isNumber tells whether s is decimal digits and nothing else: no sign, no space.
func isNumber(s string) bool {
	for _, c := range []byte(s) {
		if !isDigit(c) {
			return false
		}
	}
	return s != ""
}
