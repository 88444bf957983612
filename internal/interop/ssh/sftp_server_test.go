package ssh

import (
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/internal/interop/harness"
	"ferry/internal/sftpwire"
)

// sftpServer is the command that sftp -D and scp -D run: `ferry sftp-server`,
// beginning in dir.
func sftpServer(dir string, flags ...string) string {
	words := append([]string{os.Getenv(harness.BinaryEnv), "sftp-server", "-d", dir}, flags...)
	return strings.Join(words, " ")
}

// sftp runs lines as a batch of OpenSSH's client, in here, against the files
// in there. The first line that fails ends it.
func sftp(t testing.TB, here, there string, lines ...string) harness.Output {
	t.Helper()
	return sftpWith(t, here, sftpServer(there), nil, lines...)
}

func sftpWith(t testing.TB, here, server string, flags []string, lines ...string) harness.Output {
	t.Helper()
	return harness.Program{Dir: here, Stdin: strings.Join(lines, "\n") + "\n"}.Run(t, "sftp", append(flags, "-b", "-", "-D", server)...)
}

// fine wants a client to have succeeded.
func fine(t testing.TB, o harness.Output) {
	t.Helper()
	if o.Code != 0 {
		t.Errorf("exit status %d\n%s%s", o.Code, o.Out, o.Err)
	}
}

// TestSFTPTransfers: put and get of every size, with the client's own buffer,
// a small, and the largest.
func TestSFTPTransfers(t *testing.T) {
	t.Parallel()
	for _, flags := range [][]string{nil, {"-B", "1000", "-R", "7"}, {"-B", "261120", "-R", "128"}} {
		t.Run(strings.Join(flags, " "), func(t *testing.T) {
			t.Parallel()
			here, there := t.TempDir(), t.TempDir()
			for name, size := range harness.Sizes() {
				harness.WriteFile(t, filepath.Join(here, "size-"+name), harness.Noise(uint64(size), size))
			}
			if err := os.Mkdir(filepath.Join(here, "back"), 0o755); err != nil {
				t.Fatal(err)
			}
			fine(t, sftpWith(t, here, sftpServer(there), flags, "put size-*", "get size-* back/"))
			for _, name := range slices.Sorted(maps.Keys(harness.Sizes())) {
				content := harness.Noise(uint64(harness.Sizes()[name]), harness.Sizes()[name])
				harness.WantFile(t, filepath.Join(there, "size-"+name), content)
				harness.WantFile(t, filepath.Join(here, "back", "size-"+name), content)
			}
			harness.WantNoParts(t, there)
		})
	}
}

// TestSFTPTrees carries a tree there and back again, with modes and times.
func TestSFTPTrees(t *testing.T) {
	t.Parallel()
	here, there := t.TempDir(), t.TempDir()
	harness.Plant(t, filepath.Join(here, "out"), 200)
	fine(t, sftp(t, here, there, "put -rp out tree", "get -rp tree back"))
	k := harness.Kept{Modes: true, Times: true}
	harness.WantSameTree(t, filepath.Join(there, "tree"), filepath.Join(here, "out"), k)
	harness.WantSameTree(t, filepath.Join(here, "back"), filepath.Join(here, "out"), k)
	harness.WantNoParts(t, there)
}

// TestSFTPCommands: everything else that people type.
func TestSFTPCommands(t *testing.T) {
	t.Parallel()
	here, there := t.TempDir(), t.TempDir()
	harness.WriteFile(t, filepath.Join(here, "f"), []byte("content"))
	o := sftp(t, here, there,
		"put f", "rename f g", "put f", "rename f g", // which replaces, by posix-rename
		"symlink g soft", "ln g hard", "chmod 640 g", "mkdir d", "cd d", "pwd", "cd ..",
		"mkdir e", "rmdir e", "put f x", "rm x", "copy g copied", "df", "df -i", "ls -la", "ls -ln", "ls g*", "get soft", "-ls missing")
	fine(t, o)
	for _, name := range []string{"g", "hard", "soft", "copied"} {
		harness.WantFile(t, filepath.Join(there, name), []byte("content"))
	}
	harness.WantFile(t, filepath.Join(here, "soft"), []byte("content"))
	for _, name := range []string{"f", "e", "x"} {
		harness.WantNoFile(t, filepath.Join(there, name))
	}
	if target, err := os.Readlink(filepath.Join(there, "soft")); err != nil || target != "g" {
		t.Errorf("soft points to %q, %v", target, err)
	}
	for _, want := range []string{
		"Remote working directory: " + filepath.Join(there, "d"), "-rw-r-----", "lrwxrwxrwx", "drwxr-xr-x", "%Capacity", "Inodes",
	} {
		if !strings.Contains(o.Out, want) {
			t.Errorf("sftp did not show %q:\n%s", want, o.Out)
		}
	}
	if !strings.Contains(o.Err, "not found") {
		t.Errorf("ls of what is missing: %s", o.Err)
	}
}

