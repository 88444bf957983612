package tls

import (
	"crypto/tls"
	"net"
	"strconv"
	"strings"
	"testing"

	"ferry/internal/interop/harness"
)

// step is one command of a transcript and the code of its answer. A command
// that uses a data connection moves content over the one made ready before.
type step struct {
	say     string
	code    int
	sends   string // what the client sends
	expects string // what it must receive; "*": whatever comes
}

// transcript plays a client that waits for each answer, resumes on every data
// connection and insists on close_notify.
func transcript(t *testing.T, l harness.Caller, steps []step) {
	t.Helper()
	var addr string
	for _, s := range steps {
		if s.code != 150 {
			a := l.Want(s.say, s.code)
			switch s.code {
			case 227:
				addr = passiveAddr(t, a.Text)
			case 229:
				host, _, _ := net.SplitHostPort(l.Conn.RemoteAddr().String())
				addr = net.JoinHostPort(host, dataPort(t, a.Text))
			}
			continue
		}
		conn, err := l.Reach(addr)
		if err != nil {
			t.Fatal(err)
		}
		l.Want(s.say, 150)
		if err := harness.Shaken(conn); err != nil {
			t.Fatalf("%s: %v", s.say, err)
		}
		if !conn.(*tls.Conn).ConnectionState().DidResume {
			t.Errorf("%s: the data connection did not resume", s.say)
		}
		carryStep(t, conn, s)
		if a, err := l.Hear(); err != nil || a.Code != 226 {
			t.Errorf("%s ended with %v, %v", s.say, a, err)
		}
	}
}

// carryStep is what goes over the data connection of s. Both sides end it with
// close_notify: the client reads the server's.
func carryStep(t *testing.T, conn net.Conn, s step) {
	t.Helper()
	defer conn.Close()
	if s.sends != "" {
		if _, err := conn.Write([]byte(s.sends)); err != nil {
			t.Errorf("%s: %v", s.say, err)
		}
		if err := conn.(*tls.Conn).CloseWrite(); err != nil {
			t.Errorf("%s: %v", s.say, err)
		}
	}
	got, err := harness.ReadAll(conn)
	switch {
	case err != nil:
		t.Errorf("%s: %v", s.say, err)
	case s.expects == "*" && got == "", s.expects != "*" && got != s.expects:
		t.Errorf("%s gave %q, want %q", s.say, got, s.expects)
	}
}

// passiveAddr is the address in the reply to PASV.
func passiveAddr(t testing.TB, text string) string {
	t.Helper()
	_, rest, _ := strings.Cut(text, "(")
	numbers, _, _ := strings.Cut(rest, ")")
	n := strings.Split(numbers, ",")
	if len(n) != 6 {
		t.Fatalf("no address in %q", text)
	}
	high, err1 := strconv.Atoi(n[4])
	low, err2 := strconv.Atoi(n[5])
	if err1 != nil || err2 != nil {
		t.Fatalf("no port in %q", text)
	}
	return net.JoinHostPort(strings.Join(n[:4], "."), strconv.Itoa(high<<8|low))
}

