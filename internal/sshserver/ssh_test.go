package sshserver

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"

	"ferry"
	"ferry/internal/gate"
	"ferry/internal/sftptest"
	"ferry/internal/sftpwire"
)

func TestWaysIn(t *testing.T) {
	right, wrong := newKey(t), newKey(t)
	question := ssh.KeyboardInteractive(func(_, _ string, questions []string, echos []bool) ([]string, error) {
		if len(questions) != 1 || echos[0] {
			t.Errorf("asked %q, echo %v", questions, echos)
		}
		return []string{"s3cret"}, nil
	})
	tests := []struct {
		name        string
		user        string
		noPasswords bool
		auth        []ssh.AuthMethod
		in          bool
	}{
		{"password", "alice", false, []ssh.AuthMethod{ssh.Password("s3cret")}, true},
		{"wrong password", "alice", false, []ssh.AuthMethod{ssh.Password("x")}, false},
		{"empty password", "bob", false, []ssh.AuthMethod{ssh.Password("")}, false},
		{"unknown name", "zoe", false, []ssh.AuthMethod{ssh.Password("s3cret")}, false},
		{"question", "alice", false, []ssh.AuthMethod{question}, true},
		{"key", "bob", false, []ssh.AuthMethod{ssh.PublicKeys(right)}, true},
		{"second key", "bob", false, []ssh.AuthMethod{ssh.PublicKeys(wrong, right)}, true},
		{"wrong key", "bob", false, []ssh.AuthMethod{ssh.PublicKeys(wrong)}, false},
		{"another's key", "alice", false, []ssh.AuthMethod{ssh.PublicKeys(right)}, false},
		{"nothing", "alice", false, nil, false},
		{"keys only", "bob", true, []ssh.AuthMethod{ssh.PublicKeys(right)}, true},
		{"password where keys only", "alice", true, []ssh.AuthMethod{ssh.Password("s3cret"), question}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newHarbour(t)
			h.users["bob"] = holder{keys: []string{ssh.FingerprintSHA256(right.PublicKey())}}
			h.cfg.NoPasswords = test.noPasswords
			_, err := h.Open().knock(test.user, test.auth...)
			if (err == nil) != test.in {
				t.Errorf("%v, want in: %v", err, test.in)
			}
			if logins := h.events(ferry.EventLogin); (len(logins) == 1) != test.in {
				t.Errorf("logins: %v", logins)
			}
		})
	}
}

// lying offers one key and signs with another.
type lying struct {
	ssh.Signer
	shown ssh.PublicKey
}

func (l lying) PublicKey() ssh.PublicKey { return l.shown }

// TestThreat15WhoSignsIsWhoIsIn: a client that shows a key it does not hold is
// nobody, and one that offers A and B and signs with A is A's.
func TestThreat15WhoSignsIsWhoIsIn(t *testing.T) {
	a, b := newKey(t), newKey(t)
	h := newHarbour(t)
	h.users["anna"] = holder{keys: []string{ssh.FingerprintSHA256(a.PublicKey())}, rights: ferry.RightsRead}
	h.users["bert"] = holder{keys: []string{ssh.FingerprintSHA256(b.PublicKey())}}
	h.Open()
	if _, err := h.knock("bert", ssh.PublicKeys(lying{a, b.PublicKey()})); err == nil {
		t.Error("B was shown and A signed, and bert is in")
	}
	if _, err := h.knock("bert", ssh.PublicKeys(lying{a, b.PublicKey()}, a)); err == nil {
		t.Error("bert is in with anna's key")
	}
	if logins := h.events(ferry.EventLogin); len(logins) > 0 {
		t.Errorf("logins: %v", logins)
	}
	// B is refused for anna, A is taken: the session is anna's, with her rights.
	client, err := h.knock("anna", ssh.PublicKeys(b, a))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := run(t, client, "scp -t /new", "C0644 2 new\nhi\x00"); err == nil || h.content("/new") != "(none)" {
		t.Errorf("anna, who may only read, has written: %v", err)
	}
	if logins := h.events(ferry.EventLogin); len(logins) != 1 || logins[0].User != "anna" {
		t.Errorf("logins: %v", logins)
	}
}

