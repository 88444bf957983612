package auth

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// certificateLine is by ssh-keygen -s, for alice, without an end.
const certificateLine = "ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29tAAAAIF0H8zM4fm+ttB8P9K4vIK+CpcH1u6IJhSQaXb/1HO0oAAAAIGi2bXYBnyXB+MmLYGge4ScIpuEMb5Cow690qSpGvhkxAAAAAAAAAAAAAAABAAAAA2tpZAAAAAkAAAAFYWxpY2UAAAAAAAAAAP//////////AAAAAAAAAIIAAAAVcGVybWl0LVgxMS1mb3J3YXJkaW5nAAAAAAAAABdwZXJtaXQtYWdlbnQtZm9yd2FyZGluZwAAAAAAAAAWcGVybWl0LXBvcnQtZm9yd2FyZGluZwAAAAAAAAAKcGVybWl0LXB0eQAAAAAAAAAOcGVybWl0LXVzZXItcmMAAAAAAAAAAAAAADMAAAALc3NoLWVkMjU1MTkAAAAgIYhOZp/AAxvzE8c6DP0X0rW8WhtcfnFwpHSRZN+2r/gAAABTAAAAC3NzaC1lZDI1NTE5AAAAQDISLtA4HTFusIiy4tFnmd+79H2YO5zkjO5+ZdNkELkVmwcvhcYWbhkhmetmt2QvFxqC6F5CJizJMCdSOvrjagk="

// post is a directory of files that somebody else writes, as deployments do:
// beside the old one, and renamed over it.
type post struct {
	t   *testing.T
	dir string
}

func (p post) path(name string) string { return filepath.Join(p.dir, name) }

func (p post) put(name string, data []byte) string {
	p.t.Helper()
	if err := os.WriteFile(p.path("new"), data, 0o600); err != nil {
		p.t.Fatal(err)
	}
	if err := os.Rename(p.path("new"), p.path(name)); err != nil {
		p.t.Fatal(err)
	}
	return p.path(name)
}

// TestWhoIsRevokedIsOutAtOnce: files are looked at each time, and bad ones
// change nothing and are told of, once.
func TestWhoIsRevokedIsOutAtOnce(t *testing.T) {
	p := post{t, t.TempDir()}
	ca, user := public(t, "ca.pub"), public(t, "user.pub")
	var told []string
	a, err := OpenAuthorities([]string{p.put("ca", list(t, "other.pub"))}, p.put("krl", list(t, "empty.krl")),
		func(path string, err error) {
			text := filepath.Base(path)
			if err != nil {
				text += ": " + err.Error()
			}
			told = append(told, text)
		})
	if err != nil {
		t.Fatal(err)
	}
	cert := &ssh.Certificate{Key: user, SignatureKey: ca, Serial: 5}
	steps := []struct {
		name             string
		do               func()
		trusted, revoked bool
		says             string // what is told; "": nothing
	}{
		{"at first", func() {}, false, false, ""},
		{"authority added", func() { p.put("ca", append(list(t, "other.pub"), list(t, "ca.pub")...)) }, true, false, "ca"},
		{"serial revoked", func() { p.put("krl", list(t, "serials.krl")) }, true, true, "krl"},
		{"list damaged", func() { p.put("krl", list(t, "serials.krl")[:90]) }, true, true, "krl: " + p.path("krl") + ": the list is cut off"},
		{"nothing new", func() {}, true, true, ""},
		{"list empty", func() { p.put("krl", nil) }, true, true, "krl: " + p.path("krl") + ": has become empty"},
		{"list gone", func() { os.Remove(p.path("krl")) }, true, true, "krl: stat "},
		{"list a directory", func() { os.Mkdir(p.path("krl"), 0o700) }, true, true, "is no regular file"},
		{"list there again", func() { os.Remove(p.path("krl")); p.put("krl", list(t, "empty.krl")) }, true, false, "krl"},
		{"authorities gone", func() { os.Remove(p.path("ca")) }, true, false, "ca: stat "},
		{"one authority less", func() { p.put("ca", list(t, "other.pub")) }, false, false, "ca"},
	}
	for _, step := range steps {
		told = nil
		step.do()
		for range 2 {
			if trusted, revoked := a.Trusts(ca), a.Revoked(cert); trusted != step.trusted || revoked != step.revoked {
				t.Errorf("%s: trusted %v, revoked %v", step.name, trusted, revoked)
			}
		}
		if got := strings.Join(told, " "); !strings.Contains(got, step.says) || (got == "") != (step.says == "") ||
			!strings.Contains(step.says, " ") && got != step.says {
			t.Errorf("%s: told %q, want %q", step.name, got, step.says)
		}
	}
}

func TestBadFilesAreNamed(t *testing.T) {
	p := post{t, t.TempDir()}
	good := p.put("good", list(t, "ca.pub"))
	private := p.put("private", []byte("-----BEGIN OPENSSH PRIVATE KEY-----\n"))
	tests := []struct {
		name, ca, revoked string
		says              string
	}{
		{"no CA file", p.path("none"), "", "no such file"},
		{"empty CA file", p.put("empty", nil), "", "/empty: it holds no public key"},
		{"comments only", p.put("comments", []byte("# x\n")), "", "it holds no public key"},
		{"private key", private, "", "line 1 is no public key"},
		{"options", p.put("options", append([]byte("# a comment\ncert-authority "), list(t, "ca.pub")...)), "", "line 2 has options"},
		{"certificate", p.put("cert", []byte(certificateLine)), "", "line 1 is a certificate"},
		{"no list", good, p.path("none"), "no such file"},
		{"bad list", good, private, "/private: line 1"},
		{"directory", good, p.dir, "is no regular file"},
	}
	for _, test := range tests {
		_, err := OpenAuthorities([]string{test.ca}, test.revoked, nil)
		if err == nil || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), p.dir) {
			t.Errorf("%s: %v, want %q", test.name, err, test.says)
		}
	}
	a, err := OpenAuthorities(nil, good, nil)
	if err != nil || a.Trusts(public(t, "ca.pub")) || !a.Revoked(public(t, "ca.pub")) {
		t.Errorf("a list without authorities: %v", err)
	}
}
