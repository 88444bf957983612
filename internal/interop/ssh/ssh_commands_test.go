package ssh

import (
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ferry/internal/interop/harness"
)

// TestThreat27NoShell: nothing that a client asks for by ssh runs a program, or
// gets it a terminal or a connection to somewhere else.
func TestThreat27NoShell(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{Config: harness.CheapLogins})
	harness.WriteFile(t, v.Path("f"), []byte("content"))
	mark := filepath.Join(t.TempDir(), "mark")
	ssh := func(args ...string) harness.Output {
		t.Helper()
		return harness.Program{}.Run(t, "ssh", v.byKey(args...)...)
	}
	for _, command := range []string{
		"id", "sh -c 'touch " + mark + "'", "touch " + mark, "md5sum f; touch " + mark, "md5sum $(touch " + mark + ")", "md5sum `touch " + mark + "`",
		"md5sum f | tee " + mark, "echo x > " + mark, "cat /etc/passwd", "/bin/sh", "scp", "scp -S /bin/sh -t f", "rsync --server . /", "internal-sftp -u 0 /etc",
		"git-upload-pack f", "echo \n touch " + mark, "true && touch " + mark, "md5sum <(touch " + mark + ")",
	} {
		if o := ssh("bob@127.0.0.1", command); o.Code == 0 || strings.Contains(o.Out, "root:") {
			t.Errorf("%q was run: %s", command, o.Out)
		}
	}
	for command, want := range map[string]string{
		"md5sum f":           "9a0364b9e99bb480dd25e1f0284c8555  f\n",
		"sha1sum /../../f":   "040f06fd774092478d450774f5ba30c5da78acc8  /../../f\n",
		"echo $HOME ${PATH}": "\n", // a shell's variables are all empty
		"pwd":                "/\n",
		"true":               "",
	} {
		if o := ssh("bob@127.0.0.1", command); o.Code != 0 || o.Out != want {
			t.Errorf("%q: exit status %d, %q, want %q", command, o.Code, o.Out, want)
		}
	}
	if o := ssh("bob@127.0.0.1", "md5sum /etc/passwd"); o.Code == 0 || !strings.Contains(o.Err, "No such file or directory") {
		t.Errorf("md5sum of a file outside: exit status %d, %s%s", o.Code, o.Out, o.Err)
	}
	for what, args := range map[string][]string{
		"a shell":              {"-T", "bob@127.0.0.1"},
		"a terminal":           {"-tt", "bob@127.0.0.1"},
		"an unknown subsystem": {"-s", "bob@127.0.0.1", "netconf"},
		"a tunnel":             {"-oExitOnForwardFailure=yes", "-R", "0:127.0.0.1:1", "-N", "bob@127.0.0.1"},
		"standard I/O":         {"-W", v.Addr, "bob@127.0.0.1"},
	} {
		if o := ssh(args...); o.Code == 0 || strings.Contains(o.Out, "220") {
			t.Errorf("%s could be had: %s", what, o.Out)
		}
	}
	if o := ssh("-T", "bob@127.0.0.1"); !strings.Contains(o.Err, "use sftp or scp") {
		t.Errorf("who wants a shell is not told what to use: %s", o.Err)
	}
	harness.WantNoFile(t, mark)
	wantNoForward(t, v)
}

// wantNoForward forwards a socket to the FTP service, and wants nothing to come
// through.
func wantNoForward(t testing.TB, v *secure) {
	t.Helper()
	at := filepath.Join(t.TempDir(), "s")
	client := exec.Command("ssh", v.byKey("-N", "-v", "-L", at+":"+v.Addr, "bob@127.0.0.1")...)
	said := harness.NewLogbook()
	client.Stderr = said
	harness.StartClient(t, client)
	said.Wait(t, "Entering interactive session", t.Context().Done())
	conn, err := net.Dial("unix", at)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if n, err := conn.Read(make([]byte, 10)); n > 0 || err == nil {
		t.Errorf("%d bytes came through", n)
	}
	said.Wait(t, "only sessions are served", t.Context().Done())
}

// TestSSHManyPrograms: one connection runs several programs at once, as a
// client with ControlMaster has it, and no more than OpenSSH would.
func TestSSHManyPrograms(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{Config: harness.CheapLogins})
	content := harness.Noise(1, 300_000)
	here := t.TempDir()
	harness.WriteFile(t, filepath.Join(here, "f"), content)
	// A socket's name must be short.
	socket := filepath.Join(t.TempDir(), "s")
	master := exec.Command("ssh", v.byKey("-M", "-N", "-S", socket, "bob@127.0.0.1")...)
	harness.StartClient(t, master)
	harness.Eventually(t, "the connection is there", func() bool {
		return exec.Command("ssh", v.byKey("-S", socket, "-O", "check", "bob@127.0.0.1")...).Run() == nil
	})
	var clients []*exec.Cmd
	for i := range 8 {
		c := exec.Command("sftp", v.byKey("-oControlPath="+socket, "-b", "-", "bob@127.0.0.1")...)
		c.Dir, c.Stdin = here, strings.NewReader(fmt.Sprintf("put f f%d\nget f%d back%d\n", i, i, i))
		harness.StartClient(t, c)
		clients = append(clients, c)
	}
	for i, c := range clients {
		if err := c.Wait(); err != nil {
			t.Errorf("program %d: %v", i, err)
		}
		harness.WantFile(t, v.Path(fmt.Sprintf("f%d", i)), content)
		harness.WantFile(t, filepath.Join(here, fmt.Sprintf("back%d", i)), content)
	}
	if n := strings.Count(v.Log.String(), "msg=connect "); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}
