package sshserver

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"

	"ferry"
	"ferry/internal/gate"
	"ferry/internal/sftptest"
	"ferry/internal/sftpwire"
)

// heard is what a client was told beside the protocol.
type heard struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.Write(p)
}

func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.String()
}

// duplex is standard input and output of a program as one stream.
type duplex struct {
	io.Reader
	io.WriteCloser
}

// sftp begins the subsystem on a connection; what comes on standard error is
// heard.
func (h *harbour) sftp(client *ssh.Client) (*sftptest.Peer, *heard) {
	h.t.Helper()
	s, in := newProgram(h.t, client)
	out, err := s.StdoutPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	errs, err := s.StderrPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	if err := s.RequestSubsystem("sftp"); err != nil {
		h.t.Fatal(err)
	}
	said := new(heard)
	go func() { _, _ = io.Copy(said, errs) }()
	return sftptest.NewPeer(h.t, duplex{out, in}, nil), said
}

// TestSentAway: who is not let in is told so by a DISCONNECT with FTP's words.
func TestSentAway(t *testing.T) {
	for _, test := range []struct {
		name   string
		limits gate.Limits
		before func(h *harbour)
		reason string
		cause  error // in the event; nil: there is none
	}{
		{"the address has its connections", gate.Limits{PerAddress: 1}, func(h *harbour) { h.enter() },
			`reason 12: "Too many connections from this address; close one or try again later."`, ferry.ErrAddressFull},
		{"the server is full", gate.Limits{Sessions: 1}, func(h *harbour) { h.enter() },
			`reason 12: "Too many connections; try again later."`, ferry.ErrServerFull},
		{"the address is shut out", gate.Limits{BanAfter: 1}, func(h *harbour) { _, _ = h.knock("alice", ssh.Password("x")); h.srv.end.Wait() },
			`reason 1: "Too many failed logins from this address; try again later."`, ferry.ErrBanned},
		{"the server is shutting down", gate.Limits{}, func(h *harbour) { _ = h.srv.Shutdown(h.t.Context()) },
			`reason 7: "The server is shutting down; try again later."`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHarbour(t)
			h.limits = test.limits
			h.limits.FailDelay, h.limits.MaxFails = -1, 1
			h.Open()
			test.before(h)
			_, err := h.knock("alice", ssh.Password("s3cret"))
			if err == nil || !strings.Contains(err.Error(), test.reason) {
				t.Errorf("the client was told %v, want %s", err, test.reason)
			}
			told := h.events(ferry.EventRefused)
			if test.cause != nil && (len(told) != 1 || !errors.Is(told[0].Err, test.cause) || told[0].Protocol != "sftp") {
				t.Errorf("told: %v, want %v", told, test.cause)
			}
		})
	}
}

// TestThreat33SentAwayInTime: who is sent away and does not go, or says a lot
// instead, is not listened to for long.
func TestThreat33SentAwayInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarbour(t)
		h.limits.Sessions = 1
		h.Open().enter()
		near, far := newWire()
		defer near.Close()
		begin := time.Now()
		h.srv.Handle(far)
		if d := time.Since(begin); d != time.Second {
			t.Errorf("it took %v", d)
		}
	})
}

// TestThreat33WhoDoesNotLogInGivesWay: to a connection that came later, at once, be it
// that it says nothing or that somebody looks for a password.
func TestThreat33WhoDoesNotLogInGivesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarbour(t)
		h.limits.Sessions = 2
		h.Open()
		near, far := newWire()
		defer near.Close()
		silent := make(chan struct{})
		go func() { h.srv.Handle(far); close(silent) }()
		synctest.Wait()
		found, looking := make(chan struct{}), make(chan error)
		go func() {
			_, err := h.knock("alice", ssh.PasswordCallback(func() (string, error) { <-found; return "s3cret", nil }))
			looking <- err
		}()
		synctest.Wait()
		begin := time.Now()
		h.enter()
		<-silent
		h.enter()
		synctest.Wait()
		if took := time.Since(begin); took > 0 {
			t.Errorf("they went after %v", took)
		}
		close(found)
		if err := <-looking; err == nil {
			t.Error("who was looking for a password is in")
		}
		gone := h.events(ferry.EventDisconnect)
		if len(gone) != 2 || !errors.Is(gone[0].Err, ferry.ErrCrowded) || !errors.Is(gone[1].Err, ferry.ErrCrowded) {
			t.Errorf("told: %v", gone)
		}
	})
}