// TestThreat30FailuresCountAsForFTP: delay, end of the connection and ban come
// from the same gate. Keys that are only offered cost nothing.
func TestThreat30FailuresCountAsForFTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarbour(t)
		h.limits.FailDelay, h.limits.BanAfter, h.limits.BanFor = 5*time.Second, 3, time.Hour
		h.Open()
		for range 5 {
			if _, err := h.knock("alice", ssh.PublicKeys(newKey(t), newKey(t)), ssh.Password("s3cret")); err != nil {
				t.Fatalf("keys that were only offered count: %v", err)
			}
		}
		begin := time.Now()
		var said strings.Builder
		_, err := h.knockWith(&ssh.ClientConfig{User: "alice", BannerCallback: func(m string) error { said.WriteString(m); return nil },
			Auth: []ssh.AuthMethod{ssh.RetryableAuthMethod(ssh.Password("x"), 10)}})
		if err == nil {
			t.Fatal("in with a wrong password")
		}
		if d := time.Since(begin); d != 15*time.Second {
			t.Errorf("three attempts took %v, want 15 s", d)
		}
		if !strings.Contains(said.String(), "Too many failed logins") {
			t.Errorf("the client was told %q", said.String())
		}
		if n := len(h.events(ferry.EventLoginFailed)); n != 3 {
			t.Errorf("%d failures were told, want 3", n)
		}
		if _, err := h.knock("alice", ssh.Password("s3cret")); err == nil {
			t.Error("an address that is shut out is let in")
		}
	})
}

// TestThreat14StrictKeyExchange: the server offers it, and nothing that is
// known to be weak.
func TestThreat14StrictKeyExchange(t *testing.T) {
	h := newHarbour(t).Open()
	near, far := newWire()
	defer near.Close()
	go h.srv.Handle(far)
	if _, err := near.Write([]byte("SSH-2.0-Test\r\n")); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4096)
	var got string
	for !strings.Contains(got, "hmac-sha2-512") {
		n, err := near.Read(buf)
		if err != nil {
			t.Fatalf("%v after %q", err, got)
		}
		got += string(buf[:n])
	}
	for _, want := range []string{"kex-strict-s-v00@openssh.com", "mlkem768x25519-sha256", "curve25519-sha256", "aes128-gcm@openssh.com", "ssh-ed25519"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not offered", want)
		}
	}
	for _, weak := range []string{"sha1", "cbc", "arcfour", "ssh-dss", "group1-"} {
		if strings.Contains(got, weak) {
			t.Errorf("%s is offered", weak)
		}
	}
}

// TestOldClients: what is outdated is for the legacy networks only, and each
// connection that makes use of it is in the log, once, with all it has
// negotiated.
func TestOldClients(t *testing.T) {
	old := ssh.Config{KeyExchanges: []string{"diffie-hellman-group14-sha1"}, Ciphers: []string{"aes128-cbc"}, MACs: []string{"hmac-sha1"}}
	for _, test := range []struct {
		name   string
		legacy string // network
		cfg    ssh.Config
		hosts  []string // host key algorithms
		in     bool
		logged string
	}{
		{"old, in a legacy network", "192.0.2.0/24", old, nil, true, `for="diffie-hellman-group14-sha1, aes128-cbc, hmac-sha1"`},
		{"old, elsewhere", "198.51.100.0/24", old, nil, false, `error="no algorithm in common with the client: `},
		{"old, without such networks", "", old, nil, false, "sftp.legacy_networks"},
		{"only the key exchange", "192.0.2.0/24", ssh.Config{KeyExchanges: old.KeyExchanges}, nil, true, "for=diffie-hellman-group14-sha1 "},
		{"only the host key", "192.0.2.0/24", ssh.Config{}, []string{"ssh-rsa"}, true, "for=ssh-rsa "},
		{"host key, elsewhere", "", ssh.Config{}, []string{"ssh-rsa"}, false, `error="no algorithm in common with the client: `},
		{"modern, in a legacy network", "192.0.2.0/24", ssh.Config{}, nil, true, ""},
		{"modern CTR, in a legacy network", "192.0.2.0/24", ssh.Config{Ciphers: []string{"aes128-ctr"}, KeyExchanges: []string{"curve25519-sha256@libssh.org"}},
			[]string{"rsa-sha2-512"}, true, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHarbour(t)
			if test.legacy != "" {
				h.cfg.Legacy = []netip.Prefix{netip.MustParsePrefix(test.legacy)}
			}
			h.cfg.HostKeys = []ssh.Signer{newKey(t), newRSAKey(t)}
			h.Open()
			_, err := h.knockWith(&ssh.ClientConfig{User: "alice", Auth: []ssh.AuthMethod{ssh.Password("s3cret")}, Config: test.cfg,
				HostKeyAlgorithms: test.hosts})
			if (err == nil) != test.in {
				t.Errorf("%v, want in: %v", err, test.in)
			}
			if !test.in {
				h.srv.end.Wait()
			}
			text := h.log.String()
			if !strings.Contains(text, test.logged) {
				t.Errorf("the log has no %s:\n%s", test.logged, text)
			}
			uses := 0
			if test.in && test.logged != "" {
				uses = 1
			}
			if n := strings.Count(text, `msg="legacy profile in use"`); n != uses {
				t.Errorf("%d uses are in the log, want %d:\n%s", n, uses, text)
			}
		})
	}
}

