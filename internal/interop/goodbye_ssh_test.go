package interop

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/crypto/ssh"
)

// TestSSHSentAway: OpenSSH's and PuTTY's clients show why they are not let in.
func TestSSHSentAway(t *testing.T) {
	t.Parallel()
	const why = "Too many connections from this address; close one or try again later."
	v := startSSH(t, setup{config: cheapLogins + "[limits]\nper_address = 1\n"})
	held, err := ssh.Dial("tcp", "127.0.0.1:"+v.sshPort, &ssh.ClientConfig{
		User: user, Auth: []ssh.AuthMethod{ssh.Password(password)}, HostKeyCallback: ssh.InsecureIgnoreHostKey()})
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	for _, o := range []output{
		v.sftp(t, t.TempDir(), "ls"),
		program{}.run(t, "psftp", "-batch", "-P", v.sshPort, "-pw", password, user+"@127.0.0.1"),
	} {
		if o.code == 0 || !strings.Contains(o.err, why) {
			t.Errorf("exit status %d, shown:\n%s%s", o.code, o.out, o.err)
		}
	}
	v.log.wait(t, "msg=refused", v.ended)
}

// TestSSHShutdown: a client that does nothing hears of the end at once, and
// the server does not wait for it.
func TestSSHShutdown(t *testing.T) {
	t.Parallel()
	v := startSSH(t, setup{})
	var said bytes.Buffer
	client := exec.Command("sftp", v.byKey("bob@127.0.0.1")...)
	client.Stderr = &said
	in, err := client.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := client.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write([]byte("pwd\n")); err != nil {
		t.Fatal(err)
	}
	for got := ""; !strings.Contains(got, "Remote working directory"); {
		buf := make([]byte, 1000)
		n, err := out.Read(buf)
		if err != nil {
			t.Fatalf("%v after %q", err, got)
		}
		got += string(buf[:n])
	}
	v.stop()
	_ = in.Close()
	_ = client.Wait() // it was cut off
	if !strings.Contains(said.String(), "The server is shutting down; try again later.") {
		t.Errorf("shown:\n%s", said.String())
	}
}

// TestSSHLateLogin: who is still looking for the password hears that it was too
// late.
func TestSSHLateLogin(t *testing.T) {
	t.Parallel()
	v := startSSH(t, setup{config: "[sftp]\nlogin_timeout = \"1s\"\n"})
	ask := filepath.Join(t.TempDir(), "ask")
	writeFile(t, ask, []byte("#!/bin/sh\ncat $0.password\n"))
	if err := os.Chmod(ask, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(ask+".password", 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	client := exec.Command("sftp", append(append([]string{}, v.options...), "-oPreferredAuthentications=password", user+"@127.0.0.1")...)
	client.Stderr, client.Env = &said, append(os.Environ(), "SSH_ASKPASS="+ask, "SSH_ASKPASS_REQUIRE=force", "DISPLAY=none")
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	v.log.wait(t, `error="no login in time"`, v.ended)
	typed, err := os.OpenFile(ask+".password", os.O_WRONLY, 0)
	if err == nil {
		_, err = typed.WriteString(password + "\n")
		err = errors.Join(err, typed.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Wait(); err == nil || !strings.Contains(said.String(), "The login takes too long; closing the connection.") {
		t.Errorf("%v; shown:\n%s", err, said.String())
	}
}
