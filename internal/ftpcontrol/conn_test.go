package ftpcontrol

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/internal/nettest"
)

// wired is a connection in memory: the client's end, and ours.
func wired() (client *nettest.Wire, c *Conn) {
	client, server := nettest.NewWire(netip.MustParseAddrPort("192.0.2.77:40000"), netip.MustParseAddrPort("192.0.2.1:21"))
	return client, New(server)
}

func say(t *testing.T, w io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
}

// wantLine wants a line, or an error, of a read that may wait for a minute.
func wantLine(t *testing.T, c *Conn, line string, err error) {
	t.Helper()
	if got, gotErr := c.ReadLine(time.Now().Add(time.Minute)); string(got) != line || !errors.Is(gotErr, err) {
		t.Errorf("ReadLine gives %q, %v; want %q, %v", got, gotErr, line, err)
	}
}

// TestWakeComesOnce: to the read that waits, or else to the next; lines that came
// meanwhile are not lost.
func TestWakeComesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, c := wired()
		c.Wake()
		c.Wake()
		say(t, client, "NOOP\r\nHA")
		wantLine(t, c, "", ErrWoken)
		wantLine(t, c, "NOOP", nil)
		time.AfterFunc(time.Second, c.Wake)
		wantLine(t, c, "", ErrWoken) // half a line was there
		say(t, client, "LF\r\n")
		wantLine(t, c, "HALF", nil)
	})
}

// TestSilenceIsNoWake: who waits in vain is told so, however often, and a wake-up that
// comes behind the end of a wait is the next one's.
func TestSilenceIsNoWake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, c := wired()
		wantLine(t, c, "", os.ErrDeadlineExceeded)
		wantLine(t, c, "", os.ErrDeadlineExceeded)
		c.Wake()
		wantLine(t, c, "", ErrWoken)
		say(t, client, "NOOP\r\n")
		wantLine(t, c, "NOOP", nil)
	})
}

// TestWakeWithoutATimeLimit: a session whose job has no limit waits for ever, and is woken.
func TestWakeWithoutATimeLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := wired()
		time.AfterFunc(time.Hour, c.Wake)
		if _, err := c.ReadLine(time.Time{}); !errors.Is(err, ErrWoken) {
			t.Error(err)
		}
	})
}

// TestThreat33WhoMustLeaveHasASecond: a client that does not read what it is told holds
// nobody up, whether the words come before Leave or behind it.
func TestThreat33WhoMustLeaveHasASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, early := range []bool{true, false} {
			_, c := wired()
			began := time.Now()
			if early {
				c.Leave()
			} else {
				time.AfterFunc(10*time.Second, c.Leave)
				began = began.Add(10 * time.Second)
			}
			c.SendPart(strings.Repeat("200 Ok.\r\n", 100_000))
			if err := c.Flush(); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error(err)
			}
			if lasted := time.Since(began); lasted != goodbyeTime {
				t.Errorf("it had %v", lasted)
			}
		}
	})
}

// TestRefusalsOfOptions: a client that waits for them before it says its line gets them
// (RFC 1123 §4.1.2.12), and one that does not take them is noticed.
func TestRefusalsOfOptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, c := wired()
		say(t, client, "\xff\xfd\x01")
		wantLine(t, c, "", os.ErrDeadlineExceeded)
		if got, _, _ := client.Drain(); string(got) != "\xff\xfc\x01" {
			t.Errorf("the client got %q", got)
		}

		client, c = wired()
		c.SendPart(strings.Repeat("200 Ok.\r\n", 100_000))
		say(t, client, "\xff\xfd\x01")
		var unsent *UnsentError
		if _, err := c.ReadLine(time.Now().Add(time.Hour)); !errors.As(err, &unsent) || !errors.Is(unsent.Err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
	})
}

// TestCharset: names are UTF-8 on our side, and in the client's charset on its own.
func TestCharset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, c := wired()
		if err := c.UseCharset("windows-1251"); err != nil {
			t.Fatal(err)
		}
		say(t, client, "DELE \xff\r\n") // no Telnet command
		line, err := c.ReadLine(time.Time{})
		if got := c.Decode(string(line)); got != "DELE я" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		c.Send(550, "я 東")
		if err := c.Flush(); err != nil {
			t.Fatal(err)
		}
		if got, _, _ := client.Drain(); string(got) != "550 \xff ?\r\n" {
			t.Errorf("the client got %q", got)
		}
		if err := c.UseCharset("no such thing"); err == nil || c.Encoder() != nil {
			t.Error("an unknown charset is taken for one")
		}
	})
}

// TestRepliesAreGathered: until Flush nothing is written, and then all at once.
func TestRepliesAreGathered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, c := wired()
		c.Send(211, "Features:", " UTF8", "End")
		c.Send(200, "Ok.")
		if got, _, _ := client.Drain(); len(got) > 0 || c.Unsent() == 0 {
			t.Errorf("before Flush came %q", got)
		}
		if err := errors.Join(c.Flush(), c.Flush()); err != nil {
			t.Fatal(err)
		}
		if got, _, _ := client.Drain(); string(got) != "211-Features:\r\n UTF8\r\n211 End\r\n200 Ok.\r\n" {
			t.Errorf("%q", got)
		}
	})
}