// TestOldSignatures: a key that signs with SHA-1 lets in from legacy networks
// only, and is in the log.
func TestOldSignatures(t *testing.T) {
	key := newRSAKey(t)
	sha1, err := ssh.NewSignerWithAlgorithms(key.(ssh.AlgorithmSigner), []string{"ssh-rsa"})
	if err != nil {
		t.Fatal(err)
	}
	for _, legacy := range []bool{false, true} {
		h := newHarbour(t)
		h.users["bob"] = holder{keys: []string{ssh.FingerprintSHA256(key.PublicKey())}}
		if legacy {
			h.cfg.Legacy = []netip.Prefix{netip.MustParsePrefix("192.0.2.7/32")}
		}
		h.Open()
		if _, err := h.knock("bob", ssh.PublicKeys(key)); err != nil {
			t.Errorf("with SHA-2, legacy %v: %v", legacy, err)
		}
		if text := h.log.String(); strings.Contains(text, "legacy profile") {
			t.Errorf("SHA-2 is taken for outdated:\n%s", text)
		}
		if _, err := h.knock("bob", ssh.PublicKeys(sha1)); (err == nil) != legacy {
			t.Errorf("with SHA-1, legacy %v: %v", legacy, err)
		}
		if text := h.log.String(); strings.Contains(text, `msg="legacy profile in use"`) != legacy || legacy && !strings.Contains(text, "for=ssh-rsa ") {
			t.Errorf("legacy %v, in the log:\n%s", legacy, text)
		}
	}
}

// TestNothingElse: no terminal, no environment, no forwarding, no command but
// those that are known (threat 27).
func TestNothingElse(t *testing.T) {
	client := newHarbour(t).Open().enter()
	if _, err := client.Dial("tcp", "192.0.2.9:80"); err == nil {
		t.Error("a connection was forwarded")
	}
	if _, err := client.Listen("tcp", "127.0.0.1:0"); err == nil {
		t.Error("a port was forwarded")
	}
	if _, _, err := client.OpenChannel("x11", nil); err == nil {
		t.Error("a channel for X11 was opened")
	}
	for _, request := range []string{"pty-req", "env", "auth-agent-req@openssh.com", "x11-req", "no-such-request"} {
		s, err := client.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := s.SendRequest(request, true, []byte("\x00\x00\x00\x01a\x00\x00\x00\x01b")); ok || err != nil {
			t.Errorf("%s: %v, %v", request, ok, err)
		}
		s.Close()
	}
	for _, command := range []string{"", "ls", "sh", "scp", "scp -t", "scp -t -f /", "scp -x /", "scp -t a b",
		"cat /etc/passwd", "md5sum a; ls", "echo `id`", "echo $(id)", "echo x > y", "true && true", "echo 'x"} {
		var exit *ssh.ExitError
		out, said, err := run(t, client, command, "")
		if !errors.As(err, &exit) || exit.ExitStatus() != 127 || out != "" || !strings.Contains(said, "there is no shell here") {
			t.Errorf("%q was run: %v, %q, %q", command, err, out, said)
		}
	}
	s, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	s.Stderr = &said
	if err := errors.Join(s.Shell(), s.Wait()); err == nil || !strings.Contains(said.String(), "use sftp or scp") {
		t.Errorf("a shell: %v, %q", err, said.String())
	}
}

