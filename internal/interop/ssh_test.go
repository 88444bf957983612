package interop

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// secure is a server that speaks SSH too, and how OpenSSH's programs reach it:
// as the user bob, by a key, or as alice, by her password.
type secure struct {
	*server
	sshPort string
	key     string   // file
	options []string // of ssh, sftp and scp alike
	env     []string // answers the question for a password
}

func startSSH(t testing.TB, s setup) *secure {
	t.Helper()
	s.args = append(s.args, "--sftp", "127.0.0.1:0")
	v := &secure{server: start(t, s)}
	var err error
	if _, v.sshPort, err = net.SplitHostPort(field(v.log.wait(t, "msg=ready", v.ended), "sftp")); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	v.key = newSSHKey(t, "ed25519")
	addUser(t, v.server, "bob", password, "--home", v.dir)
	mustManage(t, v.server, "", "key", "add", "bob", v.key+".pub")
	v.options = []string{"-F", "none", "-oPort=" + v.sshPort, "-oUserKnownHostsFile=" + filepath.Join(home, "known"),
		"-oStrictHostKeyChecking=accept-new", "-oIdentitiesOnly=yes", "-oIdentityAgent=none", "-oConnectTimeout=30"}
	ask := filepath.Join(home, "ask")
	writeFile(t, ask, []byte("#!/bin/sh\necho $THE_ANSWER\n"))
	if err := os.Chmod(ask, 0o700); err != nil {
		t.Fatal(err)
	}
	v.env = []string{"SSH_ASKPASS=" + ask, "SSH_ASKPASS_REQUIRE=force", "DISPLAY=none", "SSH_AUTH_SOCK="}
	return v
}

func newSSHKey(t testing.TB, kind string, more ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "id_"+kind)
	program{}.must(t, "ssh-keygen", append([]string{"-q", "-t", kind, "-N", "", "-f", file}, more...)...)
	return file
}

// byKey are the options of one of OpenSSH's programs, for bob.
func (v *secure) byKey(args ...string) []string {
	return append(append(append([]string{}, v.options...), "-oIdentityFile="+v.key), args...)
}

// sftp runs a batch as bob.
func (v *secure) sftp(t testing.TB, here string, lines ...string) output {
	t.Helper()
	return program{dir: here, stdin: strings.Join(lines, "\n") + "\n"}.run(t, "sftp", v.byKey("-b", "-", "bob@127.0.0.1")...)
}

// scp runs scp as bob. In arguments, "there:" is the server.
func (v *secure) scp(t testing.TB, here string, args ...string) output {
	t.Helper()
	for i := range args {
		args[i] = strings.Replace(args[i], "there:", "bob@127.0.0.1:", 1)
	}
	return program{dir: here}.run(t, "scp", v.byKey(args...)...)
}