// overTCP is a connection of TCP: the client's end, and ours.
func overTCP(t *testing.T) (client net.Conn, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err = net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	_ = client.SetDeadline(time.Now().Add(time.Minute))
	return client, server
}

// TestTLSBeginsAndEnds: lines go on in clear behind the end of TLS (RFC 4217 §12.3), and
// what came in clear before TLS is none of its words (threat 10).
func TestTLSBeginsAndEnds(t *testing.T) {
	client, server := overTCP(t)
	c := New(server)
	say(t, client, "AUTH TLS\r\nPASS stolen\r\nUSE")
	wantLine(t, c, "AUTH TLS", nil)
	if n := c.DropUnread(); n != len("PASS stolen\r\nUSE") {
		t.Errorf("%d bytes were dropped", n)
	}
	failed := make(chan error, 1)
	go func() {
		over := tls.Client(client, &tls.Config{InsecureSkipVerify: true})
		if _, err := io.WriteString(over, "CCC\r\n"); err != nil {
			failed <- err
			return
		}
		if _, err := io.ReadAll(over); err != nil { // to the server's close_notify
			failed <- err
			return
		}
		err := over.CloseWrite()
		_ = client.SetDeadline(time.Now().Add(time.Minute)) // crypto/tls leaves one in the past
		_, clear := io.WriteString(client, "NOOP\r\n")
		failed <- errors.Join(err, clear)
	}()
	if _, err := c.StartTLS(&tls.Config{Certificates: []tls.Certificate{nettest.Certificate(t)}}); err != nil || !c.Encrypted() {
		t.Fatal(err)
	}
	wantLine(t, c, "CCC", nil)
	if err := c.EndTLS(); err != nil || c.Encrypted() {
		t.Fatal(err)
	}
	wantLine(t, c, "NOOP", nil)
	if err := <-failed; err != nil {
		t.Error(err)
	}
	c.Send(200, "Ok.")
	c.Finish()
	server.Close()
	if got, err := io.ReadAll(client); err != nil || !bytes.Equal(got, []byte("200 Ok.\r\n")) {
		t.Errorf("%q, %v", got, err)
	}
}

// TestWakeUnderTLS: it ends no read but its own.
func TestWakeUnderTLS(t *testing.T) {
	client, server := overTCP(t)
	c := New(server)
	over := tls.Client(client, &tls.Config{InsecureSkipVerify: true})
	shaken := make(chan error, 1)
	go func() { shaken <- over.Handshake() }()
	if _, err := c.StartTLS(&tls.Config{Certificates: []tls.Certificate{nettest.Certificate(t)}}); err != nil {
		t.Fatal(err)
	}
	if err := <-shaken; err != nil {
		t.Fatal(err)
	}
	for range 3 {
		go c.Wake()
		wantLine(t, c, "", ErrWoken)
	}
	say(t, over, "NOOP\r\n")
	wantLine(t, c, "NOOP", nil)
}

// underTLS is wired, with TLS on it, in a bubble.
func underTLS(t *testing.T) (client *nettest.Wire, c *Conn) {
	t.Helper()
	client, c = wired()
	shaken := make(chan error, 1)
	go func() { shaken <- tls.Client(client, &tls.Config{InsecureSkipVerify: true}).Handshake() }()
	if _, err := c.StartTLS(&tls.Config{Certificates: []tls.Certificate{nettest.Certificate(t)}}); err != nil {
		t.Fatal(err)
	}
	if err := <-shaken; err != nil {
		t.Fatal(err)
	}
	return client, c
}

// TestThreat33WhoMustLeaveHasASecondUnderTLS, too: what TLS writes does not bring its own
// patience along.
func TestThreat33WhoMustLeaveHasASecondUnderTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := underTLS(t)
		c.Leave()
		began := time.Now()
		c.SendPart(strings.Repeat("200 Ok.\r\n", 100_000))
		c.Finish()
		if lasted := time.Since(began); lasted != goodbyeTime {
			t.Errorf("it had %v", lasted)
		}
	})
}

// TestTLSWritesAfterADeadlineHasPassed: that of the last reply does not count for what
// crypto/tls writes of its own accord later: OpenSSL's clients ask for new keys at any
// time.
func TestTLSWritesAfterADeadlineHasPassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, c := underTLS(t)
		client.Drain()
		_ = c.raw.SetWriteDeadline(time.Now().Add(-time.Hour))
		if _, err := c.wire.Write([]byte("key update")); err != nil {
			t.Error(err)
		}
		if got, _, _ := client.Drain(); string(got) != "key update" {
			t.Errorf("the client got %q", got)
		}
	})
}
