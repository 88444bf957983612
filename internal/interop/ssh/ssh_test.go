package ssh

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ferry/internal/interop/harness"
)

// secure is a server that speaks SSH too, and how OpenSSH's programs reach it:
// as the user bob, by a key, or as alice, by her password.
type secure struct {
	*harness.Server
	sshPort string
	key     string   // file
	options []string // of ssh, sftp and scp alike
	env     []string // answers the question for a password
}

func startSSH(t testing.TB, s harness.Setup) *secure {
	t.Helper()
	s.Args = append(s.Args, "--sftp", "127.0.0.1:0")
	v := &secure{Server: harness.Start(t, s)}
	var err error
	if _, v.sshPort, err = net.SplitHostPort(harness.Field(v.Log.Wait(t, "msg=ready", v.Ended), "sftp")); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	v.key = newSSHKey(t, "ed25519")
	harness.AddUser(t, v.Server, "bob", harness.Password, "--home", v.Dir)
	harness.MustManage(t, v.Server, "", "key", "add", "bob", v.key+".pub")
	v.options = []string{"-F", "none", "-oPort=" + v.sshPort, "-oUserKnownHostsFile=" + filepath.Join(home, "known"),
		"-oStrictHostKeyChecking=accept-new", "-oIdentitiesOnly=yes", "-oIdentityAgent=none", "-oConnectTimeout=30"}
	ask := filepath.Join(home, "ask")
	harness.WriteFile(t, ask, []byte("#!/bin/sh\necho $THE_ANSWER\n"))
	if err := os.Chmod(ask, 0o700); err != nil {
		t.Fatal(err)
	}
	v.env = []string{"SSH_ASKPASS=" + ask, "SSH_ASKPASS_REQUIRE=force", "DISPLAY=none", "SSH_AUTH_SOCK="}
	return v
}

func newSSHKey(t testing.TB, kind string, more ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "id_"+kind)
	harness.Program{}.Must(t, "ssh-keygen", append([]string{"-q", "-t", kind, "-N", "", "-f", file}, more...)...)
	return file
}

// byKey are the options of one of OpenSSH's programs, for bob.
func (v *secure) byKey(args ...string) []string {
	return append(append(append([]string{}, v.options...), "-oIdentityFile="+v.key), args...)
}

// sftp runs a batch as bob.
func (v *secure) sftp(t testing.TB, here string, lines ...string) harness.Output {
	t.Helper()
	return harness.Program{Dir: here, Stdin: strings.Join(lines, "\n") + "\n"}.Run(t, "sftp", v.byKey("-b", "-", "bob@127.0.0.1")...)
}

// scp runs scp as bob. In arguments, "there:" is the server.
func (v *secure) scp(t testing.TB, here string, args ...string) harness.Output {
	t.Helper()
	for i := range args {
		args[i] = strings.Replace(args[i], "there:", "bob@127.0.0.1:", 1)
	}
	return harness.Program{Dir: here}.Run(t, "scp", v.byKey(args...)...)
}

// TestSSHLogins: OpenSSH's client gets in by what it should, and by nothing else.
func TestSSHLogins(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{Config: harness.CheapLogins + "[limits]\nfail_delay = \"0s\"\nban_after = 0\n"})
	for _, kind := range []string{"rsa", "ecdsa"} {
		key := newSSHKey(t, kind)
		harness.MustManage(t, v.Server, "", "key", "add", "bob", key+".pub")
		v.wantSSH(t, true, "bob", "", "-oIdentityFile="+key, "-oPreferredAuthentications=publickey")
	}
	stranger := newSSHKey(t, "ed25519")
	for _, c := range []struct {
		name, secret, methods, key string
		in                         bool
	}{
		{"bob", "", "publickey", v.key, true},
		{"bob", "", "publickey", stranger, false},
		{harness.User, "", "publickey", v.key, false},
		{"nobody", "", "publickey", v.key, false},
		{harness.User, harness.Password, "password", v.key, true},
		{harness.User, harness.Password, "keyboard-interactive", v.key, true},
		{harness.User, "wrong", "keyboard-interactive,password", v.key, false},
		{harness.User, "", "password", v.key, false},
		{"nobody", harness.Password, "password", v.key, false},
	} {
		v.wantSSH(t, c.in, c.name, c.secret, "-oPreferredAuthentications="+c.methods, "-oIdentityFile="+c.key, "-oNumberOfPasswordPrompts=1")
	}
	for _, kind := range []string{"ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-256", "rsa-sha2-512"} {
		v.wantSSH(t, true, "bob", "", "-oHostKeyAlgorithms="+kind, "-oUserKnownHostsFile=/dev/null", "-oIdentityFile="+v.key)
	}
	for _, cipher := range []string{"aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes256-ctr"} {
		v.wantSSH(t, true, "bob", "", "-oCiphers="+cipher, "-oIdentityFile="+v.key)
	}
}

