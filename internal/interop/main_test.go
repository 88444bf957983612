package interop

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binaryEnv names the ferry under test. It is an environment variable, so that
// a test binary that runs itself as a helper does not build anew.
const binaryEnv = "FERRY_BINARY"

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if text := os.Getenv(uploaderEnv); text != "" {
		return uploader(text)
	}
	if os.Getenv(binaryEnv) != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "ferry-interop-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "interop: no place to build ferry:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "ferry")
	// Clients find what only real concurrency shows: hence the race detector.
	build := exec.Command("go", "build", "-race", "-o", binary, "ferry/cmd/ferry")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "interop: cannot build ferry: %v\n%s", err, out)
		return 1
	}
	if err := os.Setenv(binaryEnv, binary); err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		return 1
	}
	return m.Run()
}
