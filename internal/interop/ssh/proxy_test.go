package ssh

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"ferry/internal/interop/harness"
)

// via is a load balancer: it connects from 127.0.0.1 and begins with header.
func via(addr, header string) (net.Conn, error) {
	conn, err := harness.DialFrom("", addr)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(harness.Patience)); err != nil {
		conn.Close()
		return nil, err
	}
	_, err = io.WriteString(conn, header)
	return conn, err
}

// proxyText is the header of version 1 for a client at that address.
func proxyText(client string) string {
	family := "TCP4"
	server := "203.0.113.1"
	if netip.MustParseAddr(client).Is6() {
		family, server = "TCP6", "2001:db8::1"
	}
	return fmt.Sprintf("PROXY %s %s %s 4000 22\r\n", family, client, server)
}

// proxyBinary is that of version 2.
func proxyBinary(client string) string {
	a := netip.MustParseAddr(client)
	server, family := netip.MustParseAddr("203.0.113.1"), byte(0x11)
	if a.Is6() {
		server, family = netip.MustParseAddr("2001:db8::1"), 0x21
	}
	addresses := append(a.AsSlice(), server.AsSlice()...)
	b := append([]byte("\r\n\r\n\x00\r\nQUIT\n\x21"), family)
	b = binary.BigEndian.AppendUint16(b, uint16(len(addresses)+4))
	b = append(b, addresses...)
	b = binary.BigEndian.AppendUint16(b, 4000)
	return string(binary.BigEndian.AppendUint16(b, 22))
}

// door is one way into a server, behind a load balancer.
type door struct {
	name, addr string
	// login tries a password, and gives the connection where it was right, and
	// otherwise what the server said.
	login func(conn net.Conn, secret string) (io.Closer, error)
}

func doorsOf(v *secure) []door {
	return []door{
		{"ftp", v.Addr, func(conn net.Conn, secret string) (io.Closer, error) {
			k := &harness.RawClient{Conn: conn, In: textproto.NewReader(bufio.NewReader(conn))}
			a, err := k.Hear()
			if err == nil && a.Code != 220 {
				err = harness.NotWanted(a)
			}
			if err == nil {
				err = k.Login(harness.User, secret)
			}
			return conn, err
		}},
		{"sftp", "127.0.0.1:" + v.sshPort, func(conn net.Conn, secret string) (io.Closer, error) {
			heard := &overheard{Conn: conn}
			c, channels, requests, err := ssh.NewClientConn(heard, "", &ssh.ClientConfig{
				User: harness.User, Auth: []ssh.AuthMethod{ssh.Password(secret)}, HostKeyCallback: ssh.InsecureIgnoreHostKey(),
			})
			if err != nil {
				return conn, fmt.Errorf("%w, after %q", err, heard.first)
			}
			return ssh.NewClient(c, channels, requests), nil
		}},
	}
}

// overheard keeps the beginning of what is read: what a server says before the
// version of the protocol, which the library leaves out.
type overheard struct {
	net.Conn
	first []byte
}

func (o *overheard) Read(p []byte) (int, error) {
	n, err := o.Conn.Read(p)
	if len(o.first) < 200 {
		o.first = append(o.first, p[:n]...)
	}
	return n, err
}

