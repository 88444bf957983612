package harness

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"testing"
	"time"
)

// RawClient is an FTP client that does one thing at a time, and just what it is
// told to: what the real clients are too polite for. Its methods return
// errors, so that several can be at work in goroutines; t's are want and must.
type RawClient struct {
	Conn net.Conn
	In   *textproto.Reader
	from string      // the local address that data connections come from, too
	Tls  *tls.Config // of private data connections; nil: they are in clear
}

// answer is a reply of the server; the lines of a longer one are joined by LF.
type answer struct {
	Code int
	Text string
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.Code, a.Text) }

// DialFrom connects from an address of 127.0.0.0/8, or from any when empty.
func DialFrom(from, addr string) (net.Conn, error) {
	d := net.Dialer{Timeout: Patience}
	if from != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	return d.Dial("tcp", addr)
}

// Call connects and takes the greeting, whatever it is.
func Call(from, addr string) (*RawClient, answer, error) {
	conn, err := DialFrom(from, addr)
	if err != nil {
		return nil, answer{}, err
	}
	k := &RawClient{Conn: conn, In: textproto.NewReader(bufio.NewReader(conn)), from: from}
	a, err := k.Hear()
	if err != nil {
		conn.Close()
		return nil, a, err
	}
	return k, a, nil
}

// callAs connects and logs in, in TYPE I.
func callAs(from, addr, name, secret string) (*RawClient, error) {
	k, a, err := Call(from, addr)
	if err == nil && a.Code != 220 {
		err = fmt.Errorf("greeting: %v", a)
	}
	if err == nil {
		err = k.Login(name, secret)
	}
	if err != nil && k != nil {
		k.HangUp()
	}
	return k, err
}

func (k *RawClient) Login(name, secret string) error {
	return k.Expect(
		"USER "+name, 331,
		"PASS "+secret, 230,
		"TYPE I", 200)
}

// Expect asks one line after the other and wants each one's code.
func (k *RawClient) Expect(linesAndCodes ...any) error {
	for i := 0; i < len(linesAndCodes); i += 2 {
		a, err := k.Ask(linesAndCodes[i].(string))
		if err != nil {
			return err
		}
		if a.Code != linesAndCodes[i+1].(int) {
			return &Unexpected{linesAndCodes[i].(string), a}
		}
	}
	return nil
}

// Unexpected is an answer that was not wanted.
type Unexpected struct {
	Line string
	answer
}

func (u *Unexpected) Error() string { return fmt.Sprintf("%q was answered %v", u.Line, u.answer) }

// Say sends a line and does not wait for the answer.
func (k *RawClient) Say(line string) error {
	if err := k.Conn.SetWriteDeadline(time.Now().Add(Patience)); err != nil {
		return err
	}
	_, err := io.WriteString(k.Conn, line+"\r\n")
	return err
}

// Hear waits for an answer.
func (k *RawClient) Hear() (answer, error) {
	if err := k.Conn.SetReadDeadline(time.Now().Add(Patience)); err != nil {
		return answer{}, err
	}
	code, text, err := k.In.ReadResponse(0)
	return answer{code, text}, err
}

func (k *RawClient) Ask(line string) (answer, error) {
	if err := k.Say(line); err != nil {
		return answer{}, err
	}
	return k.Hear()
}

// Data makes a passive data connection.
func (k *RawClient) Data() (net.Conn, error) {
	addr, err := k.Passive()
	if err != nil {
		return nil, err
	}
	return k.Reach(addr)
}

// Reach connects to where a data connection is awaited. A private one makes
// its handshake when something is read or written.
func (k *RawClient) Reach(addr string) (net.Conn, error) {
	conn, err := DialFrom(k.from, addr)
	if err != nil {
		return nil, err
	}
	if k.Tls != nil {
		conn = tls.Client(strictConn{conn}, k.Tls)
	}
	return conn, conn.SetDeadline(time.Now().Add(Patience))
}

