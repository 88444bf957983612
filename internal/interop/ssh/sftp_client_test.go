package ssh

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"ferry"
	"ferry/internal/fstest"
	"ferry/internal/interop/harness"
	"ferry/internal/mem"
	"ferry/internal/sftpclient"
	"ferry/internal/sftpconn"
)

// opensshServer is where Debian has OpenSSH's own SFTP server.
const opensshServer = "/usr/lib/openssh/sftp-server"

// openssh is a directory, as our client sees it through OpenSSH's server.
type openssh struct {
	t     testing.TB
	dir   string
	flags []string
}

// process is a server that runs, as a stream.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out io.ReadCloser
}

func (p *process) Read(b []byte) (int, error)  { return p.out.Read(b) }
func (p *process) Write(b []byte) (int, error) { return p.in.Write(b) }
func (p *process) Close() error                { return errors.Join(p.in.Close(), p.out.Close()) }

func (o openssh) start() *process {
	o.t.Helper()
	cmd := exec.Command(opensshServer, append([]string{"-u", "022"}, o.flags...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	if err != nil {
		o.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		o.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		o.t.Fatalf("%v: run make deps", err)
	}
	return &process{cmd, in, out}
}

// session begins one; process is killed to break it.
func (o openssh) session(u ferry.User) (ferry.FS, *process) {
	o.t.Helper()
	p := o.start()
	f, err := sftpclient.New(context.Background(), p, sftpclient.Options{User: u, Root: o.dir})
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() {
		_ = f.Close()
		_ = p.cmd.Wait() // it may have been killed
	})
	return f, p
}

// For makes it a fstest.Tree.
func (o openssh) For(u ferry.User) ferry.FS {
	f, _ := o.session(u)
	return f
}

func alice() ferry.User { return ferry.User{Name: "alice"} }

// uploaded writes content to name as far as Commit.
func uploaded(t *testing.T, f ferry.FS, name ferry.Name, m ferry.Mode, content []byte) ferry.Handle {
	t.Helper()
	h, err := f.Open(context.Background(), name, ferry.OpenOptions{Mode: m})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := h.WriteAt(content, 0); n != len(content) || err != nil {
		t.Fatalf("WriteAt: %d, %v", n, err)
	}
	return h
}

func done(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

func failsAs(t *testing.T, what string, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("%s: %v, want %v", what, err, target)
	}
}

// TestClientOfOpenSSHAgreesWithMem: random operations have the same results on
// a tree behind OpenSSH's server as in memory.
func TestClientOfOpenSSHAgreesWithMem(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		fstest.Random(t, seed, 300, openssh{t: t, dir: t.TempDir()}, mem.New(mem.Config{Umask: 0o022}),
			fstest.LinkCounts, fstest.OtherSessions, fstest.Identities, fstest.OwnRoot)
	}
}

// TestClientStagesUploads: on a server that shows files while they are written,
// nobody sees new content before Commit, nor anything of an upload that broke
// with its server, which the next session goes on with.
func TestClientStagesUploads(t *testing.T) {
	t.Parallel()
	for name, flags := range map[string][]string{"posix-rename": nil, "without": {"-P", "posix-rename"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := openssh{t: t, dir: t.TempDir(), flags: flags}
			path := filepath.Join(o.dir, "f")
			old, content := []byte("the old content"), harness.Noise(1, 3_000_000)
			harness.WriteFile(t, path, old)
			done(t, os.Chmod(path, 0o640))
			f := o.For(alice())
			h := uploaded(t, f, "/f", ferry.Replace, content)
			harness.WantFile(t, path, old)
			done(t, h.Commit())
			harness.WantFile(t, path, content)
			if info, err := os.Stat(path); err != nil || info.Mode() != 0o640 {
				t.Errorf("the new file is %v, %v; want the mode of the old one", info, err)
			}

			f, server := o.session(alice())
			h = uploaded(t, f, "/f", ferry.Replace, content[:1_000_000])
			done(t, server.cmd.Process.Kill())
			failsAs(t, "Commit after the server was killed", h.Commit(), sftpconn.ErrLost)
			harness.WantFile(t, path, content)

			f = o.For(alice())
			h, err := f.Open(t.Context(), "/f", ferry.OpenOptions{Mode: ferry.Resume, At: 1_000_000})
			if err != nil {
				t.Fatal(err)
			}
			if i, err := h.Stat(); err != nil || i.Size != 1_000_000 {
				t.Errorf("Resume goes on from %d, %v", i.Size, err)
			}
			_, err = h.WriteAt([]byte("end"), 1_000_000)
			done(t, err)
			done(t, h.Commit())
			harness.WantFile(t, path, append(content[:1_000_000:1_000_000], "end"...))
			wantOnly(t, o.dir, "f")
		})
	}
}

// wantOnly checks all that is in dir, hidden or not.
func wantOnly(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, names) {
		t.Errorf("%s holds %q, want %q", dir, got, names)
	}
}

