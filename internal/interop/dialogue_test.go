package interop

import (
	"io"
	"os/exec"
	"testing"
)

// dialogue is a program that runs while a test talks through it.
type dialogue struct {
	t     testing.TB
	in    io.WriteCloser
	said  *logbook
	heard int // how much of said was waited for already
	ended chan struct{}
}

// converse starts a program; the test's end kills it.
func converse(t testing.TB, name string, args ...string) *dialogue {
	t.Helper()
	d := &dialogue{t: t, said: newLogbook(), ended: make(chan struct{})}
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stdout, cmd.Stderr = d.said, d.said
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

// say sends a line, unless it is empty, and waits for one that holds what,
// behind the one that was waited for last.
func (d *dialogue) say(line, what string) string {
	d.t.Helper()
	if line != "" {
		if _, err := io.WriteString(d.in, line+"\n"); err != nil {
			d.t.Fatalf("%q: %v\n%s", line, err, d.said)
		}
	}
	line, d.heard = d.said.waitFrom(d.t, d.heard, what, d.ended)
	return line
}

// end closes the input, waits for the end, and gives all that was said.
func (d *dialogue) end() string {
	d.in.Close()
	<-d.ended
	return d.said.String()
}