// Passive asks where the next data connection is awaited.
func (k *RawClient) Passive() (string, error) {
	a, err := k.Ask("EPSV")
	if err != nil {
		return "", err
	}
	_, rest, _ := strings.Cut(a.Text, "(|||")
	port, _, ok := strings.Cut(rest, "|)")
	if a.Code != 229 || !ok {
		return "", &Unexpected{"EPSV", a}
	}
	host, _, err := net.SplitHostPort(k.Conn.RemoteAddr().String())
	return net.JoinHostPort(host, port), err
}

// Fetch takes what a command such as RETR or NLST sends.
func (k *RawClient) Fetch(line string) ([]byte, error) {
	conn, err := k.Data()
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := k.Expect(line, 150); err != nil {
		return nil, err
	}
	content, err := io.ReadAll(conn)
	if err != nil {
		return nil, err
	}
	a, err := k.Hear()
	if err == nil && a.Code != 226 {
		err = &Unexpected{line, a}
	}
	return content, err
}

// Store sends all of content; the answer is the one at the end.
func (k *RawClient) Store(line string, content []byte) (answer, error) {
	conn, err := k.Begin(line)
	if err != nil {
		return answer{}, err
	}
	// A server that will not have all of it says why in its answer.
	_, err = io.Copy(conn, bytes.NewReader(content))
	conn.Close()
	a, heard := k.Hear()
	return a, errors.Join(heard, when(heard != nil, err))
}

func when(so bool, err error) error {
	if so {
		return err
	}
	return nil
}

// Begin begins an upload: the data connection, and 150 has come.
func (k *RawClient) Begin(line string) (net.Conn, error) {
	conn, err := k.Data()
	if err != nil {
		return nil, err
	}
	err = k.Expect(line, 150)
	if err == nil {
		err = Shaken(conn)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// Size asks for the SIZE of a name.
func (k *RawClient) Size(name string) (int, error) {
	a, err := k.Ask("SIZE " + name)
	if err != nil {
		return 0, err
	}
	if a.Code != 213 {
		return 0, &Unexpected{"SIZE " + name, a}
	}
	return strconv.Atoi(a.Text)
}

// HangUp closes the control connection without a QUIT.
func (k *RawClient) HangUp() { k.Conn.Close() }

// Caller is a talker of a test: what goes wrong ends the test.
type Caller struct {
	*RawClient
	T testing.TB
}

// Phone logs in as alice from 127.0.0.1.
func Phone(t testing.TB, v *Server) Caller {
	t.Helper()
	return PhoneAs(t, v, "", User, Password)
}

// PhoneAs logs in from an address of 127.0.0.0/8.
func PhoneAs(t testing.TB, v *Server, from, name, secret string) Caller {
	t.Helper()
	k, err := callAs(from, v.Addr, name, secret)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.HangUp)
	return Caller{k, t}
}

// Want wants an answer with one of these codes.
func (l Caller) Want(text string, codes ...int) answer {
	l.T.Helper()
	a, err := l.Ask(text)
	if err != nil {
		l.T.Fatalf("%q: %v", text, err)
	}
	for _, code := range codes {
		if a.Code == code {
			return a
		}
	}
	l.T.Errorf("%q was answered %v, want %v", text, a, codes)
	return a
}

// WantStored sends all of content and wants 226.
func (l Caller) WantStored(text string, content []byte) {
	l.T.Helper()
	a, err := l.Store(text, content)
	if err != nil || a.Code != 226 {
		l.T.Fatalf("%q of %d bytes: %v, %v", text, len(content), a, err)
	}
}

// WantFetched wants 226, and this content.
func (l Caller) WantFetched(text string, content []byte) {
	l.T.Helper()
	got, err := l.Fetch(text)
	if err != nil {
		l.T.Fatalf("%q: %v", text, err)
	}
	if !bytes.Equal(got, content) {
		l.T.Errorf("%q sent %d bytes, not the %d that it should", text, len(got), len(content))
	}
}

// NotWanted is the error that answer a is to nothing that was said.
func NotWanted(a answer) error { return &Unexpected{answer: a} }
