package ssh

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"ferry/internal/interop/harness"
	"ferry/internal/sftptest"
	"ferry/internal/sftpwire"
)

// pipes are a program's stdin and stdout as one stream.
type pipes struct {
	io.Reader
	io.WriteCloser
}

// talkTo starts a server in dir, as the user whom that belongs to, and gives a client of
// it, which has said hello.
func talkTo(t *testing.T, dir string, command []string) *sftptest.Peer {
	t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	if i, err := os.Stat(dir); err != nil {
		t.Fatal(err)
	} else if st := i.Sys().(*syscall.Stat_t); int(st.Uid) != os.Getuid() {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: st.Uid, Gid: st.Gid}}
	}
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("cannot start %s: %v (make deps installs it)", command[0], err)
	}
	over := make(chan error, 1)
	go func() { over <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = in.Close()
		if err := <-over; err != nil {
			t.Errorf("%s: %v", command[0], err)
		}
	})
	return sftptest.NewPeer(t, pipes{out, in}, nil)
}

// step is a request whose answer both servers are asked for. Its handle "$" is the one
// that was opened last.
type step struct {
	ask sftpwire.Request
	// Where the two differ: what ours answers instead, and why.
	ours, reason string
}

// alike are conversations that must go as with OpenSSH's server, each from a fresh
// directory, which is also where the servers are started.
func alike(t *testing.T) map[string][]step {
	const rd, wr, creat, trunc, excl, app = sftptest.Rd, sftptest.Wr, sftptest.Creat, sftptest.Trunc, sftptest.Excl, sftptest.App
	mode := func(m uint32) sftpwire.Attrs { return sftpwire.Attrs{Flags: sftpwire.AttrMode, Mode: m} }
	open := func(name string, flags sftpwire.OpenFlags) step {
		return step{ask: &sftpwire.Open{Name: name, Flags: flags}}
	}
	closing := step{ask: &sftpwire.Close{Handle: "$"}}
	me, err := user.LookupId(strconv.Itoa(os.Getuid()))
	if err != nil {
		t.Fatal(err)
	}
	stat := func(name string) step { return step{ask: &sftpwire.Stat{Name: name}} }
	return map[string][]step{
		"names": {
			{ask: &sftpwire.Realpath{Name: ""}}, {ask: &sftpwire.Realpath{Name: "."}}, {ask: &sftpwire.Realpath{Name: "/"}},
			{ask: &sftpwire.Realpath{Name: "file"}}, {ask: &sftpwire.Realpath{Name: "missing"}}, {ask: &sftpwire.Realpath{Name: "missing/x"}},
			{ask: &sftpwire.Realpath{Name: "dir/../file"}}, {ask: &sftpwire.Realpath{Name: "soft"}}, {ask: &sftpwire.Realpath{Name: "softdir/in"}},
			{ask: &sftpwire.Realpath{Name: "loop"}}, {ask: &sftpwire.Realpath{Name: "file/x"}}, {ask: &sftpwire.Realpath{Name: "dangling"}},
			{ask: &sftpwire.Realpath{Name: "softdir/.."}}, {ask: &sftpwire.Stat{Name: "softdir/../far-in"}},
			stat("file"), stat("./dir"), stat(""), stat("dir/in"), stat("soft"), stat("missing"), stat("file/"), stat("dir/"),
			{ask: &sftpwire.Lstat{Name: "soft"}}, {ask: &sftpwire.Readlink{Name: "soft"}}, {ask: &sftpwire.Readlink{Name: "file"}},
			{ask: &sftpwire.Readlink{Name: "absolute"}}, stat("absolute"),
			{ask: &sftpwire.ExpandPath{Name: "~"}}, {ask: &sftpwire.ExpandPath{Name: "~/x"}}, {ask: &sftpwire.ExpandPath{Name: "~daemon"}},
			{ask: &sftpwire.ExpandPath{Name: "~daemon/missing/x"}}, {ask: &sftpwire.ExpandPath{Name: "~no-such-user"}},
			{ask: &sftpwire.ExpandPath{Name: "file"}}, {ask: &sftpwire.HomeDirectory{User: me.Username}},
			{ask: &sftpwire.HomeDirectory{User: ""}, ours: fmt.Sprintf("names [%q]", me.HomeDir), reason: "the draft has the empty name mean the caller (filexfer-extensions-00 §5)"},
			{ask: &sftpwire.HomeDirectory{User: "daemon"}, ours: `names ["/usr/sbin"]`, reason: "OpenSSH 9.2 gives the caller's own, whoever is asked for"},
			{ask: &sftpwire.HomeDirectory{User: "no-such-user"}, ours: "2", reason: "what is missing is said to be"},
		},
		"modes": {
			{ask: &sftpwire.Setstat{Name: "file", Attrs: mode(0o4755)}}, stat("file"),
			{ask: &sftpwire.Setstat{Name: "file", Attrs: mode(0o2755)}}, stat("file"),
			{ask: &sftpwire.Setstat{Name: "file", Attrs: mode(0o1644)}}, stat("file"),
			{ask: &sftpwire.Setstat{Name: "file", Attrs: mode(0o106755)}}, stat("file"),
			{ask: &sftpwire.Setstat{Name: "dir", Attrs: mode(0o3775)}}, stat("dir"),
			{ask: &sftpwire.Mkdir{Name: "d1", Attrs: mode(0o750)}}, stat("d1"), {ask: &sftpwire.Mkdir{Name: "d2"}}, stat("d2"),
			{ask: &sftpwire.Mkdir{Name: "d3", Attrs: mode(0o7777)}}, stat("d3"), {ask: &sftpwire.Mkdir{Name: "d4", Attrs: mode(0)}}, stat("d4"),
			{ask: &sftpwire.Mkdir{Name: "dir"}}, {ask: &sftpwire.Mkdir{Name: "missing/x"}},
			{ask: &sftpwire.Open{Name: "f1", Flags: wr | creat | trunc, Attrs: mode(0o4755)}},
			{ask: &sftpwire.Fsetstat{Handle: "$", Attrs: mode(0o4755)}}, closing, stat("f1"),
			{ask: &sftpwire.Open{Name: "f2", Flags: wr | creat | excl, Attrs: mode(0o640)}}, closing, stat("f2"),
			{ask: &sftpwire.Open{Name: "f3", Flags: wr | creat, Attrs: mode(0)}}, closing, stat("f3"),
			{ask: &sftpwire.Open{Name: "f4", Flags: wr | creat | trunc, Attrs: mode(0o6751)}}, closing, stat("f4"),
			{ask: &sftpwire.Lsetstat{Name: "soft", Attrs: mode(0o600)}, ours: "8", reason: "a link has no mode on Linux, and OP_UNSUPPORTED says so"},
		},
		"devices": {
			open("/dev/null", rd), {ask: &sftpwire.Read{Handle: "$", Length: 10}}, {ask: &sftpwire.Fstat{Handle: "$"}}, closing,
			open("/dev/null", wr), {ask: &sftpwire.Write{Handle: "$", Data: []byte("lost")}}, closing,
			open("/dev/null", wr|creat|trunc), {ask: &sftpwire.Write{Handle: "$", Data: []byte("lost")}}, {ask: &sftpwire.Write{Handle: "$", Offset: 4, Data: []byte("lost")}}, closing,
			open("/dev/null", wr|creat|excl), open("/dev/null", rd|wr), closing,
			stat("/dev/null"), {ask: &sftpwire.Lstat{Name: "/dev/null"}},
			open("/dev/zero", rd), {ask: &sftpwire.Read{Handle: "$", Length: 10}}, closing,
			open("/dev/full", wr|creat|trunc), {ask: &sftpwire.Write{Handle: "$", Data: []byte("lost")}},
			{ask: &sftpwire.Close{Handle: "$"}, ours: "4", reason: "a CLOSE fails where a WRITE has"},
			open("/dev/no-such", rd), open("socket", rd), open("socket", wr|creat|trunc),
			open("/proc/self/status", rd), {ask: &sftpwire.Close{Handle: "$"}}, stat("/proc/version"), stat("/sys/kernel"),
			open("/proc/version", wr), {ask: &sftpwire.Opendir{Name: "/proc/self"}}, {ask: &sftpwire.Close{Handle: "$"}},
			open("/proc/self/mem", rd|wr), closing, open("/proc/sys/kernel/ostype", rd), {ask: &sftpwire.Read{Handle: "$", Length: 100}}, closing,
		},
		"files": {
			open("new", wr|creat), {ask: &sftpwire.Write{Handle: "$", Data: []byte("content")}}, closing, stat("new"),
			open("file", rd), {ask: &sftpwire.Read{Handle: "$", Length: 100}}, {ask: &sftpwire.Read{Handle: "$", Offset: 100, Length: 1}}, closing,
			open("file", wr|app), {ask: &sftpwire.Write{Handle: "$", Data: []byte("more")}}, closing, stat("file"),
			open("missing", rd), open("missing", wr), open("missing", wr|trunc), {ask: &sftpwire.Open{Name: "dir", Flags: rd}, ours: "4", reason: "a directory is refused at OPEN, and not at the first READ"}, open("dir", wr|creat), open("file", wr|creat|excl),
			open("file/x", rd), open("loop", rd), open("", rd), open("dangling", wr|creat), closing, stat("target"),
			{ask: &sftpwire.Remove{Name: "dir"}}, {ask: &sftpwire.Rmdir{Name: "file"}}, {ask: &sftpwire.Rmdir{Name: "dir"}}, {ask: &sftpwire.Remove{Name: "missing"}},
			{ask: &sftpwire.Rename{From: "file", To: "dir"}}, {ask: &sftpwire.Rename{From: "file", To: "new"}}, {ask: &sftpwire.Rename{From: "missing", To: "x"}},
			{ask: &sftpwire.PosixRename{From: "new", To: "file"}}, {ask: &sftpwire.PosixRename{From: "file", To: "dir"}}, {ask: &sftpwire.Rename{From: "dir", To: "dir/in/x"}},
			{ask: &sftpwire.Hardlink{From: "file", To: "hard"}}, {ask: &sftpwire.Hardlink{From: "file", To: "hard"}}, {ask: &sftpwire.Hardlink{From: "dir", To: "x"}},
			{ask: &sftpwire.Symlink{Target: "/absolute/../x", Name: "l1"}}, {ask: &sftpwire.Readlink{Name: "l1"}}, {ask: &sftpwire.Symlink{Target: "x", Name: "l1"}},
			{ask: &sftpwire.Opendir{Name: "file"}}, {ask: &sftpwire.Opendir{Name: "missing"}},
			{ask: &sftpwire.Setstat{Name: "missing", Attrs: mode(0o600)}}, {ask: &sftpwire.Setstat{Name: "file", Attrs: sftpwire.Attrs{Flags: sftpwire.AttrSize, Size: 2}}}, stat("file"),
			{ask: &sftpwire.Remove{Name: "l1"}}, {ask: &sftpwire.Remove{Name: "/proc/self/status"}},
		},
	}
}

