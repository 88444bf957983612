package tls

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"ferry/internal/interop/harness"
)

// large is more than the buffers between server and client hold.
const large = 24 << 20

// TestRace5PlainOnPrivate: a client that speaks in clear, or says nothing that
// TLS would say, on a data connection that is to be private.
func TestRace5PlainOnPrivate(t *testing.T) {
	t.Parallel()
	v := harness.StartSecure(t, harness.Setup{})
	l := harness.PhoneSecure(t, v, v.Ca.Client())
	harness.WriteFile(t, v.Path("f"), harness.Noise(1, 1000))
	for _, command := range []string{"STOR g", "RETR f", "LIST", "MLSD"} {
		conn, err := l.Data()
		if err != nil {
			t.Fatal(err)
		}
		l.Want(command, 150)
		if _, err := io.WriteString(harness.Bare(conn), "all of this is in clear, and long enough for a record\n"); err != nil {
			t.Fatal(err)
		}
		if a, err := l.Hear(); err != nil || a.Code != 522 {
			t.Errorf("%s in clear was answered %v, %v", command, a, err)
		}
		harness.Bare(conn).Close()
	}
	harness.WantNoFile(t, v.Path("g"))
	l.WantStored("STOR g", harness.Noise(2, 1000))

	// The other way round: nobody answers the client's hello.
	l.Want("PROT C", 200)
	conn, err := l.Data()
	if err != nil {
		t.Fatal(err)
	}
	l.Want("STOR h", 150)
	hello := make(chan error, 1)
	go func() { hello <- harness.Shaken(conn) }()
	// What the server takes is the hello, as content; the client hangs up.
	harness.Eventually(t, "the hello has arrived", func() bool { return harness.PartBytes(t, v.Server) > 0 })
	harness.Bare(conn).Close()
	if <-hello == nil {
		t.Error("a handshake succeeded on a connection in clear")
	}
	if a, err := l.Hear(); err != nil || a.Code != 226 {
		t.Errorf("an upload in clear was answered %v, %v", a, err)
	}
}

// TestRace6CloseEarly: the client leaves in the middle, with and without
// close_notify.
func TestRace6CloseEarly(t *testing.T) {
	t.Parallel()
	v := harness.StartSecure(t, harness.Setup{})
	harness.WriteFile(t, v.Path("big"), harness.Noise(1, large))
	for name, version := range harness.Versions() {
		t.Run(name, func(t *testing.T) {
			cfg := v.Ca.Client()
			cfg.MaxVersion = version
			l := harness.PhoneSecure(t, v, cfg)
			for what, leave := range map[string]func(conn net.Conn){
				"reset":        func(conn net.Conn) { _ = harness.Bare(conn).SetLinger(0); harness.Bare(conn).Close() },
				"cut":          func(conn net.Conn) { harness.Bare(conn).Close() },
				"close_notify": func(conn net.Conn) { conn.Close() },
			} {
				conn, err := l.Begin("RETR big")
				if err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(conn, make([]byte, 100_000)); err != nil {
					t.Fatal(err)
				}
				leave(conn)
				if a, err := l.Hear(); err != nil || a.Code != 426 {
					t.Errorf("%s: a download that was given up was answered %v, %v", what, a, err)
				}
				if what == "close_notify" {
					continue // that is how an upload ends
				}
				if conn, err = l.Begin("STOR up"); err != nil {
					t.Fatal(err)
				}
				if _, err := conn.Write(harness.Noise(2, 100_000)); err != nil {
					t.Fatal(err)
				}
				leave(conn)
				if a, err := l.Hear(); err != nil || a.Code != 426 {
					t.Errorf("%s: a broken upload was answered %v, %v", what, a, err)
				}
				harness.WantNoFile(t, v.Path("up"))
			}
			l.WantStored("STOR "+name, harness.Noise(3, 1000))
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
	for name, version := range harness.Versions() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := harness.StartSecure(t, harness.Setup{})
			harness.WriteFile(t, v.Path("big"), harness.Noise(1, large))
			harness.WriteFile(t, v.Path("small"), harness.Noise(2, 100))
			for i := range 3000 { // a listing that waits for its reader
				harness.WriteFile(t, v.Path(fmt.Sprintf("d/%0200d", i)), nil)
			}
			cfg := v.Ca.Client()
			cfg.MaxVersion = version
			l := harness.PhoneSecure(t, v, cfg)
			for _, text := range []string{"ABOR", abort} {
				l.Want(text, 226) // nothing there
				if _, err := l.Passive(); err != nil {
					t.Fatal(err)
				}
				l.Want(text, 226) // a port, and nobody at it
				l.Want("RETR small", 425)
				for _, command := range []string{"RETR big", "STOR up", "APPE up", "LIST d", "MLSD d", "NLST d"} {
					abortWaiting(t, l, command, text)
					abortBeforeHandshake(t, l, command, text)
					abortInTheMiddle(t, l, command, text)
				}
				l.WantFetched("RETR small", harness.Noise(2, 100))
				l.Want(text, 226) // behind the last byte
				l.WantStored("STOR small", harness.Noise(2, 100))
				l.Want(text, 226)
				l.Want("RETR small", 425)
			}
			harness.WantNoFile(t, v.Path("up"))
			l.Want("QUIT", 221)
		})
	}
}