// TestProxied: behind a load balancer that sends PROXY headers, the client's
// own address is in the log, counts for the limits, and is shut out; whichever
// the protocol.
func TestProxied(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{Config: harness.CheapLogins + `
[ftp]
proxy_from = ["127.0.0.1/32"]
[sftp]
proxy_from = ["127.0.0.1/32"]
[limits]
per_address = 1
fail_delay = "0s"
ban_after = 2
`})
	for i, d := range doorsOf(v) {
		t.Run(d.name, func(t *testing.T) {
			in := func(header, secret string) (io.Closer, error) {
				t.Helper()
				conn, err := via(d.addr, header)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { conn.Close() })
				return d.login(conn, secret)
			}
			gone := func(client string, times int) {
				t.Helper()
				harness.Eventually(t, client+" is known to have gone", func() bool {
					return harness.Lines(v.Log.String(), "msg=disconnect ", " protocol="+d.name+" ", "peer="+client+":4000") == times
				})
			}
			// Both versions, both families: four clients at once.
			for j, header := range []func(string) string{proxyText, proxyBinary} {
				four, six := fmt.Sprintf("198.51.100.%d", 10*i+j), fmt.Sprintf("2001:db8:%d:%d::7", i, j)
				for _, client := range []string{four, six} {
					if _, err := in(header(client), harness.Password); err != nil {
						t.Fatalf("%q: %v", header(client), err)
					}
					v.Log.Wait(t, fmt.Sprintf("protocol=%s peer=%v user=%s", d.name, netip.AddrPortFrom(netip.MustParseAddr(client), 4000), harness.User), v.Ended)
					if _, err := in(header(client), harness.Password); err == nil || !strings.Contains(err.Error(), "oo many connections from this address") {
						t.Errorf("a second connection of %s: %v", client, err)
					}
				}
			}
			// Who guesses is shut out, but not the balancer nor anybody behind it.
			guesser, honest := fmt.Sprintf("198.51.100.%d", 10*i+5), fmt.Sprintf("198.51.100.%d", 10*i+6)
			for try := range 2 {
				if c, err := in(proxyText(guesser), "wrong"); err == nil {
					t.Error("in by a wrong password")
				} else {
					c.Close()
				}
				gone(guesser, try+1)
			}
			if _, err := in(proxyText(guesser), harness.Password); err == nil || !strings.Contains(err.Error(), "oo many failed logins from this address") {
				t.Errorf("an address that is shut out: %v", err)
			}
			if _, err := in(proxyText(honest), harness.Password); err != nil {
				t.Errorf("another client of the balancer's: %v", err)
			}
		})
	}
}

// TestProxyHeaders: from a balancer a good header must come, and from nobody
// else is one believed.
func TestProxyHeaders(t *testing.T) {
	t.Parallel()
	const client = "198.51.100.7"
	for trusted, cases := range map[string][]struct {
		name, header string
		in           map[string]bool // by protocol
		log          string          // what is in the log
	}{
		"127.0.0.1/32": {
			{"none", "NOOP\r\n", nil, "no good PROXY header came from the load balancer"},
			{"an incomplete one", "PROXY TCP4 198.51.100.7 203.0.113.1 4000\r\n", nil, "no good PROXY header came from the load balancer"},
			{"that of a health check", "PROXY UNKNOWN\r\n", map[string]bool{"ftp": true, "sftp": true}, "peer=127.0.0.1:"},
		},
		// What FTP takes for a command, SSH leaves out before the version.
		"192.0.2.0/24": {
			{"one from elsewhere", proxyText(client), map[string]bool{"sftp": true}, "peer=127.0.0.1:"},
			{"a binary one from elsewhere", proxyBinary(client), nil, "peer=127.0.0.1:"},
		},
	} {
		v := startSSH(t, harness.Setup{Config: harness.CheapLogins + fmt.Sprintf("[ftp]\nproxy_from = [%q]\n[sftp]\nproxy_from = [%[1]q]\n", trusted)})
		for _, c := range cases {
			for _, d := range doorsOf(v) {
				before := len(v.Log.String())
				conn, err := via(d.addr, c.header)
				if err != nil {
					t.Fatal(err)
				}
				in, err := d.login(conn, harness.Password)
				if (err == nil) != c.in[d.name] {
					t.Errorf("%s, %s: %v, want in: %v", d.name, c.name, err, c.in[d.name])
				}
				in.Close()
				v.Log.WaitFrom(t, before, c.log, v.Ended)
			}
		}
		if text := v.Log.String(); strings.Contains(text, client) {
			t.Errorf("the address that was made up is believed:\n%s", text)
		}
	}
}