// plantAlike is what the conversations begin with.
func plantAlike(t *testing.T) string {
	dir := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	harness.WriteFile(t, filepath.Join(dir, "file"), []byte("old content"))
	must(os.MkdirAll(filepath.Join(dir, "dir", "in"), 0o755))
	must(os.MkdirAll(filepath.Join(dir, "far", "away"), 0o755))
	harness.WriteFile(t, filepath.Join(dir, "far", "far-in"), nil)
	for link, target := range map[string]string{
		"soft": "file", "softdir": "far/away", "loop": "loop", "dangling": "target", "absolute": filepath.Join(dir, "file"),
	} {
		must(os.Symlink(target, filepath.Join(dir, link)))
	}
	socket := exec.Command("/usr/bin/python3", "-c", "import socket; socket.socket(socket.AF_UNIX).bind('socket')")
	socket.Dir = dir
	must(socket.Run())
	return dir
}

// said is an answer as the two are compared: without times, numbers of handles, and
// the directory, which each has its own.
func said(r sftpwire.Reply, dir string) string {
	attrs := func(a sftpwire.Attrs) string {
		if a.Mode&0o170000 == 0o040000 {
			a.Size = 0 // what it takes on the disk, which ours does not say
		}
		return fmt.Sprintf("%o %d %d:%d", a.Mode, a.Size, a.UID, a.GID)
	}
	switch r := r.(type) {
	case *sftpwire.Status:
		return fmt.Sprint(uint32(r.Code))
	case *sftpwire.Handle:
		return "a handle"
	case *sftpwire.Data:
		return fmt.Sprintf("data %q", r.Data)
	case *sftpwire.Names:
		var names []string
		for _, e := range r.Entries {
			names = append(names, strings.ReplaceAll(e.Name, dir, "$DIR"))
		}
		return fmt.Sprintf("names %q", names)
	case *sftpwire.AttrsReply:
		return "attributes " + strings.ReplaceAll(attrs(r.Attrs), dir, "$DIR")
	}
	return fmt.Sprintf("%T", r)
}

