package threats

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ferry/internal/interop/harness"
)

// stuckServer is a server whose log and transfer log are pipes, which are read until
// it is ready and then no more.
type stuckServer struct {
	cmd   *exec.Cmd
	addr  string
	log   *os.File // our end of the pipe
	ended chan error
}

func startStuck(t *testing.T, more ...string) *stuckServer {
	t.Helper()
	ours, theirs, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	if _, err := unix.FcntlInt(ours.Fd(), unix.F_SETPIPE_SZ, 4096); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"serve", t.TempDir(), "--state", t.TempDir(), "--ftp", "127.0.0.1:0", "--sftp", "off", "--log-level", "debug",
		"--user", harness.User + ":" + harness.Password}, more...)
	s := &stuckServer{cmd: exec.Command(os.Getenv(harness.BinaryEnv), args...), log: ours, ended: make(chan error, 1)}
	s.cmd.Stderr = theirs
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { s.ended <- s.cmd.Wait() }()
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		ours.Close()
	})
	for r := bufio.NewReaderSize(ours, 16); s.addr == ""; { // small: nothing is read ahead that could make room
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("not ready: %v", err)
		}
		if strings.Contains(line, "msg=ready") {
			s.addr = harness.Field(line, "ftp")
		}
	}
	return s
}

// waitFull waits until the pipe takes no more.
func (s *stuckServer) waitFull(t *testing.T) {
	t.Helper()
	harness.Eventually(t, "the pipe is full", func() bool {
		n, err := unix.IoctlGetInt(int(s.log.Fd()), unix.TIOCINQ)
		return err == nil && n > 4096-512
	})
}

// work does what an honest client does, and has to be answered.
func (s *stuckServer) work(t *testing.T, n int) {
	t.Helper()
	k, a, err := harness.Call("", s.addr)
	if err != nil || a.Code != 220 {
		t.Fatalf("connection %d: %v %v", n, a, err)
	}
	defer k.HangUp()
	if err := k.Login(harness.User, harness.Password); err != nil {
		t.Fatal(err)
	}
	dir := fmt.Sprintf("d%d", n)
	if err := k.Expect("MKD "+dir, 257, "PWD", 257); err != nil {
		t.Fatal(err)
	}
	if a, err := k.Store("STOR "+dir+"/x", []byte("x")); err != nil || a.Code != 226 {
		t.Fatalf("STOR: %v, %v", a, err)
	}
}

func (s *stuckServer) wantEnd(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-s.ended:
		if err != nil {
			t.Errorf("the server ended with %v", err)
		}
	case <-time.After(harness.Patience):
		t.Error("SIGTERM is not obeyed")
	}
}

// TestBlockedLogHoldsUpNobody: the log is a pipe that nobody reads, and so is the
// transfer log. Clients come, work and go, SIGHUP and SIGTERM are obeyed.
func TestBlockedLogHoldsUpNobody(t *testing.T) {
	t.Parallel()
	fifo := filepath.Join(t.TempDir(), "transfers")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(fifo, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if _, err := unix.FcntlInt(reader.Fd(), unix.F_SETPIPE_SZ, 4096); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "ferry.toml")
	harness.WriteFile(t, config, fmt.Appendf(nil, "%s[tls]\nrequire = \"off\"\n[log]\ntransfer_log = %q\n", harness.CheapLogins, fifo))
	s := startStuck(t, "--config", config)
	for n := range 100 {
		s.work(t, n)
	}
	s.waitFull(t)
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	for n := range 300 {
		k, a, err := harness.Call("", s.addr)
		if err != nil || a.Code != 220 {
			t.Fatalf("connection %d: %v %v", n, a, err)
		}
		k.HangUp()
	}
	s.work(t, 1000)
	s.wantEnd(t)
}

// TestBlockedLogSaysWhatItLost, once somebody reads it again.
func TestBlockedLogSaysWhatItLost(t *testing.T) {
	t.Parallel()
	s := startStuck(t)
	k, _, err := harness.Call("", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer k.HangUp()
	// Each command is a line of the log of a thousand bytes: the queue holds 1 MiB.
	for range 3000 {
		if err := k.Expect("NOOP "+strings.Repeat("x", 1000), 200); err != nil {
			t.Fatal(err)
		}
	}
	said := make(chan string, 1)
	go func() {
		lines := bufio.NewReader(s.log)
		for {
			line, err := lines.ReadString('\n')
			if strings.Contains(line, "the log lost lines") || err != nil {
				said <- line
				_, _ = io.Copy(io.Discard, lines)
				return
			}
		}
	}()
	select {
	case line := <-said:
		if harness.Field(line, "lines") == "" {
			t.Errorf("the log ended without a word about what it lost: %q", line)
		}
	case <-time.After(harness.Patience):
		t.Error("nothing is said of the lost lines")
	}
	s.wantEnd(t)
}

// TestLogWithoutAReader: whoever reads the log is gone, and the server serves on.
func TestLogWithoutAReader(t *testing.T) {
	t.Parallel()
	s := startStuck(t)
	s.log.Close()
	s.work(t, 1)
	s.work(t, 2)
	s.wantEnd(t)
}
