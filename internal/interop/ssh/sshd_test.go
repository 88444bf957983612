package ssh

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	accounts "os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ferry/internal/interop/harness"
)

// sshd is OpenSSH's server with `ferry sftp-server` in the place of its own,
// and how its clients reach it, as the user who runs the tests.
type sshd struct {
	t       testing.TB
	dir     string // where sessions begin
	name    string // of the user
	port    string
	options []string // of ssh, sftp, scp and sshfs alike
	log     *harness.Logbook
	ended   chan struct{}
	diary   string // file: what sftp-server writes to stderr, which sshd would drop
}

func startSSHD(t testing.TB) *sshd {
	t.Helper()
	me, err := accounts.Current()
	if err != nil {
		t.Fatal(err)
	}
	v := &sshd{t: t, dir: t.TempDir(), name: me.Username, port: freePort(t), log: harness.NewLogbook(), ended: make(chan struct{})}
	home := t.TempDir()
	host, key := newSSHKey(t, "ed25519"), newSSHKey(t, "ed25519")
	v.diary = filepath.Join(home, "diary")
	// What sshd wants of the machine where it runs as root.
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil && os.Getuid() == 0 {
		t.Fatal(err)
	}
	config := filepath.Join(home, "sshd_config")
	harness.WriteFile(t, config, fmt.Appendf(nil, `ListenAddress 127.0.0.1:%s
HostKey %s
AuthorizedKeysFile %s.pub
PidFile none
UsePAM no
StrictModes no
PermitRootLogin yes
Subsystem sftp %s
`, v.port, host, key, sftpServer(v.dir, "-e", "-l", "INFO", "2>>"+v.diary)))
	cmd := exec.Command("/usr/sbin/sshd", "-D", "-e", "-f", config)
	cmd.Stderr = v.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatalf("cannot start sshd: %v (make deps installs it)", err)
	}
	go func() {
		_ = cmd.Wait()
		close(v.ended)
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		<-v.ended
		if t.Failed() {
			t.Logf("sshd's log:\n%s", v.log)
		}
	})
	v.log.Wait(t, "Server listening on 127.0.0.1", v.ended)
	v.options = []string{"-F", "none", "-oPort=" + v.port, "-oIdentityFile=" + key, "-oUserKnownHostsFile=" + filepath.Join(home, "known"),
		"-oStrictHostKeyChecking=accept-new", "-oIdentitiesOnly=yes", "-oIdentityAgent=none", "-oBatchMode=yes"}
	return v
}

// freePort is one that nobody listens on now.
func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func (v *sshd) with(args ...string) []string {
	return append(append([]string{}, v.options...), args...)
}

func (v *sshd) sftp(here string, lines ...string) harness.Output {
	v.t.Helper()
	return harness.Program{Dir: here, Stdin: strings.Join(lines, "\n") + "\n"}.Run(v.t, "sftp", v.with("-b", "-", v.name+"@127.0.0.1")...)
}

func (v *sshd) scp(here, from, to string) harness.Output {
	v.t.Helper()
	return harness.Program{Dir: here}.Run(v.t, "scp", v.with("-rp", from, to)...)
}

