package certs_test

import (
	"crypto/tls"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/internal/certs"
)

func openTickets(t *testing.T, path string) *certs.Tickets {
	t.Helper()
	tickets, err := certs.OpenTickets(path)
	if err != nil {
		t.Fatal(err)
	}
	return tickets
}

// caller is a client with a ticket cache, as FTP clients are that resume.
func caller(ca *authority, version uint16) *tls.Config {
	return &tls.Config{
		RootCAs: ca.pool(), ServerName: "ftp.example.com",
		MinVersion: version, MaxVersion: version, ClientSessionCache: tls.NewLRUClientSessionCache(4),
	}
}

// resumes shakes hands and says whether that was a resumption; both sides must
// agree on it.
func resumes(t *testing.T, server, client *tls.Config) bool {
	t.Helper()
	m := meet(server, client)
	if !m.ok() || m.client.DidResume != m.server.DidResume {
		t.Fatalf("handshake: client says %v, server says %v", m.clientErr, m.serverErr)
	}
	return m.server.DidResume
}

// versions runs a test for TLS 1.2 and 1.3.
func versions(t *testing.T, test func(t *testing.T, version uint16)) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) { test(t, version) })
	}
}

// TestDataConnectionsResume: a data connection resumes the session of its
// control connection, which another configuration made, a hundred times and
// more in one session, each with the ticket of the one before.
func TestDataConnectionsResume(t *testing.T) {
	source, ca := pairOf(t, false)
	versions(t, func(t *testing.T, version uint16) {
		tickets := openTickets(t, "")
		control, data := source.Server(certs.Options{}), source.Server(certs.Options{FullRecords: true})
		tickets.Apply(control)
		tickets.Apply(data)
		client := caller(ca, version)
		if resumes(t, control, client) {
			t.Fatal("the first handshake resumed a session")
		}
		for i := range 150 {
			if !resumes(t, data, client) {
				t.Fatalf("data connection %d did not resume", i)
			}
		}
	})
}

// TestTicketsOutliveRestarts: the file keeps the keys, for its owner only.
func TestTicketsOutliveRestarts(t *testing.T) {
	source, ca := pairOf(t, false)
	path := filepath.Join(t.TempDir(), "tickets")
	versions(t, func(t *testing.T, version uint16) {
		client := caller(ca, version)
		before := source.Server(certs.Options{})
		openTickets(t, path).Apply(before)
		resumes(t, before, client)
		after := source.Server(certs.Options{})
		openTickets(t, path).Apply(after)
		if !resumes(t, after, client) {
			t.Error("the ticket from before the restart is not known")
		}
		stranger := source.Server(certs.Options{})
		openTickets(t, path+".other").Apply(stranger)
		if resumes(t, stranger, client) {
			t.Error("another server's ticket was taken")
		}
	})
	modes(t, map[string]fs.FileMode{path: 0o600})
}

// TestTicketsRotate: a ticket is good for three days at least and for five at
// most, and clients that come back daily never notice.
func TestTicketsRotate(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		synctest.Test(t, func(t *testing.T) {
			source, ca := pairOf(t, false)
			tickets := openTickets(t, filepath.Join(t.TempDir(), "tickets"))
			_, logger := newLog()
			go tickets.Watch(t.Context(), logger)
			server := source.Server(certs.Options{})
			tickets.Apply(server)
			daily, after3, after5 := caller(ca, version), caller(ca, version), caller(ca, version)
			for _, client := range []*tls.Config{daily, after3, after5} {
				resumes(t, server, client)
			}
			for day := 1; day <= 5; day++ {
				time.Sleep(24 * time.Hour)
				synctest.Wait()
				if !resumes(t, server, daily) {
					t.Errorf("day %d: the daily client could not resume", day)
				}
				if day == 3 && !resumes(t, server, after3) {
					t.Error("a ticket of three days ago is not known")
				}
			}
			if resumes(t, server, after5) {
				t.Error("a ticket of five days ago is still good")
			}
		})
	})
}

// TestTicketsOfTwoProcesses: during an upgrade two processes have the file. The
// one that did not rotate takes over what the other made.
func TestTicketsOfTwoProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, ca := pairOf(t, false)
		path := filepath.Join(t.TempDir(), "tickets")
		old := openTickets(t, path)
		oldServer := source.Server(certs.Options{})
		old.Apply(oldServer)
		time.Sleep(25 * time.Hour)

		rotated := source.Server(certs.Options{})
		openTickets(t, path).Apply(rotated) // makes a new key
		client := caller(ca, tls.VersionTLS13)
		resumes(t, rotated, client)

		_, logger := newLog()
		go old.Watch(t.Context(), logger)
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if !resumes(t, oldServer, client) {
			t.Error("the older process does not know the newer one's key")
		}
	})
}

