// Package bytesize reads and writes numbers of bytes as people do: "10MiB", "500kB". It
// speaks no RFC; the prefixes are those of IEC 80000-13 and of the SI.
package bytesize

import (
	"fmt"
	"strconv"
	"strings"
)

// Size is a number of bytes, or of bytes a second: 1048576, "1MiB", "500kB".
type Size int64

// UnmarshalText reads "10MiB", "500kB" or a plain number of bytes. Its error completes
// the sentence "NAME must be ...".
func (s *Size) UnmarshalText(b []byte) error {
	digits := strings.TrimRight(string(b), "kKMGTiB")
	n, err := strconv.ParseUint(digits, 10, 63)
	unit, ok := unitBytes(string(b)[len(digits):])
	if err != nil || !ok || int64(n) > (1<<63-1)/unit {
		return fmt.Errorf("must be a size such as \"500kB\", \"10MiB\" or \"1GiB\", or 0, not %q", b)
	}
	*s = Size(int64(n) * unit)
	return nil
}

func unitBytes(unit string) (int64, bool) {
	switch unit {
	case "", "B":
		return 1, true
	case "kB", "KB":
		return 1e3, true
	case "MB":
		return 1e6, true
	case "GB":
		return 1e9, true
	case "TB":
		return 1e12, true
	case "KiB", "K", "k":
		return 1 << 10, true
	case "MiB", "M":
		return 1 << 20, true
	case "GiB", "G":
		return 1 << 30, true
	case "TiB", "T":
		return 1 << 40, true
	}
	return 0, false
}

// String is the size in the largest unit that divides it.
func (s Size) String() string {
	units := []struct {
		name  string
		bytes int64
	}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"MB", 1e6}, {"kB", 1e3}}
	for _, u := range units {
		if s != 0 && int64(s)%u.bytes == 0 {
			return strconv.FormatInt(int64(s)/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}
