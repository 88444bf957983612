package system

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/crypto/ssh"

	"ferry"
	"ferry/internal/interop/harness"
	"ferry/internal/sftpclient"
)

// The password of all accounts, and its hash as Debian's passwd(1) makes it.
const (
	password = "Hello world!"
	hash     = "$y$j75$abcdefgh$seYLk3C3HyTtiwemJi2fPeplJP3Gd5RaKYGEt1rRkF2"
)

// The accounts of the machine, and the group that ann and ben are in.
const (
	ann, ben, ftpUser = 61001, 61002, 61003
	team              = 61100
)

// machine is a server with the accounts of a small machine: its files in /etc are its
// own, in a mount namespace, and nobody else's.
type machine struct {
	*harness.Server
	homes, etc string
}

func newMachine(t *testing.T, args ...string) machine {
	t.Helper()
	dir := t.TempDir()
	m := machine{homes: filepath.Join(dir, "home"), etc: filepath.Join(dir, "etc")}
	m.makeHome(t, "ann", ann, 0o700)
	m.makeHome(t, "ben", ben, 0o755)
	m.makeHome(t, "pub", 0, 0o755)
	m.makeHome(t, "team", 0, 0o2770)
	if err := os.Chown(filepath.Join(m.homes, "team"), 0, team); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(m.homes, "team"), 0o2770|os.ModeSetgid); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	line := func(name string, uid int, home, shell string) string {
		return fmt.Sprintf("%s:x:%d:%d::%s:%s\n", name, uid, uid, filepath.Join(m.homes, home), shell)
	}
	files := map[string]string{
		"passwd": "root:x:0:0:root:/root:/bin/bash\n" + line("ann", ann, "ann", "/bin/bash") + line("ben", ben, "ben", "/bin/sh") +
			line("ftp", ftpUser, "pub", "/usr/sbin/nologin") + line("daemon", 2, "ben", "/bin/sh"),
		"shadow":   strings.ReplaceAll("root:#:19000:0:99999:7:::\nann:#:19000:0:99999:7:::\nben:#:19000:0:99999:7:::\ndaemon:#:19000:0:99999:7:::\n", "#", hash),
		"group":    fmt.Sprintf("root:x:0:\nann:x:%d:\nben:x:%d:\nteam:x:%d:ann,ben\n", ann, ben, team),
		"shells":   "/bin/sh\n/bin/bash\n",
		"ftpusers": "root\n",
	}
	script := ownEtc(t, m.etc, files)
	config := fmt.Sprintf("[system]\nenabled = true\ndenied = %q\n[limits]\nfail_delay = \"0s\"\n", filepath.Join(m.etc, "ftpusers"))
	m.Server = harness.MountedServer(t, harness.Setup{Config: config, Args: append(args, "--sftp", "127.0.0.1:0")}, script)
	return m
}

// ownEtc is a script for harness.MountedServer: dir is its /etc, with those files and for
// the rest a copy of the host's. The directory is mounted, not each file, as a mount on
// a file ends when a program of the host renames another one over it.
func ownEtc(t *testing.T, dir string, files map[string]string) string {
	t.Helper()
	for name, content := range files {
		harness.WriteFile(t, filepath.Join(dir, name), []byte(content))
	}
	return fmt.Sprintf("cp -an /etc/. %[1]s\nmount --bind %[1]s /etc\n", dir)
}

func (m machine) makeHome(t *testing.T, name string, uid int, mode os.FileMode) {
	t.Helper()
	dir := filepath.Join(m.homes, name)
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.Chown(dir, uid, uid), os.Chmod(dir, mode)); err != nil {
		t.Fatal(err)
	}
}

// client is a user at work, by one of the protocols.
type client interface {
	put(name string, content []byte) error
	get(name string) ([]byte, error)
	mkdir(name string) error
	remove(name string) error
}

// clients log a user in by every protocol.
func (m machine) clients(t *testing.T, user string) map[string]client {
	t.Helper()
	return map[string]client{"ftp": overFTP{harness.PhoneAs(t, m.Server, "", user, password)}, "sftp": m.overSFTP(t, user)}
}

