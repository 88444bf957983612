package harness

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// BinaryEnv names the ferry under test. It is an environment variable, so that
// a test binary that runs itself as a helper does not build anew.
const BinaryEnv = "FERRY_BINARY"

// Main runs the tests of a package against the built binary. It is for TestMain.
func Main(m *testing.M) int {
	if text := os.Getenv(uploaderEnv); text != "" {
		return uploader(text)
	}
	// The passwords and keys that ssh is to use are the tests' own, whoever runs them.
	for _, name := range []string{"SSH_ASKPASS", "SSH_ASKPASS_REQUIRE", "SSH_AUTH_SOCK"} {
		_ = os.Unsetenv(name)
	}
	// A binary with the race detector idles a second before it exits, otherwise, and
	// the tests run hundreds.
	_ = os.Setenv("GORACE", "atexit_sleep_ms=50")
	if os.Getenv(BinaryEnv) == "" {
		binary, err := build()
		if err == nil {
			err = os.Setenv(BinaryEnv, binary)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "interop:", err)
			return 1
		}
	}
	return m.Run()
}

// build makes the binary under test, once for all packages that test it: it lies in
// the user's cache, and the Go tool leaves it alone where it is what the sources say.
// The lock keeps two packages from making it at the same time.
func build() (binary string, err error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("cannot find the module: %w", err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no place to build ferry: %w", err)
	}
	tree := sha256.Sum256([]byte(strings.TrimSpace(string(out)))) // another checkout has another binary
	dir := filepath.Join(cache, "ferry-interop", hex.EncodeToString(tree[:8]))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("no place to build ferry: %w", err)
	}
	lock, err := os.Create(filepath.Join(dir, "lock"))
	if err != nil {
		return "", fmt.Errorf("no place to build ferry: %w", err)
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return "", fmt.Errorf("cannot wait for another build: %w", err)
	}
	binary = filepath.Join(dir, "ferry")
	// Clients find what only real concurrency shows: hence the race detector.
	made := exec.Command("go", "build", "-race", "-o", binary, "ferry/cmd/ferry")
	if out, err := made.CombinedOutput(); err != nil {
		return "", fmt.Errorf("cannot build ferry: %w\n%s", err, out)
	}
	return binary, nil
}
