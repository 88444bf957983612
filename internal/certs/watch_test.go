package certs_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/internal/certs"
)

// TestReload: the next handshake sees the new certificate, the session that
// runs goes on, and a bad file changes nothing but the log.
func TestReload(t *testing.T) {
	ca, dir := newAuthority(t, "CA"), t.TempDir()
	first := ca.issue(t, ecKey(t), nil, "ftp.example.com")
	second := ca.issue(t, ecKey(t), nil, "ftp.example.com")
	pair := first.save(t, dir, "server")
	log, logger := newLog()
	source := open(t, certs.Config{Pairs: []certs.Pair{pair}, Log: logger})
	server, client := source.Server(certs.Options{}), &tls.Config{RootCAs: ca.pool(), ServerName: "ftp.example.com"}

	near, far := pipe()
	running, echo := tls.Client(near, client), tls.Server(far, server)
	defer near.Close()
	go func() { _, _ = io.Copy(echo, echo) }()
	say(t, running)

	second.save(t, dir, "server")
	if err := source.Reload(); err != nil {
		t.Fatal(err)
	}
	if got := shown(t, server, client); got != serial(second) {
		t.Error("the next handshake does not see the new certificate")
	}
	if source.Fingerprint() != opensslFingerprint(second.cert.Raw) {
		t.Error("the fingerprint is not that of the new certificate")
	}
	if log.count("certificate replaced") != 1 || !strings.Contains(log.String(), source.Fingerprint()) {
		t.Errorf("the log says:\n%s", log)
	}
	say(t, running)

	replace(t, pair.Key, first.keyPEM(t))
	err := source.Reload()
	if err == nil || !strings.Contains(err.Error(), pair.Key) {
		t.Errorf("a key that does not match: %v", err)
	}
	if got := shown(t, server, client); got != serial(second) {
		t.Error("the old pair did not stay")
	}
	if log.count("the old one stays") != 1 {
		t.Errorf("the log says:\n%s", log)
	}
	say(t, running)
}

// say sends a byte and wants it back.
func say(t *testing.T, c net.Conn) {
	t.Helper()
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
}

// watched runs a source's Watch in a bubble, where its clock costs nothing.
func watched(t *testing.T, cfg certs.Config) (*certs.Source, *lines) {
	t.Helper()
	log, logger := newLog()
	cfg.Log = logger
	source := open(t, cfg)
	go source.Watch(t.Context())
	synctest.Wait()
	return source, log
}

// rest lets Watch look a few times.
func rest() {
	time.Sleep(20 * time.Second) // of the bubble's clock
	synctest.Wait()
}

func TestWatchSeesFilesChange(t *testing.T) {
	for _, test := range []struct {
		name string
		put  func(t *testing.T, path string, data []byte)
	}{
		{"renamed over", replace},
		{"written in place", func(t *testing.T, path string, data []byte) {
			if err := os.WriteFile(path, append([]byte("# new\n"), data...), 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		{"removed and made again", func(t *testing.T, path string, data []byte) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			rest() // and Watch sees that it is away
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ca := newAuthority(t, "CA")
				pair := ca.issue(t, ecKey(t), nil, "ftp.example.com").save(t, t.TempDir(), "server")
				source, _ := watched(t, certs.Config{Pairs: []certs.Pair{pair}})
				next := ca.issue(t, ecKey(t), nil, "ftp.example.com")
				test.put(t, pair.Cert, next.certPEM())
				test.put(t, pair.Key, next.keyPEM(t))
				rest()
				if source.Fingerprint() != opensslFingerprint(next.cert.Raw) {
					t.Error("the new certificate is not in use")
				}
			})
		})
	}
}

// TestWatchSeesLinksTurn: certbot turns a link per file, Kubernetes one for the
// directory.
func TestWatchSeesLinksTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca, dir := newAuthority(t, "CA"), t.TempDir()
		first, second := ca.issue(t, ecKey(t), nil, "a.example"), ca.issue(t, ecKey(t), nil, "a.example")
		for version, l := range map[string]leaf{"v1": first, "v2": second} {
			if err := os.Mkdir(filepath.Join(dir, version), 0o700); err != nil {
				t.Fatal(err)
			}
			l.save(t, filepath.Join(dir, version), "tls")
		}
		turn := func(to string) {
			t.Helper()
			link := filepath.Join(dir, "..data")
			if err := os.Symlink(to, link+"_tmp"); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(link+"_tmp", link); err != nil {
				t.Fatal(err)
			}
		}
		turn("v1")
		for _, name := range []string{"tls.crt", "tls.key"} {
			if err := os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		source, _ := watched(t, certs.Config{Pairs: []certs.Pair{{Cert: filepath.Join(dir, "tls.crt"), Key: filepath.Join(dir, "tls.key")}}})
		turn("v2")
		rest()
		if source.Fingerprint() != opensslFingerprint(second.cert.Raw) {
			t.Error("the new certificate is not in use")
		}
	})
}

// TestWatchWaitsForTheSecondFile: between certificate and key there is a moment
// when they do not match. That is nobody's mistake and is not logged.
func TestWatchWaitsForTheSecondFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca := newAuthority(t, "CA")
		pair := ca.issue(t, ecKey(t), nil, "a.example").save(t, t.TempDir(), "server")
		source, log := watched(t, certs.Config{Pairs: []certs.Pair{pair}})
		next := ca.issue(t, ecKey(t), nil, "a.example")
		time.Sleep(4 * time.Second)
		replace(t, pair.Cert, next.certPEM())
		time.Sleep(2 * time.Second) // Watch looks in between
		synctest.Wait()
		replace(t, pair.Key, next.keyPEM(t))
		rest()
		if source.Fingerprint() != opensslFingerprint(next.cert.Raw) {
			t.Error("the new certificate is not in use")
		}
		if log.count("level=ERROR") != 0 {
			t.Errorf("the log says:\n%s", log)
		}
	})
}

func TestWatchSaysOnceWhatIsWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca := newAuthority(t, "CA")
		first := ca.issue(t, ecKey(t), nil, "a.example")
		pair := first.save(t, t.TempDir(), "server")
		source, log := watched(t, certs.Config{Pairs: []certs.Pair{pair}})
		replace(t, pair.Cert, []byte("rubbish"))
		for range 10 {
			rest()
		}
		if source.Fingerprint() != opensslFingerprint(first.cert.Raw) {
			t.Error("the old certificate did not stay")
		}
		if log.count("level=ERROR") != 1 || !strings.Contains(log.String(), pair.Cert) {
			t.Errorf("the log says:\n%s", log)
		}
		replace(t, pair.Cert, first.certPEM())
		rest()
		if log.count("level=ERROR") != 1 {
			t.Errorf("after it was put right, the log says:\n%s", log)
		}
	})
}

// TestWatchWarnsOfTheEnd: at once, and every day, also after it.
func TestWatchWarnsOfTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca := newAuthority(t, "CA")
		l := ca.issue(t, ecKey(t), func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().AddDate(-1, 0, 0), time.Now().Add(36*time.Hour)
		}, "a.example")
		_, log := watched(t, certs.Config{Pairs: []certs.Pair{l.save(t, t.TempDir(), "server")}})
		for day, want := range []struct{ expires, expired int }{{1, 0}, {2, 0}, {2, 1}} {
			expires, expired := log.count("a.example expires on"), log.count("a.example expired on")
			if expires != want.expires || expired != want.expired {
				t.Errorf("after day %d: %d warnings before the end, %d after it; want %+v", day, expires, expired, want)
			}
			time.Sleep(24 * time.Hour)
			synctest.Wait()
		}
	})
}