// TestClientMovesFiles of every size from one connection to another.
func TestClientMovesFiles(t *testing.T) {
	t.Parallel()
	o := openssh{t: t, dir: t.TempDir()}
	f := o.For(alice())
	for name, size := range harness.Sizes() {
		content := harness.Noise(uint64(size), size)
		h, err := f.Open(t.Context(), ferry.Name("/"+name), ferry.OpenOptions{Mode: ferry.Exclusive})
		if err != nil {
			t.Fatal(err)
		}
		src, peer := net.Pipe()
		go func() {
			_, _ = peer.Write(content)
			_ = peer.Close()
		}()
		if n, err := h.ReceiveFrom(t.Context(), ferry.NewDataConn(src), 0, -1); n != int64(size) || err != nil {
			t.Errorf("%s: ReceiveFrom: %d, %v", name, n, err)
		}
		done(t, h.Sync())
		done(t, h.Commit())
		harness.WantFile(t, filepath.Join(o.dir, name), content)

		if h, err = f.Open(t.Context(), ferry.Name("/"+name), ferry.OpenOptions{Mode: ferry.Read}); err != nil {
			t.Fatal(err)
		}
		dst, reader := net.Pipe()
		var got bytes.Buffer
		arrived := make(chan error)
		go func() {
			_, err := io.Copy(&got, reader)
			arrived <- err
		}()
		n, err := h.SendTo(t.Context(), ferry.NewDataConn(dst), 0, -1)
		done(t, dst.Close())
		done(t, <-arrived)
		if n != int64(size) || err != nil || !bytes.Equal(got.Bytes(), content) {
			t.Errorf("%s: SendTo: %d, %v, or not what was sent", name, n, err)
		}
		done(t, h.Commit())
	}
}

// TestClientTellsFailuresApart that OpenSSH's server has one code for.
func TestClientTellsFailuresApart(t *testing.T) {
	t.Parallel()
	o := openssh{t: t, dir: t.TempDir()}
	f, ctx := o.For(alice()), t.Context()
	harness.WriteFile(t, filepath.Join(o.dir, "full", "file"), nil)
	done(t, os.Symlink("b", filepath.Join(o.dir, "a")))
	done(t, os.Symlink("a", filepath.Join(o.dir, "b")))
	done(t, os.Mkdir(filepath.Join(o.dir, "dir"), 0o755))
	done(t, syscall.Mkfifo(filepath.Join(o.dir, "fifo"), 0o644))
	_, statLoop := f.Stat(ctx, "/a")
	_, statBelow := f.Stat(ctx, "/full/file/x")
	_, statMissing := f.Stat(ctx, "/missing")
	_, statLong := f.Stat(ctx, ferry.Name("/"+strings.Repeat("n", 300)))
	_, readDir := f.Open(ctx, "/dir", ferry.OpenOptions{Mode: ferry.Read})
	_, replaceDir := f.Open(ctx, "/dir", ferry.OpenOptions{Mode: ferry.Replace})
	_, readPipe := f.Open(ctx, "/fifo", ferry.OpenOptions{Mode: ferry.Read})
	_, writePipe := f.Open(ctx, "/fifo", ferry.OpenOptions{Mode: ferry.Replace})
	_, exclusive := f.Open(ctx, "/full/file", ferry.OpenOptions{Mode: ferry.Exclusive})
	_, readlink := f.Readlink(ctx, "/dir")
	setuid, size := fs.ModeSetuid|0o755, int64(1)
	for what, row := range map[string]struct{ err, want error }{
		"Stat of links in a circle":       {statLoop, ferry.ErrLoop},
		"Stat below a file":               {statBelow, ferry.ErrNotDir},
		"Stat of nothing":                 {statMissing, fs.ErrNotExist},
		"Stat of a long name":             {statLong, ferry.ErrBadName},
		"Read of a directory":             {readDir, ferry.ErrIsDir},
		"Replace of a directory":          {replaceDir, ferry.ErrIsDir},
		"Read of a FIFO":                  {readPipe, ferry.ErrNotRegular},
		"Replace of a FIFO":               {writePipe, ferry.ErrNotRegular},
		"Exclusive of what is there":      {exclusive, fs.ErrExist},
		"Readlink of a directory":         {readlink, fs.ErrInvalid},
		"Mkdir of what is there":          {f.Mkdir(ctx, "/dir", nil), fs.ErrExist},
		"Remove of a directory":           {f.Remove(ctx, "/dir"), ferry.ErrIsDir},
		"Rmdir of a file":                 {f.Rmdir(ctx, "/full/file"), ferry.ErrNotDir},
		"Rmdir of a full directory":       {f.Rmdir(ctx, "/full"), ferry.ErrNotEmpty},
		"Rename onto a link":              {f.Rename(ctx, "/dir", "/a", false), fs.ErrExist},
		"Rename of a directory to a file": {f.Rename(ctx, "/dir", "/full/file", true), ferry.ErrNotDir},
		"Rename of a file to a directory": {f.Rename(ctx, "/full/file", "/dir", true), ferry.ErrIsDir},
		"Rename onto a full directory":    {f.Rename(ctx, "/dir", "/full", true), ferry.ErrNotEmpty},
		"Rename into itself":              {f.Rename(ctx, "/dir", "/dir/x", true), fs.ErrInvalid},
		"Symlink of what is there":        {f.Symlink(ctx, "x", "/dir"), fs.ErrExist},
		"Link of a directory":             {f.Link(ctx, "/dir", "/x"), fs.ErrPermission},
		"Link to what is there":           {f.Link(ctx, "/full/file", "/dir"), fs.ErrExist},
		"SetAttr of a directory's size":   {f.SetAttr(ctx, "/dir", ferry.Attr{Size: &size}), ferry.ErrIsDir},
		"SetAttr of setuid":               {f.SetAttr(ctx, "/full/file", ferry.Attr{Mode: &setuid}), fs.ErrPermission},
		"SetAttr of nothing":              {f.SetAttr(ctx, "/missing", ferry.Attr{}), fs.ErrNotExist},
		"a name of a part of ours":        {f.Mkdir(ctx, ferry.Name("/.ferry-part-"+strings.Repeat("0", 32)), nil), ferry.ErrBadName},
	} {
		failsAs(t, what, row.err, row.want)
	}
	for _, err := range f.List(ctx, "/full/file", ferry.Names) {
		failsAs(t, "List of a file", err, ferry.ErrNotDir)
	}
	wantOnly(t, o.dir, "a", "b", "dir", "fifo", "full")
}