// broken begins an upload of content to name in dir, gets as far as half, and
// has the server killed.
func broken(t *testing.T, dir, name string, flags sftpwire.OpenFlags, half []byte) {
	t.Helper()
	cmd := exec.CommandContext(harness.Deadline(t), os.Getenv(harness.BinaryEnv), "sftp-server", "-d", dir)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ask := func(packet []byte) sftpwire.Reply {
		if _, err := in.Write(packet); err != nil {
			t.Fatal(err)
		}
		var header [4]byte
		if _, err := io.ReadFull(out, header[:]); err != nil {
			t.Fatal(err)
		}
		n, err := sftpwire.Length(header)
		if err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, n)
		if _, err := io.ReadFull(out, answer); err != nil {
			t.Fatal(err)
		}
		_, r, _ := sftpwire.ParseReply(answer) // VERSION is none, and is not looked at
		return r
	}
	ask(sftpwire.AppendInit(nil, sftpwire.Hello{Version: 3}))
	h, ok := ask(sftpwire.AppendRequest(nil, 1, &sftpwire.Open{Name: name, Flags: flags})).(*sftpwire.Handle)
	if !ok {
		t.Fatal("the upload could not begin")
	}
	for off := 0; off < len(half); off += 30_000 {
		r := ask(sftpwire.AppendRequest(nil, 2, &sftpwire.Write{Handle: h.Handle, Offset: uint64(off), Data: half[off:min(off+30_000, len(half))]}))
		if s, ok := r.(*sftpwire.Status); !ok || s.Code != sftpwire.OK {
			t.Fatalf("WRITE: %#v", r)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
}

// TestSFTPKilledUpload publishes nothing, onto a new name and onto an old one,
// as sftp and as scp open files; reput goes on with it where nothing stands there.
func TestSFTPKilledUpload(t *testing.T) {
	t.Parallel()
	const write = sftpwire.OpenWrite | sftpwire.OpenCreate
	for _, flags := range []sftpwire.OpenFlags{write, write | sftpwire.OpenTruncate} {
		for _, old := range []string{"", "the old content"} {
			t.Run(fmt.Sprintf("flags %d over %q", flags, old), func(t *testing.T) {
				t.Parallel()
				here, there := t.TempDir(), t.TempDir()
				content := harness.Noise(1, 300_000)
				harness.WriteFile(t, filepath.Join(here, "f"), content)
				if old != "" {
					harness.WriteFile(t, filepath.Join(there, "f"), []byte(old))
				}
				broken(t, there, "f", flags, content[:120_000])
				if old == "" {
					harness.WantNoFile(t, filepath.Join(there, "f"))
				} else {
					harness.WantFile(t, filepath.Join(there, "f"), []byte(old))
				}
				if old == "" {
					fine(t, sftp(t, here, there, "reput f"))
				} else {
					wantReputRefused(t, sftp(t, here, there, "reput f"), filepath.Join(there, "f"), old)
					fine(t, sftp(t, here, there, "put f"))
				}
				harness.WantFile(t, filepath.Join(there, "f"), content)
				harness.WantNoParts(t, there)
			})
		}
	}
}

// TestSFTPReget goes on with a download, and with an upload where the server
// knows of no unfinished one: what stands there is what to go on with.
func TestSFTPReget(t *testing.T) {
	t.Parallel()
	here, there, content := t.TempDir(), t.TempDir(), harness.Noise(2, 500_000)
	harness.WriteFile(t, filepath.Join(there, "f"), content)
	harness.WriteFile(t, filepath.Join(here, "f"), content[:123_457])
	harness.WriteFile(t, filepath.Join(here, "g"), content)
	harness.WriteFile(t, filepath.Join(there, "g"), content[:70_001])
	fine(t, sftp(t, here, there, "reget f", "reput g"))
	harness.WantFile(t, filepath.Join(here, "f"), content)
	harness.WantFile(t, filepath.Join(there, "g"), content)
}

// TestSCPOverSFTP: scp opens without TRUNC and cuts in the end.
func TestSCPOverSFTP(t *testing.T) {
	t.Parallel()
	here, there := t.TempDir(), t.TempDir()
	harness.Plant(t, filepath.Join(here, "out"), 30)
	harness.WriteFile(t, filepath.Join(here, "short"), harness.Noise(3, 1000))
	harness.WriteFile(t, filepath.Join(there, "short"), harness.Noise(4, 100_000))
	// scp takes -D for the name of a program, without flags.
	script := filepath.Join(here, "server")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nexec "+sftpServer(there)+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	scp := func(args ...string) {
		t.Helper()
		fine(t, harness.Program{Dir: here}.Run(t, "scp", append([]string{"-s", "-D", script}, args...)...))
	}
	scp("-p", "short", "any:short")
	harness.WantFile(t, filepath.Join(there, "short"), harness.Noise(3, 1000))
	scp("-rp", "out", "any:tree")
	scp("-rp", "any:tree", "back")
	harness.WantSameTree(t, filepath.Join(there, "tree"), filepath.Join(here, "out"), harness.Kept{Modes: true, Times: true})
	harness.WantSameTree(t, filepath.Join(here, "back"), filepath.Join(here, "out"), harness.Kept{Modes: true, Times: true})
	harness.WantNoParts(t, there)
}

