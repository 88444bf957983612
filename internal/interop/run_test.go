package interop

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

// program is one run of a client.
type program struct {
	dir   string // where it runs; a new directory when empty
	stdin string
	env   []string
	limit time.Duration // how long it may take; patience when 0
}

// output is what a client wrote, and how it ended.
type output struct {
	out, err string
	code     int // exit status
}

// run runs a client to its end. A client that is not installed, or does not
// end in time, fails the test; any exit status is the caller's matter.
func (p program) run(t testing.TB, name string, args ...string) output {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Fatalf("%s is not installed: run make deps", name)
	}
	ctx, cancel := context.WithTimeout(t.Context(), cmp.Or(p.limit, patience))
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = orTemp(t, p.dir)
	cmd.Stdin = strings.NewReader(p.stdin)
	// A home of its own: no settings of whoever runs the tests, and none left.
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "LC_ALL=C.UTF-8", "TERM=dumb")
	cmd.Env = append(cmd.Env, p.env...)
	cmd.WaitDelay = 5 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || exit.ExitCode() < 0) {
		t.Fatalf("%s %q: %v\n%s%s", name, args, err, &stdout, &stderr)
	}
	return output{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// must runs a client that has to end with exit status 0.
func (p program) must(t testing.TB, name string, args ...string) output {
	t.Helper()
	o := p.run(t, name, args...)
	if o.code != 0 {
		t.Fatalf("%s %q: exit status %d\n%s%s", name, args, o.code, o.out, o.err)
	}
	return o
}