// TestTicketsStayWhenTheFileIsLost: a disk that fails is logged, and resuming
// goes on.
func TestTicketsStayWhenTheFileIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, ca := pairOf(t, false)
		dir := filepath.Join(t.TempDir(), "state")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		tickets := openTickets(t, filepath.Join(dir, "tickets"))
		server, client := source.Server(certs.Options{}), caller(ca, tls.VersionTLS13)
		tickets.Apply(server)
		resumes(t, server, client)
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		log, logger := newLog()
		go tickets.Watch(t.Context(), logger)
		time.Sleep(61 * time.Minute)
		synctest.Wait()
		if !resumes(t, server, client) {
			t.Error("the keys did not stay")
		}
		if log.count("level=ERROR") != 1 || !strings.Contains(log.String(), dir) {
			t.Errorf("the log says:\n%s", log)
		}
	})
}

// TestTicketsCarryMore is how ftpserver binds data connections: a clone of the
// shared configuration for each connection, which puts an id into its ticket
// and reads the one that a client brings; the keys are those of the shared one,
// also after a rotation.
func TestTicketsCarryMore(t *testing.T) {
	versions(t, func(t *testing.T, version uint16) {
		synctest.Test(t, func(t *testing.T) {
			source, ca := pairOf(t, false)
			path := filepath.Join(t.TempDir(), "tickets")
			tickets := openTickets(t, path)
			_, logger := newLog()
			go tickets.Watch(t.Context(), logger)
			shared := source.Server(certs.Options{})
			tickets.Apply(shared)

			client := caller(ca, version)
			server, _ := carrying(shared, "session 1")
			resumes(t, server, client)
			for day := range 6 {
				server, brought := carrying(shared, "session 1")
				if !resumes(t, server, client) {
					t.Fatalf("day %d: not resumed", day)
				}
				if *brought != "session 1" {
					t.Fatalf("day %d: the ticket brought %q", day, *brought)
				}
				time.Sleep(24 * time.Hour)
				synctest.Wait()
			}

			reopened := source.Server(certs.Options{})
			openTickets(t, path).Apply(reopened)
			server, brought := carrying(reopened, "session 2")
			if !resumes(t, server, client) || *brought != "session 1" {
				t.Errorf("after a restart the ticket brought %q", *brought)
			}
		})
	})
}

// carrying clones shared for one connection. What the client's ticket says is
// in brought once they have shaken hands.
func carrying(shared *tls.Config, id string) (cfg *tls.Config, brought *string) {
	const mark = "ferry test "
	brought = new(string)
	cfg = shared.Clone()
	cfg.WrapSession = func(cs tls.ConnectionState, ss *tls.SessionState) ([]byte, error) {
		ss.Extra = append(ss.Extra, []byte(mark+id))
		return shared.EncryptTicket(cs, ss)
	}
	cfg.UnwrapSession = func(ticket []byte, cs tls.ConnectionState) (*tls.SessionState, error) {
		ss, err := shared.DecryptTicket(ticket, cs)
		if ss == nil || err != nil {
			return nil, err
		}
		for _, extra := range ss.Extra {
			*brought, _ = strings.CutPrefix(string(extra), mark)
		}
		return ss, nil
	}
	return cfg, brought
}

// TestTicketFilesThatAreDamaged: the error names the file, says what to do, and
// shows no key.
func TestTicketFilesThatAreDamaged(t *testing.T) {
	secret := strings.Repeat("5e", 32)
	line := "2026-11-20T18:00:00Z " + secret + "\n"
	const header = "ferry session ticket keys 1\n"
	for name, text := range map[string]string{
		"empty":          "",
		"another file":   "root:x:0:0\n",
		"no key":         header,
		"newer version":  "ferry session ticket keys 2\n" + line,
		"cut":            header + line[:len(line)-1],
		"short key":      header + "2026-11-20T18:00:00Z 5e5e\n",
		"no hex":         header + "2026-11-20T18:00:00Z " + strings.Repeat("zz", 32) + "\n",
		"no time":        header + "yesterday " + secret + "\n",
		"another zone":   header + "2026-11-20T18:00:00+01:00 " + secret + "\n",
		"too many":       header + strings.Repeat(line, 5),
		"line in excess": header + line + "\n",
	} {
		path := filepath.Join(t.TempDir(), "tickets")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := certs.OpenTickets(path)
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "remove the file") || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", name, err)
		}
	}
	dir := t.TempDir()
	if _, err := certs.OpenTickets(dir); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("a directory: %v", err)
	}
	if _, err := certs.OpenTickets(filepath.Join(dir, "no", "tickets")); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("no directory: %v", err)
	}
}

// TestTicketsFromTheFuture: a clock that was wrong and put right does not leave
// one key in use for years.
func TestTicketsFromTheFuture(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tickets")
	future := "2099-01-01T00:00:00Z " + strings.Repeat("5e", 32)
	if err := os.WriteFile(path, []byte("ferry session ticket keys 1\n"+future+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	openTickets(t, path)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(string(data), "\n"); slices.Index(lines, future) != 2 {
		t.Errorf("there is no newer key:\n%s", data)
	}
}
