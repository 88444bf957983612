package sshserver

import (
	"io"
	"testing"

	"golang.org/x/crypto/ssh"

	"ferry/internal/sftptest"
	"ferry/internal/sftpwire"
)

// TestLinksByClient: in which order a client sends SYMLINK is told by what it
// calls itself.
func TestLinksByClient(t *testing.T) {
	for version, first := range map[string]bool{
		"SSH-2.0-WinSCP_release_6.3.5": true, "SSH-2.0-libssh_0.10.6": true, "SSH-2.0-AsyncSSH_2.14.2": true,
		"SSH-2.0-OpenSSH_9.2": false, "SSH-2.0-libssh2_1.10.0": false, "SSH-2.0-PuTTY_Release_0.78": false, "SSH-2.0-Go": false, "SSH-2.0-paramiko_2.12.0": false,
	} {
		h := newHarbour(t).Open()
		h.Put("/target", "content")
		client, err := h.knockWith(&ssh.ClientConfig{User: "alice", Auth: []ssh.AuthMethod{ssh.Password("s3cret")}, ClientVersion: version})
		if err != nil {
			t.Fatal(err)
		}
		s, in := newProgram(t, client)
		out, err := s.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := s.RequestSubsystem("sftp"); err != nil {
			t.Fatal(err)
		}
		link := &sftpwire.Symlink{Target: "target", Name: "/link"}
		if first {
			link = &sftpwire.Symlink{Target: "/link", Name: "target"}
		}
		packets := sftpwire.AppendInit(nil, sftpwire.Hello{Version: 3})
		packets = sftpwire.AppendRequest(packets, 1, link)
		if _, err := in.Write(packets); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := sftptest.ReadPacket(out); err != nil {
				t.Fatal(err)
			}
		}
		_ = in.Close()
		if _, err := io.Copy(io.Discard, out); err != nil {
			t.Error(err)
		}
		if got := h.content("/link"); got != "content" {
			t.Errorf("%s: /link holds %q", version, got)
		}
		_ = client.Close()
	}
}
