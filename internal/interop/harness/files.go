package harness

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// Noise is n bytes that no compression, line ending or charset leaves alone;
// the same for the same seed.
func Noise(seed uint64, n int) []byte {
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	b := make([]byte, n)
	_, _ = rand.NewChaCha8(key).Read(b) // never fails, it says
	return b
}

// Sizes are those at which buffers and chunks go wrong.
func Sizes() map[string]int {
	return map[string]int{"0": 0, "1": 1, "64Ki-1": 1<<16 - 1, "64Ki": 1 << 16, "64Ki+1": 1<<16 + 1, "5Mi": 5 << 20}
}

func WriteFile(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// Digest is the SHA-256 of a file, in hexadecimal.
func Digest(t testing.TB, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// WantFile wants exactly this content at path.
func WantFile(t testing.TB, path string, content []byte) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Errorf("%v", err)
		return
	}
	sum := sha256.Sum256(content)
	if Digest(t, path) != hex.EncodeToString(sum[:]) {
		t.Errorf("%s has %d bytes and another content than the %d bytes it should have", path, info.Size(), len(content))
	}
}

// WantNoFile wants nothing to be at path.
func WantNoFile(t testing.TB, path string) {
	t.Helper()
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("%s: want no such file, got %v", path, err)
	}
}