// abortWaiting: 150 was said, and the client has not connected.
func abortWaiting(t *testing.T, l harness.Caller, command, text string) {
	t.Helper()
	if _, err := l.Passive(); err != nil {
		t.Fatal(err)
	}
	l.Want(command, 150)
	wantAborted(t, l, command+", before it connected", text)
}

// abortBeforeHandshake: the client has connected, and not begun with TLS.
func abortBeforeHandshake(t *testing.T, l harness.Caller, command, text string) {
	t.Helper()
	conn, err := l.Data()
	if err != nil {
		t.Fatal(err)
	}
	defer harness.Bare(conn).Close()
	l.Want(command, 150)
	wantAborted(t, l, command+", before the handshake", text)
}

// abortInTheMiddle: something was carried already, and more would be.
func abortInTheMiddle(t *testing.T, l harness.Caller, command, text string) {
	t.Helper()
	conn, err := l.Begin(command)
	if err != nil {
		t.Fatal(err)
	}
	defer harness.Bare(conn).Close()
	if strings.HasSuffix(command, "up") {
		_, err = conn.Write(harness.Noise(3, 1000))
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
func wantAborted(t *testing.T, l harness.Caller, what, text string) {
	t.Helper()
	a, err := l.Ask(text)
	done := a.Code == 226 && strings.Contains(what, " d, in the middle")
	if err != nil || a.Code != 426 && !done {
		t.Errorf("%s: ABOR was answered %v, %v; want 426", what, a, err)
	}
	if a, err := l.Hear(); err != nil || a.Code != 226 {
		t.Errorf("%s: ABOR was answered %v, %v in the end; want 226", what, a, err)
	}
	l.Want("NOOP", 200)
}

// TestRace10DuringPrivateTransfer: what is said while a private transfer runs.
func TestRace10DuringPrivateTransfer(t *testing.T) {
	t.Parallel()
	v := harness.StartSecure(t, harness.Setup{Config: harness.CheapLogins})
	harness.AddUser(t, v.Server, "bob", "first-4711")
	l := harness.PhoneSecure(t, v, v.Ca.Client())
	running := func() net.Conn {
		t.Helper()
		conn, err := l.Begin("STOR up")
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
			if a, err := l.Hear(); err != nil || a.Code != code {
				t.Fatalf("heard %v, %v; want %d", a, err, code)
			}
		}
	}
	say := func(lines ...string) {
		t.Helper()
		for _, line := range lines {
			if err := l.Say(line); err != nil {
				t.Fatal(err)
			}
		}
	}

	conn := running()
	l.Want("NOOP", 200)
	l.Want("STAT", 211)
	say("EPSV", "PROT C", "PROT P", "PBSZ 0", "AUTH TLS", "CCC", "RETR up") // after it, in their turn
	end(conn)
	hear(226, 229, 200, 200, 200, 503, 534, 150)
	// Nobody comes to the port that RETR waits at.
	if a, err := l.Ask("ABOR"); err != nil || a.Code != 426 {
		t.Fatalf("ABOR was answered %v, %v", a, err)
	}
	hear(226)

	conn = running()
	say("USER bob", "PASS first-4711", "PWD")
	end(conn)
	hear(226, 331, 230, 257)
	harness.WantFile(t, v.Path("up"), []byte("half whole"))
	l.WantFetched("NLST", []byte("up\r\n")) // private still, in the same TLS session

	l.Want("USER "+harness.User, 331)
	l.Want("PASS "+harness.Password, 230)
	conn = running()
	say("REIN")
	end(conn)
	hear(226, 220)
	// TLS ends with REIN, by close_notify on both sides.
	if n, err := l.Conn.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Fatalf("REIN left TLS on: %d, %v", n, err)
	}

	l = harness.PhoneSecure(t, v, v.Ca.Client())
	conn = running()
	say("QUIT")
	end(conn)
	hear(226, 221)
	wantClosed(t, l)
	harness.WantFile(t, v.Path("up"), []byte("half whole"))
}

