package tls

import (
	"crypto/tls"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"ferry/internal/interop/harness"
)

// shown is the serial number of the certificate that the server shows to who
// asks for name.
func shown(t testing.TB, v *harness.SecureServer, name string) string {
	t.Helper()
	cfg := v.Ca.Client()
	cfg.ServerName = name
	state, err := harness.Hello(v.Implicit, false, cfg)
	if err != nil {
		t.Fatalf("asked for %s: %v", name, err)
	}
	return state.PeerCertificates[0].SerialNumber.String()
}

// replace puts the content of other's files into those of p: the certificate
// first, as tools that renew do.
func replace(t testing.TB, p, other harness.Pair) {
	t.Helper()
	for to, from := range map[string]string{p.Cert: other.Cert, p.Key: other.Key} {
		content, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		harness.WriteFile(t, to+".new", content)
		if err := os.Rename(to+".new", to); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCertificateReplaced: a new certificate in the file is seen by the next
// handshake, with SIGHUP at once and without it soon, while a transfer that
// runs goes on, and the session that it belongs to, with data connections that
// resume.
func TestCertificateReplaced(t *testing.T) {
	t.Parallel()
	for _, hangup := range []bool{true, false} {
		t.Run(fmt.Sprintf("SIGHUP %v", hangup), func(t *testing.T) {
			t.Parallel()
			v := harness.StartSecure(t, harness.Setup{}, harness.Binding("enforce"))
			if got := shown(t, v, "localhost"); got != v.Pair.Serial.String() {
				t.Errorf("the server shows %s, want %s", got, v.Pair.Serial)
			}
			content := harness.Noise(1, large)
			harness.WriteFile(t, v.Path("big"), content)
			l := harness.PhoneSecure(t, v, v.Ca.Client())
			conn, err := l.Begin("RETR big")
			if err != nil {
				t.Fatal(err)
			}
			start := make([]byte, 100_000)
			if _, err := io.ReadFull(conn, start); err != nil {
				t.Fatal(err)
			}

			next := v.Ca.Issue("localhost", "127.0.0.1")
			replace(t, v.Pair, next)
			if hangup {
				v.Signal(syscall.SIGHUP)
			}
			v.Log.Wait(t, `msg="certificate replaced"`, v.Ended)
			if got := shown(t, v, "localhost"); got != next.Serial.String() {
				t.Errorf("the server shows %s, want the new %s", got, next.Serial)
			}

			rest, err := harness.ReadAll(conn)
			if err != nil || string(start)+rest != string(content) {
				t.Errorf("the transfer that ran gave %d bytes, %v", len(start)+len(rest), err)
			}
			if a, err := l.Hear(); err != nil || a.Code != 226 {
				t.Errorf("it ended with %v, %v", a, err)
			}
			l.WantStored("STOR after", harness.Noise(2, 1000))
			l.Want("QUIT", 221)
			harness.PhoneSecure(t, v, v.Ca.Client()).WantFetched("RETR after", harness.Noise(2, 1000))
		})
	}
}

// TestBadCertificateIsNotTaken: the old pair stays, and the log says what is
// wrong with which file.
func TestBadCertificateIsNotTaken(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(t *testing.T, v *harness.SecureServer)
		says  func(v *harness.SecureServer) string
	}{
		"key of another": {
			func(t *testing.T, v *harness.SecureServer) {
				other, err := os.ReadFile(v.Ca.Issue("other").Key)
				if err != nil {
					t.Fatal(err)
				}
				harness.WriteFile(t, v.Pair.Key, other)
			},
			func(v *harness.SecureServer) string { return v.Pair.Key },
		},
		"rubbish": {
			func(t *testing.T, v *harness.SecureServer) { harness.WriteFile(t, v.Pair.Cert, []byte("no PEM")) },
			func(v *harness.SecureServer) string { return v.Pair.Cert },
		},
		"missing": {
			func(t *testing.T, v *harness.SecureServer) {
				if err := os.Remove(v.Pair.Cert); err != nil {
					t.Fatal(err)
				}
			},
			func(v *harness.SecureServer) string { return v.Pair.Cert },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := harness.StartSecure(t, harness.Setup{})
			c.spoil(t, v)
			v.Signal(syscall.SIGHUP)
			line := v.Log.Wait(t, "the configuration was not read again; nothing has changed", v.Ended)
			if !strings.Contains(line, c.says(v)) || !strings.Contains(line, "level=ERROR") {
				t.Errorf("the log does not name the file: %s", line)
			}
			if got := shown(t, v, "localhost"); got != v.Pair.Serial.String() {
				t.Errorf("the server shows %s, want the old %s", got, v.Pair.Serial)
			}
			harness.PhoneSecure(t, v, v.Ca.Client()).WantStored("STOR f", harness.Noise(1, 1000))
		})
	}
}

// TestServerNames: the client's choice of name picks among certificates, with
// and without it, and new ones come in the same way.
func TestServerNames(t *testing.T) {
	t.Parallel()
	v := &harness.SecureServer{Ca: harness.NewAuthority(t)}
	v.Pair = v.Ca.Issue("localhost", "127.0.0.1")
	a, b := v.Ca.Issue("a.example"), v.Ca.Issue("*.b.example", "b.example")
	v.Launch(t, harness.Setup{}, fmt.Sprintf("more = [%q, %q]", a.Cert+":"+a.Key, b.Cert+":"+b.Key))
	for name, p := range map[string]harness.Pair{"localhost": v.Pair, "a.example": a, "b.example": b, "x.b.example": b, "A.Example": a} {
		if got := shown(t, v, name); got != p.Serial.String() {
			t.Errorf("asked for %s, the server shows %s, want %s", name, got, p.Serial)
		}
	}
	// A name that nobody has, and none: the first.
	for _, name := range []string{"unknown.example", ""} {
		state, err := harness.Hello(v.Implicit, false, &tls.Config{ServerName: name, InsecureSkipVerify: true}) // the serial number is compared
		if err != nil || state.PeerCertificates[0].SerialNumber.Cmp(v.Pair.Serial) != 0 {
			t.Errorf("asked for %q, the server does not show the first: %v", name, err)
		}
	}
	next := v.Ca.Issue("a.example")
	replace(t, a, next)
	v.Signal(syscall.SIGHUP)
	v.Log.Wait(t, `msg="certificate replaced"`, v.Ended)
	if got := shown(t, v, "a.example"); got != next.Serial.String() {
		t.Errorf("the server shows %s, want the new %s", got, next.Serial)
	}
	if got := shown(t, v, "localhost"); got != v.Pair.Serial.String() {
		t.Errorf("the server shows %s, want %s", got, v.Pair.Serial)
	}
}

// TestTicketsOutliveARestart: a client resumes with a server that was started
// anew.
func TestTicketsOutliveARestart(t *testing.T) {
	t.Parallel()
	for name, version := range harness.Versions() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := harness.StartSecure(t, harness.Setup{}, harness.Binding("enforce"))
			cfg := v.Ca.Client()
			cfg.MaxVersion = version
			l := harness.PhoneSecure(t, v, cfg)
			l.WantStored("STOR f", harness.Noise(1, 1000))
			l.Want("QUIT", 221)
			v.Stop()

			again := v.Setup
			again.Config, again.Args = "", nil
			v.Launch(t, again, harness.Binding("enforce"))
			l = harness.PhoneSecure(t, v, cfg)
			if !l.State().DidResume {
				t.Error("the client could not resume after the restart")
			}
			l.WantFetched("RETR f", harness.Noise(1, 1000))
		})
	}
}
