package sshserver

import (
	"context"
	"errors"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"ferry"
	"ferry/internal/sftpwire"
)

// buggy is an FS that panics when it is asked for /bug.
type buggy struct{ ferry.FS }

func (b buggy) Stat(ctx context.Context, name ferry.Name) (ferry.Info, error) {
	if name == "/bug" {
		panic("a bug of ours")
	}
	return b.FS.Stat(ctx, name)
}

// TestPanicsAreTold: whatever runs on a connection, an SFTP session or a command; and
// other clients are served on.
func TestPanicsAreTold(t *testing.T) {
	h := newHarbour(t)
	h.over = func(files ferry.FS) ferry.FS { return buggy{files} }
	h.Open()
	knock := func() *ssh.Client {
		client, err := h.knock("alice", ssh.Password("s3cret"))
		if err != nil {
			t.Fatal(err)
		}
		return client
	}
	other := knock()
	client := knock()
	peer, _ := h.sftp(client)
	if peer.Ask(&sftpwire.Stat{Name: "/bug"}) != nil {
		t.Error("a panic was answered")
	}
	commander := knock()
	_, _, _ = run(t, commander, "cd bug", "")
	if out, _, err := run(t, other, "pwd", ""); out != "/\n" || err != nil {
		t.Errorf("another client gets %q, %v", out, err)
	}
	for _, c := range []*ssh.Client{client, commander, other} {
		_ = c.Close()
	}
	if err := h.srv.Shutdown(t.Context()); err != nil { // waits until all is told
		t.Fatal(err)
	}
	told := h.events(ferry.EventPanic)
	if len(told) != 2 {
		t.Fatalf("%d panics are told", len(told))
	}
	for _, e := range told {
		p := (*ferry.PanicError)(nil)
		if !errors.As(e.Err, &p) || p.Value != "a bug of ours" || !strings.Contains(string(p.Stack), "buggy.Stat") || e.User != "alice" || e.Protocol != "sftp" {
			t.Errorf("told is %+v", e)
		}
	}
}