// answers has the conversation with a server that is started in dir.
func answers(t *testing.T, dir string, command []string, steps []step) []string {
	p := talkTo(t, dir, command)
	handle := ""
	var all []string
	for _, s := range steps {
		r := p.Wait(p.Send(withHandle(s.ask, handle)))
		if h, ok := r.(*sftpwire.Handle); ok {
			handle = h.Handle
		}
		all = append(all, said(r, dir))
	}
	return all
}

// withHandle is the request with the handle in the place of "$".
func withHandle(r sftpwire.Request, handle string) sftpwire.Request {
	switch r := r.(type) {
	case *sftpwire.Close:
		return &sftpwire.Close{Handle: handle}
	case *sftpwire.Read:
		return &sftpwire.Read{Handle: handle, Offset: r.Offset, Length: r.Length}
	case *sftpwire.Write:
		return &sftpwire.Write{Handle: handle, Offset: r.Offset, Data: r.Data}
	case *sftpwire.Fstat:
		return &sftpwire.Fstat{Handle: handle}
	case *sftpwire.Fsetstat:
		return &sftpwire.Fsetstat{Handle: handle, Attrs: r.Attrs}
	}
	return r
}

// TestSFTPServerAnswersAsOpenSSHs: the same requests to both servers have the same
// answers, and leave the same files, but for what the table gives a reason for.
func TestSFTPServerAnswersAsOpenSSHs(t *testing.T) {
	t.Parallel()
	ferry := os.Getenv(harness.BinaryEnv)
	for name, steps := range alike(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			theirDir, ourDir := plantAlike(t), plantAlike(t)
			bothAnswer(t, steps, theirDir, ourDir, ferry)
		})
	}
	if os.Getuid() != 0 {
		return
	}
	// As root the kernel refuses nothing. So once more as somebody else.
	t.Run("as nobody", func(t *testing.T) {
		t.Parallel()
		theirDir, ourDir := plantAlike(t), plantAlike(t)
		ferry := copyForAll(t, ferry)
		giveToNobody(t, theirDir)
		giveToNobody(t, ourDir)
		bothAnswer(t, unprivileged(), theirDir, ourDir, ferry)
	})
}

