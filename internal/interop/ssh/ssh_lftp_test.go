package ssh

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ferry/internal/interop/harness"
)

// lftpOverSSH runs lines as lftp, which types alice's password itself into the
// ssh that it starts.
func lftpOverSSH(t testing.TB, v *secure, here string, lines ...string) harness.Output {
	t.Helper()
	return harness.Program{Dir: here, Stdin: v.lftpScript(lines)}.Must(t, "lftp")
}

func (v *secure) lftpScript(lines []string) string {
	connect := "set sftp:connect-program \"ssh -a -x " + strings.Join(v.options, " ") + "\""
	return harness.LftpScriptAt("sftp://127.0.0.1:"+v.sshPort, []string{connect}, lines)
}

// TestLFTPOverSSH: mirrors both ways, with what people mirror with.
func TestLFTPOverSSH(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{Config: harness.CheapLogins})
	here := t.TempDir()
	out := filepath.Join(here, "out")
	harness.Plant(t, out, 40)
	// lftp's own lines are what they are: no line ends in names.
	plantOdd(t, out, oddNames())
	k := harness.Kept{Modes: true, Times: true}
	lftpOverSSH(t, v, here, "mirror -R --parallel=3 out tree", "mirror --parallel=3 tree back")
	harness.WantSameTree(t, v.Path("tree"), out, k)
	harness.WantSameTree(t, filepath.Join(here, "back"), out, k)
	harness.WantNoParts(t, v.Dir)

	// What has gone is deleted, what is only half there is gone on with.
	if err := os.RemoveAll(filepath.Join(out, "d0")); err != nil {
		t.Fatal(err)
	}
	content := harness.Noise(1, 2<<20)
	harness.WriteFile(t, filepath.Join(out, "large"), content)
	harness.WriteFile(t, v.Path("tree/large"), content[:700_001])
	old := slices.Collect(strings.Lines(v.Log.String()))
	lftpOverSSH(t, v, here, "mirror -R -c --delete --ignore-time out tree")
	harness.WantSameTree(t, v.Path("tree"), out, harness.Kept{})
	for _, line := range slices.Collect(strings.Lines(v.Log.String()))[len(old):] {
		if strings.Contains(line, "msg=upload") && strings.Contains(line, "name=/tree/large") && harness.Field(line, "bytes") != fmt.Sprint(2<<20-700_001) {
			t.Errorf("the upload did not go on where it was: %s", line)
		}
	}
}

// TestLFTPCommandsOverSSH: single files, in pieces and on with what is there.
func TestLFTPCommandsOverSSH(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{Config: harness.CheapLogins})
	here := t.TempDir()
	content := harness.Noise(1, 3<<20+5)
	harness.WriteFile(t, filepath.Join(here, "f"), content)
	harness.WriteFile(t, filepath.Join(here, "part"), content[:1<<20])
	harness.WriteFile(t, v.Path("half"), content[:1<<20+1])
	o := lftpOverSSH(t, v, here, "put f", "pget -n 4 f -o pieces", "get -c f -o part", "put -c f -o half", "put f -o moved", "mkdir -p d/e", "mv moved d/e/",
		"chmod 640 d/e/moved", "ln -s f soft", "cls -l", "cd d/e", "mget m*", "cd /", "rm -r d", "put f -o gone", "mrm g*", "cat half | sha256sum", "du")
	for _, name := range []string{"f", "half", "soft"} {
		harness.WantFile(t, v.Path(name), content)
	}
	for _, name := range []string{"pieces", "part", "moved"} {
		harness.WantFile(t, filepath.Join(here, name), content)
	}
	harness.WantNoFile(t, v.Path("d"))
	harness.WantNoFile(t, v.Path("gone"))
	if want := harness.Digest(t, filepath.Join(here, "f")); !strings.Contains(o.Out, want) {
		t.Errorf("cat gave another content:\n%s", o.Out)
	}
	harness.WantNoParts(t, v.Dir)
}

// TestLFTPKilledOverSSH: an upload that was killed goes on with put -c.
func TestLFTPKilledOverSSH(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{Config: harness.CheapLogins})
	here := t.TempDir()
	content := harness.Noise(1, 3<<20)
	harness.WriteFile(t, filepath.Join(here, "f"), content)
	client := exec.Command("lftp")
	client.Dir, client.Stdin = here, strings.NewReader(v.lftpScript([]string{"set net:limit-rate 400000", "put f"}))
	harness.StartClient(t, client)
	harness.Eventually(t, "the part grows", func() bool { return harness.PartSize(t, v.Dir) > 300_000 })
	if err := client.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	v.Log.Wait(t, "msg=upload", v.Ended)
	harness.WantNoFile(t, v.Path("f"))
	lftpOverSSH(t, v, here, "put -c f")
	harness.WantFile(t, v.Path("f"), content)
	harness.WantNoParts(t, v.Dir)
}
