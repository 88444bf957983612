package interop

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
)

// large is more than the buffers between server and client hold.
const large = 24 << 20

// TestRace5PlainOnPrivate: a client that speaks in clear, or says nothing that
// TLS would say, on a data connection that is to be private.
func TestRace5PlainOnPrivate(t *testing.T) {
	t.Parallel()
	v := startSecure(t, setup{})
	l := phoneSecure(t, v, v.ca.client())
	writeFile(t, v.path("f"), noise(1, 1000))
	for _, command := range []string{"STOR g", "RETR f", "LIST", "MLSD"} {
		conn, err := l.data()
		if err != nil {
			t.Fatal(err)
		}
		l.want(command, 150)
		if _, err := io.WriteString(bare(conn), "all of this is in clear, and long enough for a record\n"); err != nil {
			t.Fatal(err)
		}
		if a, err := l.hear(); err != nil || a.code != 522 {
			t.Errorf("%s in clear was answered %v, %v", command, a, err)
		}
		bare(conn).Close()
	}
	wantNoFile(t, v.path("g"))
	l.wantStored("STOR g", noise(2, 1000))

	// The other way round: nobody answers the client's hello.
	l.want("PROT C", 200)
	conn, err := l.data()
	if err != nil {
		t.Fatal(err)
	}
	l.want("STOR h", 150)
	hello := make(chan error, 1)
	go func() { hello <- shaken(conn) }()
	// What the server takes is the hello, as content; the client hangs up.
	eventually(t, "the hello has arrived", func() bool { return partBytes(t, v.server) > 0 })
	bare(conn).Close()
	if <-hello == nil {
		t.Error("a handshake succeeded on a connection in clear")
	}
	if a, err := l.hear(); err != nil || a.code != 226 {
		t.Errorf("an upload in clear was answered %v, %v", a, err)
	}
}

// TestRace6CloseEarly: the client leaves in the middle, with and without
// close_notify.
func TestRace6CloseEarly(t *testing.T) {
	t.Parallel()
	v := startSecure(t, setup{})
	writeFile(t, v.path("big"), noise(1, large))
	for name, version := range versions() {
		t.Run(name, func(t *testing.T) {
			cfg := v.ca.client()
			cfg.MaxVersion = version
			l := phoneSecure(t, v, cfg)
			for what, leave := range map[string]func(conn net.Conn){
				"reset":        func(conn net.Conn) { _ = bare(conn).SetLinger(0); bare(conn).Close() },
				"cut":          func(conn net.Conn) { bare(conn).Close() },
				"close_notify": func(conn net.Conn) { conn.Close() },
			} {
				conn, err := l.begin("RETR big")
				if err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(conn, make([]byte, 100_000)); err != nil {
					t.Fatal(err)
				}
				leave(conn)
				if a, err := l.hear(); err != nil || a.code != 426 {
					t.Errorf("%s: a download that was given up was answered %v, %v", what, a, err)
				}
				if what == "close_notify" {
					continue // that is how an upload ends
				}
				if conn, err = l.begin("STOR up"); err != nil {
					t.Fatal(err)
				}
				if _, err := conn.Write(noise(2, 100_000)); err != nil {
					t.Fatal(err)
				}
				leave(conn)
				if a, err := l.hear(); err != nil || a.code != 426 {
					t.Errorf("%s: a broken upload was answered %v, %v", what, a, err)
				}
				wantNoFile(t, v.path("up"))
			}
			l.wantStored("STOR "+name, noise(3, 1000))
		})
	}
}

// abort is ABOR as old clients send it, in TLS: IAC IP IAC DM before it. There
// are no urgent data in TLS.
const abort = "\xff\xf4\xff\xf2ABOR"