// wantSSH runs a command that is there, and wants it to be run or not.
func (v *secure) wantSSH(t testing.TB, in bool, name, secret string, options ...string) {
	t.Helper()
	// Of an option that is given twice, the first counts.
	args := append(append(append([]string{}, options...), v.options...), name+"@127.0.0.1", "echo", "welcome")
	o := harness.Program{Env: append(v.env, "THE_ANSWER="+secret)}.Run(t, "ssh", args...)
	if (o.Code == 0 && o.Out == "welcome\n") != in {
		t.Errorf("%s with %v: exit status %d, want in: %v\n%s%s", name, options, o.Code, in, o.Out, o.Err)
	}
}

// TestSSHTrees: OpenSSH's sftp and both protocols of its scp carry a tree
// there and back again, with modes and times.
func TestSSHTrees(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{})
	for _, c := range []struct {
		name      string
		put, back func(here string) harness.Output
	}{
		{"sftp", func(here string) harness.Output { return v.sftp(t, here, "put -rp out sftp") },
			func(here string) harness.Output { return v.sftp(t, here, "get -rp sftp back") }},
		{"scp", func(here string) harness.Output { return v.scp(t, here, "-rp", "out", "there:scp") },
			func(here string) harness.Output { return v.scp(t, here, "-rp", "there:scp", "back") }},
		{"scp-O", func(here string) harness.Output { return v.scp(t, here, "-O", "-rp", "out", "there:scp-O") },
			func(here string) harness.Output { return v.scp(t, here, "-O", "-rp", "there:scp-O", "back") }},
	} {
		here := t.TempDir()
		harness.Plant(t, filepath.Join(here, "out"), 100)
		fine(t, c.put(here))
		harness.WantSameTree(t, v.Path(c.name), filepath.Join(here, "out"), harness.Kept{Modes: true, Times: true})
		fine(t, c.back(here))
		harness.WantSameTree(t, filepath.Join(here, "back"), filepath.Join(here, "out"), harness.Kept{Modes: true, Times: true})
	}
	harness.WantNoParts(t, v.Dir)
}

// TestSSHSizes: every size at which something could go wrong, by each client.
// The largest takes many READs at once: scp cuts its file short, and says
// nothing, when their answers come in another order.
func TestSSHSizes(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{})
	here := t.TempDir()
	for name, size := range harness.Sizes() {
		harness.WriteFile(t, filepath.Join(here, "size-"+name), harness.Noise(uint64(size), size))
	}
	curl := []string{"-q", "-sS", "-k", "-u", harness.User + ":" + harness.Password}
	url := "sftp://127.0.0.1:" + v.sshPort + "/"
	for _, c := range []struct {
		name      string
		put, back func(name string) harness.Output
	}{
		{"sftp", func(name string) harness.Output { return v.sftp(t, here, "put size-"+name+" f") },
			func(string) harness.Output { return v.sftp(t, here, "get f back") }},
		{"scp", func(name string) harness.Output { return v.scp(t, here, "size-"+name, "there:f") },
			func(string) harness.Output { return v.scp(t, here, "there:f", "back") }},
		{"scp -O", func(name string) harness.Output { return v.scp(t, here, "-O", "size-"+name, "there:f") },
			func(string) harness.Output { return v.scp(t, here, "-O", "there:f", "back") }},
		{"curl", func(name string) harness.Output {
			return harness.Program{Dir: here}.Run(t, "curl", append(curl, "-T", "size-"+name, url+"f")...)
		}, func(string) harness.Output {
			return harness.Program{Dir: here}.Run(t, "curl", append(curl, "-o", "back", url+"f")...)
		}},
	} {
		for name, size := range harness.Sizes() {
			content := harness.Noise(uint64(size), size)
			fine(t, c.put(name))
			harness.WantFile(t, v.Path("f"), content)
			if size == 0 && c.name == "curl" {
				continue // it writes no empty file
			}
			fine(t, c.back(name))
			harness.WantFile(t, filepath.Join(here, "back"), content)
		}
	}
}