// TestClientNeverReplacesWhatHasAppeared while an Exclusive upload was under
// way; what was uploaded is kept.
func TestClientNeverReplacesWhatHasAppeared(t *testing.T) {
	t.Parallel()
	o := openssh{t: t, dir: t.TempDir()}
	f := o.For(alice())
	h := uploaded(t, f, "/f", ferry.Exclusive, []byte("mine"))
	harness.WriteFile(t, filepath.Join(o.dir, "f"), []byte("theirs"))
	failsAs(t, "Commit", h.Commit(), fs.ErrExist)
	harness.WantFile(t, filepath.Join(o.dir, "f"), []byte("theirs"))
	if i, err := f.Part(t.Context(), "/f"); err != nil || i.Size != 4 {
		t.Errorf("the part has %d bytes, %v", i.Size, err)
	}
	done(t, f.Remove(t.Context(), "/f"))
	done(t, f.Close())
	wantOnly(t, o.dir)
}

// TestClientNoticesAnotherOfItsUser who has begun the same upload anew: it does
// not publish what that one has written so far.
func TestClientNoticesAnotherOfItsUser(t *testing.T) {
	t.Parallel()
	o := openssh{t: t, dir: t.TempDir()}
	first := uploaded(t, o.For(alice()), "/f", ferry.Replace, []byte("the first"))
	second := uploaded(t, o.For(alice()), "/f", ferry.Replace, []byte("half of the second"))
	failsAs(t, "Commit of the first", first.Commit(), ferry.ErrTakenOver)
	harness.WantNoFile(t, filepath.Join(o.dir, "f"))
	done(t, second.Commit())
	harness.WantFile(t, filepath.Join(o.dir, "f"), []byte("half of the second"))
}

// TestClientSetsWhatItIsTold, and an upload keeps its times through Commit.
func TestClientSetsWhatItIsTold(t *testing.T) {
	t.Parallel()
	o := openssh{t: t, dir: t.TempDir()}
	f, ctx := o.For(alice()), t.Context()
	at, mode := time.Unix(1_000_000_000, 0), fs.FileMode(0o751)
	h := uploaded(t, f, "/f", ferry.Replace, []byte("content"))
	done(t, h.SetAttr(ferry.Attr{ModTime: &at, Mode: &mode}))
	done(t, h.Commit())
	if i, err := f.Stat(ctx, "/f"); err != nil || !i.ModTime.Equal(at) || i.Mode != mode {
		t.Errorf("the file is %+v, %v", i, err)
	}
	if s, err := f.Space(ctx, "/"); err != nil || s.Total == 0 || s.Available > s.Total || s.MaxName < 255 {
		t.Errorf("Space: %+v, %v", s, err)
	}
	done(t, f.Link(ctx, "/f", "/g"))
	done(t, f.Symlink(ctx, "f", "/l"))
	done(t, f.SetAttr(ctx, "/l", ferry.Attr{ModTime: &at, NoFollow: true}))
	seen := map[string]ferry.Info{}
	for i, err := range f.List(ctx, "/", ferry.Full) {
		done(t, err)
		seen[i.Name] = i
	}
	if len(seen) != 3 || seen["l"].Target != "f" || !seen["l"].ModTime.Equal(at) || seen["g"].Size != 7 {
		t.Errorf("List: %+v", seen)
	}
}
