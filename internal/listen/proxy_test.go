package listen_test

import (
	"bufio"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/pires/go-proxyproto"

	"ferry/internal/listen"
)

func TestProxy(t *testing.T) {
	here := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	elsewhere := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	const client, server = "198.51.100.7:4000", "203.0.113.1:21"
	tests := []struct {
		name    string
		trusted []netip.Prefix
		header  string
		remote  string // "": the connection's own
		line    string // the first one read; "": none, the connection fails
	}{
		{"version 1", here, "PROXY TCP4 198.51.100.7 203.0.113.1 4000 21\r\n", client, "USER x\r\n"},
		{"version 2", here, version2(t), client, "USER x\r\n"},
		{"IPv6", here, "PROXY TCP6 2001:db8::7 2001:db8::1 4000 21\r\n", "[2001:db8::7]:4000", "USER x\r\n"},
		{"a health check", here, "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00", "", "USER x\r\n"},
		{"no header from a proxy", here, "", "", ""},
		{"a broken header", here, "PROXY TCP4 no address\r\n", "", ""},
		{"a proxy that does not know", here, "PROXY UNKNOWN\r\n", "", "USER x\r\n"},
		{"a transport without IP addresses", here, overUnix(t), "", ""},
		{"a header from elsewhere is what the client says", elsewhere, "PROXY TCP4 198.51.100.7 203.0.113.1 4000 21\r\n", "", "PROXY TCP4 198.51.100.7 203.0.113.1 4000 21\r\n"},
		{"no header from elsewhere", elsewhere, "", "", "USER x\r\n"},
		{"nobody is trusted", nil, "PROXY UNKNOWN\r\n", "", "PROXY UNKNOWN\r\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			l = listen.Proxy(l, test.trusted)
			defer l.Close()
			from, to := dial(t, l)
			if _, ok := to.(syscall.Conn); !ok {
				t.Errorf("a %T tells nobody how its socket is", to)
			}
			if _, err := fmt.Fprint(from, test.header, "USER x\r\n"); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(to).ReadString('\n')
			if line != test.line || (err != nil) != (test.line == "") {
				t.Errorf("first line %q, %v; want %q", line, err, test.line)
			}
			if err != nil && !strings.Contains(err.Error(), "no good PROXY header came from the load balancer") {
				t.Errorf("the error does not say what is missing: %v", err)
			}
			want, local := test.remote, server
			if want == "" {
				want = from.LocalAddr().String()
			}
			if got := to.RemoteAddr().String(); got != want {
				t.Errorf("remote address %s, want %s", got, want)
			}
			if test.remote == client && to.LocalAddr().String() != local {
				t.Errorf("local address %s, want %s", to.LocalAddr(), local)
			}
		})
	}
}

// version2 is a binary header from the client of the tests.
func version2(t *testing.T) string {
	return format(t, proxyproto.TCPv4, &net.TCPAddr{IP: net.IPv4(198, 51, 100, 7), Port: 4000}, &net.TCPAddr{IP: net.IPv4(203, 0, 113, 1), Port: 21})
}

// overUnix is a binary header that tells of two sockets of one machine.
func overUnix(t *testing.T) string {
	return format(t, proxyproto.UnixStream, &net.UnixAddr{Name: "a", Net: "unix"}, &net.UnixAddr{Name: "b", Net: "unix"})
}

func format(t *testing.T, transport proxyproto.AddressFamilyAndProtocol, src, dst net.Addr) string {
	t.Helper()
	h := proxyproto.Header{
		Version: 2, Command: proxyproto.PROXY, TransportProtocol: transport,
		SourceAddr: src, DestinationAddr: dst,
	}
	b, err := h.Format()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
