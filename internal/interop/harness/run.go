package harness

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Program is one run of a client.
type Program struct {
	Dir   string // where it runs; a new directory when empty
	Stdin string
	Env   []string
	Limit time.Duration // how long it may take; patience when 0
}

// Output is what a client wrote, and how it ended.
type Output struct {
	Out, Err string
	Code     int // exit status
}

// Run runs a client to its end. A client that is not installed, or does not
// end in time, fails the test; any exit status is the caller's matter.
func (p Program) Run(t testing.TB, name string, args ...string) Output {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Fatalf("%s is not installed: run make deps", name)
	}
	ctx, cancel := context.WithTimeout(t.Context(), cmp.Or(p.Limit, Patience))
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = orTemp(t, p.Dir)
	cmd.Stdin = strings.NewReader(p.Stdin)
	// A home of its own: no settings of whoever runs the tests, and none left.
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "LC_ALL=C.UTF-8", "TERM=dumb")
	cmd.Env = append(cmd.Env, p.Env...)
	cmd.WaitDelay = 5 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || exit.ExitCode() < 0) {
		t.Fatalf("%s %q: %v\n%s%s", name, args, err, &stdout, &stderr)
	}
	return Output{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// Must runs a client that has to end with exit status 0.
func (p Program) Must(t testing.TB, name string, args ...string) Output {
	t.Helper()
	o := p.Run(t, name, args...)
	if o.Code != 0 {
		t.Fatalf("%s %q: exit status %d\n%s%s", name, args, o.Code, o.Out, o.Err)
	}
	return o
}
