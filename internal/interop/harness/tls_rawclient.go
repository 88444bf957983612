package harness

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

// Protect makes the handshake on the control connection, and from now on cfg
// is that of data connections, too.
func (k *RawClient) Protect(cfg *tls.Config) error {
	secure := tls.Client(strictConn{k.Conn}, cfg)
	if err := secure.SetDeadline(time.Now().Add(Patience)); err != nil {
		return err
	}
	if err := secure.Handshake(); err != nil {
		return fmt.Errorf("TLS handshake: %w", err)
	}
	k.Conn, k.Tls, k.In = secure, cfg, textproto.NewReader(bufio.NewReader(secure))
	return secure.SetDeadline(time.Time{})
}

// State is the TLS of the control connection.
func (k *RawClient) State() tls.ConnectionState { return k.Conn.(*tls.Conn).ConnectionState() }

// Shaken makes the handshake on a data connection that is to have one: a
// client that has nothing to send does not make it by sending.
func Shaken(conn net.Conn) error {
	if secure, ok := conn.(*tls.Conn); ok {
		return secure.Handshake()
	}
	return nil
}

// Bare is the connection below the TLS of a client.
func Bare(conn net.Conn) *net.TCPConn {
	return conn.(*tls.Conn).NetConn().(strictConn).Conn.(*net.TCPConn)
}

// Ring connects and says AUTH TLS, without a login.
func Ring(t testing.TB, v *SecureServer, cfg *tls.Config) Caller {
	t.Helper()
	return RingFrom(t, v, "", cfg)
}

// RingFrom is ring from an address of 127.0.0.0/8.
func RingFrom(t testing.TB, v *SecureServer, from string, cfg *tls.Config) Caller {
	t.Helper()
	k, a, err := Call(from, v.Addr)
	if err != nil || a.Code != 220 {
		t.Fatalf("greeting: %v, %v", a, err)
	}
	t.Cleanup(k.HangUp)
	l := Caller{k, t}
	l.Want("AUTH TLS", 234)
	if err := k.Protect(cfg); err != nil {
		t.Fatal(err)
	}
	return l
}

// RingImplicit connects to the port where TLS comes first.
func RingImplicit(t testing.TB, v *SecureServer, cfg *tls.Config) Caller {
	t.Helper()
	conn, err := DialFrom("", v.Implicit)
	if err != nil {
		t.Fatal(err)
	}
	k := &RawClient{Conn: conn}
	t.Cleanup(k.HangUp)
	if err := k.Protect(cfg); err != nil {
		t.Fatal(err)
	}
	if a, err := k.Hear(); err != nil || a.Code != 220 {
		t.Fatalf("greeting: %v, %v", a, err)
	}
	return Caller{k, t}
}

// PhoneSecure logs in as alice, with private data connections and TYPE I.
func PhoneSecure(t testing.TB, v *SecureServer, cfg *tls.Config) Caller {
	t.Helper()
	return PhoneSecureAs(t, v, cfg, User, Password)
}

func PhoneSecureAs(t testing.TB, v *SecureServer, cfg *tls.Config, name, secret string) Caller {
	t.Helper()
	l := Ring(t, v, cfg)
	if err := l.Login(name, secret); err != nil {
		t.Fatal(err)
	}
	l.Want("PBSZ 0", 200)
	l.Want("PROT P", 200)
	return l
}

// ReadAll reads to the end of TLS.
func ReadAll(conn net.Conn) (string, error) {
	b, err := io.ReadAll(conn)
	return string(b), err
}

// GoClear goes on in clear after CCC: the server's close_notify is read, and
// ours sent.
func (l Caller) GoClear() {
	l.T.Helper()
	if n, err := l.Conn.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		l.T.Fatalf("the server did not end TLS: %d, %v", n, err)
	}
	if err := l.Conn.(*tls.Conn).CloseWrite(); err != nil {
		l.T.Fatal(err)
	}
	l.Conn = Bare(l.Conn)
	l.In = textproto.NewReader(bufio.NewReader(l.Conn))
}