// TestRace15AuthTwice, and AUTH after a login, which is possible (RFC 4217 §4).
func TestRace15AuthTwice(t *testing.T) {
	t.Parallel()
	v := harness.StartSecure(t, harness.Setup{}, `require = "off"`)
	plain := harness.Phone(t, v.Server)
	plain.Want("PBSZ 0", 503)
	plain.Want("PROT P", 503)
	plain.Want("CCC", 533)
	plain.Want("AUTH TLS", 234) // and now the handshake

	l := harness.Ring(t, v, v.Ca.Client())
	l.Want("AUTH TLS", 503)
	l.Want("AUTH TLS-P", 503)
	l.Want("AUTH", 501)
	l.Want("AUTH KERBEROS_V4", 504)
	l.Want("PROT P", 503) // PBSZ comes first
	l.Want("PBSZ x", 501)
	l.Want("PBSZ 0", 200)
	l.Want("PROT S", 536)
	l.Want("PROT E", 536)
	l.Want("PROT X", 504)
	if err := l.Login(harness.User, harness.Password); err != nil {
		t.Fatal(err)
	}
	l.Want("AUTH TLS", 503)

	implicit := harness.RingImplicit(t, v, v.Ca.Client())
	implicit.Want("AUTH TLS", 503)
	if err := implicit.Login(harness.User, harness.Password); err != nil {
		t.Fatal(err)
	}
	implicit.WantStored("STOR f", harness.Noise(1, 5000)) // private without a word
	implicit.Want("PROT C", 200)
	implicit.Want("PROT P", 200)
	implicit.WantFetched("RETR f", harness.Noise(1, 5000))
}

// TestRace16CCCThenPROT: behind CCC nothing of TLS can be said any more, and
// the data connections stay what they were.
func TestRace16CCCThenPROT(t *testing.T) {
	t.Parallel()
	for name, version := range harness.Versions() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := harness.StartSecure(t, harness.Setup{}, "ccc = true", harness.Binding("enforce"))
			cfg := v.Ca.Client()
			cfg.MaxVersion = version
			l := harness.PhoneSecure(t, v, cfg)
			l.WantStored("STOR f", harness.Noise(1, 70_000))
			l.Want("CCC", 200)
			l.GoClear()
			for _, text := range []string{"PROT C", "PROT P", "PBSZ 0"} {
				l.Want(text, 503)
			}
			l.Want("CCC", 533)
			l.Want("AUTH TLS", 503)
			l.WantFetched("RETR f", harness.Noise(1, 70_000))
			l.WantStored("STOR g", harness.Noise(2, 70_000))
			l.Want("QUIT", 221)
		})
	}
}