// TestRace9AbortInTLS: ABOR at every stage of everything that uses a data
// connection.
func TestRace9AbortInTLS(t *testing.T) {
	t.Parallel()
	for name, version := range versions() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := startSecure(t, setup{})
			writeFile(t, v.path("big"), noise(1, large))
			writeFile(t, v.path("small"), noise(2, 100))
			for i := range 3000 { // a listing that waits for its reader
				writeFile(t, v.path(fmt.Sprintf("d/%0200d", i)), nil)
			}
			cfg := v.ca.client()
			cfg.MaxVersion = version
			l := phoneSecure(t, v, cfg)
			for _, text := range []string{"ABOR", abort} {
				l.want(text, 226) // nothing there
				if _, err := l.passive(); err != nil {
					t.Fatal(err)
				}
				l.want(text, 226) // a port, and nobody at it
				l.want("RETR small", 425)
				for _, command := range []string{"RETR big", "STOR up", "APPE up", "LIST d", "MLSD d", "NLST d"} {
					abortWaiting(t, l, command, text)
					abortBeforeHandshake(t, l, command, text)
					abortInTheMiddle(t, l, command, text)
				}
				l.wantFetched("RETR small", noise(2, 100))
				l.want(text, 226) // behind the last byte
				l.wantStored("STOR small", noise(2, 100))
				l.want(text, 226)
				l.want("RETR small", 425)
			}
			wantNoFile(t, v.path("up"))
			l.want("QUIT", 221)
		})
	}
}

// abortWaiting: 150 was said, and the client has not connected.
func abortWaiting(t *testing.T, l caller, command, text string) {
	t.Helper()
	if _, err := l.passive(); err != nil {
		t.Fatal(err)
	}
	l.want(command, 150)
	wantAborted(t, l, command+", before it connected", text)
}

// abortBeforeHandshake: the client has connected, and not begun with TLS.
func abortBeforeHandshake(t *testing.T, l caller, command, text string) {
	t.Helper()
	conn, err := l.data()
	if err != nil {
		t.Fatal(err)
	}
	defer bare(conn).Close()
	l.want(command, 150)
	wantAborted(t, l, command+", before the handshake", text)
}

// abortInTheMiddle: something was carried already, and more would be.
func abortInTheMiddle(t *testing.T, l caller, command, text string) {
	t.Helper()
	conn, err := l.begin(command)
	if err != nil {
		t.Fatal(err)
	}
	defer bare(conn).Close()
	if strings.HasSuffix(command, "up") {
		_, err = conn.Write(noise(3, 1000))
	} else {
		_, err = conn.Read(make([]byte, 1))
	}
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	wantAborted(t, l, command+", in the middle", text)
}

// wantAborted aborts: 426 for the transfer and 226 for the abort, and the
// session goes on. A listing may have been sent before the abort arrived.
func wantAborted(t *testing.T, l caller, what, text string) {
	t.Helper()
	a, err := l.ask(text)
	done := a.code == 226 && strings.Contains(what, " d, in the middle")
	if err != nil || a.code != 426 && !done {
		t.Errorf("%s: ABOR was answered %v, %v; want 426", what, a, err)
	}
	if a, err := l.hear(); err != nil || a.code != 226 {
		t.Errorf("%s: ABOR was answered %v, %v in the end; want 226", what, a, err)
	}
	l.want("NOOP", 200)
}

