package crash

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"ferry/internal/interop/harness"
)

// traced is a server whose system calls are written down. The names of the
// calls are a choice: what moves bytes, and what makes a file last.
func traced(t testing.TB) (s harness.Setup, trace string) {
	t.Helper()
	if _, err := exec.LookPath("strace"); err != nil {
		t.Fatal("strace is not installed: run make deps")
	}
	trace = filepath.Join(t.TempDir(), "trace")
	return harness.Setup{Wrap: []string{"strace", "-f", "-yy", "-o", trace, "-s", "64", "-e",
		"trace=read,write,readv,writev,pread64,pwrite64,recvfrom,sendto,recvmsg,sendmsg,sendfile,splice,copy_file_range,fsync,fdatasync,rename,renameat,renameat2,link,linkat"}}, trace
}

// sysCall is one line of a trace: a system call with its arguments and result.
// Of a call that strace tells in two parts, because another thread's came
// between, it is the second part's place and both parts' text.
type sysCall struct {
	name, args string
	result     int64
}

// sysCalls reads a trace. Which thread made a call is of no interest: Go's
// goroutines wander.
func sysCalls(t testing.TB, trace string) []sysCall {
	t.Helper()
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	whole := regexp.MustCompile(`^(\d+) +(\w+)\((.*)\) += (-?\d+)`)
	begun := regexp.MustCompile(`^(\d+) +(\w+\(.*) <unfinished \.\.\.>`)
	ended := regexp.MustCompile(`^(\d+) +<\.\.\. \w+ resumed>(.*)`)
	open := map[string]string{} // of each thread, the call that has begun
	var all []sysCall
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		if m := begun.FindStringSubmatch(line); m != nil {
			open[m[1]] = m[2]
			continue
		}
		if m := ended.FindStringSubmatch(line); m != nil {
			line = m[1] + " " + open[m[1]] + m[2]
		}
		if m := whole.FindStringSubmatch(line); m != nil {
			result, err := strconv.ParseInt(m[4], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, sysCall{m[2], m[3], result})
		}
	}
	return all
}

// moved is how many bytes calls of the given names moved from or to a name
// that holds what.
func moved(all []sysCall, what string, names ...string) int64 {
	var sum int64
	for _, c := range all {
		for _, name := range names {
			if c.name == name && c.result > 0 && strings.Contains(c.args, what) {
				sum += c.result
			}
		}
	}
	return sum
}

// TestKernelMovesTheBytes: a plain binary transfer goes by sendfile and
// splice, not through the server's memory.
func TestKernelMovesTheBytes(t *testing.T) {
	t.Parallel()
	setup, trace := traced(t)
	v := harness.Start(t, setup)
	const size = 64 << 20
	here := t.TempDir()
	harness.WriteFile(t, filepath.Join(here, "big"), harness.Noise(1, size))
	harness.Curl(t, here, "-T", "big", v.Url("big"))
	harness.Curl(t, here, "-o", "back", v.Url("big"))
	v.Stop()
	if harness.Digest(t, v.Path("big")) != harness.Digest(t, filepath.Join(here, "big")) || harness.Digest(t, filepath.Join(here, "back")) != harness.Digest(t, filepath.Join(here, "big")) {
		t.Error("the content changed on the way")
	}

	all := sysCalls(t, trace)
	if got := moved(all, v.Dir+"/", "sendfile"); got != size {
		t.Errorf("sendfile carried %d bytes of the download, want %d", got, size)
	}
	// The beginning of each chunk of an upload is read: most uploads are small,
	// and end there.
	const beginnings = size / 64
	if got := moved(all, v.Dir+"/", "splice"); got < size-beginnings {
		t.Errorf("splice carried %d bytes of the upload to the disk, want nearly %d", got, size)
	}
	copying := []string{"read", "write", "readv", "writev", "pread64", "pwrite64", "recvfrom", "sendto", "recvmsg", "sendmsg", "copy_file_range"}
	for _, where := range []string{v.Dir + "/", "<TCP"} {
		if got := moved(all, where, copying...); got == 0 || got > beginnings { // 0: the trace was not understood
			t.Errorf("%d bytes went through the server's memory at %s", got, where)
		}
	}
}

// TestAcknowledgedMeansDurable: the content is on the disk before it has its
// name, and the name is before the client hears 226.
func TestAcknowledgedMeansDurable(t *testing.T) {
	t.Parallel()
	setup, trace := traced(t)
	v := harness.Start(t, setup)
	here := t.TempDir()
	harness.WriteFile(t, filepath.Join(here, "f"), harness.Noise(2, 100_000))
	if err := os.Mkdir(v.Path("d"), 0o755); err != nil {
		t.Fatal(err)
	}
	harness.Curl(t, here, "-T", "f", v.Url("d/f"))
	v.Stop()

	dir := v.Path("d")
	steps := []struct {
		what string
		is   func(sysCall) bool
	}{
		{"the last byte to the part", func(c sysCall) bool {
			return c.name == "splice" && strings.Contains(c.args, dir+"/.") && c.result > 0
		}},
		{"fsync of the part", func(c sysCall) bool {
			return (c.name == "fsync" || c.name == "fdatasync") && strings.Contains(c.args, "<"+dir+"/.")
		}},
		{"rename to its name", func(c sysCall) bool {
			return strings.HasPrefix(c.name, "rename") && strings.HasSuffix(strings.TrimSuffix(c.args, ", RENAME_NOREPLACE"), `"f"`)
		}},
		{"fsync of the directory", func(c sysCall) bool {
			return c.name == "fsync" && strings.HasSuffix(c.args, "<"+dir+">")
		}},
		{"226", func(c sysCall) bool {
			return c.name == "write" && strings.Contains(c.args, `"226 `)
		}},
	}
	all := sysCalls(t, trace)
	at := -1
	for _, step := range steps {
		last := -1
		for i, c := range all {
			if step.is(c) {
				if c.result < 0 {
					t.Errorf("%s failed: %+v", step.what, c)
				}
				last = i
			}
		}
		switch {
		case last < 0:
			t.Fatalf("no %s in the trace", step.what)
		case last < at:
			t.Errorf("%s came too early", step.what)
		}
		at = last
	}
}
