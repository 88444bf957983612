package interop

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

// talker is an FTP client that does one thing at a time, and just what it is
// told to: what the real clients are too polite for. Its methods return
// errors, so that several can be at work in goroutines; t's are want and must.
type talker struct {
	conn net.Conn
	in   *textproto.Reader
	from string      // the local address that data connections come from, too
	tls  *tls.Config // of private data connections; nil: they are in clear
}

// answer is a reply of the server; the lines of a longer one are joined by LF.
type answer struct {
	code int
	text string
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.code, a.text) }

// dialFrom connects from an address of 127.0.0.0/8, or from any when empty.
func dialFrom(from, addr string) (net.Conn, error) {
	d := net.Dialer{Timeout: patience}
	if from != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	return d.Dial("tcp", addr)
}

// call connects and takes the greeting, whatever it is.
func call(from, addr string) (*talker, answer, error) {
	conn, err := dialFrom(from, addr)
	if err != nil {
		return nil, answer{}, err
	}
	k := &talker{conn: conn, in: textproto.NewReader(bufio.NewReader(conn)), from: from}
	a, err := k.hear()
	if err != nil {
		conn.Close()
		return nil, a, err
	}
	return k, a, nil
}

// callAs connects and logs in, in TYPE I.
func callAs(from, addr, name, secret string) (*talker, error) {
	k, a, err := call(from, addr)
	if err == nil && a.code != 220 {
		err = fmt.Errorf("greeting: %v", a)
	}
	if err == nil {
		err = k.login(name, secret)
	}
	if err != nil && k != nil {
		k.hangUp()
	}
	return k, err
}

func (k *talker) login(name, secret string) error {
	return k.expect(
		"USER "+name, 331,
		"PASS "+secret, 230,
		"TYPE I", 200)
}

// expect asks one line after the other and wants each one's code.
func (k *talker) expect(linesAndCodes ...any) error {
	for i := 0; i < len(linesAndCodes); i += 2 {
		a, err := k.ask(linesAndCodes[i].(string))
		if err != nil {
			return err
		}
		if a.code != linesAndCodes[i+1].(int) {
			return &unexpected{linesAndCodes[i].(string), a}
		}
	}
	return nil
}

// unexpected is an answer that was not wanted.
type unexpected struct {
	line string
	answer
}

func (u *unexpected) Error() string { return fmt.Sprintf("%q was answered %v", u.line, u.answer) }

// say sends a line and does not wait for the answer.
func (k *talker) say(line string) error {
	if err := k.conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	_, err := io.WriteString(k.conn, line+"\r\n")
	return err
}

// hear waits for an answer.
func (k *talker) hear() (answer, error) {
	if err := k.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return answer{}, err
	}
	code, text, err := k.in.ReadResponse(0)
	return answer{code, text}, err
}

func (k *talker) ask(line string) (answer, error) {
	if err := k.say(line); err != nil {
		return answer{}, err
	}
	return k.hear()
}

// data makes a passive data connection.
func (k *talker) data() (net.Conn, error) {
	addr, err := k.passive()
	if err != nil {
		return nil, err
	}
	return k.reach(addr)
}

// reach connects to where a data connection is awaited. A private one makes
// its handshake when something is read or written.
func (k *talker) reach(addr string) (net.Conn, error) {
	conn, err := dialFrom(k.from, addr)
	if err != nil {
		return nil, err
	}
	if k.tls != nil {
		conn = tls.Client(strictConn{conn}, k.tls)
	}
	return conn, conn.SetDeadline(time.Now().Add(patience))
}

// passive asks where the next data connection is awaited.
func (k *talker) passive() (string, error) {
	a, err := k.ask("EPSV")
	if err != nil {
		return "", err
	}
	_, rest, _ := strings.Cut(a.text, "(|||")
	port, _, ok := strings.Cut(rest, "|)")
	if a.code != 229 || !ok {
		return "", &unexpected{"EPSV", a}
	}
	host, _, err := net.SplitHostPort(k.conn.RemoteAddr().String())
	return net.JoinHostPort(host, port), err
}

// fetch takes what a command such as RETR or NLST sends.
func (k *talker) fetch(line string) ([]byte, error) {
	conn, err := k.data()
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := k.expect(line, 150); err != nil {
		return nil, err
	}
	content, err := io.ReadAll(conn)
	if err != nil {
		return nil, err
	}
	a, err := k.hear()
	if err == nil && a.code != 226 {
		err = &unexpected{line, a}
	}
	return content, err
}

// store sends all of content; the answer is the one at the end.
func (k *talker) store(line string, content []byte) (answer, error) {
	conn, err := k.begin(line)
	if err != nil {
		return answer{}, err
	}
	// A server that will not have all of it says why in its answer.
	_, err = io.Copy(conn, bytes.NewReader(content))
	conn.Close()
	a, heard := k.hear()
	return a, errors.Join(heard, when(heard != nil, err))
}

func when(so bool, err error) error {
	if so {
		return err
	}
	return nil
}

// begin begins an upload: the data connection, and 150 has come.
func (k *talker) begin(line string) (net.Conn, error) {
	conn, err := k.data()
	if err != nil {
		return nil, err
	}
	err = k.expect(line, 150)
	if err == nil {
		err = shaken(conn)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// size asks for the SIZE of a name.
func (k *talker) size(name string) (int, error) {
	a, err := k.ask("SIZE " + name)
	if err != nil {
		return 0, err
	}
	if a.code != 213 {
		return 0, &unexpected{"SIZE " + name, a}
	}
	return strconv.Atoi(a.text)
}

// hangUp closes the control connection without a QUIT.
func (k *talker) hangUp() { k.conn.Close() }

// caller is a talker of a test: what goes wrong ends the test.
type caller struct {
	*talker
	t testing.TB
}

// phone logs in as alice from 127.0.0.1.
func phone(t testing.TB, v *server) caller {
	t.Helper()
	return phoneAs(t, v, "", user, password)
}

// phoneAs logs in from an address of 127.0.0.0/8.
func phoneAs(t testing.TB, v *server, from, name, secret string) caller {
	t.Helper()
	k, err := callAs(from, v.addr, name, secret)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.hangUp)
	return caller{k, t}
}

// want wants an answer with one of these codes.
func (l caller) want(text string, codes ...int) answer {
	l.t.Helper()
	a, err := l.ask(text)
	if err != nil {
		l.t.Fatalf("%q: %v", text, err)
	}
	for _, code := range codes {
		if a.code == code {
			return a
		}
	}
	l.t.Errorf("%q was answered %v, want %v", text, a, codes)
	return a
}

// wantStored sends all of content and wants 226.
func (l caller) wantStored(text string, content []byte) {
	l.t.Helper()
	a, err := l.store(text, content)
	if err != nil || a.code != 226 {
		l.t.Fatalf("%q of %d bytes: %v, %v", text, len(content), a, err)
	}
}

// wantFetched wants 226, and this content.
func (l caller) wantFetched(text string, content []byte) {
	l.t.Helper()
	got, err := l.fetch(text)
	if err != nil {
		l.t.Fatalf("%q: %v", text, err)
	}
	if !bytes.Equal(got, content) {
		l.t.Errorf("%q sent %d bytes, not the %d that it should", text, len(got), len(content))
	}
}
