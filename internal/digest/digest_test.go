package digest_test

import (
	"fmt"
	"testing"

	"ferry/internal/digest"
)

// The digests of "abc" (FIPS 180-4 examples, RFC 1321 §A.5; CRC-32 as zlib's).
func TestNew(t *testing.T) {
	for name, want := range map[string]string{
		"CRC32":   "352441c2",
		"md5":     "900150983cd24fb0d6963f7d28e17f72",
		"SHA-1":   "a9993e364706816aba3e25717850c26c9cd0d89d",
		"sha224":  "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
		"SHA-256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"sha384":  "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
		"sha512":  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
	} {
		sum := digest.New(name)
		if sum == nil {
			t.Errorf("%s is not known", name)
			continue
		}
		sum.Write([]byte("abc"))
		if got := fmt.Sprintf("%x", sum.Sum(nil)); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	for _, name := range []string{"", "sha", "sha3", "whirlpool"} {
		if digest.New(name) != nil {
			t.Errorf("%q is known", name)
		}
	}
}