// unprivileged is a conversation about what the kernel refuses to most.
func unprivileged() []step {
	mode := func(m uint32) sftpwire.Attrs { return sftpwire.Attrs{Flags: sftpwire.AttrMode, Mode: m} }
	owner := func(id uint32) sftpwire.Attrs { return sftpwire.Attrs{Flags: sftpwire.AttrOwner, UID: id, GID: id} }
	const rd, wr, creat, trunc = sftptest.Rd, sftptest.Wr, sftptest.Creat, sftptest.Trunc
	return []step{
		{ask: &sftpwire.Setstat{Name: "file", Attrs: mode(0o4755)}}, {ask: &sftpwire.Stat{Name: "file"}},
		{ask: &sftpwire.Setstat{Name: "file", Attrs: owner(0)}}, {ask: &sftpwire.Setstat{Name: "roots", Attrs: mode(0o4777)}},
		{ask: &sftpwire.Open{Name: "roots", Flags: rd}}, {ask: &sftpwire.Open{Name: "roots", Flags: wr | creat | trunc}},
		{ask: &sftpwire.Open{Name: "open", Flags: wr | creat | trunc}}, {ask: &sftpwire.Write{Handle: "$", Data: []byte("new")}}, {ask: &sftpwire.Close{Handle: "$"}},
		{ask: &sftpwire.Stat{Name: "open"}}, {ask: &sftpwire.Open{Name: "closed/in", Flags: rd}}, {ask: &sftpwire.Stat{Name: "closed/in"}},
		{ask: &sftpwire.Opendir{Name: "closed"}}, {ask: &sftpwire.Realpath{Name: "closed/x"}}, {ask: &sftpwire.Mkdir{Name: "closed/d"}},
		{ask: &sftpwire.Rmdir{Name: "closed"}}, {ask: &sftpwire.Remove{Name: "closed/in"}}, {ask: &sftpwire.Rename{From: "closed/in", To: "in"}},
		{ask: &sftpwire.Open{Name: "/proc/self/mem", Flags: rd}}, {ask: &sftpwire.Open{Name: "/proc/self/mem", Flags: rd | wr}}, {ask: &sftpwire.Open{Name: "/proc/self/maps", Flags: rd}},
		{ask: &sftpwire.Open{Name: "/etc/shadow", Flags: rd}}, {ask: &sftpwire.Open{Name: "/etc/new", Flags: wr | creat}}, {ask: &sftpwire.Open{Name: "/dev/mem", Flags: rd}},
		{ask: &sftpwire.Open{Name: "/proc/version", Flags: wr | creat | trunc}}, {ask: &sftpwire.Mkdir{Name: "/proc/x"}}, {ask: &sftpwire.Remove{Name: "/etc/passwd"}},
		{ask: &sftpwire.Hardlink{From: "/etc/passwd", To: "passwd"}}, {ask: &sftpwire.Lstat{Name: "passwd"}},
	}
}

