package interop

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// TestKilledClient: a client that dies in the middle of an upload has
// published nothing, though to the data connection its end looks like the end
// of the file; what it has sent is kept, and can be gone on with.
func TestKilledClient(t *testing.T) {
	t.Parallel()
	const size = 4 << 20
	for _, c := range []struct {
		name  string
		grows int // bytes that it sends in a second or two
		start func(t *testing.T, v *server, name string) *exec.Cmd
	}{
		{"curl", 100_000, func(t *testing.T, v *server, name string) *exec.Cmd {
			file := filepath.Join(t.TempDir(), "file")
			writeFile(t, file, specimen(2, size))
			cmd := exec.Command("curl", "-q", "-sS", "-u", user+":"+password, "--limit-rate", "100k", "-T", file, v.url(name))
			startClient(t, cmd)
			return cmd
		}},
		{"uploader", 80, func(t *testing.T, v *server, name string) *exec.Cmd {
			return startUploader(t, order{addr: v.addr, name: name, id: 2, size: size, beginning: 1 << 20})
		}},
	} {
		for _, old := range []uint64{0, 1} {
			t.Run(fmt.Sprintf("%s over %s", c.name, wantOneOf([]uint64{old})), func(t *testing.T) {
				t.Parallel()
				v := start(t, setup{})
				if old != 0 {
					writeFile(t, v.path("f"), specimen(old, size/2+1))
				}
				client := c.start(t, v, "f")
				l := phone(t, v)
				// An upload that has gone on for a while: what dies in its first
				// moments may look like a small file that is whole.
				first := 0
				eventually(t, "the part grows", func() bool {
					n, err := l.size("f")
					if err != nil || n == 0 || n == size/2+1 {
						return false
					}
					if first == 0 {
						first = n
					}
					return n >= first+c.grows
				})
				if err := client.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				v.log.wait(t, "msg=upload", v.ended)
				wantStands(t, v, "f", old)
				wantResumable(l, "f", specimen(2, size))
				wantStands(t, v, "f", 2)
			})
		}
	}
}

// TestTakeover: a client that comes back while its dead session still lives
// may not disturb a session that is at work (450), and takes over from one
// that has been silent for a while, which hears 426 if it ever listens again.
func TestTakeover(t *testing.T) {
	t.Parallel()
	const size = 300_000
	for _, old := range []uint64{0, 1} {
		t.Run("over "+wantOneOf([]uint64{old}), func(t *testing.T) {
			t.Parallel()
			v := start(t, setup{})
			if old != 0 {
				writeFile(t, v.path("f"), specimen(old, size/2))
			}
			dead := startUploader(t, order{addr: v.addr, name: "f", id: 2, size: size, beginning: 200_000})
			l := phone(t, v)
			for _, text := range []string{"STOR f", "APPE f"} {
				wantRefused(l, text, 450)
			}
			signal(t, dead, syscall.SIGSTOP)
			content := specimen(2, size)
			from := 0
			eventually(t, "the upload is taken over", func() bool {
				var err error
				if from, err = l.size("f"); err != nil {
					t.Fatal(err)
				}
				l.want(fmt.Sprintf("REST %d", from), 350)
				a, err := l.store("STOR f", content[from:])
				busy, refused := err.(*unexpected)
				if refused && busy.code == 450 {
					return false
				}
				if err != nil || a.code != 226 {
					t.Fatalf("%v, %v", a, err)
				}
				return true
			})
			if from < 200_000 {
				t.Errorf("SIZE said %d, and 200000 bytes had been sent", from)
			}
			wantStands(t, v, "f", 2)
			signal(t, dead, syscall.SIGCONT)
			if err := dead.Wait(); err == nil {
				t.Error("the session that was taken over went on")
			}
			wantStands(t, v, "f", 2)
		})
	}
}

func signal(t testing.TB, cmd *exec.Cmd, s syscall.Signal) {
	t.Helper()
	if err := cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// wantRefused wants an upload not even to begin.
func wantRefused(l caller, text string, code int) {
	l.t.Helper()
	conn, err := l.begin(text)
	if err == nil {
		conn.Close()
		l.t.Fatalf("%q was let through", text)
	}
	if a, ok := err.(*unexpected); !ok || a.code != code {
		l.t.Fatalf("%q: %v, want %d", text, err, code)
	}
}

// wantStands wants a specimen under a name on the disk; 0: nothing.
func wantStands(t testing.TB, v *server, name string, id uint64) {
	t.Helper()
	got, err := identify(v.path(name))
	if err != nil {
		t.Error(err)
	} else if got != id {
		t.Errorf("%s holds %s, want %s", name, wantOneOf([]uint64{got}), wantOneOf([]uint64{id}))
	}
}

// wantResumable goes on with an upload at the SIZE that the server tells,
// which must be some of it and not all.
func wantResumable(l caller, name string, content []byte) {
	l.t.Helper()
	from, err := l.size(name)
	if err != nil || from <= 0 || from >= len(content) {
		l.t.Fatalf("SIZE of the part of %s: %d of %d bytes, %v", name, from, len(content), err)
	}
	l.want(fmt.Sprintf("REST %d", from), 350)
	l.wantStored("STOR "+name, content[from:])
	l.wantFetched("RETR "+name, content)
}
