package interop

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// lftpOverSSH runs lines as lftp, which types alice's password itself into the
// ssh that it starts.
func lftpOverSSH(t testing.TB, v *secure, here string, lines ...string) output {
	t.Helper()
	return program{dir: here, stdin: v.lftpScript(lines)}.must(t, "lftp")
}

func (v *secure) lftpScript(lines []string) string {
	connect := "set sftp:connect-program \"ssh -a -x " + strings.Join(v.options, " ") + "\""
	return lftpScriptAt("sftp://127.0.0.1:"+v.sshPort, []string{connect}, lines)
}

// TestLFTPOverSSH: mirrors both ways, with what people mirror with.
func TestLFTPOverSSH(t *testing.T) {
	t.Parallel()
	v := startSSH(t, setup{config: cheapLogins})
	here := t.TempDir()
	out := filepath.Join(here, "out")
	plant(t, out, 40)
	// lftp's own lines are what they are: no line ends in names.
	plantOdd(t, out, oddNames())
	k := kept{modes: true, times: true}
	lftpOverSSH(t, v, here, "mirror -R --parallel=3 out tree", "mirror --parallel=3 tree back")
	wantSameTree(t, v.path("tree"), out, k)
	wantSameTree(t, filepath.Join(here, "back"), out, k)
	wantNoParts(t, v.dir)

	// What has gone is deleted, what is only half there is gone on with.
	if err := os.RemoveAll(filepath.Join(out, "d0")); err != nil {
		t.Fatal(err)
	}
	content := noise(1, 2<<20)
	writeFile(t, filepath.Join(out, "large"), content)
	writeFile(t, v.path("tree/large"), content[:700_001])
	old := slices.Collect(strings.Lines(v.log.String()))
	lftpOverSSH(t, v, here, "mirror -R -c --delete --ignore-time out tree")
	wantSameTree(t, v.path("tree"), out, kept{})
	for _, line := range slices.Collect(strings.Lines(v.log.String()))[len(old):] {
		if strings.Contains(line, "msg=upload") && strings.Contains(line, "name=/tree/large") && field(line, "bytes") != fmt.Sprint(2<<20-700_001) {
			t.Errorf("the upload did not go on where it was: %s", line)
		}
	}
}

// TestLFTPCommandsOverSSH: single files, in pieces and on with what is there.
func TestLFTPCommandsOverSSH(t *testing.T) {
	t.Parallel()
	v := startSSH(t, setup{config: cheapLogins})
	here := t.TempDir()
	content := noise(1, 3<<20+5)
	writeFile(t, filepath.Join(here, "f"), content)
	writeFile(t, filepath.Join(here, "part"), content[:1<<20])
	writeFile(t, v.path("half"), content[:1<<20+1])
	o := lftpOverSSH(t, v, here, "put f", "pget -n 4 f -o pieces", "get -c f -o part", "put -c f -o half", "put f -o moved", "mkdir -p d/e", "mv moved d/e/",
		"chmod 640 d/e/moved", "ln -s f soft", "cls -l", "cd d/e", "mget m*", "cd /", "rm -r d", "put f -o gone", "mrm g*", "cat half | sha256sum", "du")
	for _, name := range []string{"f", "half", "soft"} {
		wantFile(t, v.path(name), content)
	}
	for _, name := range []string{"pieces", "part", "moved"} {
		wantFile(t, filepath.Join(here, name), content)
	}
	wantNoFile(t, v.path("d"))
	wantNoFile(t, v.path("gone"))
	if want := digest(t, filepath.Join(here, "f")); !strings.Contains(o.out, want) {
		t.Errorf("cat gave another content:\n%s", o.out)
	}
	wantNoParts(t, v.dir)
}

// TestLFTPKilledOverSSH: an upload that was killed goes on with put -c.
func TestLFTPKilledOverSSH(t *testing.T) {
	t.Parallel()
	v := startSSH(t, setup{config: cheapLogins})
	here := t.TempDir()
	content := noise(1, 3<<20)
	writeFile(t, filepath.Join(here, "f"), content)
	client := exec.Command("lftp")
	client.Dir, client.Stdin = here, strings.NewReader(v.lftpScript([]string{"set net:limit-rate 400000", "put f"}))
	startClient(t, client)
	eventually(t, "the part grows", func() bool { return partSize(t, v.dir) > 300_000 })
	if err := client.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	v.log.wait(t, "msg=upload", v.ended)
	wantNoFile(t, v.path("f"))
	lftpOverSSH(t, v, here, "put -c f")
	wantFile(t, v.path("f"), content)
	wantNoParts(t, v.dir)
}
