package ssh

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ferry/internal/interop/harness"
	"ferry/internal/sftpwire"
)

// packets speaks SFTP itself, through the program ssh: what no client does.
type packets struct {
	t   testing.TB
	in  io.WriteCloser
	out io.Reader
	id  uint32
}

// speak begins a session as bob.
func (v *secure) speak(t testing.TB) *packets {
	t.Helper()
	cmd := exec.Command("ssh", v.byKey("-s", "bob@127.0.0.1", "sftp")...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	harness.StartClient(t, cmd)
	p := &packets{t: t, in: in, out: out}
	p.write(sftpwire.AppendInit(nil, sftpwire.Hello{Version: 3}))
	p.packet()
	return p
}

func (p *packets) write(b []byte) {
	p.t.Helper()
	if _, err := p.in.Write(b); err != nil {
		p.t.Fatal(err)
	}
}

func (p *packets) packet() []byte {
	p.t.Helper()
	var header [4]byte
	if _, err := io.ReadFull(p.out, header[:]); err != nil {
		p.t.Fatal(err)
	}
	n, err := sftpwire.Length(header)
	if err != nil {
		p.t.Fatal(err)
	}
	packet := make([]byte, n)
	if _, err := io.ReadFull(p.out, packet); err != nil {
		p.t.Fatal(err)
	}
	return packet
}

// ask sends requests in one go, and gives their replies in that order.
func (p *packets) ask(requests ...sftpwire.Request) []sftpwire.Reply {
	p.t.Helper()
	var b []byte
	first := p.id + 1
	for _, r := range requests {
		p.id++
		b = sftpwire.AppendRequest(b, p.id, r)
	}
	go p.write(b) // while the replies are read
	replies := make([]sftpwire.Reply, len(requests))
	for range requests {
		id, r, err := sftpwire.ParseReply(p.packet())
		if err != nil || id < first || id > p.id {
			p.t.Fatalf("reply %d: %v", id, err)
		}
		replies[id-first] = r
	}
	return replies
}

// TestManyOpenHandles: a client opens 10,000 files, for reading and for writing. It gets
// the share of one connection, the rest is refused, and everybody else is served meanwhile
// and afterwards, other connections of its own among them.
func TestManyOpenHandles(t *testing.T) {
	t.Parallel()
	for limit, share := range map[int]int{20_000: 996, 1000: 24} {
		t.Run(fmt.Sprintf("%d descriptors", limit), func(t *testing.T) {
			t.Parallel()
			s := harness.Setup{Config: harness.CheapLogins}
			s.Wrap = []string{"prlimit", fmt.Sprintf("--nofile=%d:%d", limit, limit)}
			v := startSSH(t, s)
			harness.WriteFile(t, v.Path("f"), []byte("content"))
			before := openBelow(t, v.Pid(), v.Dir)
			p := v.speak(t)
			var opens []sftpwire.Request
			for i := range 10_000 {
				if i%10 == 0 {
					opens = append(opens, &sftpwire.Open{Name: fmt.Sprintf("/new-%d", i), Flags: sftpwire.OpenWrite | sftpwire.OpenCreate})
				} else {
					opens = append(opens, &sftpwire.Open{Name: "/f", Flags: sftpwire.OpenRead})
				}
			}
			// Which of them find the server full is not said: they run at the same time.
			var handles []string
			read := "" // the last one that may be read
			for i, r := range p.ask(opens...) {
				switch r := r.(type) {
				case *sftpwire.Handle:
					handles = append(handles, r.Handle)
					if i%10 != 0 {
						read = r.Handle
					}
				case *sftpwire.Status:
					if r.Code != sftpwire.Failure || !strings.Contains(r.Text, "too many open files: ") || !strings.Contains(r.Text, " of this connection") {
						t.Fatalf("OPEN %d: %v %s", i, r.Code, r.Text)
					}
				}
			}
			if len(handles) < share-5 || len(handles) > share+5 {
				t.Errorf("%d files could be opened, want about %d", len(handles), share)
			}
			other := v.speak(t)
			if _, ok := other.ask(&sftpwire.Open{Name: "/f", Flags: sftpwire.OpenRead})[0].(*sftpwire.Handle); !ok {
				t.Error("another connection of the same user can open no file")
			}
			other.in.Close()
			if r, ok := p.ask(&sftpwire.Read{Handle: read, Length: 100})[0].(*sftpwire.Data); !ok || string(r.Data) != "content" {
				t.Errorf("the last of them holds %v", r)
			}

			harness.Phone(t, v.Server).WantStored("STOR by-ftp", []byte("content"))
			harness.Phone(t, v.Server).WantFetched("RETR by-ftp", []byte("content"))
			o := harness.Program{}.Must(t, "ssh", v.byKey("bob@127.0.0.1", "echo", "welcome")...)
			if o.Out != "welcome\n" {
				t.Errorf("another client hears %q", o.Out)
			}

			var closes []sftpwire.Request
			for _, h := range handles {
				closes = append(closes, &sftpwire.Close{Handle: h})
			}
			for _, r := range p.ask(closes...) {
				if s, ok := r.(*sftpwire.Status); !ok || s.Code != sftpwire.OK {
					t.Errorf("CLOSE: %#v", r)
				}
			}
			// A build with the race detector takes several times what it needs.
			if m := harness.MostMemory(t, v.Pid()); m > 600<<20 {
				t.Errorf("the server had %d MiB", m>>20)
			} else {
				t.Logf("the server had at most %d MiB", m>>20)
			}
			p.in.Close()
			harness.Eventually(t, "all files are closed", func() bool { return openBelow(t, v.Pid(), v.Dir) == before })
			fine(t, v.sftp(t, "", "get f"))
			harness.WantNoParts(t, v.Dir)
		})
	}
}

// openBelow is how many files and directories below dir a process has open.
func openBelow(t testing.TB, pid int, dir string) int {
	t.Helper()
	fds := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(fds)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range entries {
		if name, err := os.Readlink(filepath.Join(fds, e.Name())); err == nil && strings.HasPrefix(name, dir) {
			n++
		}
	}
	return n
}
