package ssh

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

	"ferry/internal/interop/harness"
)

// TestSSHSentAway: OpenSSH's and PuTTY's clients show why they are not let in.
func TestSSHSentAway(t *testing.T) {
	t.Parallel()
	const why = "Too many connections from this address; close one or try again later."
	v := startSSH(t, harness.Setup{Config: harness.CheapLogins + "[limits]\nper_address = 1\n"})
	held, err := ssh.Dial("tcp", "127.0.0.1:"+v.sshPort, &ssh.ClientConfig{
		User: harness.User, Auth: []ssh.AuthMethod{ssh.Password(harness.Password)}, HostKeyCallback: ssh.InsecureIgnoreHostKey()})
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	for _, o := range []harness.Output{
		v.sftp(t, t.TempDir(), "ls"),
		harness.Program{}.Run(t, "psftp", "-batch", "-P", v.sshPort, "-pw", harness.Password, harness.User+"@127.0.0.1"),
	} {
		if o.Code == 0 || !strings.Contains(o.Err, why) {
			t.Errorf("exit status %d, shown:\n%s%s", o.Code, o.Out, o.Err)
		}
	}
	v.Log.Wait(t, "msg=refused", v.Ended)
}

// TestSSHShutdown: a client that does nothing hears of the end at once, and
// the server does not wait for it.
func TestSSHShutdown(t *testing.T) {
	t.Parallel()
	v := startSSH(t, harness.Setup{})
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
	v.Stop()
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
	v := startSSH(t, harness.Setup{Config: "[sftp]\nlogin_timeout = \"1s\"\n"})
	ask := filepath.Join(t.TempDir(), "ask")
	harness.WriteFile(t, ask, []byte("#!/bin/sh\ncat $0.password\n"))
	if err := os.Chmod(ask, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(ask+".password", 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	client := exec.Command("sftp", append(append([]string{}, v.options...), "-oPreferredAuthentications=password", harness.User+"@127.0.0.1")...)
	client.Stderr, client.Env = &said, append(os.Environ(), "SSH_ASKPASS="+ask, "SSH_ASKPASS_REQUIRE=force", "DISPLAY=none")
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	v.Log.Wait(t, `error="no login in time"`, v.Ended)
	typed, err := os.OpenFile(ask+".password", os.O_WRONLY, 0)
	if err == nil {
		_, err = typed.WriteString(harness.Password + "\n")
		err = errors.Join(err, typed.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Wait(); err == nil || !strings.Contains(said.String(), "The login takes too long; closing the connection.") {
		t.Errorf("%v; shown:\n%s", err, said.String())
	}
}
