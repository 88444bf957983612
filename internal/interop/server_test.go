package interop

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for anything before it gives up. It is far
// more than a busy machine needs, so that only what hangs runs into it.
const patience = 60 * time.Second

// The user that every server knows. The password is a word that appears
// nowhere by chance, because logs are searched for it.
const (
	user     = "alice"
	password = "wonderland-7391"
)

// setup is how a server is started; the zero value is a good one.
type setup struct {
	dir    string   // what is served; a new directory when empty
	state  string   // --state; a new directory when empty
	listen string   // --ftp; a free port of 127.0.0.1 when empty
	args   []string // more arguments of `ferry serve`
	env    []string // more of the environment, NAME=VALUE
	wrap   []string // a command that runs the server, such as strace
	config string   // content of a config file
}

// server is a running `ferry serve`.
type server struct {
	t     testing.TB
	setup setup // with everything filled in: start(t, s.setup) is a restart
	dir   string
	addr  string // HOST:PORT
	host  string
	port  string
	log   *logbook
	cmd   *exec.Cmd
	ended chan struct{} // closed when the process has ended
	err   error         // how; read it after ended
	down  bool          // stop or kill has been called
}

// start starts a server and waits until it accepts connections. The test's end
// stops it, and looks through its log for what must never be there.
func start(t testing.TB, s setup) *server {
	t.Helper()
	v := launch(t, s)
	line := v.log.wait(t, "msg=ready", v.ended)
	v.addr = field(line, "ftp")
	var err error
	if v.host, v.port, err = net.SplitHostPort(v.addr); err != nil {
		t.Fatalf("the ready line names no address: %s", line)
	}
	return v
}

// launch starts the process only.
func launch(t testing.TB, s setup) *server {
	t.Helper()
	s.dir, s.state = orTemp(t, s.dir), orTemp(t, s.state)
	if s.listen == "" {
		s.listen = "127.0.0.1:0"
	}
	ports, claim := passivePorts(t)
	args := append(append([]string{}, s.wrap...), os.Getenv(binaryEnv),
		"serve", s.dir, "--state", s.state, "--ftp", s.listen, "--sftp", "off", "--user", user+":"+password,
		"--passive-ports", ports)
	if s.config != "" {
		file := filepath.Join(t.TempDir(), "ferry.toml")
		writeFile(t, file, []byte(withPlain(s.config)))
		args = append(args, "--config", file)
	}
	args = append(args, s.args...)

	v := &server{t: t, setup: s, dir: s.dir, log: newLogbook(), ended: make(chan struct{})}
	v.cmd = exec.Command(args[0], args[1:]...)
	// A binary with the race detector idles a second before it exits, otherwise.
	v.cmd.Env = append(append(os.Environ(), "GORACE=atexit_sleep_ms=50"), s.env...)
	v.cmd.Stdout, v.cmd.Stderr = v.log, v.log
	// In its own group, so that a wrapper and the server get the same signal,
	// and dead when the test binary dies.
	v.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := v.cmd.Start(); err != nil {
		claim.Close()
		t.Fatalf("cannot start the server: %v", err)
	}
	go func() {
		v.err = v.cmd.Wait()
		claim.Close()
		close(v.ended)
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

// pid is the process id of the server (of its wrapper, where it has one).
func (v *server) pid() int { return v.cmd.Process.Pid }

// stop ends the server as an init system does, and wants it to end well.
func (v *server) stop() {
	v.t.Helper()
	v.end(syscall.SIGTERM)
	if v.err != nil {
		v.t.Errorf("the server ended with %v", v.err)
	}
}

// kill ends the server as the out-of-memory killer does.
func (v *server) kill() {
	v.t.Helper()
	v.end(syscall.SIGKILL)
}

func (v *server) end(sig syscall.Signal) {
	v.t.Helper()
	v.down = true
	if err := syscall.Kill(-v.pid(), sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		v.t.Errorf("cannot signal the server: %v", err)
	}
	select {
	case <-v.ended:
	case <-time.After(patience):
		_ = syscall.Kill(-v.pid(), syscall.SIGQUIT) // its stacks go to the log
		<-v.ended
		v.t.Errorf("the server did not end within %v of %v", patience, sig)
	}
}

// finish is the end of every test that started a server.
func (v *server) finish() {
	v.t.Helper()
	if !v.down {
		v.stop()
	}
	text := v.log.String()
	for _, never := range []string{"DATA RACE", "panic", "goroutine ", password} {
		if strings.Contains(text, never) {
			v.t.Errorf("the server's log holds %q", never)
		}
	}
	if v.t.Failed() {
		v.t.Logf("the server's log:\n%s", text)
	}
}

// path is where a client's name lies on the disk.
func (v *server) path(name string) string { return filepath.Join(v.dir, filepath.FromSlash(name)) }

// url is the URL of a name, without user and password. The name is given as it
// stands in a URL: already escaped.
func (v *server) url(name string) string {
	return fmt.Sprintf("ftp://%s/%s", v.addr, strings.TrimPrefix(name, "/"))
}

// field is the value of key in a line of the text log.
func field(line, key string) string {
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

// deadline is a context that ends when patience does, and with the test.
func deadline(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
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