func TestChannelsHaveAnEnd(t *testing.T) {
	client := newHarbour(t).Open().enter()
	for n := range maxChannels + 1 {
		_, err := client.NewSession()
		if (err == nil) != (n < maxChannels) {
			t.Errorf("session %d: %v", n, err)
		}
	}
}

func TestCommands(t *testing.T) {
	h := newHarbour(t)
	h.Put("/a b", "hello\n")
	h.Put("/new\nline", "x")
	client := h.Open().enter()
	const md5, sha256 = "b1946ac92492d2347c6235b4d2611184", "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
	tests := []struct{ command, stdin, stdout, stderr string }{
		{"md5sum 'a b'", "", md5 + "  a b\n", ""},
		{`md5sum a\ b`, "", md5 + "  a b\n", ""},
		{`sha256sum -- "/a b"`, "", sha256 + "  /a b\n", ""},
		{"sha1sum", "", "da39a3ee5e6b4b0d3255bfef95601890afd80709  -\n", ""},
		{"md5sum -", "hello\n", md5 + "  -\n", ""},
		{"md5sum 'new\nline'", "", `\9dd4e461268c8034f5c8564e155c67a6  new\nline` + "\n", ""},
		{"md5sum missing", "", "", "missing: No such file"},
		{"echo ${ShellId}%ComSpec%", "", "%ComSpec%\n", ""},
		{`echo a  'b  c' "d$x\"e"`, "", "a b  c d\"e\n", ""},
		{"pwd", "", "/\n", ""},
		{"cd /", "", "", ""},
		{"cd /missing", "", "", "/missing: No such file"},
		{"cd '/a b'", "", "", "Not a directory"},
		{"true", "", "", ""},
	}
	for _, test := range tests {
		stdout, stderr, err := run(t, client, test.command, test.stdin)
		if stdout != test.stdout || !strings.Contains(stderr, test.stderr) || (err != nil) != (test.stderr != "") {
			t.Errorf("%s: %q, %q, %v; want %q, %q", test.command, stdout, stderr, err, test.stdout, test.stderr)
		}
	}
	if stdout, _, err := run(t, client, "df -k /", ""); err != nil || len(strings.Fields(stdout)) != 13 {
		t.Errorf("df: %q, %v", stdout, err)
	}
	if n := len(h.events(ferry.EventDownload)); n > 0 {
		t.Errorf("%d downloads were told, and there were none", n)
	}
}

// TestIdleAndVanished: who does nothing is shut out in the end; who does not
// even answer, soon.
func TestIdleAndVanished(t *testing.T) {
	tests := []struct {
		name    string
		answers bool
		after   time.Duration
		cause   error
	}{
		{"idle", true, 10 * time.Minute, errIdle},
		{"vanished", false, 2 * time.Minute, errVanished},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarbour(t)
				h.cfg.IdleTimeout, h.cfg.KeepAlive = 10*time.Minute, time.Minute
				h.Open()
				near, far := newWire()
				go h.srv.Handle(far)
				conn, channels, requests, err := ssh.NewClientConn(near, "", &ssh.ClientConfig{
					User: "alice", Auth: []ssh.AuthMethod{ssh.Password("s3cret")}, HostKeyCallback: ssh.InsecureIgnoreHostKey()})
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				if test.answers {
					ssh.NewClient(conn, channels, requests)
				}
				begin := time.Now()
				_ = conn.Wait()
				if d := time.Since(begin); d != test.after {
					t.Errorf("ended after %v, want %v", d, test.after)
				}
				synctest.Wait()
				if gone := h.events(ferry.EventDisconnect); len(gone) != 1 || !errors.Is(gone[0].Err, test.cause) {
					t.Errorf("told: %v, want %v", gone, test.cause)
				}
			})
		})
	}
}