// TestSSHLogins: OpenSSH's client gets in by what it should, and by nothing else.
func TestSSHLogins(t *testing.T) {
	t.Parallel()
	v := startSSH(t, setup{config: cheapLogins + "[limits]\nfail_delay = \"0s\"\nban_after = 0\n"})
	for _, kind := range []string{"rsa", "ecdsa"} {
		key := newSSHKey(t, kind)
		mustManage(t, v.server, "", "key", "add", "bob", key+".pub")
		v.wantSSH(t, true, "bob", "", "-oIdentityFile="+key, "-oPreferredAuthentications=publickey")
	}
	stranger := newSSHKey(t, "ed25519")
	for _, c := range []struct {
		name, secret, methods, key string
		in                         bool
	}{
		{"bob", "", "publickey", v.key, true},
		{"bob", "", "publickey", stranger, false},
		{user, "", "publickey", v.key, false},
		{"nobody", "", "publickey", v.key, false},
		{user, password, "password", v.key, true},
		{user, password, "keyboard-interactive", v.key, true},
		{user, "wrong", "keyboard-interactive,password", v.key, false},
		{user, "", "password", v.key, false},
		{"nobody", password, "password", v.key, false},
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
	o := program{env: append(v.env, "THE_ANSWER="+secret)}.run(t, "ssh", args...)
	if (o.code == 0 && o.out == "welcome\n") != in {
		t.Errorf("%s with %v: exit status %d, want in: %v\n%s%s", name, options, o.code, in, o.out, o.err)
	}
}

// TestSSHTrees: OpenSSH's sftp and both protocols of its scp carry a tree
// there and back again, with modes and times.
func TestSSHTrees(t *testing.T) {
	t.Parallel()
	v := startSSH(t, setup{})
	for _, c := range []struct {
		name      string
		put, back func(here string) output
	}{
		{"sftp", func(here string) output { return v.sftp(t, here, "put -rp out sftp") },
			func(here string) output { return v.sftp(t, here, "get -rp sftp back") }},
		{"scp", func(here string) output { return v.scp(t, here, "-rp", "out", "there:scp") },
			func(here string) output { return v.scp(t, here, "-rp", "there:scp", "back") }},
		{"scp-O", func(here string) output { return v.scp(t, here, "-O", "-rp", "out", "there:scp-O") },
			func(here string) output { return v.scp(t, here, "-O", "-rp", "there:scp-O", "back") }},
	} {
		here := t.TempDir()
		plant(t, filepath.Join(here, "out"), 100)
		fine(t, c.put(here))
		wantSameTree(t, v.path(c.name), filepath.Join(here, "out"), kept{modes: true, times: true})
		fine(t, c.back(here))
		wantSameTree(t, filepath.Join(here, "back"), filepath.Join(here, "out"), kept{modes: true, times: true})
	}
	wantNoParts(t, v.dir)
}

// TestSSHSizes: every size at which something could go wrong, by each client.
// The largest takes many READs at once: scp cuts its file short, and says
// nothing, when their answers come in another order.
func TestSSHSizes(t *testing.T) {
	t.Parallel()
	v := startSSH(t, setup{})
	here := t.TempDir()
	for name, size := range sizes() {
		writeFile(t, filepath.Join(here, "size-"+name), noise(uint64(size), size))
	}
	curl := []string{"-q", "-sS", "-k", "-u", user + ":" + password}
	url := "sftp://127.0.0.1:" + v.sshPort + "/"
	for _, c := range []struct {
		name      string
		put, back func(name string) output
	}{
		{"sftp", func(name string) output { return v.sftp(t, here, "put size-"+name+" f") },
			func(string) output { return v.sftp(t, here, "get f back") }},
		{"scp", func(name string) output { return v.scp(t, here, "size-"+name, "there:f") },
			func(string) output { return v.scp(t, here, "there:f", "back") }},
		{"scp -O", func(name string) output { return v.scp(t, here, "-O", "size-"+name, "there:f") },
			func(string) output { return v.scp(t, here, "-O", "there:f", "back") }},
		{"curl", func(name string) output {
			return program{dir: here}.run(t, "curl", append(curl, "-T", "size-"+name, url+"f")...)
		}, func(string) output { return program{dir: here}.run(t, "curl", append(curl, "-o", "back", url+"f")...) }},
	} {
		for name, size := range sizes() {
			content := noise(uint64(size), size)
			fine(t, c.put(name))
			wantFile(t, v.path("f"), content)
			if size == 0 && c.name == "curl" {
				continue // it writes no empty file
			}
			fine(t, c.back(name))
			wantFile(t, filepath.Join(here, "back"), content)
		}
	}
}

// TestSSHAndFTPSeeTheSame: an upload is seen by the other protocol when it is
// whole, and not before.
func TestSSHAndFTPSeeTheSame(t *testing.T) {
	t.Parallel()
	v := startSSH(t, setup{})
	here := t.TempDir()
	content := noise(3, 3<<20)
	writeFile(t, filepath.Join(here, "f"), content)
	k := phone(t, v.server)
	client := exec.Command("sftp", v.byKey("-l", "4000", "-b", "-", "bob@127.0.0.1")...)
	client.Dir, client.Stdin = here, strings.NewReader("put f slow\nput f slow2\n")
	startClient(t, client)
	v.log.wait(t, "name=/slow ", v.ended)
	if got, err := k.fetch("RETR slow"); err != nil || string(got) != string(content) {
		t.Errorf("by FTP came %d bytes, %v; want %d", len(got), err, len(content))
	}
	if _, err := k.size("slow2"); err == nil {
		t.Error("an upload that runs can be seen by FTP")
	}
	if a, err := k.store("STOR by-ftp", content); err != nil || a.code != 226 {
		t.Fatalf("STOR: %v, %v", a, err)
	}
	fine(t, v.sftp(t, here, "get by-ftp back"))
	wantFile(t, filepath.Join(here, "back"), content)
}

// TestSSHKilledClient: an upload whose client is killed publishes nothing,
// whichever protocol, and reput goes on with it.
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
				v := startSSH(t, setup{})
				if old != "" {
					writeFile(t, v.path("f"), []byte(old))
				}
				file := filepath.Join(t.TempDir(), "file")
				writeFile(t, file, specimen(2, size))
				client := c.cmd(v, file)
				startClient(t, client)
				eventually(t, "the part grows", func() bool { return partSize(t, v.dir) > 100_000 })
				if err := client.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				v.log.wait(t, "msg=upload", v.ended)
				if old == "" {
					wantNoFile(t, v.path("f"))
				} else {
					wantFile(t, v.path("f"), []byte(old))
				}
				fine(t, v.sftp(t, filepath.Dir(file), "reput file f"))
				wantFile(t, v.path("f"), specimen(2, size))
				wantNoParts(t, v.dir)
			})
		}
	}
}

// partSize is that of the largest part in dir.
func partSize(t testing.TB, dir string) int64 {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, ".ferry-part-*"))
	if err != nil {
		t.Fatal(err)
	}
	largest := int64(0)
	for _, f := range files {
		if i, err := os.Stat(f); err == nil {
			largest = max(largest, i.Size())
		}
	}
	return largest
}