// TestThreat33FewAreToldWhy: however many are sent away at once, so many connections are
// kept open to tell why.
func TestThreat33FewAreToldWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarbour(t)
		h.limits.Sessions = 1
		h.Open().enter()
		var open atomic.Int32
		for range 3 * maxRefusals {
			near, far := newWire()
			defer near.Close()
			open.Add(1)
			go func() { h.srv.Handle(far); open.Add(-1) }()
		}
		synctest.Wait()
		if n := open.Load(); n > maxRefusals {
			t.Errorf("%d are being told", n)
		}
		time.Sleep(farewellTime)
	})
}

func TestBanner(t *testing.T) {
	h := newHarbour(t)
	h.cfg.Banner = "Authorised use only."
	h.Open()
	said := ""
	if _, err := h.knockWith(&ssh.ClientConfig{User: "alice", Auth: []ssh.AuthMethod{ssh.Password("s3cret")},
		BannerCallback: func(m string) error { said += m; return nil }}); err != nil {
		t.Fatal(err)
	}
	if said != "Authorised use only.\n" {
		t.Errorf("the banner was %q", said)
	}
}

// TestLateLogin: who takes too long for the password is out, as who says
// nothing at all (TestNoLoginInTime).
func TestLateLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarbour(t).Open()
		begin := time.Now()
		_, err := h.knock("alice", ssh.PasswordCallback(func() (string, error) {
			time.Sleep(2 * time.Minute) // somebody looks for the password
			return "s3cret", nil
		}))
		if err == nil {
			t.Error("in")
		}
		synctest.Wait()
		gone := h.events(ferry.EventDisconnect)
		if len(gone) != 1 || !errors.Is(gone[0].Err, errLate) || gone[0].Time.Sub(begin) != time.Minute {
			t.Errorf("told: %v", gone)
		}
	})
}

// TestUserFull: a user's sessions are counted at the login, and the client is
// told.
func TestUserFull(t *testing.T) {
	h := newHarbour(t)
	h.users["alice"] = holder{password: "s3cret", sessions: 1}
	h.Open().enter()
	said := ""
	if _, err := h.knockWith(&ssh.ClientConfig{User: "alice", Auth: []ssh.AuthMethod{ssh.Password("s3cret")},
		BannerCallback: func(m string) error { said += m; return nil }}); err == nil {
		t.Error("in, a second time")
	}
	if said != "Too many sessions for this user; close one or try again later.\n" {
		t.Errorf("the client was told %q", said)
	}
	if failed := h.events(ferry.EventLoginFailed); len(failed) != 1 || !errors.Is(failed[0].Err, ferry.ErrUserFull) {
		t.Errorf("told: %v", failed)
	}
}

// TestLastWords: a client hears why its connection ends, on the standard error
// of its program.
func TestLastWords(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(h *harbour)
		want string
	}{
		{"kicked", func(h *harbour) { h.gate.Kick(func(gate.SessionInfo) bool { return true }, nil) }, "Session ended by the administrator.\r\n"},
		{"idle", func(*harbour) {}, "Nothing was done here for too long; closing the connection.\r\n"},
		{"shutdown", func(h *harbour) { _ = h.srv.Shutdown(context.Background()) }, "The server is shutting down; try again later.\r\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarbour(t)
				h.t = t
				h.cfg.IdleTimeout = time.Hour
				client := h.Open().enter()
				_, said := h.sftp(client)
				synctest.Wait()
				test.end(h)
				_ = client.Wait()
				synctest.Wait()
				if said.String() != test.want {
					t.Errorf("the client was told %q, want %q", said, test.want)
				}
			})
		})
	}
}