// TestIdleSinceLastUse: what was done last is what counts, a command that says nothing
// not excepted.
func TestIdleSinceLastUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarbour(t)
		h.cfg.IdleTimeout, h.cfg.KeepAlive = 7*time.Minute, 10*time.Minute
		client := h.Open().enter()
		begin := time.Now()
		time.Sleep(5 * time.Minute)
		if _, _, err := run(t, client, "true", ""); err != nil {
			t.Fatal(err)
		}
		_ = client.Wait()
		if d := time.Since(begin); d != 12*time.Minute {
			t.Errorf("used after 5 min, ended after %v", d)
		}
	})
}

// TestNotIdleWhileBusy: who waits for a long answer, such as the digest of a
// large file, is not idle.
func TestNotIdleWhileBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, ready := context.WithCancel(t.Context())
		h := newHarbour(t)
		h.over = func(fs ferry.FS) ferry.FS { return slowReads{fs, slow} }
		h.cfg.IdleTimeout = 10 * time.Minute
		h.Put("/f", "content")
		client := h.Open().enter()
		p, _ := h.sftp(client)
		f := p.Open("/f", sftptest.Rd)
		id := p.Send(&sftpwire.Read{Handle: f, Length: 1})
		time.Sleep(3*time.Hour + time.Second)
		ready()
		if got := p.CodeOf(nil, p.Wait(id)); got != sftpwire.Failure {
			t.Errorf("READ that was cut short: %v", got)
		}
		begin := time.Now()
		_ = client.Wait()
		if d := time.Since(begin); d != 10*time.Minute {
			t.Errorf("ended %v after the answer", d)
		}
	})
}

func TestNoLoginInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarbour(t).Open()
		near, far := newWire()
		defer near.Close()
		begin := time.Now()
		h.srv.Handle(far)
		if d := time.Since(begin); d != time.Minute {
			t.Errorf("a silent connection lasted %v", d)
		}
	})
}

// TestShutdownWaitsForOpenFiles: a transfer may end, and then the connection
// does.
func TestShutdownWaitsForOpenFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarbour(t).Open()
		idle, busy := h.enter(), h.enter()
		s, in := newProgram(t, busy)
		if err := s.Start("scp -t /f"); err != nil {
			t.Fatal(err)
		}
		send(t, in, "C0644 4 f\nab")
		synctest.Wait()
		ended := make(chan error)
		go func() { ended <- h.srv.Shutdown(context.Background()) }()
		_ = idle.Wait()
		send(t, in, "cd\x00")
		if err := in.Close(); err != nil {
			t.Fatal(err)
		}
		if err := s.Wait(); err != nil {
			t.Errorf("scp: %v", err)
		}
		if err := <-ended; err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if got := h.content("/f"); got != "abcd" {
			t.Errorf("the file is %q", got)
		}
	})
}

// TestKickedConnection ends a connection at once, and its upload is a part.
func TestKickedConnection(t *testing.T) {
	h := newHarbour(t).Open()
	client := h.enter()
	h.gate.Kick(func(gate.SessionInfo) bool { return true }, nil)
	_ = client.Wait()
	if _, err := client.NewSession(); err == nil {
		t.Error("a kicked client goes on")
	}
}

func send(t *testing.T, w io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
}

// slowReads is an FS whose files are read when until has ended, and not before.
type slowReads struct {
	ferry.FS
	until context.Context
}

func (s slowReads) Open(ctx context.Context, name ferry.Name, o ferry.OpenOptions) (ferry.Handle, error) {
	h, err := s.FS.Open(ctx, name, o)
	return slowReader{h, s.until}, err
}

type slowReader struct {
	ferry.Handle
	until context.Context
}

func (s slowReader) ReadAt([]byte, int64) (int, error) {
	<-s.until.Done()
	return 0, context.Canceled
}