// TestSSHDSubsystem: OpenSSH's clients find nothing strange in an sshd whose
// subsystem is ours, and its log says what they did.
func TestSSHDSubsystem(t *testing.T) {
	t.Parallel()
	v := startSSHD(t)
	here := t.TempDir()
	harness.Plant(t, filepath.Join(here, "out"), 60)

	o := v.sftp(here, "put -rp out tree", "ls -l", "get -rp tree back", "rename tree moved", "rm moved/nothing")
	if o.Code == 0 || !strings.Contains(o.Out, " "+v.name+" ") {
		t.Errorf("exit status %d; the owner's name is not shown:\n%s", o.Code, o.Out)
	}
	both := harness.Kept{Modes: true, Times: true}
	harness.WantSameTree(t, filepath.Join(v.dir, "moved"), filepath.Join(here, "out"), both)
	harness.WantSameTree(t, filepath.Join(here, "back"), filepath.Join(here, "out"), both)
	var diary []byte
	harness.Eventually(t, "the end of the session is noted", func() bool {
		diary, _ = os.ReadFile(v.diary)
		return strings.Contains(string(diary), "session closed for local user "+v.name+" from [127.0.0.1]\n")
	})
	for _, line := range []string{
		"session opened for local user " + v.name + " from [127.0.0.1]",
		fmt.Sprintf("posix-rename old %q new %q", filepath.Join(v.dir, "tree"), filepath.Join(v.dir, "moved")),
		fmt.Sprintf("remove name %q: file does not exist", filepath.Join(v.dir, "moved", "nothing")),
	} {
		if !strings.Contains(string(diary), line+"\n") {
			t.Errorf("nobody says %q:\n%s", line, diary)
		}
	}

	remote := v.name + "@127.0.0.1:"
	fine(t, v.scp(here, "out", remote+"by-scp"))
	fine(t, v.scp(here, remote+"by-scp", "scp-back"))
	harness.WantSameTree(t, filepath.Join(v.dir, "by-scp"), filepath.Join(here, "out"), both)
	harness.WantSameTree(t, filepath.Join(here, "scp-back"), filepath.Join(here, "out"), both)
	harness.WantNoParts(t, v.dir)
}

// TestSSHDKilledClient: a client that dies in the middle of an upload
// publishes nothing, and goes on with it later.
func TestSSHDKilledClient(t *testing.T) {
	t.Parallel()
	v := startSSHD(t)
	here := t.TempDir()
	content := harness.Specimen(7, 4<<20)
	harness.WriteFile(t, filepath.Join(here, "f"), content)
	client := exec.Command("sftp", v.with("-l", "4000", "-b", "-", v.name+"@127.0.0.1")...)
	client.Dir, client.Stdin = here, strings.NewReader("put f\n")
	harness.StartClient(t, client)
	harness.Eventually(t, "the part grows", func() bool { return harness.PartSize(t, v.dir) > 100_000 })
	if err := client.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	harness.WantNoFile(t, filepath.Join(v.dir, "f"))
	// Until the dead session's process has ended, the part is its own.
	late := time.Now().Add(harness.Patience)
	for o := v.sftp(here, "reput f"); o.Code != 0; o = v.sftp(here, "reput f") {
		if time.Now().After(late) {
			t.Fatalf("reput: exit status %d\n%s%s", o.Code, o.Out, o.Err)
		}
	}
	harness.WantFile(t, filepath.Join(v.dir, "f"), content)
	harness.WantNoParts(t, v.dir)
}

// TestSSHDMount: sshfs over it is a tree that programs can work in.
func TestSSHDMount(t *testing.T) {
	t.Parallel()
	v := startSSHD(t)
	at, here := t.TempDir(), filepath.Join(t.TempDir(), "out")
	args := []string{v.name + "@127.0.0.1:", at, "-F", "/dev/null"}
	for _, o := range v.options {
		if rest, ok := strings.CutPrefix(o, "-o"); ok {
			args = append(args, "-o", rest)
		}
	}
	harness.Program{}.Must(t, "sshfs", args...)
	t.Cleanup(func() { _ = exec.Command("fusermount3", "-u", at).Run() })
	harness.Plant(t, here, 40)
	harness.Program{}.Must(t, "cp", "-a", here, filepath.Join(at, "tree"))
	harness.WantSameTree(t, filepath.Join(v.dir, "tree"), here, harness.Kept{Modes: true, Times: true})
	harness.Program{}.Must(t, "mv", filepath.Join(at, "tree"), filepath.Join(at, "moved"))
	harness.Program{}.Must(t, "diff", "-r", filepath.Join(at, "moved"), here)
	harness.Program{}.Must(t, "rm", "-r", filepath.Join(at, "moved"))
	harness.WantNoFile(t, filepath.Join(v.dir, "moved"))
}