type overFTP struct{ harness.Caller }

func (c overFTP) put(name string, content []byte) error {
	a, err := c.Store("STOR "+name, content)
	if err == nil && a.Code != 226 {
		err = harness.NotWanted(a)
	}
	return err
}

func (c overFTP) get(name string) ([]byte, error) { return c.Fetch("RETR " + name) }
func (c overFTP) mkdir(name string) error         { return c.Expect("MKD "+name, 257) }
func (c overFTP) remove(name string) error        { return c.Expect("DELE "+name, 250) }

type overSFTP struct{ ferry.FS }

func (m machine) overSFTP(t *testing.T, user string) client {
	t.Helper()
	line := m.Log.Wait(t, "msg=ready", m.Ended)
	conn, err := ssh.Dial("tcp", harness.Field(line, "sftp"), &ssh.ClientConfig{
		User: user, Auth: []ssh.AuthMethod{ssh.Password(password)}, HostKeyCallback: ssh.InsecureIgnoreHostKey(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	session, err := conn.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	in, _ := session.StdinPipe()
	out, _ := session.StdoutPipe()
	if err := session.RequestSubsystem("sftp"); err != nil {
		t.Fatal(err)
	}
	f, err := sftpclient.New(context.Background(), stream{out, in, conn}, sftpclient.Options{User: ferry.User{Name: user}, Root: "/"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return overSFTP{f}
}

// stream ends with its connection: to close the channel alone would be beside a write.
type stream struct {
	io.Reader
	io.Writer
	io.Closer
}

func (c overSFTP) put(name string, content []byte) error {
	h, err := c.Open(context.Background(), ferry.Name(name), ferry.OpenOptions{Mode: ferry.Replace})
	if err != nil {
		return err
	}
	if _, err := h.WriteAt(content, 0); err != nil {
		return errors.Join(err, h.Abort(err))
	}
	return h.Commit()
}

func (c overSFTP) get(name string) ([]byte, error) {
	h, err := c.Open(context.Background(), ferry.Name(name), ferry.OpenOptions{Mode: ferry.Read})
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.NewSectionReader(h, 0, 1<<20))
	return content, errors.Join(err, h.Commit())
}

func (c overSFTP) mkdir(name string) error {
	return c.Mkdir(context.Background(), ferry.Name(name), nil)
}
func (c overSFTP) remove(name string) error { return c.Remove(context.Background(), ferry.Name(name)) }

// owner wants a file of the disk to belong to uid and gid.
func (m machine) owner(t *testing.T, path string, uid, gid uint32) {
	t.Helper()
	var st syscall.Stat_t
	if err := syscall.Lstat(filepath.Join(m.homes, path), &st); err != nil || st.Uid != uid || st.Gid != gid {
		t.Errorf("%s belongs to %d:%d (%v), want %d:%d", path, st.Uid, st.Gid, err, uid, gid)
	}
}

// TestKernelDecidesForSystemUsers: ann and ben are at home, what they make is theirs,
// and what the kernel refuses one of them at a terminal it refuses here.
func TestKernelDecidesForSystemUsers(t *testing.T) {
	m := newMachine(t)
	// Doors into other homes, as a host has many.
	for _, link := range [][2]string{{"../ben", "ann/ben"}, {"../ann", "ben/ann"}} {
		if err := os.Symlink(link[0], filepath.Join(m.homes, link[1])); err != nil {
			t.Fatal(err)
		}
	}
	harness.WriteFile(t, filepath.Join(m.homes, "ann", "roots"), []byte("root's"))
	if err := os.Chmod(filepath.Join(m.homes, "ann", "roots"), 0o600); err != nil {
		t.Fatal(err)
	}
	for by, c := range m.clients(t, "ann") {
		t.Run(by, func(t *testing.T) {
			content := []byte("of ann by " + by)
			if err := c.put("/"+by, content); err != nil {
				t.Fatal(err)
			}
			m.owner(t, "ann/"+by, ann, ann)
			if got, err := c.get("/" + by); err != nil || !bytes.Equal(got, content) {
				t.Errorf("RETR: %q, %v", got, err)
			}
			if err := c.mkdir("/dir-" + by); err != nil {
				t.Fatal(err)
			}
			m.owner(t, "ann/dir-"+by, ann, ann)
			if got, err := c.get("/roots"); err == nil {
				t.Errorf("ann reads a file of root's with mode 0600: %q", got)
			}
			if err := c.put("/roots-dir/x", nil); err == nil {
				t.Error("ann writes where there is no directory")
			}
		})
	}
}

// TestGroupsOfSystemUsers: a directory of a group is its members', and a setgid one gives its
// group to what is made in it.
func TestGroupsOfSystemUsers(t *testing.T) {
	m := newMachine(t)
	inTeam := filepath.Join(m.homes, "ann", "team")
	if err := errors.Join(os.Mkdir(inTeam, 0o700), os.Chown(inTeam, 0, team), os.Chmod(inTeam, 0o770|os.ModeSetgid)); err != nil {
		t.Fatal(err)
	}
	closed := filepath.Join(m.homes, "ann", "closed")
	if err := errors.Join(os.Mkdir(closed, 0o700), os.Chown(closed, ben, ben)); err != nil {
		t.Fatal(err)
	}
	for by, c := range m.clients(t, "ann") {
		t.Run(by, func(t *testing.T) {
			if err := c.put("/team/"+by, []byte("x")); err != nil {
				t.Fatal(err)
			}
			m.owner(t, "ann/team/"+by, ann, team)
			if err := c.put("/closed/"+by, []byte("x")); err == nil {
				t.Error("ann writes into a directory of ben's with mode 0700")
			}
			if err := c.remove("/team/" + by); err != nil {
				t.Error(err)
			}
			if err := c.remove("/closed"); err == nil {
				t.Error("ann removes ben's directory by DELE")
			}
		})
	}
}

// TestWhoMayNotLogIn: root, an account of the system, one that is listed or locked; and
// who is locked while at work has to go.
func TestWhoMayNotLogIn(t *testing.T) {
	m := newMachine(t)
	for _, name := range []string{"root", "daemon", "nobody-there"} {
		harness.WantLogin(t, m.Server, name, password, false)
	}
	harness.WantLogin(t, m.Server, "ann", "wrong", false)
	harness.WantLogin(t, m.Server, "ben", password, true)
	at := harness.PhoneAs(t, m.Server, "", "ann", password)
	shadow := filepath.Join(m.etc, "shadow")
	content, err := os.ReadFile(shadow)
	if err != nil {
		t.Fatal(err)
	}
	// In place: a bind mount shows the file, and not its name.
	if err := os.WriteFile(shadow, bytes.ReplaceAll(content, []byte("ann:$"), []byte("ann:!$")), 0o600); err != nil {
		t.Fatal(err)
	}
	if a, err := at.Hear(); err == nil && a.Code != 421 {
		t.Errorf("a session whose account was locked is told %v", a)
	}
	harness.WantLogin(t, m.Server, "ann", password, false)
	m.Log.Wait(t, "the account is locked", m.Ended)
}

// TestAnonymousIsTheAccountFTP: it sees the home of ftp, as ftp.
func TestAnonymousIsTheAccountFTP(t *testing.T) {
	m := newMachine(t, "--anonymous")
	for name, mode := range map[string]os.FileMode{"open": 0o644, "closed": 0o600} {
		path := filepath.Join(m.Dir, name)
		harness.WriteFile(t, path, []byte("x"))
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Chmod(m.Dir, 0o755), os.Chmod(filepath.Dir(m.Dir), 0o755)); err != nil {
		t.Fatal(err)
	}
	at := harness.PhoneAs(t, m.Server, "", "anonymous", "guest@")
	at.WantFetched("RETR open", []byte("x"))
	if got, err := at.Fetch("RETR closed"); err == nil {
		t.Errorf("anonymous reads what ftp may not: %q", got)
	}
}
