package interop

import (
	"crypto/tls"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
)

// shown is the serial number of the certificate that the server shows to who
// asks for name.
func shown(t testing.TB, v *secureServer, name string) string {
	t.Helper()
	cfg := v.ca.client()
	cfg.ServerName = name
	state, err := hello(v.implicit, false, cfg)
	if err != nil {
		t.Fatalf("asked for %s: %v", name, err)
	}
	return state.PeerCertificates[0].SerialNumber.String()
}

// replace puts the content of other's files into those of p: the certificate
// first, as tools that renew do.
func (p pair) replace(t testing.TB, other pair) {
	t.Helper()
	for to, from := range map[string]string{p.cert: other.cert, p.key: other.key} {
		content, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, to+".new", content)
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
			v := startSecure(t, setup{}, binding("enforce"))
			if got := shown(t, v, "localhost"); got != v.pair.serial.String() {
				t.Errorf("the server shows %s, want %s", got, v.pair.serial)
			}
			content := noise(1, large)
			writeFile(t, v.path("big"), content)
			l := phoneSecure(t, v, v.ca.client())
			conn, err := l.begin("RETR big")
			if err != nil {
				t.Fatal(err)
			}
			start := make([]byte, 100_000)
			if _, err := io.ReadFull(conn, start); err != nil {
				t.Fatal(err)
			}

			next := v.ca.issue("localhost", "127.0.0.1")
			v.pair.replace(t, next)
			if hangup {
				v.signal(syscall.SIGHUP)
			}
			v.log.wait(t, `msg="certificate replaced"`, v.ended)
			if got := shown(t, v, "localhost"); got != next.serial.String() {
				t.Errorf("the server shows %s, want the new %s", got, next.serial)
			}

			rest, err := readAll(conn)
			if err != nil || string(start)+rest != string(content) {
				t.Errorf("the transfer that ran gave %d bytes, %v", len(start)+len(rest), err)
			}
			if a, err := l.hear(); err != nil || a.code != 226 {
				t.Errorf("it ended with %v, %v", a, err)
			}
			l.wantStored("STOR after", noise(2, 1000))
			l.want("QUIT", 221)
			phoneSecure(t, v, v.ca.client()).wantFetched("RETR after", noise(2, 1000))
		})
	}
}

// TestBadCertificateIsNotTaken: the old pair stays, and the log says what is
// wrong with which file.
func TestBadCertificateIsNotTaken(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(t *testing.T, v *secureServer)
		says  func(v *secureServer) string
	}{
		"key of another": {
			func(t *testing.T, v *secureServer) {
				other, err := os.ReadFile(v.ca.issue("other").key)
				if err != nil {
					t.Fatal(err)
				}
				writeFile(t, v.pair.key, other)
			},
			func(v *secureServer) string { return v.pair.key },
		},
		"rubbish": {
			func(t *testing.T, v *secureServer) { writeFile(t, v.pair.cert, []byte("no PEM")) },
			func(v *secureServer) string { return v.pair.cert },
		},
		"missing": {
			func(t *testing.T, v *secureServer) {
				if err := os.Remove(v.pair.cert); err != nil {
					t.Fatal(err)
				}
			},
			func(v *secureServer) string { return v.pair.cert },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := startSecure(t, setup{})
			c.spoil(t, v)
			v.signal(syscall.SIGHUP)
			line := v.log.wait(t, "the new certificate is not used, the old one stays", v.ended)
			if !strings.Contains(line, c.says(v)) || !strings.Contains(line, "level=ERROR") {
				t.Errorf("the log does not name the file: %s", line)
			}
			if got := shown(t, v, "localhost"); got != v.pair.serial.String() {
				t.Errorf("the server shows %s, want the old %s", got, v.pair.serial)
			}
			phoneSecure(t, v, v.ca.client()).wantStored("STOR f", noise(1, 1000))
		})
	}
}

// TestServerNames: the client's choice of name picks among certificates, with
// and without it, and new ones come in the same way.
func TestServerNames(t *testing.T) {
	t.Parallel()
	v := &secureServer{ca: newAuthority(t)}
	v.pair = v.ca.issue("localhost", "127.0.0.1")
	a, b := v.ca.issue("a.example"), v.ca.issue("*.b.example", "b.example")
	v.launch(t, setup{}, fmt.Sprintf("more = [%q, %q]", a.cert+":"+a.key, b.cert+":"+b.key))
	for name, p := range map[string]pair{"localhost": v.pair, "a.example": a, "b.example": b, "x.b.example": b, "A.Example": a} {
		if got := shown(t, v, name); got != p.serial.String() {
			t.Errorf("asked for %s, the server shows %s, want %s", name, got, p.serial)
		}
	}
	// A name that nobody has, and none: the first.
	for _, name := range []string{"unknown.example", ""} {
		state, err := hello(v.implicit, false, &tls.Config{ServerName: name, InsecureSkipVerify: true}) // the serial number is compared
		if err != nil || state.PeerCertificates[0].SerialNumber.Cmp(v.pair.serial) != 0 {
			t.Errorf("asked for %q, the server does not show the first: %v", name, err)
		}
	}
	next := v.ca.issue("a.example")
	a.replace(t, next)
	v.signal(syscall.SIGHUP)
	v.log.wait(t, `msg="certificate replaced"`, v.ended)
	if got := shown(t, v, "a.example"); got != next.serial.String() {
		t.Errorf("the server shows %s, want the new %s", got, next.serial)
	}
	if got := shown(t, v, "localhost"); got != v.pair.serial.String() {
		t.Errorf("the server shows %s, want %s", got, v.pair.serial)
	}
}

// TestTicketsOutliveARestart: a client resumes with a server that was started
// anew.
func TestTicketsOutliveARestart(t *testing.T) {
	t.Parallel()
	for name, version := range versions() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := startSecure(t, setup{}, binding("enforce"))
			cfg := v.ca.client()
			cfg.MaxVersion = version
			l := phoneSecure(t, v, cfg)
			l.wantStored("STOR f", noise(1, 1000))
			l.want("QUIT", 221)
			v.stop()

			again := v.setup
			again.config, again.args = "", nil
			v.launch(t, again, binding("enforce"))
			l = phoneSecure(t, v, cfg)
			if !l.state().DidResume {
				t.Error("the client could not resume after the restart")
			}
			l.wantFetched("RETR f", noise(1, 1000))
		})
	}
}