// TestRace10DuringPrivateTransfer: what is said while a private transfer runs.
func TestRace10DuringPrivateTransfer(t *testing.T) {
	t.Parallel()
	v := startSecure(t, setup{config: cheapLogins})
	addUser(t, v.server, "bob", "first-4711")
	l := phoneSecure(t, v, v.ca.client())
	running := func() net.Conn {
		t.Helper()
		conn, err := l.begin("STOR up")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte("half ")); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	end := func(conn net.Conn) {
		t.Helper()
		if _, err := conn.Write([]byte("whole")); err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
	hear := func(codes ...int) {
		t.Helper()
		for _, code := range codes {
			if a, err := l.hear(); err != nil || a.code != code {
				t.Fatalf("heard %v, %v; want %d", a, err, code)
			}
		}
	}
	say := func(lines ...string) {
		t.Helper()
		for _, line := range lines {
			if err := l.say(line); err != nil {
				t.Fatal(err)
			}
		}
	}

	conn := running()
	l.want("NOOP", 200)
	l.want("STAT", 211)
	say("EPSV", "PROT C", "PROT P", "PBSZ 0", "AUTH TLS", "CCC", "RETR up") // after it, in their turn
	end(conn)
	hear(226, 229, 200, 200, 200, 503, 534, 150)
	// Nobody comes to the port that RETR waits at.
	if a, err := l.ask("ABOR"); err != nil || a.code != 426 {
		t.Fatalf("ABOR was answered %v, %v", a, err)
	}
	hear(226)

	conn = running()
	say("USER bob", "PASS first-4711", "PWD")
	end(conn)
	hear(226, 331, 230, 257)
	wantFile(t, v.path("up"), []byte("half whole"))
	l.wantFetched("NLST", []byte("up\r\n")) // private still, in the same TLS session

	l.want("USER "+user, 331)
	l.want("PASS "+password, 230)
	conn = running()
	say("REIN")
	end(conn)
	hear(226, 220)
	// TLS ends with REIN, by close_notify on both sides.
	if n, err := l.conn.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Fatalf("REIN left TLS on: %d, %v", n, err)
	}

	l = phoneSecure(t, v, v.ca.client())
	conn = running()
	say("QUIT")
	end(conn)
	hear(226, 221)
	wantClosed(t, l)
	wantFile(t, v.path("up"), []byte("half whole"))
}

// TestRace15AuthTwice, and where AUTH comes too late.
func TestRace15AuthTwice(t *testing.T) {
	t.Parallel()
	v := startSecure(t, setup{}, `require = "off"`)
	plain := phone(t, v.server)
	plain.want("AUTH TLS", 503)
	plain.want("PBSZ 0", 503)
	plain.want("PROT P", 503)
	plain.want("CCC", 533)

	l := ring(t, v, v.ca.client())
	l.want("AUTH TLS", 503)
	l.want("AUTH TLS-P", 503)
	l.want("AUTH", 501)
	l.want("AUTH KERBEROS_V4", 504)
	l.want("PROT P", 503) // PBSZ comes first
	l.want("PBSZ x", 501)
	l.want("PBSZ 0", 200)
	l.want("PROT S", 536)
	l.want("PROT E", 536)
	l.want("PROT X", 504)
	if err := l.login(user, password); err != nil {
		t.Fatal(err)
	}
	l.want("AUTH TLS", 503)

	implicit := ringImplicit(t, v, v.ca.client())
	implicit.want("AUTH TLS", 503)
	if err := implicit.login(user, password); err != nil {
		t.Fatal(err)
	}
	implicit.wantStored("STOR f", noise(1, 5000)) // private without a word
	implicit.want("PROT C", 200)
	implicit.want("PROT P", 200)
	implicit.wantFetched("RETR f", noise(1, 5000))
}

// TestRace16CCCThenPROT: behind CCC nothing of TLS can be said any more, and
// the data connections stay what they were.
func TestRace16CCCThenPROT(t *testing.T) {
	t.Parallel()
	for name, version := range versions() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := startSecure(t, setup{}, "ccc = true", binding("enforce"))
			cfg := v.ca.client()
			cfg.MaxVersion = version
			l := phoneSecure(t, v, cfg)
			l.wantStored("STOR f", noise(1, 70_000))
			l.want("CCC", 200)
			l.goClear()
			for _, text := range []string{"PROT C", "PROT P", "PBSZ 0"} {
				l.want(text, 503)
			}
			l.want("CCC", 533)
			l.want("AUTH TLS", 503)
			l.wantFetched("RETR f", noise(1, 70_000))
			l.wantStored("STOR g", noise(2, 70_000))
			l.want("QUIT", 221)
		})
	}
}