// TestLastWordsToTheDeaf: a client that takes nothing is not waited for.
func TestLastWordsToTheDeaf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarbour(t).Open()
		client := h.enter()
		channel, requests, err := client.OpenChannel("session", nil)
		if err != nil {
			t.Fatal(err)
		}
		go ssh.DiscardRequests(requests)
		if ok, err := channel.SendRequest("exec", true, ssh.Marshal(struct{ Command string }{"scp -f /big"})); !ok || err != nil {
			t.Fatal(ok, err)
		}
		h.Put("/big", strings.Repeat("x", 8<<20))
		send(t, channel, "\x00\x00\x00") // and then read nothing
		synctest.Wait()
		begin := time.Now()
		h.gate.Kick(func(gate.SessionInfo) bool { return true }, nil)
		h.srv.end.Wait()
		if d := time.Since(begin); d > farewellTime {
			t.Errorf("the connection ended after %v", d)
		}
	})
}

// TestShutdownEndsSFTP: what is open may be finished, its CLOSE is answered,
// and the session ends at that moment.
func TestShutdownEndsSFTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarbour(t).Open()
		client := h.enter()
		p, _ := h.sftp(client)
		one, two := p.Open("/one", sftptest.Wr|sftptest.Creat|sftptest.Trunc), p.Open("/two", sftptest.Wr|sftptest.Creat|sftptest.Trunc)
		begin := time.Now()
		ended := make(chan error, 1)
		go func() { ended <- h.srv.Shutdown(context.Background()) }()
		synctest.Wait()
		if _, err := client.NewSession(); err == nil {
			t.Error("another program was started")
		}
		time.Sleep(time.Minute)
		p.Want(sftpwire.OK, &sftpwire.Write{Handle: one, Data: []byte("1")}, &sftpwire.Close{Handle: one},
			&sftpwire.Write{Handle: two, Data: []byte("2")}, &sftpwire.Close{Handle: two})
		if err := <-ended; err != nil || time.Since(begin) > time.Minute+farewellTime {
			t.Errorf("Shutdown took %v: %v", time.Since(begin), err)
		}
		if one, two := h.content("/one"), h.content("/two"); one != "1" || two != "2" {
			t.Errorf("the files are %q and %q", one, two)
		}
	})
}

// TestShutdownHasAnEnd: what is not finished in time is cut off, and kept.
func TestShutdownHasAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarbour(t).Open()
		client := h.enter()
		p, _ := h.sftp(client)
		f := p.Open("/f", sftptest.Wr|sftptest.Creat|sftptest.Trunc)
		p.Want(sftpwire.OK, &sftpwire.Write{Handle: f, Data: []byte("abc")})
		grace, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begin := time.Now()
		if err := h.srv.Shutdown(grace); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: %v", err)
		}
		if d := time.Since(begin); d > time.Minute+farewellTime {
			t.Errorf("Shutdown took %v", d)
		}
		alice := h.tree.For(ferry.User{Name: "alice"})
		if i, err := alice.Part(t.Context(), "/f"); err != nil || i.Size != 3 {
			t.Errorf("the part has %d bytes, %v", i.Size, err)
		}
		if gone := h.events(ferry.EventDisconnect); len(gone) != 1 || !errors.Is(gone[0].Err, ferry.ErrShutdown) {
			t.Errorf("told: %v", gone)
		}
	})
}

// TestGoodbyeWhileProgramsComplain: what the server has to say on standard
// error comes between what a program says there, not into it.
func TestGoodbyeWhileProgramsComplain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarbour(t).Open()
		if err := h.tree.For(ferry.User{Name: "alice"}).Symlink(t.Context(), "l", "/l"); err != nil {
			t.Fatal(err)
		}
		s, err := h.enter().NewSession()
		if err != nil {
			t.Fatal(err)
		}
		errs, err := s.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Start("sha256sum" + strings.Repeat(" l", 60_000)); err != nil { // more than the window takes
			t.Fatal(err)
		}
		synctest.Wait() // the program waits for the client
		go func() { _ = h.srv.Shutdown(context.Background()) }()
		synctest.Wait() // and so does the server
		lines := bufio.NewScanner(errs)
		told := false
		for lines.Scan() {
			told = told || lines.Text() == "The server is shutting down; try again later."
			if !told && lines.Text() != "sha256sum: l: Too many levels of symbolic links" {
				t.Fatalf("standard error has the line %q", lines.Text())
			}
		}
		if !told {
			t.Error("the client was not told that the server is shutting down")
		}
		_ = s.Wait()
	})
}
