package interop

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"testing"
	"time"
)

// errTruncated is what a client sees that takes an end of the connection for
// no end of TLS, as RFC 8446 §6.1 says, and as clients with GnuTLS do.
var errTruncated = errors.New("the connection ended without close_notify")

// strictConn is a transport whose end is an error. crypto/tls by itself is
// content with an end between two records.
type strictConn struct{ net.Conn }

func (s strictConn) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p)
	if err == io.EOF {
		err = errTruncated
	}
	return n, err
}

// protect makes the handshake on the control connection, and from now on cfg
// is that of data connections, too.
func (k *talker) protect(cfg *tls.Config) error {
	secure := tls.Client(strictConn{k.conn}, cfg)
	if err := secure.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if err := secure.Handshake(); err != nil {
		return fmt.Errorf("TLS handshake: %w", err)
	}
	k.conn, k.tls, k.in = secure, cfg, textproto.NewReader(bufio.NewReader(secure))
	return secure.SetDeadline(time.Time{})
}

// state is the TLS of the control connection.
func (k *talker) state() tls.ConnectionState { return k.conn.(*tls.Conn).ConnectionState() }

// shaken makes the handshake on a data connection that is to have one: a
// client that has nothing to send does not make it by sending.
func shaken(conn net.Conn) error {
	if secure, ok := conn.(*tls.Conn); ok {
		return secure.Handshake()
	}
	return nil
}

// bare is the connection below the TLS of a client.
func bare(conn net.Conn) *net.TCPConn {
	return conn.(*tls.Conn).NetConn().(strictConn).Conn.(*net.TCPConn)
}

// ring connects and says AUTH TLS, without a login.
func ring(t testing.TB, v *secureServer, cfg *tls.Config) caller {
	t.Helper()
	return ringFrom(t, v, "", cfg)
}

// ringFrom is ring from an address of 127.0.0.0/8.
func ringFrom(t testing.TB, v *secureServer, from string, cfg *tls.Config) caller {
	t.Helper()
	k, a, err := call(from, v.addr)
	if err != nil || a.code != 220 {
		t.Fatalf("greeting: %v, %v", a, err)
	}
	t.Cleanup(k.hangUp)
	l := caller{k, t}
	l.want("AUTH TLS", 234)
	if err := k.protect(cfg); err != nil {
		t.Fatal(err)
	}
	return l
}

// ringImplicit connects to the port where TLS comes first.
func ringImplicit(t testing.TB, v *secureServer, cfg *tls.Config) caller {
	t.Helper()
	conn, err := dialFrom("", v.implicit)
	if err != nil {
		t.Fatal(err)
	}
	k := &talker{conn: conn}
	t.Cleanup(k.hangUp)
	if err := k.protect(cfg); err != nil {
		t.Fatal(err)
	}
	if a, err := k.hear(); err != nil || a.code != 220 {
		t.Fatalf("greeting: %v, %v", a, err)
	}
	return caller{k, t}
}

// phoneSecure logs in as alice, with private data connections and TYPE I.
func phoneSecure(t testing.TB, v *secureServer, cfg *tls.Config) caller {
	t.Helper()
	return phoneSecureAs(t, v, cfg, user, password)
}

func phoneSecureAs(t testing.TB, v *secureServer, cfg *tls.Config, name, secret string) caller {
	t.Helper()
	l := ring(t, v, cfg)
	if err := l.login(name, secret); err != nil {
		t.Fatal(err)
	}
	l.want("PBSZ 0", 200)
	l.want("PROT P", 200)
	return l
}

// readAll reads to the end of TLS.
func readAll(conn net.Conn) (string, error) {
	b, err := io.ReadAll(conn)
	return string(b), err
}

// goClear goes on in clear after CCC: the server's close_notify is read, and
// ours sent.
func (l caller) goClear() {
	l.t.Helper()
	if n, err := l.conn.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		l.t.Fatalf("the server did not end TLS: %d, %v", n, err)
	}
	if err := l.conn.(*tls.Conn).CloseWrite(); err != nil {
		l.t.Fatal(err)
	}
	l.conn = bare(l.conn)
	l.in = textproto.NewReader(bufio.NewReader(l.conn))
}
