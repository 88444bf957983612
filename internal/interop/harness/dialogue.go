package harness

import (
	"io"
	"os/exec"
	"testing"
)

// Dialogue is a program that runs while a test talks through it.
type Dialogue struct {
	t     testing.TB
	in    io.WriteCloser
	Said  *Logbook
	heard int // how much of said was waited for already
	ended chan struct{}
}

// Converse starts a program; the test's end kills it.
func Converse(t testing.TB, name string, args ...string) *Dialogue {
	t.Helper()
	d := &Dialogue{t: t, Said: NewLogbook(), ended: make(chan struct{})}
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stdout, cmd.Stderr = d.Said, d.Said
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	d.in = in
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: run make deps", err)
	}
	go func() {
		_ = cmd.Wait() // how it ends is seen in what it says
		close(d.ended)
	}()
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Process.Kill()
		<-d.ended
	})
	return d
}

// Say sends a line, unless it is empty, and waits for one that holds what,
// behind the one that was waited for last.
func (d *Dialogue) Say(line, what string) string {
	d.t.Helper()
	if line != "" {
		if _, err := io.WriteString(d.in, line+"\n"); err != nil {
			d.t.Fatalf("%q: %v\n%s", line, err, d.Said)
		}
	}
	line, d.heard = d.Said.WaitFrom(d.t, d.heard, what, d.ended)
	return line
}

// End closes the input, waits for the end, and gives all that was said.
func (d *Dialogue) End() string {
	d.in.Close()
	<-d.ended
	return d.Said.String()
}