// giveToNobody gives dir away, with a file and a directory of root's in it.
func giveToNobody(t *testing.T, dir string) {
	const nobody = 65534
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, nobody, nobody)
	}))
	must(os.Chmod(filepath.Dir(dir), 0o755))
	harness.WriteFile(t, filepath.Join(dir, "roots"), []byte("secret"))
	must(os.Chmod(filepath.Join(dir, "roots"), 0o600))
	harness.WriteFile(t, filepath.Join(dir, "open"), []byte("for all"))
	must(os.Chmod(filepath.Join(dir, "open"), 0o666))
	must(os.Mkdir(filepath.Join(dir, "closed"), 0o700))
	harness.WriteFile(t, filepath.Join(dir, "closed", "in"), nil)
}

// copyForAll is a program where everybody may run it.
func copyForAll(t *testing.T, program string) string {
	t.Helper()
	content, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "ferry")
	if err := os.WriteFile(path, content, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// bothAnswer has a conversation with both servers and compares.
func bothAnswer(t *testing.T, steps []step, theirDir, ourDir, ferry string) {
	t.Helper()
	theirs := answers(t, theirDir, []string{opensshServer}, steps)
	ours := answers(t, ourDir, []string{ferry, "sftp-server"}, steps)
	for i, s := range steps {
		want := theirs[i]
		if s.reason != "" {
			if want = s.ours; want == theirs[i] {
				t.Errorf("%d: %T%+v: both answer %q, and need no reason for a difference: %s", i, s.ask, s.ask, want, s.reason)
			}
		}
		if ours[i] != want {
			t.Errorf("%d: %T%+v: ferry's answers %q, OpenSSH's %q", i, s.ask, s.ask, ours[i], theirs[i])
		}
	}
	if a, b := left(t, ourDir), left(t, theirDir); !slices.Equal(a, b) {
		t.Errorf("ferry's left\n%s\nOpenSSH's\n%s", strings.Join(a, "\n"), strings.Join(b, "\n"))
	}
}

// left is what lies in dir after a conversation.
func left(t *testing.T, dir string) []string {
	var all []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		line := strings.TrimPrefix(path, dir) + " " + info.Mode().String()
		if info.Mode().IsRegular() {
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			line += fmt.Sprintf(" %q", content)
		}
		all = append(all, line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestSFTPServerIsStartedAsOpenSSHs: by the same arguments, in the same directory, and
// with a link in its place, both begin where the other does.
func TestSFTPServerIsStartedAsOpenSSHs(t *testing.T) {
	t.Parallel()
	me, err := user.LookupId(strconv.Itoa(os.Getuid()))
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "sftp-server")
	if err := os.Symlink(os.Getenv(harness.BinaryEnv), link); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		nil, {"-d", "dir"}, {"-d", "softdir"}, {"-d", "/"}, {"-d", "~"}, {"-d", "~daemon"}, {"-d", "%d"}, {"-d", "%d/"}, {"-d", "/%%%u"},
		{"-d", "missing"}, {"host"}, {"-d", "dir", "--", "host", "sftp"}, {"host", "-d", "/"}, {"host", "-x"}, {"-c", "-x", "/bin/ls -l"},
		{"-R", "-e", "-l", "INFO", "-f", "LOCAL0", "-u", "077", "-P", "remove", "-p", "realpath,open"},
	} {
		ask := []step{
			{ask: &sftpwire.Realpath{Name: "."}}, {ask: &sftpwire.Realpath{Name: ""}}, {ask: &sftpwire.ExpandPath{Name: "~"}},
			{ask: &sftpwire.HomeDirectory{User: me.Username}}, {ask: &sftpwire.Lstat{Name: "in"}},
		}
		theirDir, ourDir := plantAlike(t), plantAlike(t)
		theirs := answers(t, theirDir, append([]string{opensshServer}, args...), ask)
		ours := answers(t, ourDir, append([]string{link}, args...), ask)
		if !slices.Equal(ours, theirs) {
			t.Errorf("%q: ferry's answers\n%q, OpenSSH's\n%q", args, ours, theirs)
		}
	}
}

// TestSFTPServerHasTheRequestsOfOpenSSHs: what a Subsystem line names by -P and -p is known.
func TestSFTPServerHasTheRequestsOfOpenSSHs(t *testing.T) {
	t.Parallel()
	theirs := harness.Program{}.Must(t, opensshServer, "-Q", "requests")
	ours := strings.Fields(harness.Program{}.Must(t, os.Getenv(harness.BinaryEnv), "sftp-server", "-Q", "requests").Out)
	for _, name := range strings.Fields(theirs.Out) {
		if !slices.Contains(ours, name) {
			t.Errorf("%s is not known", name)
		}
	}
}

// TestSCPWithTheServerInItsPlace: scp -D runs a program by its name, with the host and
// the subsystem as arguments, where it stands.
func TestSCPWithTheServerInItsPlace(t *testing.T) {
	t.Parallel()
	here := t.TempDir()
	link := filepath.Join(t.TempDir(), "sftp-server")
	if err := os.Symlink(os.Getenv(harness.BinaryEnv), link); err != nil {
		t.Fatal(err)
	}
	harness.WriteFile(t, filepath.Join(here, "f"), harness.Noise(1, 100_000))
	fine(t, harness.Program{Dir: here}.Run(t, "scp", "-s", "-D", link, "f", "any:there"))
	harness.WantFile(t, filepath.Join(here, "there"), harness.Noise(1, 100_000))
	fine(t, harness.Program{Dir: here}.Run(t, "scp", "-s", "-D", link, "any:there", "back"))
	harness.WantFile(t, filepath.Join(here, "back"), harness.Noise(1, 100_000))
}