// TestSFTPServerFlags are those of OpenSSH's.
func TestSFTPServerFlags(t *testing.T) {
	t.Parallel()
	here, there := t.TempDir(), t.TempDir()
	harness.WriteFile(t, filepath.Join(here, "f"), []byte("content"))
	harness.WriteFile(t, filepath.Join(there, "there"), []byte("content"))

	o := sftpWith(t, here, sftpServer(there, "-R", "-f", "AUTHPRIV"), nil, "get there", "-put f", "-rm there", "-mkdir d")
	fine(t, o)
	harness.WantNoFile(t, filepath.Join(there, "f"))
	harness.WantFile(t, filepath.Join(there, "there"), []byte("content"))
	if n := strings.Count(strings.ToLower(o.Err), "permission denied"); n != 3 {
		t.Errorf("-R: %d of 3 requests were denied:\n%s", n, o.Err)
	}

	o = sftpWith(t, here, sftpServer(there, "-P", "remove,rmdir"), nil, "-rm there", "put f")
	fine(t, o)
	harness.WantFile(t, filepath.Join(there, "there"), []byte("content"))

	fine(t, sftpWith(t, here, sftpServer(there, "-u", "077"), nil, "put f private", "mkdir dir"))
	for name, want := range map[string]os.FileMode{"private": 0o600, "dir": os.ModeDir | 0o700} {
		if info, err := os.Stat(filepath.Join(there, name)); err != nil || info.Mode() != want {
			t.Errorf("-u 077: %s: %v, %v", name, info, err)
		}
	}

	o = harness.Program{}.Must(t, os.Getenv(harness.BinaryEnv), "sftp-server", "-Q", "requests")
	if !strings.Contains(o.Out, "\nposix-rename\n") {
		t.Errorf("-Q requests: %s", o.Out)
	}
	o = sftpWith(t, here, sftpServer(there, "-e", "-l", "VERBOSE"), nil, "-rm missing")
	if !strings.Contains(o.Err, "request=") {
		t.Errorf("-e -l VERBOSE logged nothing:\n%s", o.Err)
	}
	for _, wrong := range [][]string{{"-l", "LOUD"}, {"-u", "9"}, {"-P", "explode"}, {"-p", "open,fly"}, {"-Q", "everything"}, {"-f", "PRINTER"}} {
		o := harness.Program{}.Run(t, os.Getenv(harness.BinaryEnv), append([]string{"sftp-server"}, wrong...)...)
		if o.Code != 2 || !strings.Contains(o.Err, wrong[0]) {
			t.Errorf("%q: exit status %d, %s", wrong, o.Code, o.Err)
		}
	}
}

// TestSFTPStart: without -d a session begins in the working directory, and a relative
// name is one there.
func TestSFTPStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	harness.WriteFile(t, filepath.Join(dir, "f"), []byte("content"))
	if err := os.Chtimes(filepath.Join(dir, "f"), old, old); err != nil {
		t.Fatal(err)
	}
	server := os.Getenv(harness.BinaryEnv) + " sftp-server"
	o := harness.Program{Dir: dir, Stdin: "pwd\nls -l f\n"}.Must(t, "sftp", "-b", "-", "-D", server)
	if !strings.Contains(o.Out, "Remote working directory: "+dir+"\n") || !strings.Contains(o.Out, "2001 f") {
		t.Errorf("sftp showed:\n%s", o.Out)
	}
}
