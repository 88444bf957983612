package readme

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ferry/internal/interop/harness"
)

// terminal is a shell on a terminal of its own, with somebody at it who answers when a
// password is asked for.
type terminal struct {
	t     *testing.T
	cmd   *exec.Cmd
	tty   *os.File      // the person's side
	said  chan string   // what it prints, as it comes; closed when the shell has ended
	all   string        // all of it so far
	asked int           // how far all was searched for prompts
	ended chan struct{} // closed before err is read
	err   error
}

// password is what the person at the terminal types.
const password = "correct horse battery"

// open starts a shell with a script. What it exports, the next shell has: they are one
// shell to who pastes.
func open(t *testing.T, env, script string) *terminal {
	t.Helper()
	person, shell := pseudoTerminal(t)
	defer shell.Close()
	// -e: nobody goes on pasting after an error.
	cmd := exec.Command("bash", "-ec", ". "+env+"\ntrap 'export -p >"+env+"' EXIT\n"+script)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = shell, shell, shell
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	x := &terminal{t: t, cmd: cmd, tty: person, said: make(chan string, 1000), ended: make(chan struct{})}
	go func() { x.err = cmd.Wait(); close(x.ended) }()
	go func() {
		defer close(x.said)
		for b := make([]byte, 4096); ; {
			n, err := person.Read(b)
			if err != nil {
				return // EIO: nobody has the other side any more
			}
			x.said <- strings.ReplaceAll(string(b[:n]), "\r\n", "\n")
		}
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-x.ended
		person.Close()
	})
	return x
}

func pseudoTerminal(t *testing.T) (person, shell *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	shell, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return person, shell
}

// settle waits until the script has ended, or a server that it started is ready, and
// tells which.
func (x *terminal) settle() (serves bool) {
	x.t.Helper()
	ready := regexp.MustCompile(`(?m)\bready\b.*\bftp=`)
	prompt := regexp.MustCompile(`(Password for \w+|Once more): $`)
	for !ready.MatchString(x.all) {
		select {
		case text, more := <-x.said:
			if !more {
				x.wantEnd()
				return false
			}
			x.all += text
		case <-time.After(harness.Patience):
			x.t.Fatalf("it hangs; it has printed:\n%s", x.all)
		}
		if prompt.MatchString(x.all[x.asked:]) {
			x.asked = len(x.all)
			fmt.Fprintln(x.tty, password)
		}
	}
	return true
}

// interrupt presses Ctrl-C, and wants the server to end well.
func (x *terminal) interrupt() {
	x.t.Helper()
	fmt.Fprint(x.tty, "\x03")
	for text := range x.said {
		x.all += text
	}
	x.wantEnd()
}

func (x *terminal) wantEnd() {
	x.t.Helper()
	<-x.ended
	if x.err != nil {
		x.t.Fatalf("%v; it has printed:\n%s", x.err, x.all)
	}
}
