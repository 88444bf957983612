package ftpwire_test

import (
	"math"
	"testing"

	"ferry/internal/ftpwire"
)

func TestThreat32Offsets(t *testing.T) {
	tests := []struct {
		in   string
		want int64
		ok   bool
	}{
		{"0", 0, true}, {"42", 42, true}, {"007", 7, true}, {"9223372036854775807", math.MaxInt64, true},
		{"9223372036854775808", 0, false}, {"99999999999999999999999", 0, false}, {"-1", 0, false}, {"+1", 0, false}, {"1 ", 0, false},
		{" 1", 0, false}, {"1.5", 0, false}, {"1_0", 0, false}, {"0x1", 0, false}, {"1e3", 0, false}, {"junk", 0, false}, {"", 0, false}, {"٣", 0, false},
	}
	for _, tt := range tests {
		if got, err := ftpwire.ParseOffset(tt.in); got != tt.want || (err == nil) != tt.ok {
			t.Errorf("ParseOffset(%q) = %d, %v; want %d, %t", tt.in, got, err, tt.want, tt.ok)
		}
	}
}

func TestThreat32Ranges(t *testing.T) {
	tests := []struct {
		in         string
		start, end int64
		ok         bool
	}{
		{"0 99", 0, 99, true}, {"1 0", 1, 0, true}, {"5 5", 5, 5, true},
		{"5", 0, 0, false}, {"5 ", 0, 0, false}, {"1  2", 0, 0, false}, {"1 2 3", 0, 0, false}, {"-1 2", 0, 0, false}, {"1 -2", 0, 0, false}, {"", 0, 0, false},
	}
	for _, tt := range tests {
		if start, end, err := ftpwire.ParseRange(tt.in); start != tt.start || end != tt.end || (err == nil) != tt.ok {
			t.Errorf("ParseRange(%q) = %d, %d, %v; want %d, %d, %t", tt.in, start, end, err, tt.start, tt.end, tt.ok)
		}
	}
}

func TestParseALLO(t *testing.T) {
	tests := []struct {
		in           string
		size, record int64
		ok           bool
	}{
		{"1024", 1024, 0, true}, {"1024 R 80", 1024, 80, true}, {"1024 r 80", 1024, 80, true},
		{"", 0, 0, false}, {"R 80", 0, 0, false}, {"1024 80", 0, 0, false}, {"1024 R", 0, 0, false}, {"1024 R x", 0, 0, false}, {"1024 ", 0, 0, false}, {"-1", 0, 0, false},
	}
	for _, tt := range tests {
		if size, record, err := ftpwire.ParseALLO(tt.in); size != tt.size || record != tt.record || (err == nil) != tt.ok {
			t.Errorf("ParseALLO(%q) = %d, %d, %v; want %d, %d, %t", tt.in, size, record, err, tt.size, tt.record, tt.ok)
		}
	}
}

func FuzzOffsets(f *testing.F) {
	for _, s := range []string{"0", "9223372036854775808", "-1", "1 0", "10 R 5", "1 r 2", "+1 2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		if n, err := ftpwire.ParseOffset(in); n < 0 || err != nil && n != 0 {
			t.Errorf("ParseOffset(%q) = %d, %v", in, n, err)
		}
		if start, end, err := ftpwire.ParseRange(in); start < 0 || end < 0 || err != nil && start+end != 0 {
			t.Errorf("ParseRange(%q) = %d, %d, %v", in, start, end, err)
		}
		if size, record, err := ftpwire.ParseALLO(in); size < 0 || record < 0 || err != nil && size+record != 0 {
			t.Errorf("ParseALLO(%q) = %d, %d, %v", in, size, record, err)
		}
	})
}
