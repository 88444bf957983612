package crash

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"ferry/internal/interop/harness"
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
		start func(t *testing.T, v *harness.Server, name string) *exec.Cmd
	}{
		{"curl", 100_000, func(t *testing.T, v *harness.Server, name string) *exec.Cmd {
			file := filepath.Join(t.TempDir(), "file")
			harness.WriteFile(t, file, harness.Specimen(2, size))
			cmd := exec.Command("curl", "-q", "-sS", "-u", harness.User+":"+harness.Password, "--limit-rate", "100k", "-T", file, v.Url(name))
			harness.StartClient(t, cmd)
			return cmd
		}},
		{"uploader", 80, func(t *testing.T, v *harness.Server, name string) *exec.Cmd {
			return harness.StartUploader(t, harness.Order{Addr: v.Addr, Name: name, Id: 2, Size: size, Beginning: 1 << 20})
		}},
	} {
		for _, old := range []uint64{0, 1} {
			t.Run(fmt.Sprintf("%s over %s", c.name, harness.WantOneOf([]uint64{old})), func(t *testing.T) {
				t.Parallel()
				v := harness.Start(t, harness.Setup{})
				var standing []byte // nil: nothing
				if old != 0 {
					standing = harness.Specimen(old, size/2+1)
					harness.WriteFile(t, v.Path("f"), standing)
				}
				client := c.start(t, v, "f")
				l := harness.Phone(t, v)
				// An upload that has gone on for a while: what dies in its first
				// moments may look like a small file that is whole.
				first := 0
				harness.Eventually(t, "the part grows", func() bool {
					n := int(harness.PartSize(t, v.Dir))
					if n == 0 {
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
				v.Log.Wait(t, "msg=upload", v.Ended)
				harness.WantStands(t, v, "f", old)
				harness.WantResumable(l, v.Dir, "f", standing, harness.Specimen(2, size))
				harness.WantStands(t, v, "f", 2)
			})
		}
	}
}

// TestTakeover: a client that comes back while its dead session still lives takes
// over from it when it has been silent for a while, and it hears 426 if it ever
// listens again. One that is at work is not disturbed: that takes no time in
// internal/ftpserver/testdata/come-back.txt.
func TestTakeover(t *testing.T) {
	t.Parallel()
	const size = 300_000
	for _, old := range []uint64{0, 1} {
		t.Run("over "+harness.WantOneOf([]uint64{old}), func(t *testing.T) {
			t.Parallel()
			v := harness.Start(t, harness.Setup{})
			if old != 0 {
				harness.WriteFile(t, v.Path("f"), harness.Specimen(old, size/2))
			}
			dead := harness.StartUploader(t, harness.Order{Addr: v.Addr, Name: "f", Id: 2, Size: size, Beginning: 200_000})
			l := harness.Phone(t, v)
			signal(t, dead, syscall.SIGSTOP)
			content := harness.Specimen(2, size)
			from := 0
			harness.Eventually(t, "the upload is taken over", func() bool {
				from = int(harness.PartSize(t, v.Dir))
				l.Want(fmt.Sprintf("REST %d", from), 350)
				a, err := l.Store("STOR f", content[from:])
				busy, refused := err.(*harness.Unexpected)
				if refused && busy.Code == 450 {
					return false
				}
				if err != nil || a.Code != 226 {
					t.Fatalf("%v, %v", a, err)
				}
				return true
			})
			if from < 200_000 {
				t.Errorf("the part had %d bytes, and 200000 had been sent", from)
			}
			harness.WantStands(t, v, "f", 2)
			signal(t, dead, syscall.SIGCONT)
			if err := dead.Wait(); err == nil {
				t.Error("the session that was taken over went on")
			}
			harness.WantStands(t, v, "f", 2)
		})
	}
}

func signal(t testing.TB, cmd *exec.Cmd, s syscall.Signal) {
	t.Helper()
	if err := cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}