// TestFileZillaTranscript: what FileZilla 3 says: it lists, uploads, goes on
// with an upload, downloads, makes and removes a directory.
func TestFileZillaTranscript(t *testing.T) {
	t.Parallel()
	for name, version := range harness.Versions() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := harness.StartSecure(t, harness.Setup{}, harness.Binding("enforce"))
			harness.WriteFile(t, v.Path("there"), nil)
			cfg := v.Ca.Client()
			cfg.MaxVersion = version
			cfg.NextProtos = []string{"ftp", "x-filezilla-ftp"}
			l := harness.Ring(t, v, cfg)
			transcript(t, l, []step{
				{say: "USER " + harness.User, code: 331},
				{say: "PASS " + harness.Password, code: 230},
				{say: "SYST", code: 215},
				{say: "FEAT", code: 211},
				{say: "CLNT FileZilla", code: 200},
				{say: "OPTS UTF8 ON", code: 200},
				{say: "PBSZ 0", code: 200},
				{say: "PROT P", code: 200},
				{say: "OPTS MLST type;perm;size;modify;unix.mode;unix.owner;unix.ownername;unix.group;unix.groupname;", code: 200},
				{say: "PWD", code: 257},
				{say: "TYPE I", code: 200},
				{say: "PASV", code: 227},
				{say: "MLSD", code: 150, expects: "*"},
				{say: "MKD /neu", code: 257},
				{say: "CWD /neu", code: 250},
				{say: "PWD", code: 257},
				{say: "PASV", code: 227},
				{say: "MLSD", code: 150},
				{say: "PASV", code: 227},
				{say: "STOR grüße.txt", code: 150, sends: "first "},
				{say: "MFMT 20240102030405 grüße.txt", code: 213},
				{say: "SIZE grüße.txt", code: 213},
				{say: "PASV", code: 227},
				{say: "REST 6", code: 350},
				{say: "STOR grüße.txt", code: 150, sends: "second"},
				{say: "PASV", code: 227},
				{say: "APPE grüße.txt", code: 150, sends: " third"},
				{say: "MDTM grüße.txt", code: 213},
				{say: "EPSV", code: 229},
				{say: "RETR grüße.txt", code: 150, expects: "first second third"},
				{say: "REST 6", code: 350},
				{say: "PASV", code: 227},
				{say: "REST 6", code: 350},
				{say: "RETR grüße.txt", code: 150, expects: "second third"},
				{say: "REST 0", code: 350},
				{say: "NOOP", code: 200},
				{say: "DELE grüße.txt", code: 250},
				{say: "CWD /", code: 250},
				{say: "RMD /neu", code: 250},
				{say: "QUIT", code: 221},
			})
			if got := l.State().NegotiatedProtocol; got != "ftp" {
				t.Errorf("the protocol agreed on is %q", got)
			}
			wantClosed(t, l)
		})
	}
}

// TestWinSCPTranscript: what WinSCP says, with HOST, its search for a hidden
// listing, renames, a copy on the server and its checksums.
func TestWinSCPTranscript(t *testing.T) {
	t.Parallel()
	for name, version := range harness.Versions() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := harness.StartSecure(t, harness.Setup{Config: "[hosts]\nnames = [\"localhost\"]\n"}, harness.Binding("enforce"))
			harness.WriteFile(t, v.Path("there"), nil)
			cfg := v.Ca.Client()
			cfg.MaxVersion = version
			l := harness.Ring(t, v, cfg)
			transcript(t, l, []step{
				{say: "HOST localhost", code: 220},
				{say: "USER " + harness.User, code: 331},
				{say: "PASS " + harness.Password, code: 230},
				{say: "SYST", code: 215},
				{say: "FEAT", code: 211},
				{say: "CLNT WinSCP-release-6.3.5", code: 200},
				{say: "OPTS UTF8 ON", code: 200},
				{say: "PBSZ 0", code: 200},
				{say: "PROT P", code: 200},
				{say: "OPTS MLST type;size;modify;perm;unix.mode;unix.owner;unix.ownername;unix.group;unix.groupname;", code: 200},
				{say: "PWD", code: 257},
				{say: "CWD /", code: 250},
				{say: "TYPE A", code: 200},
				{say: "PASV", code: 227},
				{say: "MLSD", code: 150, expects: "*"},
				{say: "PASV", code: 227},
				{say: "LIST -a", code: 150, expects: "*"},
				{say: "TYPE I", code: 200},
				{say: "PASV", code: 227},
				{say: "STOR a.bin.filepart", code: 150, sends: "all of it"},
				{say: "MFMT 20240102030405 a.bin.filepart", code: 213},
				{say: "DELE a.bin", code: 550},
				{say: "RNFR a.bin.filepart", code: 350},
				{say: "RNTO a.bin", code: 250},
				{say: "SIZE /a.bin", code: 213},
				{say: "PASV", code: 227},
				{say: "RETR /a.bin", code: 150, expects: "all of it"},
				{say: "MDTM /a.bin", code: 213},
				{say: "MLST /a.bin", code: 250},
				{say: "HASH /a.bin", code: 213},
				{say: "SITE CPFR /a.bin", code: 350},
				{say: "SITE CPTO /b.bin", code: 250},
				{say: "SITE CHMOD 600 /b.bin", code: 200},
				{say: "SITE SYMLINK /a.bin /c", code: 200},
				{say: "NOOP", code: 200},
				{say: "QUIT", code: 221},
			})
			harness.WantFile(t, v.Path("b.bin"), []byte("all of it"))
			wantClosed(t, l)
		})
	}
}

// wantClosed wants the server to end TLS and then the connection.
func wantClosed(t *testing.T, l harness.Caller) {
	t.Helper()
	if rest, err := harness.ReadAll(l.Conn); err != nil || rest != "" {
		t.Errorf("behind the goodbye came %q, %v; want close_notify", rest, err)
	}
}