// TestSSHAndFTPSeeTheSame: an upload is seen by the other protocol when it is
// whole, and not before.
func TestSSHAndFTPSeeTheSame(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{})
	here := t.TempDir()
	content := harness.Noise(3, 3<<20)
	harness.WriteFile(t, filepath.Join(here, "f"), content)
	k := harness.Phone(t, v.Server)
	client := exec.Command("sftp", v.byKey("-l", "4000", "-b", "-", "bob@127.0.0.1")...)
	client.Dir, client.Stdin = here, strings.NewReader("put f slow\nput f slow2\n")
	harness.StartClient(t, client)
	v.Log.Wait(t, "name=/slow ", v.Ended)
	if got, err := k.Fetch("RETR slow"); err != nil || string(got) != string(content) {
		t.Errorf("by FTP came %d bytes, %v; want %d", len(got), err, len(content))
	}
	if _, err := k.Size("slow2"); err == nil {
		t.Error("an upload that runs can be seen by FTP")
	}
	if a, err := k.Store("STOR by-ftp", content); err != nil || a.Code != 226 {
		t.Fatalf("STOR: %v, %v", a, err)
	}
	fine(t, v.sftp(t, here, "get by-ftp back"))
	harness.WantFile(t, filepath.Join(here, "back"), content)
}

// TestSSHKilledClient: an upload whose client is killed publishes nothing,
// whichever protocol, and reput goes on with it where nothing stands under the name.
func TestSSHKilledClient(t *testing.T) {
	t.Parallel()
	const size = 4 << 20
	for _, c := range []struct {
		name string
		cmd  func(v *secure, file string) *exec.Cmd
	}{
		{"sftp", func(v *secure, file string) *exec.Cmd {
			cmd := exec.Command("sftp", v.byKey("-l", "4000", "-b", "-", "bob@127.0.0.1")...)
			cmd.Stdin = strings.NewReader(fmt.Sprintf("put %s f\n", file))
			return cmd
		}},
		{"scp", func(v *secure, file string) *exec.Cmd {
			return exec.Command("scp", v.byKey("-l", "4000", file, "bob@127.0.0.1:f")...)
		}},
		{"scp -O", func(v *secure, file string) *exec.Cmd {
			return exec.Command("scp", v.byKey("-O", "-l", "4000", file, "bob@127.0.0.1:f")...)
		}},
	} {
		for _, old := range []string{"", "what stood there before"} {
			t.Run(fmt.Sprintf("%s over %q", c.name, old), func(t *testing.T) {
				t.Parallel()
				v := startSSH(t, harness.Setup{})
				if old != "" {
					harness.WriteFile(t, v.Path("f"), []byte(old))
				}
				file := filepath.Join(t.TempDir(), "file")
				harness.WriteFile(t, file, harness.Specimen(2, size))
				client := c.cmd(v, file)
				harness.StartClient(t, client)
				harness.Eventually(t, "the part grows", func() bool { return harness.PartSize(t, v.Dir) > 100_000 })
				if err := client.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				v.Log.Wait(t, "msg=upload", v.Ended)
				if old == "" {
					harness.WantNoFile(t, v.Path("f"))
				} else {
					harness.WantFile(t, v.Path("f"), []byte(old))
				}
				if old == "" {
					fine(t, v.sftp(t, filepath.Dir(file), "reput file f"))
				} else {
					wantReputRefused(t, v.sftp(t, filepath.Dir(file), "reput file f"), v.Path("f"), old)
					fine(t, v.sftp(t, filepath.Dir(file), "put file f"))
				}
				harness.WantFile(t, v.Path("f"), harness.Specimen(2, size))
				harness.WantNoParts(t, v.Dir)
			})
		}
	}
}

// wantReputRefused wants a reput that would have gone on at the end of an old file to
// have failed, and to have changed nothing: it sends a WRITE, and cuts the file then.
func wantReputRefused(t testing.TB, o harness.Output, file, old string) {
	t.Helper()
	if o.Code == 0 {
		t.Errorf("reput went on at the end of the old file:\n%s%s", o.Out, o.Err)
	}
	harness.WantFile(t, file, []byte(old))
}
