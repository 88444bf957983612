package harness

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for anything before it gives up. It is far
// more than a busy machine needs, so that only what hangs runs into it.
const Patience = 60 * time.Second

// The user that every server knows. The password is a word that appears
// nowhere by chance, because logs are searched for it.
const (
	User     = "alice"
	Password = "wonderland-7391"
	// static is the user for --user, with a hash of the password that costs next to
	// nothing: one at the default cost takes a server with the race detector a second
	// of a core, at its start and at the first login again. What passwords
	// of default cost do is told by the stories (cmd/ferry) and by internal/auth.
	static = User + ":$argon2id$v=19$m=64,t=1,p=1$VrTv7KR4lXDS5mTWLvIjLw$2S/6ImoZsdPoy5No2iFRtE3CPa4UlrONcgu+upmPrdY"
)

// Setup is how a server is started; the zero value is a good one.
type Setup struct {
	Dir    string   // what is served; a new directory when empty
	State  string   // --state; a new directory when empty
	Listen string   // --ftp; a free port of 127.0.0.1 when empty
	Args   []string // more arguments of `ferry serve`
	Env    []string // more of the environment, NAME=VALUE
	Wrap   []string // a command that runs the server, such as strace
	Config string   // content of a config file
}

// Server is a running `ferry serve`.
type Server struct {
	t     testing.TB
	Setup Setup // with everything filled in: start(t, s.setup) is a restart
	Dir   string
	Addr  string // HOST:PORT
	Host  string
	Port  string
	Log   *Logbook

	configured []string // --config FILE, where it has one
	cmd        *exec.Cmd
	Ended      chan struct{} // closed when the process has ended
	Err        error         // how; read it after ended
	Down       bool          // stop or kill has been called
}

// Start starts a server and waits until it accepts connections. The test's end
// stops it, and looks through its log for what must never be there.
func Start(t testing.TB, s Setup) *Server {
	t.Helper()
	v := Launch(t, s)
	line := v.Log.Wait(t, "msg=ready", v.Ended)
	v.Addr = Field(line, "ftp")
	var err error
	if v.Host, v.Port, err = net.SplitHostPort(v.Addr); err != nil {
		t.Fatalf("the ready line names no address: %s", line)
	}
	return v
}

// Launch starts the process only.
func Launch(t testing.TB, s Setup) *Server {
	t.Helper()
	s.Dir, s.State = orTemp(t, s.Dir), orTemp(t, s.State)
	if s.Listen == "" {
		s.Listen = "127.0.0.1:0"
	}
	ports, claim := passivePorts(t)
	args := append(append([]string{}, s.Wrap...), os.Getenv(BinaryEnv),
		"serve", s.Dir, "--state", s.State, "--ftp", s.Listen, "--sftp", "off", "--user", static,
		"--passive-ports", ports)
	var configured []string
	if s.Config != "" {
		file := filepath.Join(t.TempDir(), "ferry.toml")
		WriteFile(t, file, []byte(withPlain(s.Config)))
		configured = []string{"--config", file}
	}
	args = slices.Concat(args, configured, s.Args)

	v := &Server{t: t, Setup: s, Dir: s.Dir, configured: configured, Log: NewLogbook(), Ended: make(chan struct{})}
	v.cmd = exec.Command(args[0], args[1:]...)
	v.cmd.Env = append(os.Environ(), s.Env...)
	v.cmd.Stdout, v.cmd.Stderr = v.Log, v.Log
	// In its own group, so that a wrapper and the server get the same signal,
	// and dead when the test binary dies.
	v.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := v.cmd.Start(); err != nil {
		claim.Close()
		t.Fatalf("cannot start the server: %v", err)
	}
	go func() {
		v.Err = v.cmd.Wait()
		claim.Close()
		close(v.Ended)
	}()
	t.Cleanup(v.finish)
	return v
}

// passivePorts is a range of 100 ports below those that the system gives to
// connections. Servers keep passive ports open for a while: those that run at
// the same time would together have all of a common range. Hence a range is
// claimed, by its first port at an address that nobody else uses, until claim
// is closed.
func passivePorts(t testing.TB) (ports string, claim net.Listener) {
	t.Helper()
	for range 1000 {
		first := 20000 + 100*rand.IntN(120)
		claim, err := net.Listen("tcp", fmt.Sprintf("127.255.255.254:%d", first))
		if err != nil {
			continue
		}
		return fmt.Sprintf("%d-%d", first, first+99), claim
	}
	t.Fatal("every range of passive ports is in use")
	return "", nil
}

// Pid is the process id of the server (of its wrapper, where it has one).
func (v *Server) Pid() int { return v.cmd.Process.Pid }

// Stop ends the server as an init system does, and wants it to end well.
func (v *Server) Stop() {
	v.t.Helper()
	v.End(syscall.SIGTERM)
	if v.Err != nil {
		v.t.Errorf("the server ended with %v", v.Err)
	}
}

// Kill ends the server as the out-of-memory killer does.
func (v *Server) Kill() {
	v.t.Helper()
	v.End(syscall.SIGKILL)
}

func (v *Server) End(sig syscall.Signal) {
	v.t.Helper()
	v.Down = true
	if err := syscall.Kill(-v.Pid(), sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		v.t.Errorf("cannot signal the server: %v", err)
	}
	select {
	case <-v.Ended:
	case <-time.After(Patience):
		_ = syscall.Kill(-v.Pid(), syscall.SIGQUIT) // its stacks go to the log
		<-v.Ended
		v.t.Errorf("the server did not end within %v of %v", Patience, sig)
	}
}

// finish is the end of every test that started a server.
func (v *Server) finish() {
	v.t.Helper()
	if !v.Down {
		v.Stop()
	}
	text := v.Log.String()
	for _, never := range []string{"DATA RACE", "panic", "goroutine ", Password} {
		if strings.Contains(text, never) {
			v.t.Errorf("the server's log holds %q", never)
		}
	}
	if v.t.Failed() {
		v.t.Logf("the server's log:\n%s", text)
	}
}

// Path is where a client's name lies on the disk.
func (v *Server) Path(name string) string { return filepath.Join(v.Dir, filepath.FromSlash(name)) }

// Url is the URL of a name, without user and password. The name is given as it
// stands in a URL: already escaped.
func (v *Server) Url(name string) string {
	return fmt.Sprintf("ftp://%s/%s", v.Addr, strings.TrimPrefix(name, "/"))
}

// Field is the value of key in a line of the text log.
func Field(line, key string) string {
	for word := range strings.FieldsSeq(line) {
		if value, ok := strings.CutPrefix(word, key+"="); ok {
			return strings.Trim(value, `"`)
		}
	}
	return ""
}

func orTemp(t testing.TB, dir string) string {
	if dir != "" {
		return dir
	}
	return t.TempDir()
}

// Deadline is a context that ends when patience does, and with the test.
func Deadline(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	t.Cleanup(cancel)
	return ctx
}

// withPlain lets the clients of a configuration that says nothing of TLS log
// in without: with a file, the default is not to.
func withPlain(config string) string {
	if strings.Contains(config, "[tls]") {
		return config
	}
	return config + "\n[tls]\nrequire = \"off\"\n"
}
