package account

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"

	"ferry/internal/store"
)

// ParseKeys reads lines of authorized_keys, of the file that errors name. All are
// good, or none is taken.
func ParseKeys(file string, data []byte) ([]store.Key, error) {
	var keys []store.Key
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		if strings.HasPrefix(line, "-----BEGIN") {
			return nil, fmt.Errorf("%s:%d: this is a private key or a certificate: give the public key (the file that ends in .pub)", file, n)
		}
		k, err := store.ParseKey(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, n, err)
		}
		keys = append(keys, k)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: not a file of public keys: %w", file, err)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s: holds no public key", file)
	}
	return keys, nil
}
